"""One zip to hand in, built in full, then unpacked somewhere else and tried before it gets its name.

| in ID.zip, below ID/ | what |
|---|---|
| README.md | what is here and how to run it |
| ID.ipynb | the notebook with its outputs |
| ID.pdf | the report |
| run/ | recipe, metrics, the saved model, the analysis' numbers; no vectors (the model makes them) and no posters |
| src/cinealign/ | the source that the notebook calls |
| stop_words.txt, vocabulary.csv, train.txt | side files: stop words, stems of train intros, the split as movie ids |
| requirements.txt | exact versions |
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cinealign
from cinealign.data.catalogue import Catalogue
from cinealign.data.intros import tokens
from cinealign.errors import ConfigError, ModelError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.figures import Language
from cinealign.out import write_whole
from cinealign.progress import say
from cinealign.report.notebook import (
    append_cell,
    execute_notebook,
    make_notebook,
    read_notebook,
    reading_of,
    texts_of,
    write_notebook,
)
from cinealign.report.own_words import kept_words, unwritten
from cinealign.report.pdf import report_pdf
from cinealign.report.requirements import pinned
from cinealign.report.student import Student
from cinealign.report.training_story import has_network
from cinealign.run import Run

DATA = "data"
"""Where a submission's notebook looks for the data, beside itself."""
RUN_FILES = ("recipe.yaml", "catalogue.json", "metrics.json", "environment.json", "history.jsonl")
TOLERATED = 2
"""Movies whose rank may fall on the other side of k because another machine rounds otherwise."""
HOW_TO_WRITE = "write it in the cells “My analysis” of the notebook and submit again with --notebook FILE.ipynb --force"
_TOLD = "MEASURED "
_TELL = f"""import json
import cinealign
print({_TOLD!r} + json.dumps({{**accuracy, "source": cinealign.__file__}}))"""
_STAMP = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip, so that equal content gives an equal zip."""


@dataclass(frozen=True)
class Submission:
    """A zip that has passed its own check.

    Attributes:
        file: the zip.
        measured: accuracy of all movies by direction, as the unpacked notebook measured it.
        expected: the same as the run has it.
        parts: bytes in the zip by the first name below ID/, the largest first.
        unwritten: questions on which the student has written nothing.
    """

    file: Path
    measured: dict[str, float]
    expected: dict[str, float]
    parts: dict[str, int]
    unwritten: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What was made and what the check found, for a terminal."""
        size = self.file.stat().st_size
        parts = ", ".join(f"{name} {count / 1e6:.1f} MB" for name, count in self.parts.items() if count >= 50_000)
        accuracies = ", ".join(
            f"{direction.replace('_', ' ')} {self.measured[direction]:.4f} (run: {self.expected[direction]:.4f})"
            for direction in DIRECTIONS
        )
        return [
            f"wrote {self.file}: {size / 1e6:.1f} MB ({parts})",
            "checked: unpacked into an empty folder, its notebook ran from the top with its own source and the saved model; "
            f"top 5 % accuracy, all items: {accuracies}",
            *(
                [f"still empty: your own analysis of {', '.join(self.unwritten)}; {HOW_TO_WRITE}"]
                if self.unwritten
                else []
            ),
        ]


def submit(
    run: Run,
    catalogue: Catalogue,
    analysis: Path,
    student: Student,
    lang: Language,
    out: Path,
    *,
    comparisons: Sequence[Path] = (),
    ladder: Path | None = None,
    own: Mapping[str, str] | None = None,
    force: bool = False,
) -> Submission:
    """Build ID.zip in `out` and check it; it appears only when the check has passed.

    Args:
        run: a finished run.
        catalogue: the data that it was made from.
        analysis: the folder of its analysis.
        student: whose it is.
        lang: of report, notebook and readme.
        out: folder for the zip.
        comparisons, ladder: as in `report_pdf`.
        own: question -> what the student wrote on it; where None, what a zip of that name that is replaced has.
        force: replace a zip of that name.
    Raises:
        ConfigError: the zip exists and `force` is not given, or `out` cannot be written.
        ModelError: the unpacked notebook gives other accuracies than the run has.
        CineAlignError: as `report_pdf` and `execute_notebook`.
    """
    target = out / f"{student.student_id}.zip"
    if target.is_dir() or (target.exists() and not force):
        raise ConfigError(f"{target} exists already; pass --force to replace it, or --out for another place")
    if own is None:
        own = kept_words(target)
    try:
        out.mkdir(parents=True, exist_ok=True)
        scratch_folder = tempfile.TemporaryDirectory(prefix=f".{student.student_id}-", dir=out)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
    with scratch_folder as scratch:
        tree = Path(scratch) / "build" / student.student_id
        tree.mkdir(parents=True)
        say("submission: report")
        pdf = report_pdf(run, analysis, lang, comparisons=comparisons, ladder=ladder, whose=student.line(), own=own)
        write_whole(tree / f"{student.student_id}.pdf", pdf, "--out")
        _side_files(tree, run, catalogue, analysis, student, lang)
        say("submission: notebook")
        _write_notebook(tree, run, catalogue, student, lang, own)
        packed = Path(scratch) / target.name
        parts = _pack(tree, packed)
        say("submission: unpacking it elsewhere and running its notebook")
        measured = check(packed, catalogue.folder, student)
        expected = {direction: float(run.metrics[direction]["all"]) for direction in DIRECTIONS}
        _compare(measured, expected, len(catalogue))
        packed.replace(target)
    return Submission(target, measured, expected, parts, tuple(unwritten(own)))


