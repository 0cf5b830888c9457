"""A run: the directory that holds everything one alignment gave, written once, read back by everything else.

| file | what |
|---|---|
| recipe.yaml | the resolved recipe |
| catalogue.json | ids in row order, train rows, digest, what was dropped |
| vectors.safetensors | `poster`, `intro`: float32 (N, D); D[i, j] = 1 - poster[i] . intro[j] |
| metrics.json | the numbers (docs/metrics.md) |
| model/ | the fitted model: recipe, fusion weights, the state of each view and expert |
| history.jsonl | one line an epoch of each expert that trains in epochs |
| environment.json | versions, platform, threads, seed |
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel
from cinealign.out import LOCK, locked, partial, refuse_taken
from cinealign.progress import say
from cinealign.recipe import Recipe
from cinealign.state import State
from cinealign.version import __version__


class Run:
    """A finished run directory, read when asked."""

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: the run directory.

        Raises:
            DataError: it is not one, or it is not finished.
        """
        self.folder = folder
        if not (folder / "metrics.json").is_file():
            hint = (
                f"; {partial(folder)} is an interrupted run: start it again to finish it"
                if partial(folder).exists()
                else ""
            )
            raise DataError(f"{folder} is not a run directory (it has no metrics.json){hint}")

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return Recipe.load(self.folder / "recipe.yaml")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The numbers of metrics.json."""
        return self._json("metrics.json")

    @cached_property
    def catalogue(self) -> dict[str, Any]:
        """catalogue.json: `ids`, `train_rows`, `digest`, `report`."""
        return self._json("catalogue.json")

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) movie ids in row order."""
        return np.asarray(self.catalogue["ids"], dtype=np.int64)

    @property
    def train_rows(self) -> NDArray[np.int64]:
        """Rows of the train movies, sorted."""
        return np.asarray(self.catalogue["train_rows"], dtype=np.int64)

    @cached_property
    def vectors(self) -> tuple[Vectors, Vectors]:
        """(N, D) vectors of the posters and of the intros, float32."""
        arrays = State.load(self.folder / "vectors.safetensors").arrays
        return arrays["poster"], arrays["intro"]

    @cached_property
    def model(self) -> AlignmentModel:
        """The fitted model, for encoding other posters and intros."""
        return AlignmentModel.load(self.folder / "model")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The lines of history.jsonl."""
        text = (self.folder / "history.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.folder / name} cannot be read ({error}); run the recipe again with --force"
            ) from None
        return value


def refuse_finished(out: Path, force: bool) -> None:
    """As `refuse_taken`, for runs."""
    refuse_taken(out, force, mark="metrics.json", one="a run directory", many="runs")


@dataclass
class RunDraft:
    """A run that is being made, beside its final place; finished steps survive an interruption."""

    out: Path
    recipe: Recipe
    catalogue: Catalogue

    @classmethod
    @contextmanager
    def open(cls, out: Path, recipe: Recipe, catalogue: Catalogue, *, force: bool) -> Iterator[RunDraft]:
        """Begin, or go on with an interrupted run of the same recipe on the same data.

        Raises:
            ConfigError: `out` exists already, or another process is making it right now.
        """
        refuse_finished(out, force)
        draft = cls(out, recipe, catalogue)
        try:
            partial(out).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--out {out} cannot be written: {error.strerror}") from None
        with locked(partial(out)):
            draft._put_back()
            refuse_finished(out, force)  # again: another process may have finished it before we had the lock
            draft._forget_another_run()
            yield draft

    def checkpoint(self, name: str, compute: Callable[[], State]) -> State:
        """The state of step `name`: read back where it was finished before, computed and saved otherwise."""
        path = self._steps / f"{name}.safetensors"
        if not path.is_file():
            compute().save(path)
        return State.load(path)

    def finish(self, model: AlignmentModel, poster: Vectors, intro: Vectors, metrics: dict[str, Any]) -> Run:
        """Write everything and move the run to its place; what was there before goes only then."""
        folder = partial(self.out)
        model.save(folder / "model")
        State({"poster": poster, "intro": intro}).save(folder / "vectors.safetensors")
        (folder / "recipe.yaml").write_text(self.recipe.to_yaml(), encoding="utf-8")
        data = {"source": self.catalogue.source, "digest": self.catalogue.digest}
        _write_json(folder / "catalogue.json", self._catalogue())
        _write_json(folder / "environment.json", environment(self.recipe.seed))
        lines = [
            json.dumps({"expert": i, "kind": self.recipe.align[i]["expert"], **entry})
            for i, expert in enumerate(model.experts)
            for entry in expert.history
        ]
        (folder / "history.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        _write_json(folder / "metrics.json", {"recipe": self.recipe.name, "data": data, "identity": "item", **metrics})
        shutil.rmtree(self._steps)
        (folder / "identity").unlink()
        if self.out.exists():
            shutil.rmtree(self._old, ignore_errors=True)
            self.out.replace(self._old)
        folder.replace(self.out)
        (self.out / LOCK).unlink()
        shutil.rmtree(self._old, ignore_errors=True)
        return Run(self.out)

    @property
    def _steps(self) -> Path:
        return partial(self.out) / "steps"

    @property
    def _old(self) -> Path:
        """Where the previous run is between the two moves of `finish`."""
        return self.out.with_name(self.out.name + ".old")

    def _put_back(self) -> None:
        """Undo half a replacement: a process was killed between the two moves."""
        if self._old.exists() and not self.out.exists():
            self._old.replace(self.out)

    def _forget_another_run(self) -> None:
        """Steps are only good for the same recipe, data and version."""
        text = "\n".join((self.recipe.to_yaml(), self.catalogue.digest, __version__))
        identity, file = hashlib.sha256(text.encode()).hexdigest(), partial(self.out) / "identity"
        if file.is_file() and file.read_text() == identity:
            done = len(list(self._steps.glob("*.safetensors")))
            say(f"going on with the interrupted run {self.out}: {done} steps are done")
            return
        for left in partial(self.out).iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
        self._steps.mkdir()
        file.write_text(identity)

    def _catalogue(self) -> dict[str, Any]:
        return {
            "ids": self.catalogue.ids.tolist(),
            "titles": [movie.title for movie in self.catalogue.movies],
            "train_rows": self.catalogue.train_rows.tolist(),
            "digest": self.catalogue.digest,
            "report": self.catalogue.report.to_json(),
        }


def environment(seed: int) -> dict[str, Any]:
    """What the numbers depend on besides recipe and data: versions, platform, threads."""
    import torch

    versions = {dist.metadata["Name"]: dist.version for dist in distributions() if dist.metadata["Name"]}
    return {
        "cinealign": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "blas_threads": blas_threads(),
        "seed": seed,
        "packages": dict(sorted(versions.items())),
    }


def blas_threads() -> int:
    """Threads of NumPy's and SciPy's linear algebra, which PyTorch's setting does not reach."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.linalg.norm(np.zeros((2, 2)), 2)  # loads the library, if nothing has yet
    pools: list[int] = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max([1, *pools])


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
