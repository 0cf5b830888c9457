"""The command as a user meets it: a process of its own, its exit code, and what it writes where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from cinealign.cli.app import main
from cinealign.out import partial
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.store import FeatureStore

COMMANDS = [
    [],
    ["run"],
    ["show"],
    ["evaluate"],
    ["distances"],
    ["audit"],
    ["slices"],
    ["geometry"],
    ["diff"],
    ["compare"],
    ["tune"],
    ["plot"],
    ["notebook"],
    ["report"],
    ["submit"],
    ["recipes"],
    ["data"],
    ["data", "check"],
    ["data", "sample"],
    ["data", "download"],
    ["data", "describe"],
    ["cache"],
    ["cache", "info"],
    ["cache", "clear"],
]
PROGRAM = [sys.executable, "-c", "from cinealign.cli.app import main; main()"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, in this process."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


HEAVY = """
import contextlib, io, json, sys
from cinealign.cli.app import main
for command in json.loads(sys.argv[1]):
    for flag in ("--help", "-h"):
        with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
            main([*command, flag])
        assert "Usage:" in shown.getvalue(), command
    heavy = {"torch", "pandas", "sklearn", "transformers", "scipy", "numpy"} & set(sys.modules)
    assert not heavy, (command, heavy)
"""


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAVY, json.dumps(COMMANDS)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["distances", "evaluate"])
def test_help_keeps_indices(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, command, "--help")
    assert code == 0 and "D[i, j]" in out


def test_version_and_bare_command(capsys: pytest.CaptureFixture[str]) -> None:
    from cinealign import __version__

    assert call(capsys, "--version") == (0, f"cinealign {__version__}\n", "")
    code, out, _ = call(capsys)
    assert code == 0 and "Usage:" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing"], "Error: no command 'nothing' in `cinealign`; choose one of: "),
        (["run", "--nothing"], "Error: no option --nothing in `cinealign run`; "),
        (["run", "--train-ids", "names"], "Error: Invalid value for '--train-ids'"),
        (["run", "extra"], "Error: Got unexpected extra argument"),
        (["show"], "Error: Missing argument 'RUN'."),
        (["show", "nonexistent"], "DataError: nonexistent is not a run directory"),
        (["distances", "nonexistent", "--out", "D.npy"], "DataError: nonexistent is not a run directory"),
        (["evaluate", "nonexistent"], "Error: Invalid value for 'RUN|D'"),
        (["evaluate", "."], "DataError: . is not a run directory"),
        (["evaluate", __file__], "Error: Invalid value: a saved D needs its split"),
        (["evaluate", __file__, "--train-ids", "t.txt"], "DataError: test_app.py: D must be a .npy, .npz or .csv file"),
        (["run", "--recipe", "nothing"], "ConfigError: unknown recipe 'nothing'; choose one of: "),
        (["run", "--recipe", "no.yaml"], "ConfigError: recipe file no.yaml does not exist"),
        (["run", "--set", "seed=-1"], "ConfigError: seed must be >= 0, got -1"),
        (["run", "--set", "seed"], "ConfigError: --set 'seed': expected key.path=value"),
        (["run", "--recipe", "baseline", "--data", "nonexistent"], "DataError: --data nonexistent: no such folder"),
        (["recipes", "nothing"], "ConfigError: unknown recipe 'nothing'"),
        (["data"], "Error: Missing command."),
        (["data", "check", "nonexistent"], "DataError: nonexistent is not a folder"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(
    arguments: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "") and err.startswith(line)
    assert err.endswith("\n") and err.count("\n") == 1 and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_finished_run_is_refused(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "run", "--recipe", "baseline", "--out", finished.folder)
    assert (code, out) == (2, "")
    assert err == (
        f"ConfigError: {finished.folder} exists already; pass --force to replace it, or --out for another place\n"
    )


def test_a_mistyped_data_folder_is_said_before_a_place_that_is_taken(
    finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "run", "--data", "no-such-data", "--out", finished.folder)
    assert code == 2 and err.startswith("DataError: --data no-such-data: no such folder")


def test_unwritable_out(sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = call(
        capsys, "run", "--recipe", "baseline", "--data", sample_folder, "--out", tmp_path / "file" / "run"
    )
    assert (
        code == 2
        and err == f"ConfigError: --out {tmp_path}/file/run cannot be written: Not a directory; choose another place\n"
    )


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("cinealign.run.Run", broken)
    with pytest.raises(ZeroDivisionError, match="ours"):
        main(["show", "x"])


def test_show_and_evaluate_give_the_numbers_of_the_run(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "evaluate"):
        code, out, err = call(capsys, command, finished.folder, "--json")
        assert (code, err) == (0, "") and json.loads(out) == finished.metrics, command
        code, out, err = call(capsys, command, finished.folder)
        assert (code, err) == (0, "") and "held-out" in out and "N = 240" in out


def test_evaluate_refuses_a_split_for_a_run(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "evaluate", finished.folder, "--train-ids", "x.txt")
    assert (code, out) == (2, "") and "a run knows its own split" in err


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_distances_and_their_evaluation(
    finished: Run, sample_folder: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"D{suffix}"
    code, out, err = call(capsys, "distances", finished.folder, "--out", file)
    assert (code, err) == (0, "") and out.startswith(f"wrote {file}: 240 x 240, rows are posters, columns are intros")
    if suffix == ".npy":
        poster, intro = finished.vectors
        np.testing.assert_allclose(np.load(file), 1 - poster @ intro.T, atol=1e-6)
    split = ["--train-ids", sample_folder / "train.txt"] if suffix == ".npy" else ["--data", sample_folder]
    code, out, err = call(capsys, "evaluate", file, *split, "--json")
    scored = json.loads(out)
    said = "train.txt: 144 train items, read as rows of D (240 rows); where items were dropped before D was made, "
    assert code == 0 and (err.startswith(said) if suffix == ".npy" else err == "")
    for key in ("n", "k", "ratio", "poster_to_intro", "intro_to_poster", "acc_sum", "course_score", "ranks"):
        assert scored[key] == finished.metrics[key], key


def test_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "recipes", "--json")
    assert (code, err) == (0, "") and "default" in json.loads(out)
    code, out, err = call(capsys, "recipes", "baseline")
    assert (code, err) == (0, "") and Recipe.parse(yaml.safe_load(out)) == Recipe.load("baseline")
    code, out, err = call(capsys, "recipes", "baseline", "--json")
    assert (code, err) == (0, "") and Recipe.parse(json.loads(out)) == Recipe.load("baseline")


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """A recipe file for runs that need no more than a second."""
    file = tmp_path / "quick.yaml"
    file.write_text(
        """
