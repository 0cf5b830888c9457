from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, ModelError
from cinealign.report import submission
from cinealign.report.notebook import append_cell, make_notebook
from cinealign.report.student import Student
from cinealign.report.submission import submit
from cinealign.run import Run
from tests.cli.test_app import call

SHORT = """
from pathlib import Path
from cinealign import Catalogue, Run, get_acc
from cinealign.views.store import FeatureStore

catalogue, run, store = Catalogue.load("data"), Run(Path("run")), FeatureStore()
D = 1 - run.model.encode_posters(catalogue.posters, store) @ run.model.encode_intros(catalogue.intros, store).T
accuracy = {"poster_to_intro": get_acc(D, 0.05, 1), "intro_to_poster": get_acc(D, 0.05, 0)}
"""
OWN_SOURCE = "import sys\nsys.path.insert(0, 'src')\n"
ME = Student("2020-1", "张三")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, kernel_store: None) -> dict[str, str]:
    """Submissions get a notebook of one cell, whose code can be changed; it loads the model and measures."""
    code = {"code": OWN_SOURCE + SHORT}

    def one_cell(*arguments: Any, **options: Any) -> Any:
        notebook = make_notebook("en", {})
        notebook.cells = []
        append_cell(notebook, code["code"])
        return notebook

    monkeypatch.setattr(submission, "make_notebook", one_cell)
    return code


def test_what_is_packed(
    finished: Run,
    sample: Catalogue,
    made_up: Path,
    short: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = submit(finished, sample, made_up, ME, "zh", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == [made.file] == [tmp_path / "out" / "2020-1.zip"]
    assert made.measured == pytest.approx(made.expected, abs=1e-9)
    assert made.expected["poster_to_intro"] == finished.metrics["poster_to_intro"]["all"]
    with zipfile.ZipFile(made.file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert all(name.startswith("2020-1/") and ".." not in name and "__pycache__" not in name for name in content)
    inside = {name.removeprefix("2020-1/"): value for name, value in content.items()}
    assert {"2020-1.ipynb", "2020-1.pdf", "README.md", "requirements.txt", "stop_words.txt", "vocabulary.csv",
            "train.txt", "run/metrics.json", "run/model/fusion.json", "run/analysis/analysis.json",
            "src/cinealign/report/templates/report.typ", "src/cinealign/recipes/default.yaml"} <= set(inside)  # fmt: skip
    assert not [name for name in inside if name.endswith((".jpg", ".png", ".sqlite", "vectors.safetensors"))]
    assert not [name for name in inside if name.endswith(".pdf") and name != "2020-1.pdf"]
    assert inside["2020-1.pdf"].startswith(b"%PDF") and inside["run/metrics.json"]
    readme = inside["README.md"].decode()
    assert "张三" in readme and f"{finished.metrics['poster_to_intro']['all']:.4f}" in readme and "$" not in readme
    train = [int(line) for line in inside["train.txt"].split()]
    assert train == sample.ids[sample.train_rows].tolist()
    assert b"==" in inside["requirements.txt"] and inside["vocabulary.csv"].startswith(b"stem,train_intros_count\n")
    assert not [name for name, value in inside.items() if str(tmp_path).encode() in value]
    first, second, reminder = made.lines()
    assert reminder.startswith("still empty: your own analysis of relation, neighbours, downstream; write it")
    assert " MB (" in first and "poster to intro " in second and "own source" in second

    before = made.file.read_bytes()
    with pytest.raises(ConfigError, match=r"2020-1\.zip exists already; pass --force"):
        submit(finished, sample, made_up, ME, "zh", tmp_path / "out")
    assert made.file.read_bytes() == before
    monkeypatch.setattr(submission, "check", lambda *_: made.measured)  # it has run once, and has no part in the zip
    submit(finished, sample, made_up, ME, "zh", tmp_path / "out", force=True)
    assert made.file.read_bytes() == before  # equal content, equal zip


def test_a_model_that_gives_other_numbers_is_not_handed_in(
    finished: Run,
    sample: Catalogue,
    made_up: Path,
    short: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The notebook is run once, unpacked; what it shows before that has no part in this."""
    execute = submission.execute_notebook

    def unpacked(notebook: Any, folder: Path) -> None:
        if "build" not in folder.parts:
            execute(notebook, folder)

    monkeypatch.setattr(submission, "execute_notebook", unpacked)
    other = tmp_path / "run"
    shutil.copytree(finished.folder, other)
    metrics = json.loads((other / "metrics.json").read_text())
    metrics["intro_to_poster"]["all"] += 3 / 240
    (other / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(
        ModelError, match=r"gives intro to poster 0\.\d{4} where the run has 0\.\d{4}; nothing was written"
    ):
        submit(Run(other), sample, made_up, ME, "en", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_a_notebook_on_another_source_is_noticed(
    finished: Run, sample: Catalogue, made_up: Path, short: dict[str, str], tmp_path: Path
) -> None:
    short["code"] = SHORT
    with pytest.raises(RuntimeError, match="not on the source in the zip"):
        submit(finished, sample, made_up, ME, "en", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_mistakes_before_anything_is_made(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, "submit", finished.folder, "--student-id", "../x")
    assert code == 2 and err.startswith("ConfigError: --student-id '../x': expected up to 64 ASCII letters")
    code, _, err = call(capsys, "submit", "nonexistent", "--student-id", "1")
    assert code == 2 and err.startswith("DataError: nonexistent is not a run directory")
    code, _, err = call(capsys, "report", finished.folder, "--out", "report.txt")
    assert code == 2 and "expected a file whose name ends in .pdf" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_whole_submission(
    finished: Run, sample_folder: Path, kernel_store: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command, with the notebook as it is: made_up, written, unpacked, run."""
    run = tmp_path / "run"
    shutil.copytree(finished.folder, run)
    command = ["submit", run, "--data", sample_folder, "--student-id", "7", "--out", tmp_path / "out"]
    code, out, err = call(capsys, *command, "--lang", "en", "--name", "A <b> *c*")
    assert code == 0 and "checked: unpacked into an empty folder" in out, err
    with zipfile.ZipFile(tmp_path / "out" / "7.zip") as archive:
        notebook = json.loads(archive.read("7/7.ipynb"))
    assert notebook["cells"][1]["source"] == "A &lt;b&gt; \\*c\\* · 7" or "\\*c\\*" in "".join(
        notebook["cells"][1]["source"]
    )
