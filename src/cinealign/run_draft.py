"""A run while it is being made: finished steps survive an interruption."""

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
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel
from cinealign.out import Draft, refuse_taken
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

    place: Draft
    recipe: Recipe
    catalogue: Catalogue

    @classmethod
    @contextmanager
    def open(cls, out: Path, recipe: Recipe, catalogue: Catalogue, *, force: bool) -> Iterator[RunDraft]:
        """Begin, or go on with an interrupted run of the same recipe on the same data.

        Raises:
            ConfigError: `out` exists already, or another process is making it right now.
        """
        with Draft.open(out, lambda: refuse_finished(out, force)) as place:
            draft = cls(place, recipe, catalogue)
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
        folder = self.place.folder
        model.save(folder / "model")
        State({"poster": poster, "intro": intro}).save(folder / "vectors.safetensors")
        (folder / "recipe.yaml").write_text(self.recipe.to_yaml(), encoding="utf-8")
        data = {"source": self.catalogue.source, "digest": self.catalogue.digest}
        _write_json(folder / "catalogue.json", self._catalogue())
        _write_json(folder / "origin.json", {"folder": str(self.catalogue.folder.resolve())})
        _write_json(folder / "environment.json", environment(self.recipe.seed))
        lines = [
            json.dumps({"expert": i, "kind": self.recipe.align[i].expert, **entry})
            for i, expert in enumerate(model.experts)
            for entry in expert.history
        ]
        (folder / "history.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        _write_json(folder / "metrics.json", {"recipe": self.recipe.name, "data": data, "identity": "item", **metrics})
        shutil.rmtree(self._steps)
        (folder / "identity").unlink()
        self.place.finish()
        return Run(self.place.out)

    @property
    def _steps(self) -> Path:
        return self.place.folder / "steps"

    def _forget_another_run(self) -> None:
        """Steps are only good for the same recipe, data and version."""
        text = "\n".join((self.recipe.to_yaml(), self.catalogue.digest, __version__))
        identity, file = hashlib.sha256(text.encode()).hexdigest(), self.place.folder / "identity"
        if file.is_file() and file.read_text() == identity:
            done = len(list(self._steps.glob("*.safetensors")))
            say(f"going on with the interrupted run {self.place.out}: {done} steps are done")
            return
        self.place.clear()
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
