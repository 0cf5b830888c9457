from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError, ModelError
from cinealign.out import locked, partial
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.run_draft import RunDraft
from cinealign.state import State
from cinealign.views.store import FeatureStore

FILES = {
    "catalogue.json",
    "environment.json",
    "history.jsonl",
    "metrics.json",
    "model",
    "origin.json",
    "recipe.yaml",
    "vectors.safetensors",
}


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write_draft(out: Path, recipe: Recipe, catalogue: Catalogue, like: Run, *, force: bool = False) -> Run:
    """A run made at once from what another run has found."""
    with RunDraft.open(out, recipe, catalogue, force=force) as draft:
        draft.checkpoint("step", State)
        return draft.finish(like.model, *like.vectors, {"n": 1})


def test_a_matrix_in_place_of_a_run_says_where_it_goes(tmp_path: Path) -> None:
    np.save(tmp_path / "my D.npy", np.zeros((2, 2)))
    with pytest.raises(
        DataError, match=r"is a file, not a run directory; .*`cinealign audit --distances '.*my D.npy'`"
    ):
        Run(tmp_path / "my D.npy")


def test_holds_everything_and_nothing_else(finished: Run, sample: Catalogue, cheap: Recipe) -> None:
    assert listing(finished.folder) == FILES
    assert listing(finished.folder.parent) == {"cheap"}
    assert finished.recipe == cheap
    assert np.array_equal(finished.ids, sample.ids)
    assert np.array_equal(finished.train_rows, sample.train_rows)
    assert finished.catalogue["digest"] == sample.digest
    assert finished.catalogue["report"] == json.loads(json.dumps(sample.report.to_json()))
    poster, intro = finished.vectors
    assert poster.dtype == intro.dtype == np.float32 and poster.shape == intro.shape == (240, poster.shape[1])
    assert finished.metrics["data"] == {"source": "sample", "digest": sample.digest}
    assert finished.metrics["n"] == 240 and finished.metrics["k"] == 12
    environment = json.loads((finished.folder / "environment.json").read_text())
    assert environment["seed"] == cheap.seed and "torch" in environment["packages"]
    trained, judged = (
        [line for line in finished.history if line["kind"] == "contrastive" and line.get("phase") == phase]
        for phase in (None, "validation")
    )
    assert len(trained) == len(judged) == 6 and trained[-1]["loss"] < trained[0]["loss"]
    assert all({"inner_loss", "inner_accuracy"} <= set(line) for line in judged)
    assert [line for line in finished.history if line["kind"] == "contrastive"] == [*judged, *trained]


def test_finished_run_is_refused_and_stays(finished: Run, sample: Catalogue, cheap: Recipe) -> None:
    with pytest.raises(ConfigError, match="exists already; pass --force to replace it, or --out for another place"):
        align(sample, cheap, finished.folder)
    assert not partial(finished.folder).exists()


