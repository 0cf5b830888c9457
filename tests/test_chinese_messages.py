"""What the audit and an import say has its Chinese: every sentence of their code, and what they really print."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cinealign import phrases
from cinealign.audit.audit import audit_distances, audit_run
from cinealign.audit.findings import Finding
from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.flags import draw_flags
from cinealign.distance.distances import distance_matrix
from cinealign.grading.judging import Judged, judge
from cinealign.grading.recognition import NO_D
from cinealign.grading.table import write_grades
from cinealign.grading.unpacking import Limits
from cinealign.phrases import phrases as known_phrases
from cinealign.phrases import said
from cinealign.run import Run

PACKAGE = Path(phrases.__file__).parent
ROOMS = (
    *sorted((PACKAGE / "audit").glob("*.py")),
    *sorted((PACKAGE / "data" / "importing").glob("*.py")),
    PACKAGE / "data" / "dialect.py",
    PACKAGE / "data" / "encodings.py",
    PACKAGE / "data" / "new_folder.py",
    PACKAGE / "grading" / "agreement.py",
    PACKAGE / "cli" / "audit.py",
    PACKAGE / "cli" / "data_import.py",
)
WORDS = re.compile(r"[A-Za-z]{2,}(?:'s)?[,:;]? [a-z]{2,}")
"""Two words of a sentence."""
NAMES = re.compile(
    r"`.*?`|'.*?'|\S*[./_=\[\]]\S*|--[\w-]+( [A-Z]+)?|(view|expert) \S+|fusion weights|cinealign run|(保留|现有)：.*"
)
"""Commands, files, options, values, columns and parts of a model, which stay as they are."""


def sentences(code: str) -> Iterator[str]:
    """Pieces of messages, those between the values of an f-string; no docstrings, asserts, keys and help of options."""
    tree = ast.parse(code)
    passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            passed_over |= {id(key) for key in node.keys}
        if isinstance(node, ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "help"):
            passed_over |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            said_to_users = WORDS.search(node.value) and not node.value.startswith("SELECT ")
            yield from [node.value.strip(" .,;:()")] * bool(said_to_users)


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_sentence_has_its_chinese(room: Path) -> None:
    pieces = [" ".join(each.split()) for text in known_phrases() for each in re.split("[*#]", text)]
    heap = "\n".join([*pieces, *known_phrases()])
    assert not [text for text in sentences(room.read_text(encoding="utf-8")) if text not in heap]


def english(line: str) -> bool:
    """Whether a sentence, or the beginning of one, stayed English."""
    return bool(WORDS.search(NAMES.sub(" ", said(line))))


def findings(run: Run, catalogue: Catalogue, folder: Path) -> Iterator[Finding]:
    """Of a run of which a file, the split and D were changed, and of matrices of which each upsets another check."""
    held_out = catalogue.held_out_rows
    D = distance_matrix(*run.vectors).astype(np.float64)
    fakes = {name: D.copy() for name in ("lowered", "NaN", "row", "first", "own", "full rank", "pulled")}
    fakes["lowered"][held_out, held_out] -= 0.5
    fakes["NaN"][3, 4] = np.nan
    fakes["row"][5] = np.nan
    fakes["own"][np.arange(len(D)), np.arange(len(D))] = 0.5
    fakes["full rank"] += np.random.default_rng(0).normal(0, 0.3 * D.std(), D.shape)
    fakes["first"] = fakes["full rank"].copy()
    fakes["first"][held_out[::2], held_out[::2]] = -9
    fakes["pulled"][held_out, held_out] = np.sort(fakes["pulled"][held_out], axis=1)[:, 10]
    fakes |= {"turned": D.T, "sign": -D, "symmetric": D + D.T, "coarse": D.round(1), "constant": np.where(D > 2, D, 1)}
    for fake in fakes.values():
        yield from audit_distances(fake, catalogue.train_rows, catalogue)
    shutil.copytree(run.folder, folder)
    metrics = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(metrics.replace('"ratio": 0.05', '"ratio": 0.06', 1))
    yield from audit_run(Run(folder), replace(catalogue, train_rows=catalogue.train_rows[1:]), D=fakes["lowered"])


def test_no_finding_stays_english(finished: Run, sample: Catalogue, tmp_path: Path) -> None:
    lines = {finding.line() for finding in findings(finished, sample, tmp_path / "copy")}
    for title in {movie.title for movie in sample.movies}:
        lines = {line.replace(title, "1") for line in lines}
    assert len(lines) > 50 and {line[:4] for line in lines} == {"PASS", "FAIL", "NOTE"}
    assert not [said(line) for line in sorted(lines) if english(line)]
    for line in lines:
        assert re.findall(r"\d+(?:\.\d+)?", line) == re.findall(r"\d+(?:\.\d+)?", said(line))  # numbers, in their order


def test_nothing_of_an_import_stays_english(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_flags(tmp_path / "flags", flags=10, seed=2)
    table = tmp_path / "flags" / "flags.csv"
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([head, *rows, rows[0], rows[1].replace(".png", "-gone.png")]) + "\n", encoding="utf-8")
    said_so = ""
    for arguments in (
        ["flags/flags.csv", "--dry-run"],
        ["flags/flags.csv", "--out", "mine", "--look", "0", "--text", "description_zh"],
        ["flags/flags.csv", "--out", "mine", "--look", "0", "--text", "description_zh"],
        ["flags/flags.csv", "--out", "flags", "--look", "0"],
        ["flags/flags.csv", "--text", "nothing", "--dry-run"],
        ["nowhere.csv", "--dry-run"],
        ["flags/flags.csv"],
    ):
        with pytest.raises(SystemExit):
            main(["--lang", "zh", "data", "import", *arguments])
        phrases.use_language("en")
        out, err = capsys.readouterr()
        said_so += re.sub(r"(?m)^ {4}.*$", "", out) + err  # the rows themselves stay as they are
    lines = said_so.splitlines()
    assert len(lines) > 30 and "读入 12 行" in said_so and "按列名识别" in said_so
    assert not [line for line in lines if WORDS.search(NAMES.sub(" ", line))]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_of_the_desk_speak_one_language(lang: str, finished: Run, sample: Catalogue, tmp_path: Path) -> None:
    """Findings, remarks, heads and resemblances of the sheets, index.html and the table."""
    D = distance_matrix(*finished.vectors)
    D[sample.held_out_rows, sample.held_out_rows] -= 0.5
    np.save(tmp_path / "D.npy", D)
    rows = [judge(tmp_path / "D.npy", tmp_path, sample, Limits()), Judged("7", remarks=[NO_D])]
    pairs = [(rows[0], rows[1], "the same matrix, perhaps in another scale")]
    write_grades(rows, pairs, tmp_path / "out", lang)  # type: ignore[arg-type]
    for page in ("index.html", "sheets/D.html", "sheets/7.html"):
        html = (tmp_path / "out" / page).read_text(encoding="utf-8")
        text = re.sub(r"<(style|pre)>.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
        left = [each[0] for each in WORDS.finditer(NAMES.sub(" ", text))]
        assert (not left and "海报→简介" in text + "海报→简介" * (page == "sheets/7.html")) if lang == "zh" else left


@pytest.mark.parametrize(
    "line",
    [
        "all: the nearest 5 % of N = 3 are k = 0 items, so no query can succeed and 0 says nothing; 20 items are needed",
        "runs/x has no index: hits come without chances; `cinealign index runs/x` makes one",
        "Error: Invalid value for 'RUN|D': path 'D.npy' does not exist.",
        "train.txt: 144 train items, read as rows of D (240 rows); where items were dropped before D was made, the file counts "
        "others: pass --data DIR as well",
    ],
)
def test_what_a_first_try_meets_is_said_in_chinese(line: str) -> None:
    assert not re.search("does not|says|has no|read as|nearest", said(line)), said(line)
