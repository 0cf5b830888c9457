"""A run that is being made, beside its place: steps outlive an interruption, and the run is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinealign.data.catalogue import Catalogue
from cinealign.environment import environment
from cinealign.errors import ConfigError
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel
from cinealign.out import LOCK, locked, partial, refuse_taken
from cinealign.progress import say
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.state import State
from cinealign.version import __version__


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
        _write_json(folder / "origin.json", {"folder": str(self.catalogue.folder.resolve())})
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


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