def test_force_replaces_runs_only(finished: Run, sample: Catalogue, cheap: Recipe, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(ConfigError, match="is not a run directory; --force replaces runs only"):
        write_draft(mine, cheap, sample, finished, force=True)
    assert listing(mine) == {"thesis.txt"} and listing(tmp_path) == {"mine"}
    with pytest.raises(ConfigError, match="not a run directory"):
        write_draft(mine / "thesis.txt", cheap, sample, finished, force=True)


def test_previous_run_stays_until_the_new_one_is_done(
    finished: Run, sample: Catalogue, cheap: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    write_draft(out, cheap, sample, finished)
    (out / "metrics.json").write_text('{"previous": true}')
    with RunDraft.open(out, cheap, sample, force=True) as draft:
        draft.checkpoint("step", State)
        assert Run(out).metrics == {"previous": True}
    assert Run(out).metrics == {"previous": True}
    write_draft(out, cheap, sample, finished, force=True)
    assert Run(out).metrics["n"] == 1 and listing(tmp_path) == {"run"} and listing(out) == FILES


def test_killed_between_the_two_moves(finished: Run, sample: Catalogue, cheap: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_draft(out, cheap, sample, finished)
    out.rename(tmp_path / "run.old")
    with pytest.raises(ConfigError, match="exists already"):
        write_draft(out, cheap, sample, finished)
    assert Run(out).metrics["n"] == 1


def test_failed_finish_leaves_no_run(
    finished: Run, sample: Catalogue, cheap: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("disk full")

    out = tmp_path / "run"
    monkeypatch.setattr("cinealign.run_draft.environment", fail)
    with pytest.raises(OSError, match="disk full"):
        write_draft(out, cheap, sample, finished)
    assert not out.exists()
    with pytest.raises(DataError, match=r"is not a run directory .*run.partial is an interrupted run: start it again"):
        Run(out)


def test_partial_of_another_recipe_is_discarded(
    finished: Run, sample: Catalogue, cheap: Recipe, tmp_path: Path
) -> None:
    out, other = tmp_path / "run", Recipe.parse({**cheap.model_dump(mode="json"), "seed": 9})
    with RunDraft.open(out, other, sample, force=False) as draft:
        draft.checkpoint("step", lambda: State(values={"of": "other"}))
        (partial(out) / "model").mkdir()
        (partial(out) / "model" / "expert-9.safetensors").write_bytes(b"stale")
    with RunDraft.open(out, other, sample, force=False) as draft:
        assert draft.checkpoint("step", State).values == {"of": "other"}
    with RunDraft.open(out, cheap, sample, force=False) as draft:
        assert draft.checkpoint("step", State).values == {}
        assert listing(partial(out)) == {"identity", "steps"}


def test_half_written_step_is_not_read(sample: Catalogue, cheap: Recipe, tmp_path: Path) -> None:
    with RunDraft.open(tmp_path / "run", cheap, sample, force=False) as draft:
        (partial(tmp_path / "run") / "steps" / "step.safetensors.part").write_bytes(b"half")
        assert draft.checkpoint("step", lambda: State(values={"whole": 1})).values == {"whole": 1}


OPEN_ELSEWHERE = """
import sys
from pathlib import Path
from cinealign.out import locked
from cinealign.errors import ConfigError
try:
    with locked(Path(sys.argv[1])):
        print("entered")
except ConfigError as error:
    print(error)
"""


def test_two_processes_do_not_make_one_run(sample: Catalogue, cheap: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "run"

    def elsewhere() -> str:
        command = [sys.executable, "-c", OPEN_ELSEWHERE, str(partial(out))]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with RunDraft.open(out, cheap, sample, force=False):
        with (
            pytest.raises(ConfigError, match="is being made by another process"),
            RunDraft.open(out, cheap, sample, force=False),
        ):
            pass
        assert "is being made by another process; wait for it or choose another --out" in elsewhere()
    assert elsewhere() == "entered\n"


def test_lock_of_a_run_that_was_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock file that was opened is no longer where others look: the run was finished in between."""
    samestat = os.path.samestat
    monkeypatch.setattr("os.path.samestat", lambda *_: False)
    with pytest.raises(ConfigError, match="made by another process"), locked(tmp_path):
        pass
    monkeypatch.setattr("os.path.samestat", samestat)
    with locked(tmp_path):
        assert (tmp_path.parent / f"{tmp_path.name}.lock").is_file()
    assert not (tmp_path.parent / f"{tmp_path.name}.lock").exists(), "a lock was left behind"


def test_unwritable_place(sample: Catalogue, cheap: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "run", tmp_path / ("x" * 300)):
        with (
            pytest.raises(ConfigError, match=r"--out .* cannot be (written|used): "),
            RunDraft.open(out, cheap, sample, force=False),
        ):
            pass


def test_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not a run directory \(it has no metrics.json\)$"):
        Run(tmp_path)
    (tmp_path / "metrics.json").write_text("{")
    with pytest.raises(DataError, match=r"metrics.json cannot be read .*--force"):
        _ = Run(tmp_path).metrics


def test_killed_run_goes_on_where_it_stopped(
    finished: Run,
    sample: Catalogue,
    sample_folder: Path,
    cheap: Recipe,
    store: FeatureStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, file = tmp_path / "run", tmp_path / "cheap.yaml"
    file.write_text(yaml.safe_dump(cheap.model_dump(mode="json")))
    steps = partial(out) / "steps"
    command = [sys.executable, "-m", "cinealign.cli.app", "run", "--recipe", str(file), "--data", str(sample_folder)]
    command[1:3] = ["-c", "from cinealign.cli.app import main; main()"]
    environment = {**os.environ, "CINEALIGN_CACHE": str(store.folder)}
    with subprocess.Popen(
        [*command, "--out", str(out)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + 120
        while len(list(steps.glob("*.safetensors"))) < 2:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = {path.name: path.stat().st_mtime_ns for path in steps.glob("*.safetensors")}
    assert 2 <= len(done) < 12 and not out.exists()

    saved: list[str] = []
    save = State.save

    def spy(state: State, path: Path) -> None:
        if path.parent == steps:
            saved.append(path.name)
        save(state, path)

    monkeypatch.setattr(State, "save", spy)
    run = align(sample, cheap, out, store=store)
    assert f"going on with the interrupted run {out}: {len(done)} steps are done" in capsys.readouterr().err
    assert set(saved).isdisjoint(done) and len(saved) + len(done) == 12  # 3 experts on 3 folds and on all
    assert (run.folder / "metrics.json").read_bytes() == (finished.folder / "metrics.json").read_bytes()
    assert listing(out) == FILES


def test_a_run_gives_the_distances_of_its_recipe(finished: Run, tmp_path: Path, sample: Catalogue) -> None:
    poster, intro = finished.vectors
    np.testing.assert_allclose(finished.score(), poster @ intro.T, atol=1e-6)
    np.testing.assert_allclose(finished.distances(), 1 - poster @ intro.T, atol=1e-6)
    assert finished.distances(poster[:2], intro[:3]).shape == (2, 3)
    assert finished.distances(poster[:0]).shape == (0, len(intro))
    shutil.copytree(finished.folder, tmp_path / "run")
    (tmp_path / "run" / "recipe.yaml").write_text(
        (finished.folder / "recipe.yaml").read_text().replace("distance: cosine", "distance: dot")
    )
    np.testing.assert_allclose(Run(tmp_path / "run").distances(), -(poster @ intro.T), atol=1e-6)
    assert Run(tmp_path / "run").as_distances(np.float32(0.25)) == -0.25


def test_the_width_is_read_from_the_header(finished: Run, tmp_path: Path) -> None:
    assert finished.width == finished.vectors[0].shape[1]
    shutil.copytree(finished.folder, tmp_path / "run")
    (tmp_path / "run" / "vectors.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"vectors\.safetensors cannot be read"):
        _ = Run(tmp_path / "run").width
