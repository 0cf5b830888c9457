"""A run analysed: three questions, numbers first, then tables and figures, in a folder that appears whole or not at all.

Finished parts survive an interruption: the same call goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from cinealign.analysis.downstream.numbers import Downstream
from cinealign.analysis.downstream.tasks import downstream
from cinealign.analysis.drawing import draw
from cinealign.analysis.explain.numbers import Explanation
from cinealign.analysis.explain.pair import explain_pair
from cinealign.analysis.identity import RunIdentity
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours.neighbours import neighbours
from cinealign.analysis.neighbours.numbers import Neighbours
from cinealign.analysis.numbers import Data, DrawnFigure, Explained, Findings, Numbers, OtherLabels, Settings
from cinealign.analysis.plans import draw_explanation, plans
from cinealign.analysis.relation.numbers import Relation
from cinealign.analysis.relation.relation import relation
from cinealign.analysis.spreadsheets import spreadsheets, write_table
from cinealign.arguments import an_instance, as_flag, as_path, as_whole, one_of
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.comparison import PERMUTATIONS
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.evaluation.statistics import LEVEL
from cinealign.figures import Language, cjk_font
from cinealign.out import Draft, refuse_taken, write_whole
from cinealign.plain_json import from_json, to_json
from cinealign.progress import progress, say
from cinealign.run import Run
from cinealign.version import __version__
from cinealign.views.store import FeatureStore, a_store

T = TypeVar("T")
FORMAT = 1
FOLDER = "analysis"
EXPLANATIONS = "explain"
NUMBERS = "analysis.json"
FEWEST = 20
"""Held-out movies below which nothing can be said."""
PARTS: dict[str, tuple[type[Any], Callable[[Material], Any]]] = {
    "relation": (Relation, relation),
    "neighbours": (Neighbours, neighbours),
    "downstream": (Downstream, downstream),
}
"""Question -> the type of its answer, and what gives it."""


@dataclass(frozen=True)
class Analysis:
    """A finished analysis: its folder and the numbers of analysis.json (docs/analysis.md says what each means)."""

    folder: Path
    numbers: Numbers

    @classmethod
    def load(cls, folder: Path | str) -> Analysis:
        """Read back what `analyse` wrote.

        Raises:
            DataError: there is no analysis, or of another version of this program.
            ConfigError: no path.
        """
        folder = as_path(folder, "folder")
        path = folder / NUMBERS
        numbers = _read_json(path)
        if not isinstance(numbers, dict):
            raise DataError(f"{path} is damaged: expected names and values; run `cinealign analyse` again")
        if numbers.get("format") != FORMAT:
            raise DataError(f"{path} has the format {numbers.get('format')}, expected {FORMAT}; analyse the run again")
        return cls(folder, _as(Numbers, numbers, path))

    def explained(self) -> list[Explanation]:
        """What was found of the single movies that the analysis explains, in the order of `numbers.explained`.

        Raises:
            DataError: a file is missing or damaged.
        """
        files = [self.folder / entry.json for entry in self.numbers.explained]
        return [_as(Explanation, _read_json(file), file) for file in files]


def analyse(
    run: Run,
    catalogue: Catalogue,
    out: Path | str | None = None,
    *,
    store: FeatureStore | None = None,
    force: bool = False,
) -> Analysis:
    """Answer the three questions for a finished run, and write numbers, tables, figures and two explanations.

    Args:
        run: a finished run.
        catalogue: the data that it was made from.
        out: folder to make; `analysis` in the run's folder where None.
        store: of features; the user's own store where None.
        force: replace an analysis at `out`.
    Raises:
        ConfigError: `out` exists and `force` is not given, or it is no analysis, or it cannot be written; or an argument is
            of another kind.
        DataError: other data than the run's, or fewer than 20 held-out movies.
    """
    _check_data(run, catalogue)
    out, store, force = _out(run, out, FOLDER), a_store(store), as_flag(force, "force")

    def refuse() -> None:
        refuse_taken(out, force, mark=NUMBERS, one="an analysis", many="analyses")

    refuse()
    if len(catalogue.held_out_rows) < FEWEST:
        raise DataError(
            f"an analysis needs {FEWEST} held-out items at least, got {len(catalogue.held_out_rows)}; "
            "list fewer items in train.txt"
        )
    with Draft.open(out, refuse) as place:
        draft, about = place.folder, RunIdentity.of(run)
        _forget_another(place, about)
        material = Material.of(run, catalogue, store)
        found = Findings(
            format=FORMAT,
            run=about,
            data=_data(material),
            settings=_settings(material),
            **{name: _part(draft, name, material) for name in PARTS},
        )
        explained = _explained(draft, material, found)
        numbers = Numbers(
            **vars(found),
            explained=explained,
            figures=_figures(draft, found, explained, catalogue),
            tables=_tables(draft, found),
        )
        _write_json(draft / NUMBERS, numbers)
        for left in ("parts", "identity.json"):
            _remove(draft / left)
        place.finish()
    return Analysis(out, numbers)


def finished_analysis(run: Run, out: Path | str | None = None) -> Analysis | None:
    """The analysis of this very run that lies at `out` already; None where there is none, or one of another run or version.

    Args:
        run: a finished run.
        out: its folder; `analysis` in the run's folder where None.
    """
    try:
        found = Analysis.load(_out(run, out, FOLDER))
    except DataError:
        return None
    return found if found.numbers.run == RunIdentity.of(run) else None


def explain(
    run: Run,
    catalogue: Catalogue,
    movie_id: int,
    with_id: int | None = None,
    out: Path | str | None = None,
    *,
    store: FeatureStore | None = None,
    lang: Language = "en",
) -> tuple[Explanation, list[Path]]:
    """Why this poster matches this intro: numbers, and the files they were written to (JSON, PDF, PNG).

    Args:
        run: a finished run.
        catalogue: the data that it was made from.
        movie_id: whose poster.
        with_id: whose intro; the same movie's where None.
        out: folder to write to; `explain` in the run's folder where None. Files of that name are replaced.
        store: of features; the user's own store where None.
        lang: of the figure's labels.
    Raises:
        DataError: other data than the run's, or no such movie.
        ConfigError: `out` cannot be written, or `lang` needs a font that is not installed; or an argument is of another kind.
    """
    _check_data(run, catalogue)
    movie_id, with_id = as_whole(movie_id, "movie_id"), None if with_id is None else as_whole(with_id, "with_id")
    out, lang = _out(run, out, EXPLANATIONS), one_of(lang, "lang", get_args(Language))
    material = Material.of(run, catalogue, a_store(store))
    found = explain_pair(material, movie_id, with_id)
    name = str(movie_id) if with_id is None else f"{movie_id}-with-{with_id}"
    return found, _write_explanation(out, name, found, material, lang)


def _check_data(run: Run, catalogue: Catalogue) -> None:
    an_instance(run, "run", Run, "Run(FOLDER) opens one")
    an_instance(catalogue, "catalogue", Catalogue, "Catalogue.load(FOLDER) makes one")


def _out(run: Run, given: Path | str | None, usual: str) -> Path:
    return run.folder / usual if given is None else as_path(given, "out")


def _data(material: Material) -> Data:
    return Data(
        source=material.catalogue.source,
        n=len(material.catalogue),
        train=len(material.train),
        held_out=len(material.held_out),
    )


def _settings(material: Material) -> Settings:
    return Settings(
        ratio=TASK_RATIO,
        k=material.k,
        chance=material.k / len(material.catalogue),
        level=LEVEL,
        samples=material.samples,
        seed=material.seed,
        permutations=PERMUTATIONS,
    )


def _forget_another(place: Draft, about: RunIdentity) -> None:
    """Parts are only good for the same run and version."""
    identity = {"run": to_json(about), "version": __version__, "format": FORMAT}
    draft = place.folder
    path = draft / "identity.json"
    if path.is_file() and path.read_text(encoding="utf-8") == json.dumps(identity):
        say(f"going on with the interrupted analysis: {len(list((draft / 'parts').glob('*.json')))} parts are done")
        return
    place.clear()
    (draft / "parts").mkdir()
    path.write_text(json.dumps(identity), encoding="utf-8")


def _part(draft: Path, name: str, material: Material) -> Any:
    path, (kind, answer) = draft / "parts" / f"{name}.json", PARTS[name]
    if not path.is_file():
        say(f"question: {name}")
        _write_json(path, answer(material))
    return from_json(kind, json.loads(path.read_text(encoding="utf-8")))


def _explained(draft: Path, material: Material, found: Findings) -> list[Explained]:
    """The first good and the first bad case of the gallery of posters."""
    explained = []
    for kind in ("good", "bad"):
        query = next(case.query for case in found.neighbours.galleries.poster_to_intro if case.kind == kind)
        name = str(query.id)
        told = explain_pair(material, query.id)
        _write_explanation(draft / EXPLANATIONS, name, told, material)
        files = {suffix: f"{EXPLANATIONS}/{name}.{suffix}" for suffix in ("json", "pdf", "png")}
        chinese = _chinese(EXPLANATIONS, name)
        if chinese:
            draw_explanation(told, material.catalogue.posters, draft / EXPLANATIONS / "zh" / name, "zh", (".pdf",))
        explained.append(Explained(movie=material.movie(query.row), kind=kind, **files, zh=chinese))
    return explained


def _write_explanation(
    out: Path, name: str, found: Explanation, material: Material, lang: Language = "en"
) -> list[Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_json(out / f"{name}.json", found)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
    return [out / f"{name}.json", *draw_explanation(found, material.catalogue.posters, out / name, lang)]


def _chinese(folder: str, name: str) -> OtherLabels | None:
    """Where the same figure lies with Chinese labels; None where their font is not installed."""
    return None if cjk_font() is None else OtherLabels(pdf=f"{folder}/zh/{name}.pdf")


def _figures(draft: Path, found: Findings, explained: list[Explained], catalogue: Catalogue) -> dict[str, DrawnFigure]:
    chosen = [plan for plan in plans(found, catalogue.posters) if plan.draw is not None]
    drawn: dict[str, DrawnFigure] = {}
    with progress("figures", len(chosen)) as bar:
        for plan in chosen:
            assert plan.draw is not None
            draw(plan.draw, draft / "figures" / plan.name)
            files = {suffix: f"figures/{plan.name}.{suffix}" for suffix in ("pdf", "png")}
            chinese = _chinese("figures", plan.name)
            if chinese:
                draw(plan.draw, draft / "figures" / "zh" / plan.name, "zh", (".pdf",))
            drawn[plan.name] = DrawnFigure(
                **files, caption=plan.caption, question=plan.question, shows_posters=plan.shows_posters, zh=chinese
            )
            bar.advance()
    for entry in explained:
        caption = f"Why the poster of {entry.movie.title} is near its intro, or not: a {entry.kind} case."
        drawn[f"explain-{entry.movie.id}"] = DrawnFigure(
            pdf=entry.pdf, png=entry.png, caption=caption, question="explain", shows_posters=True, zh=entry.zh
        )
    return drawn


def _tables(draft: Path, found: Findings) -> dict[str, str]:
    (draft / "tables").mkdir(exist_ok=True)
    tables = spreadsheets(found)
    for name, lines in tables.items():
        write_table(lines, draft / "tables" / f"{name}.csv")
    return {name: f"tables/{name}.csv" for name in tables}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error}); run `cinealign analyse` first") from None


def _as(kind: type[T], value: Any, path: Path) -> T:
    try:
        return from_json(kind, value)
    except DataError as error:
        raise DataError(f"{path} was made by another version ({error}); analyse the run again") from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write_json(path: Path, value: Any) -> None:
    """Whole, so that a part that is half written is never taken for a finished one."""
    write_whole(path, (json.dumps(to_json(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
