from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cinealign import epochs as module
from cinealign import progress as progress_module
from cinealign.epochs import ROWS, SHOWN, WHOLE, epochs, listening, training_part
from cinealign.errors import ConfigError
from cinealign.training.loop.settings import TrainingSettings
from cinealign.training.loop.train import train
from cinealign.training_log import training_log
from tests.clock import Clock
from tests.training.experts.two_towers import drawn, fitted


def test_plain_lines_tell_the_epoch_and_the_time_left(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with training_part(WHOLE), training_part("contrastive"), epochs(4) as shown:
        clock.now += 6
        shown.entry({"epoch": 1, "loss": 5.0, "temperature": 0.07, "learning_rate": 0.1})
        assert capsys.readouterr().err == ""  # not ten seconds yet
        clock.now += 6
        shown.entry({"epoch": 2, "loss": 4.5, "temperature": 0.06, "inner_accuracy": 0.25})
        assert capsys.readouterr().err == (
            "contrastive: epoch 2 of 4, loss 4.500, temperature 0.060, inner accuracy 0.250, 12 s left\n"
        )
        for epoch in (3, 4):
            shown.entry({"epoch": epoch, "loss": 4.0})
    assert capsys.readouterr().err == "contrastive: epoch 4 of 4, loss 4.000, 12 s\n"


def test_a_training_that_stops_early_has_its_last_line(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with training_part("search"), epochs(40) as shown:
        clock.now += 3
        shown.entry({"epoch": 1, "loss": 5.0})
    assert capsys.readouterr().err == "search: epoch 1 of 40, loss 5.000, 3 s\n"


def test_members_are_one_training_with_one_time_left(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with epochs(2, times=3):
        for member in range(3):
            with training_part(f"member {member + 1} of 3"), epochs(2) as shown:
                shown.entry({"epoch": 0, "loss": 9.0})  # the start, which is no epoch of training
                for epoch in (1, 2):
                    clock.now += 10
                    shown.entry({"epoch": epoch, "loss": 1.0})
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "member 1 of 3: epoch 1 of 2, loss 1.000, 50 s left"
    assert lines[-1] == "member 3 of 3: epoch 2 of 2, loss 1.000, 1 min 0 s" and len(lines) == 6


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_grows_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock, width: int
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    with training_part("network"), epochs(ROWS + 4) as shown:
        for epoch in range(ROWS + 3):
            clock.now += bool(epoch)
            keys = ("loss", "inner_loss", "temperature", "inner_accuracy", "inner_log_rank")
            shown.entry({"epoch": epoch, **dict.fromkeys(keys, 0.1 * epoch + 2)})
    shown_text = capsys.readouterr().err
    assert "network" in shown_text and "inner log rank" in shown_text and "inner accuracy" in shown_text
    assert f"{ROWS + 2} of {ROWS + 2} epochs, 10 s" in shown_text  # it ended before its last epoch
    assert "3.000 " in shown_text and "…" not in shown_text
    last = shown_text[shown_text.rindex("network") :]
    assert [int(row) for row in re.findall(r"(?m)^ +(\d+)  \d", last)] == list(range(3, ROWS + 3))


def test_the_table_holds_one_member_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with epochs(2, times=2) as shown:
        for member, loss in ((1, 3.0), (2, 4.0)):
            with training_part(f"member {member} of 2"):
                shown.entry({"epoch": 1, "loss": loss})
        table = shown.table()  # type: ignore[attr-defined]
    assert table.title == "member 2 of 2" and list(table.columns[1].cells) == ["4.000"]
    assert table.caption.startswith("2 of 4 epochs, ")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_network_of_members_is_shown_as_its_history_keeps_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "120")
    expert = fitted(drawn(60))  # three members of four epochs
    last = capsys.readouterr().err.rstrip()
    told = [format(expert.history[4][key], form) for key, (_, form) in SHOWN.items()]
    if terminal:
        shown = re.split(r"epoch +members", last)[-1]
        assert re.findall(r"(?m)^ +(\d+) +(\d+) ", shown)[-5:] == [(str(epoch), "3") for epoch in range(5)]
        assert re.search(r" 4 +3 +" + " +".join(map(re.escape, told)), shown)
    else:
        numbers = ", ".join(f"{heading} {text}" for (heading, _), text in zip(SHOWN.values(), told, strict=True))
        assert f"training: epoch 4 of 4, mean of members 1 to 3 of 3, {numbers}, " in last.splitlines()[-1]


def test_what_is_trained_inside_a_progress_bar_is_shown_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_module.progress("folds", 2) as bar, epochs(1) as shown:
        shown.entry({"epoch": 1, "loss": 1.25})
        bar.advance(2)
    seen = capsys.readouterr().err
    assert "folds" in seen and "1.250" in seen


def test_listeners_hear_of_every_epoch_of_the_loop_and_of_its_parts() -> None:
    heard: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    layer, given = nn.Linear(1, 1), torch.arange(8.0)[:, None]

    def trained() -> list[dict[str, Any]]:
        return train(
            layer,
            8,
            lambda rows: (layer(given[rows]) - 1).square().mean(),
            TrainingSettings(epochs=3, batch_size=4, learning_rate=1e-3),
            torch.Generator().manual_seed(0),
        )

    with listening(lambda parts, entry: heard.append((parts, entry))), training_part("fold-1"):
        history = trained()
    trained()  # nobody listens any more
    assert heard == [(("fold-1",), entry) for entry in history] and len(heard) == 3


def test_a_network_tells_of_its_start_and_of_every_member() -> None:
    heard: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    with listening(lambda parts, entry: heard.append((parts, entry))):
        expert = fitted(drawn(60))
    assert [parts[-1] for parts, _ in heard] == [f"member {m} of 3" for m in (1, 2, 3) for _ in range(5)]
    assert [entry["epoch"] for _, entry in heard] == [0, 1, 2, 3, 4] * 3
    for epoch, kept in enumerate(expert.history):  # the history has the means over the members
        for key in ("loss", "inner_loss", "inner_accuracy", "inner_log_rank"):
            of_members = [entry[key] for _, entry in heard if entry["epoch"] == epoch]
            assert kept[key] == pytest.approx(sum(of_members) / 3), key


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    place = training_part("expert 0 (network)")
    with training_log("tensorboard", tmp_path), training_part("all"), place, epochs(2) as shown:
        shown.entry({"epoch": 1, "loss": 3.0, "phase": "search", "inner_accuracy": 0.25, "temperature": None})
        read = EventAccumulator(str(tmp_path / "tensorboard" / "all-expert-0-network")).Reload()
        assert read.Tags()["scalars"] == ["loss", "inner_accuracy"]  # while training goes on
        shown.entry({"epoch": 2, "loss": 2.0, "inner_accuracy": 0.5})
    losses = read.Reload().Scalars("loss")
    assert [(event.step, event.value) for event in losses] == [(1, 3.0), (2, 2.0)]


def test_a_log_needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    missing = pytest.raises(ConfigError, match=r"--log tensorboard needs 'tensorboard'.*cinealign\[tensorboard\]")
    with missing, training_log("tensorboard", tmp_path):
        pass
    assert not module._listeners.get()