name: quick
views: {appearance: {view: appearance, width: 96, height: 128}, words: {view: tfidf}}
align: [{expert: cca, poster: appearance, intro: words}]
evaluation: {bootstrap: 100}
"""
    )
    return file


@pytest.fixture
def environment(store: FeatureStore, tmp_path: Path) -> dict[str, str]:
    """Of a process without data: an empty cache but for the session's features."""
    kept = {name: value for name, value in os.environ.items() if name != "CINEALIGN_DATA"}
    return {**kept, "CINEALIGN_CACHE": str(store.folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_without_data_the_sample_is_used_and_named(
    finished: Run, quick: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    cwd = tmp_path / "deep" / "empty"  # not beside anything that is looked for
    cwd.mkdir(parents=True)
    command = [*PROGRAM, "run", "--recipe", str(quick)]
    first = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[0].startswith("no data folder found: using the drawn sample catalogue (")
    metrics = cwd / "runs" / "quick" / "metrics.json"
    assert json.loads(metrics.read_text())["data"]["source"] == "sample"

    asked = [*command, "--json", "--out", "again"]
    second = subprocess.run(asked, cwd=cwd, env=environment, check=False, capture_output=True, text=True)
    assert json.loads(second.stdout) == json.loads(metrics.read_text())  # JSON and nothing else
    assert second.stderr.splitlines()[0].startswith("no data folder found: using the drawn sample catalogue (")
    assert (cwd / "again" / "metrics.json").read_bytes() == metrics.read_bytes()


def test_given_sample_is_named_too(
    quick: Path, sample_folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [*PROGRAM, "run", "--recipe", str(quick), "--data", str(sample_folder), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == f"data: a drawn sample catalogue ({sample_folder})", done.stderr


def test_ctrl_c(quick: Path, sample_folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [*PROGRAM, "run", "--recipe", str(quick), "--data", str(sample_folder), "--out", str(out)]
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it, and so would a child
    with subprocess.Popen(
        [*command, "--set", "views.appearance.width=480", "--set", "views.appearance.height=640"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        signal.signal(signal.SIGINT, before)
        until = time.monotonic() + 60
        while not partial(out).exists():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped; the same command goes on from here" and "Traceback" not in err
    assert not out.exists()


def test_a_reader_that_goes_away(quick: Path, sample_folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """`cinealign run | head -0`: no traceback, and not the exit code of a run that was made."""
    command = [*PROGRAM, "run", "--recipe", str(quick), "--data", str(sample_folder), "--out", str(tmp_path / "run")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode != 0 and "Traceback" not in err and "Exception" not in err
    assert not (tmp_path / "run").exists()