def check(packed: Path, data: Path, student: Student) -> dict[str, float]:
    """Unpack `packed` into an empty folder, run its notebook against `data` and read what it measured.

    Returns:
        Accuracy of all movies by direction.
    Raises:
        CineAlignError: the notebook ended in one.
        RuntimeError: it ended in another error, or ran on another source than the one in the zip.
    """
    with tempfile.TemporaryDirectory(prefix="cinealign-check-") as scratch:
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(scratch)
        folder = Path(scratch) / student.student_id
        _link(folder, data)
        notebook = read_notebook(folder / f"{student.student_id}.ipynb")
        append_cell(notebook, _TELL)
        execute_notebook(notebook, folder)
        said = [text for output in notebook.cells[-1].outputs for text in texts_of(output)]
        told: dict[str, Any] = json.loads("".join(said).partition(_TOLD)[2])
        source = Path(told.pop("source")).resolve()
        if not source.is_relative_to(folder.resolve()):
            raise RuntimeError(f"the notebook ran on {source}, not on the source in the zip")
        return told


def _compare(measured: dict[str, float], expected: dict[str, float], n: int) -> None:
    for direction in DIRECTIONS:
        if abs(measured[direction] - expected[direction]) > TOLERATED / n + 1e-9:
            raise ModelError(
                f"the unpacked notebook gives {direction.replace('_', ' ')} {measured[direction]:.4f} where the run has "
                f"{expected[direction]:.4f}; nothing was written: make the run again with this version"
            )


def _side_files(tree: Path, run: Run, catalogue: Catalogue, analysis: Path, student: Student, lang: Language) -> None:
    """Run, analysis, source, word lists, requirements and readme."""
    shutil.copytree(run.folder / "model", tree / "run" / "model")
    for name in RUN_FILES:
        shutil.copyfile(run.folder / name, tree / "run" / name)
    no_pictures = shutil.ignore_patterns("*.png", "*.pdf", "figures", "lock")
    shutil.copytree(analysis, tree / "run" / "analysis", ignore=no_pictures)
    package = Path(cinealign.__file__).parent
    shutil.copytree(package, tree / "src" / "cinealign", ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
    stop_words = files("cinealign.data").joinpath("stop_words.txt").read_bytes()
    (tree / "stop_words.txt").write_bytes(stop_words)
    words = Counter(word for row in catalogue.train_rows for word in tokens(catalogue.intros[row]))
    with (tree / "vocabulary.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("stem", "train_intros_count"), *words.most_common()])
    ids = catalogue.ids[catalogue.train_rows].tolist()
    (tree / "train.txt").write_text("".join(f"{movie_id}\n" for movie_id in ids), encoding="utf-8")
    (tree / "requirements.txt").write_text("".join(f"{line}\n" for line in pinned()), encoding="utf-8")
    (tree / "README.md").write_text(_readme(run, student, lang), encoding="utf-8")


_SCORE = {"en": "; course score {:.2f} of 15", "zh": "；课程得分 {:.2f}（满分 15）"}


def _readme(run: Run, student: Student, lang: Language) -> str:
    template = files("cinealign.report").joinpath("templates", f"submission-{lang}.md").read_text(encoding="utf-8")
    metrics = run.metrics
    return Template(template).substitute(
        whose=student.markdown(),
        id=student.student_id,
        data=DATA,
        n=f"{metrics['n']:,}",
        p2i=f"{metrics['poster_to_intro']['all']:.4f}",
        i2p=f"{metrics['intro_to_poster']['all']:.4f}",
        score=_SCORE[lang].format(metrics["course_score"]) if run.assignment else "",
    )


def _write_notebook(
    tree: Path, run: Run, catalogue: Catalogue, student: Student, lang: Language, own: Mapping[str, str]
) -> None:
    """The executed notebook at its place in `tree`, with the data beside it only meanwhile."""
    places = {"DATA": Path(DATA), "RUN": Path("run"), "RECIPE": Path("run/recipe.yaml"), "TRAINED": Path("trained")}
    parameters: dict[str, Path | str | bool] = {**reading_of(run), **places}
    notebook = make_notebook(
        lang,
        parameters,
        student.markdown(),
        noun=catalogue.noun,
        own=own,
        own_source=True,
        network=has_network(run.recipe),
    )
    link = _link(tree, catalogue.folder)
    try:
        execute_notebook(notebook, tree)
    finally:
        link.unlink()
    shutil.rmtree(tree / "src" / "cinealign" / "__pycache__", ignore_errors=True)
    write_notebook(notebook, tree / f"{student.student_id}.ipynb")


def _link(folder: Path, data: Path) -> Path:
    link = folder / DATA
    link.symlink_to(data.resolve(), target_is_directory=True)
    return link


def _pack(tree: Path, packed: Path) -> dict[str, int]:
    """Zip `tree` with its own name on top; bytes in the zip by the first name below it, the largest first."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            inner = path.relative_to(tree)
            entry = zipfile.ZipInfo(f"{tree.name}/{inner.as_posix()}", _STAMP)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
            sizes[inner.parts[0]] += archive.getinfo(entry.filename).compress_size
    return dict(sizes.most_common())
