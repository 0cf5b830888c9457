"""The terminal as a whole: names that are nearly right, runs by name, commands by subject, messages in Chinese."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cinealign import phrases
from cinealign.analysis.analyse import Analysis, finished_analysis
from cinealign.cli.app import PANELS, app, main
from cinealign.data.catalogue import Catalogue
from cinealign.phrases import said
from cinealign.plain_json import to_json
from cinealign.recipe_files import known_recipes
from cinealign.run import Run
from cinealign.views.store import FeatureStore

TYPERS = ("Missing argument", "Missing option", "Got unexpected extra", "Invalid value")
"""What the parser of options says; `test_a_wrong_option_in_chinese` holds it to these."""
PACKAGE = Path(phrases.__file__).parent


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    phrases.use_language("en")
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def beside(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with runs/cheap."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "cheap").symlink_to(finished.folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["shwo", "x"], "did you mean 'show'?"),
        (["index", "inof"], "did you mean 'info'?"),
        (["data", "chekc"], "did you mean 'check'?"),
        (["cache", "xx"], "choose one of: info, clear"),
        (["show", "--jsno"], "did you mean --json?"),
        (["run", "--recipe", "defualt"], "did you mean 'default'?"),
        (["run", "--set", "fusoin.folds=3"], "did you mean 'fusion'?"),
        (["run", "--set", "fusion.fodls=3"], "did you mean 'folds'?"),
        (["run", "--recipe", "baseline", "--set", "distance=cosin"], "did you mean 'cosine'?"),
        (["show", "cheep"], "did you mean 'cheap'?"),
    ],
)
def test_did_you_mean(given: list[str], meant: str, beside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *given)
    assert (code, out) == (2, "") and meant in err and err.count("\n") == 1


def test_nothing_is_meant_by_a_name_that_is_far(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean" not in call(capsys, "zzzz")[2]
    assert "did you mean" not in call(capsys, "run", "--recipe", "zzzz")[2]


def test_a_run_by_its_name(beside: Path, finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "show", "cheap", "--json")
    assert (code, err) == (0, "") and json.loads(out) == finished.metrics
    (beside / "cheap").mkdir()  # a folder of other things does not hide it, a run here goes before one in runs/
    assert call(capsys, "show", "cheap")[0] == 0
    (beside / "cheap" / "metrics.json").write_text("{}")
    assert call(capsys, "show", "cheap")[0] == 2


def test_imported_data_have_no_course_score(finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = shutil.copytree(finished.folder, tmp_path / "run")
    assert "course score" in call(capsys, "show", run)[1] and "course score" in call(capsys, "evaluate", run)[1]
    said_of = json.loads((run / "catalogue.json").read_text(encoding="utf-8"))
    said_of["report"]["assignment"] = False
    (run / "catalogue.json").write_text(json.dumps(said_of), encoding="utf-8")
    for command in ("show", "evaluate"):
        code, out, _ = call(capsys, command, run)
        assert code == 0 and "sum of both directions" in out and "course" not in out


def test_runs(
    beside: Path,
    finished: Run,
    sample: Catalogue,
    store: FeatureStore,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys, "runs", "--json")
    row = json.loads(out)["runs"][0]
    assert (code, err, row["run"]) == (0, "", "runs/cheap")
    assert row["held_out"]["poster_to_intro"] == finished.metrics["poster_to_intro"]["held_out"]
    left = beside / "runs" / "second.partial"
    left.mkdir()
    (left / "identity").write_text("x")
    (beside / "runs" / "damaged").mkdir()
    (beside / "runs" / "damaged" / "metrics.json").write_text("{")
    (beside / "runs" / "index").mkdir()
    (beside / "runs" / "index" / "CURRENT").write_text("1")
    (beside / "runs" / "index" / "base-1").symlink_to(finished.folder)
    code, out, err = call(capsys, "runs")
    assert (code, err) == (0, "") and f"{finished.metrics['intro_to_poster']['held_out']:.4f}" in out
    assert f"interrupted: {left.relative_to(beside)};" in out and "damaged" not in out
    assert "base-1" not in out  # what an index keeps of its run is no run
    assert call(capsys, "runs", "nowhere")[0] == 2


def test_every_command_has_a_subject_and_a_whole_summary(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--help")
    assert code == 0 and "..." not in out.partition("Options:")[2]
    assert [line.rstrip(":") for line in out.splitlines() if line.endswith(":") and line[0] != " "] == [
        "Options",
        *PANELS,
    ]
    named = {each.name or each.callback.__name__ for each in app.registered_commands}  # type: ignore[union-attr]
    assert named <= {line.split()[0] for line in out.splitlines() if line.startswith("  ") and line.strip()}


def test_chinese(finished: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = call(capsys, "--lang", "zh", "show", finished.folder)
    assert (code, err) == (0, "") and "海报→简介" in out and "中位数" in out and "运行目录：" in out
    left = [line for line in out.splitlines() if re.search(r"[a-z]{3,} [a-z]{3,}", line)]
    assert not left  # no sentence stays English
    monkeypatch.setenv("CINEALIGN_LANG", "zh_CN.UTF-8")
    assert call(capsys, "show", "nowhere")[2].startswith("数据错误：nowhere 不是运行目录")
    assert json.loads(call(capsys, "show", finished.folder, "--json")[1]) == finished.metrics
    assert call(capsys, "--lang", "en", "show", "nowhere")[2].startswith("DataError: nowhere")
    summaries = re.sub("`.*?`", "", call(capsys, "--help")[1].partition("--help")[2].partition("\n")[2])
    assert summaries and not re.search(r"[a-z]{4,} [a-z]{4,}", summaries)


@pytest.mark.parametrize(
    ("environment", "lang"),
    [({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN", "LC_ALL": "C"}, "en"), ({"LANG": "de_DE"}, "en")],
)
def test_the_locale_decides(environment: dict[str, str], lang: str) -> None:
    assert phrases.locale_language(environment) == lang


def test_what_says_more_goes_first() -> None:
    assert said("0.1 to 0.2") == "0.1 至 0.2" and said("no such phrase") == "no such phrase"
    assert said("data: a drawn sample catalogue (x)") == "数据：程序绘制的样例数据（x）"


def test_every_phrase_is_said_somewhere() -> None:
    """A phrase whose English changed would silently stay English."""
    written = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(" ".join(node.value.split()))
    heap = "\n".join([*written, *known_recipes().values()])
    missing = [
        phrase
        for phrase in phrases.phrases()
        if not phrase.startswith(TYPERS)
        for piece in re.split("[*#]", phrase.replace("\n", " "))
        if not all(word in heap for word in re.findall(r"[A-Za-z]{4,}", piece))
    ]
    assert not missing


@pytest.mark.parametrize(
    "given", [["show"], ["distances", "{run}"], ["show", "{run}", "y"], ["data", "check", "{run}", "--train-ids", "z"]]
)
def test_a_wrong_option_in_chinese(given: list[str], finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    err = call(capsys, "--lang", "zh", *[each.format(run=finished.folder) for each in given])[2]
    assert re.match("错误：.*[\u4e00-\u9fff]{3}", err) and not re.search("(?i)missing|unexpected|invalid", err)


def test_gaps_are_kept() -> None:
    assert not [
        text for text, told in phrases.phrases().items() if re.findall("[*#]", text) != re.findall("[*#]", told)
    ]


def test_every_recipe_is_described_in_chinese() -> None:
    assert not [text for text in known_recipes().values() if not re.search("[\u4e00-\u9fff]", said(text))]


def test_a_gap_of_a_number_takes_nothing_else() -> None:
    assert said("0.808 to 0.835") == "0.808 至 0.835" and said("+0.077 to +0.122") == "+0.077 至 +0.122"
    line = "rebuilt D: the saved model makes the saved vectors again, to the last bit"
    assert said(line) == line


def test_a_finished_analysis_shows_itself_again(
    lettered: Run, analysed: Analysis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinealign.run_data.RunData.find", lambda *_: pytest.fail("the data were read"))
    code, out, err = call(capsys, "analyse", lettered.folder, "--out", analysed.folder)
    assert code == 0 and "1. is the poster related to the intro?" in out
    assert err == f"{analysed.folder} is finished: this is what it says; --force makes it again\n"
    assert json.loads(call(capsys, "analyse", lettered.folder, "--out", analysed.folder, "--json")[1]) == to_json(
        analysed.numbers
    )


def test_an_analysis_of_another_run_is_not_shown(
    finished: Run, lettered: Run, analysed: Analysis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finished_analysis(lettered, analysed.folder) is not None
    assert finished_analysis(finished, analysed.folder) is None
    assert finished_analysis(lettered) is None


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_run_a_second_time_shows_the_run(beside: Path, finished: Run) -> None:
    (beside / "runs" / "cheap").rename(beside / "runs" / "default")
    root = PACKAGE.parents[1]
    venv = root / ".venv"
    made = ["make", "--no-print-directory", "-f", root / "Makefile", f"VENV={venv}", "-o", venv / ".runs", "run"]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    done = subprocess.run(made, cwd=beside, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{finished.metrics['acc_sum']:.4f}" in done.stdout
    assert done.stdout.endswith("this run is finished; make it anew: make run ARGS=--force\n")
