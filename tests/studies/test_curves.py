from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cinealign.cli.app import main
from cinealign.errors import ConfigError
from cinealign.run import Run
from cinealign.studies.curves import draw_run, plot_run, trained_experts


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_both_files_and_the_same_again(finished: Run, tmp_path: Path) -> None:
    files = plot_run(finished, tmp_path / "new" / "curves.png")
    assert [file.name for file in files] == ["curves.pdf", "curves.png"]
    assert files[0].read_bytes().startswith(b"%PDF") and files[1].read_bytes().startswith(b"\x89PNG")
    again = plot_run(finished, tmp_path / "v1.2")
    assert [file.name for file in again] == ["v1.2.pdf", "v1.2.png"]
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_every_expert_phase_and_member_is_kept_apart() -> None:
    history = [
        {"expert": 2, "phase": "search", "epoch": 1, "loss": 3.0},
        {"expert": 2, "member": 0, "epoch": 1, "loss": 2.0},
        {"expert": 2, "member": 1, "epoch": 1, "loss": 1.0},
        {"expert": 0, "epoch": 1, "loss": 4.0},
        {"expert": 0, "epoch": 2, "loss": 3.0},
    ]
    found = trained_experts(history)
    assert list(found) == [0, 2] and len(found[0]["train", 0]) == 2
    assert set(found[2]) == {("search", 0), ("train", 0), ("train", 1)}


def test_searches_members_and_gaps_can_be_drawn(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    history = [{"expert": 1, "phase": "search", "epoch": e, "loss": 3.0, "inner_accuracy": 0.1 * e} for e in (1, 2)]
    history += [
        {"expert": 1, "member": m, "epoch": e, "loss": 2.0 - e, "temperature": None} for m in (0, 1) for e in (1, 2)
    ]
    (tmp_path / "run" / "history.jsonl").write_text("".join(json.dumps(e) + "\n" for e in history), encoding="utf-8")
    assert all(file.stat().st_size > 5000 for file in plot_run(Run(tmp_path / "run"), tmp_path / "out"))


def test_parts_of_the_loss_and_the_bias_have_panels(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    history = [
        {"expert": 1, "epoch": e, "loss": 3.0 - e, "loss_sigmoid": 2.0 - e, "loss_genre": 1.0, "bias": -10.0}
        for e in (1, 2, 3)
    ]
    (tmp_path / "run" / "history.jsonl").write_text("".join(json.dumps(e) + "\n" for e in history), encoding="utf-8")
    figure = draw_run(Run(tmp_path / "run"))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["loss", "loss: sigmoid", "loss: genre", "bias of the sigmoid"]
    assert list(figure.axes[1].lines[0].get_ydata()) == [1.0, 0.0, -1.0]


def test_an_expert_has_the_panels_of_its_own_values(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    history: list[dict[str, Any]] = [{"expert": 0, "epoch": e, "loss": 1.0, "bias": None} for e in (1, 2)]
    history += [{"expert": 1, "phase": "search", "epoch": e, "loss": 1.0, "inner_accuracy": 0.5} for e in (1, 2)]
    history += [{"expert": 1, "epoch": 1, "loss": 1.0}]
    (tmp_path / "run" / "history.jsonl").write_text("".join(json.dumps(e) + "\n" for e in history), encoding="utf-8")
    figure = draw_run(Run(tmp_path / "run"))
    first, second = ([axes.get_title() for axes in part.axes if axes.lines] for part in figure.subfigs[:2])
    assert first == ["loss"] and second == ["loss", "inner accuracy, top 5 %"]
    assert [text.get_text() for text in figure.subfigs[1].axes[0].get_legend().get_texts()] == [
        "search",
        "train pairs",
    ]
    assert all(float(tick).is_integer() for tick in figure.subfigs[1].axes[0].get_xticks())


def test_command(finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    code, out, err = call(capsys, "plot", str(tmp_path / "run"))
    assert (code, err) == (0, "") and out.startswith("wrote ") and (tmp_path / "run-curves.pdf").is_file()
    (tmp_path / "run" / "history.jsonl").write_text("")
    code, out, _ = call(capsys, "plot", str(tmp_path / "run"), "--out", str(tmp_path / "only.pdf"))
    assert code == 0 and "no expert that trains in epochs: only the top-p curve is drawn" in out
    assert (tmp_path / "only.png").is_file()
    code, out, err = call(capsys, "plot", str(tmp_path / "run"), "--out", "curves.svg")
    assert (code, out) == (
        2,
        "",
    ) and err == "ConfigError: --out curves.svg: figures are written as .pdf and .png, got .svg\n"


def test_help_imports_nothing_heavy() -> None:
    code = """
import contextlib, io, sys
from cinealign.cli.app import main
for command in ("tune", "compare", "plot"):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([command, "--help"])
assert not {"torch", "numpy", "optuna", "matplotlib"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_place_that_cannot_be_written(finished: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        plot_run(finished, tmp_path / "file" / "curves.pdf")
