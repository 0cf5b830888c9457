"""A finished run, read-only: recipe, model, vectors, scores and metrics.

| file | what |
|---|---|
| recipe.yaml | the resolved recipe |
| catalogue.json | ids in row order, train rows, digest, what was dropped |
| vectors.safetensors | `poster`, `intro`: float32 (N, D); D[i, j] = 1 - poster[i] . intro[j] |
| metrics.json | the numbers (docs/metrics.md) |
| model/ | the fitted model: recipe, fusion weights, the state of each view and expert |
| history.jsonl | one line an epoch of each expert that trains in epochs |
| environment.json | versions, platform, threads, seed |
| origin.json | where the data folder was; a submission leaves it out |
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import as_path
from cinealign.errors import DataError, as_argument, damage_refused
from cinealign.out import partial
from cinealign.recipe import Recipe
from cinealign.state import State

if TYPE_CHECKING:
    from cinealign.encoder import Encoder
    from cinealign.experts.base import Vectors
    from cinealign.model import AlignmentModel


_AGAIN = "run the recipe again with --force"


def finished_runs(folder: Path, deepest: int) -> list[Run]:
    """The runs in `folder` and up to `deepest` folders below, by path.

    Those whose numbers cannot be read are left out, and so are the copies of metrics.json that indexes keep.
    """
    found = []
    for path in _folders_with("metrics.json", folder, deepest):
        if (path.parent / "CURRENT").is_file():
            continue
        run = Run(path)
        try:
            complete = {"recipe", "data", "n", "acc_sum", "course_score"} <= set(run.metrics)
        except DataError:
            continue
        if complete:
            found.append(run)
    return found


def interrupted_runs(folder: Path, deepest: int) -> list[Path]:
    """Where runs were begun in `folder` and up to `deepest` folders below, and not finished."""
    return [
        path for path in _folders_with("identity", folder, deepest) if path.name == partial(path.with_suffix("")).name
    ]


def _folders_with(name: str, folder: Path, deepest: int) -> list[Path]:
    patterns = ["/".join(["*"] * depth + [name]) for depth in range(deepest + 1)]
    return sorted({file.parent for pattern in patterns for file in folder.glob(pattern)})


class Run:
    """A finished run directory, read when asked. It is pickled as its path, and read again where it arrives.

    Examples:
        >>> from cinealign import Run
        >>> run = Run("runs/default")
        >>> run.metrics["n"], run.vectors[0].shape[0]
        (240, 240)
        >>> run.distances().shape
        (240, 240)
    """

    def __init__(self, folder: Path | str) -> None:
        """Args:
        folder: the run directory.

        Raises:
            DataError: it is not one, or it is not finished.
        ConfigError: no path.
        """
        folder = as_path(folder, "folder")
        self.folder = folder
        if folder.is_file():
            raise DataError(
                f"{folder} is a file, not a run directory; a matrix D goes to `cinealign evaluate {as_argument(folder)}` "
                f"or `cinealign audit --distances {as_argument(folder)}`"
            )
        if not (folder / "metrics.json").is_file():
            hint = (
                f"; {partial(folder)} is an interrupted run: start it again to finish it"
                if partial(folder).exists()
                else ""
            )
            raise DataError(f"{folder} is not a run directory (it has no metrics.json){hint}")

    def __reduce__(self) -> tuple[type[Run], tuple[Path]]:
        return type(self), (self.folder.absolute(),)

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
    def assignment(self) -> bool:
        """Whether the data are laid out as the assignment's: imported data have no course score."""
        return bool(self.catalogue.get("report", {}).get("assignment", True))

    @property
    def data_folder(self) -> Path | None:
        """Where the data lay when the run was made; None where the run does not say."""
        if not (self.folder / "origin.json").is_file():
            return None
        with damage_refused(DataError, self.folder / "origin.json", "delete it and pass --data DIR"):
            return Path(self._json("origin.json")["folder"])

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) movie ids in row order."""
        return self._numbers("ids")

    @property
    def train_rows(self) -> NDArray[np.int64]:
        """Rows of the train movies, sorted."""
        rows = self._numbers("train_rows")
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self.ids):
            raise DataError(f"{self.folder / 'catalogue.json'} names train rows that it does not have; {_AGAIN}")
        return rows

    @property
    def has_vectors(self) -> bool:
        """Whether the vectors are here; a submission leaves them out, as its model makes them again."""
        return (self.folder / "vectors.safetensors").is_file()

    @cached_property
    def vectors(self) -> tuple[Vectors, Vectors]:
        """(N, D) vectors of the posters and of the intros, float32.

        Raises:
            DataError: this folder has none, as that of a submission.
        """
        if not self.has_vectors:
            raise DataError(
                f"{self.folder} has no vectors.safetensors (a submission leaves vectors out); `audit`, `evaluate` and "
                "`distances` make them again with the saved model and --data DIR"
            )
        path = self.folder / "vectors.safetensors"
        arrays = State.load(path).arrays
        with damage_refused(DataError, path, _AGAIN):
            poster, intro = arrays["poster"], arrays["intro"]
        if poster.ndim != 2 or poster.shape != intro.shape or {poster.dtype, intro.dtype} != {np.dtype(np.float32)}:
            raise DataError(f"{path} is damaged: expected two float32 arrays of one shape (N, D); {_AGAIN}")
        return poster, intro

    def score(self, poster: Vectors | None = None, intro: Vectors | None = None) -> Vectors:
        """How well posters and intros match: inner products, higher is nearer, whatever the recipe's distance is.

        Args:
            poster: (P, D) vectors of this run's model; the run's own where None.
            intro: (Q, D) vectors; the run's own where None.
        Returns:
            (P, Q) float32.
        Raises:
            DataError: vectors that are not finite, or of another width than this run's.
        """
        from cinealign.distance.distances import as_vectors, similarity_chunks

        sides = zip(("poster", "intro"), self.vectors, (poster, intro), strict=True)
        query, gallery = (
            as_vectors(own if given is None else given, f"{side} vectors", width=own.shape[1], none=True)
            for side, own, given in sides
        )
        scores = np.empty((len(query), len(gallery)), dtype=np.float32)
        for start, block in similarity_chunks(query, gallery):
            scores[start : start + len(block)] = block.numpy()
        return scores

    def distances(self, poster: Vectors | None = None, intro: Vectors | None = None) -> Vectors:
        """D by the recipe's distance, lower is nearer: what `cinealign distances` writes, or of other vectors of the model.

        Args:
            poster, intro: as in `score`.
        Returns:
            (P, Q) float32, `D[i, j]` the distance of poster i and intro j; 4 * P * Q bytes.
        Raises:
            DataError: as `score`.
        """
        return self.as_distances(self.score(poster, intro))

    def as_distances(self, scores: Vectors) -> Vectors:
        """The distances that belong to `scores` of any shape; they fall as scores rise.

        Raises:
            DataError: something among them is no number.
        """
        import torch

        from cinealign.model import build_distance

        distance = build_distance(self.recipe)
        try:
            products = torch.from_numpy(np.array(scores, dtype=np.float32))
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"scores must be numbers, got {type(scores).__name__}; `score` gives them") from None
        if bool(products.isnan().any()):
            raise DataError("scores must be numbers, got NaN or None among them; `score` gives them")
        found: Vectors = distance.from_products(products).numpy()
        return found

    @cached_property
    def model(self) -> AlignmentModel:
        """The fitted model, for encoding other posters and intros."""
        from cinealign.model import AlignmentModel

        return AlignmentModel.load(self.folder / "model")

    @cached_property
    def width(self) -> int:
        """D, the numbers of a vector."""
        path = self.folder / "vectors.safetensors"
        with damage_refused(DataError, path, _AGAIN):
            return int(State.shapes(path)["poster"][1])

    def encoder(self) -> Encoder:
        """The fitted model for new posters and texts; the same one, and warm, at every later call."""
        return self._encoder

    @cached_property
    def _encoder(self) -> Encoder:
        from cinealign.encoder import Encoder

        return Encoder(self.folder / "model", width=self.width)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The lines of history.jsonl."""
        path = self.folder / "history.jsonl"
        with damage_refused(DataError, path, _AGAIN):
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            return [{**line} for line in lines]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{self.folder / name} cannot be read ({error}); {_AGAIN}") from None
        if not isinstance(value, dict):
            raise DataError(f"{self.folder / name} is damaged: expected names and values; {_AGAIN}")
        return value

    def _numbers(self, name: str) -> NDArray[np.int64]:
        with damage_refused(DataError, self.folder / "catalogue.json", _AGAIN):
            numbers = self.catalogue[name]
            if not all(type(number) is int for number in numbers):
                raise ValueError(f"{name} holds something else than whole numbers")
            return np.asarray(numbers, dtype=np.int64)
