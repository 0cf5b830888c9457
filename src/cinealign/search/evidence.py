"""What a calibration is learned from: train pairs as copies of the model see them that were fitted without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinealign.data.labels import train_labels
from cinealign.experts.base import Vectors
from cinealign.experts.fusion import OutOfFold, fold_numbers, fuse
from cinealign.experts.out_of_fold import nearest_turn
from cinealign.fitting import Checkpoint, cross_fit, no_checkpoint
from cinealign.model import AlignmentModel
from cinealign.run_data import RunData
from cinealign.search.calibration import Evidence
from cinealign.search.engines import Rows
from cinealign.search.folder import SIDES, Side
from cinealign.search.space import Space


def train_evidence(
    data: RunData,
    space: Space,
    amounts: dict[Side, NDArray[np.float64]],
    *,
    widths: Sequence[int],
    projected: bool,
    checkpoint: Checkpoint = no_checkpoint,
) -> dict[Side, list[Evidence]]:
    """Target side -> evidence of each fold: its left-out pairs as queries among all train items.

    The copies of a fold have spaces of their own. Where the index projects vectors or its distance is fitted they are turned
    into the space of the final model first (see `experts.out_of_fold`); products within a copy stay as they are.

    Args:
        data: the run and its data.
        space: of the index.
        amounts: side -> (N,) how much each item says.
        widths: numbers of each expert's vectors.
        projected: whether `space` is narrower than the model's vectors.
        checkpoint: keeps what the folds have learned.
    Raises:
        ConfigError: fewer than two train pairs a fold.
    """
    model, train = data.model, data.train
    training = data.extracts.training_set(train, train_labels(data.catalogue))
    folds = cross_fit(model.recipe, training, checkpoint, inside=True)
    fold_of = fold_numbers(training.size, model.recipe.fusion.folds, model.recipe.seed)
    turning = projected or model.distance.fitted
    final = _final_parts(data) if turning else None
    found: dict[Side, list[Evidence]] = {side: [] for side in SIDES}
    for number, fold in enumerate(folds):
        out, inside = np.flatnonzero(fold_of == number), np.flatnonzero(fold_of != number)
        rows = _compact(model, space, widths, fold, final, out, inside)
        for target in SIDES:
            query: Side = "intro" if target == "poster" else "poster"
            found[target].append(
                Evidence(rows[query][out] @ rows[target].T, out, amounts[query][train][out], amounts[target][train])
            )
    return found


def _final_parts(data: RunData) -> dict[Side, list[Vectors]]:
    """Side -> what each final expert makes of the train rows."""
    kept = data.extracts.training_set(data.train)
    return {"poster": data.model.poster_parts(kept.poster), "intro": data.model.intro_parts(kept.intro)}


def _compact(
    model: AlignmentModel,
    space: Space,
    widths: Sequence[int],
    fold: OutOfFold,
    final: dict[Side, list[Vectors]] | None,
    out: NDArray[np.int64],
    inside: NDArray[np.int64],
) -> dict[Side, Rows]:
    """Side -> (T, W) compact rows of all train items by one fold's copies."""
    assert fold.inside is not None
    parts: dict[Side, list[Vectors]] = {"poster": [], "intro": []}
    for number, expert in enumerate(model.experts):
        pieces: dict[Side, tuple[Vectors, Vectors]] = {
            "poster": (fold.poster[number], fold.inside.poster[number]),
            "intro": (fold.intro[number], fold.inside.intro[number]),
        }
        turn = None
        if final is not None and not expert.one_space:
            seen = np.concatenate([pieces[side][1] for side in SIDES])
            turn = nearest_turn(seen, np.concatenate([final[side][number][inside] for side in SIDES]))
        for side in SIDES:
            parts[side].append(_in_order(pieces[side], out, inside, turn))
    fused = {side: fuse(_as_wide(parts[side], widths), model.weights) for side in SIDES}
    coordinates = {"poster": model.distance.poster(fused["poster"]), "intro": model.distance.intro(fused["intro"])}
    return {side: space.compact(side, coordinates[side]) for side in SIDES}


def _in_order(
    pieces: tuple[Vectors, Vectors], out: NDArray[np.int64], inside: NDArray[np.int64], turn: NDArray[np.float32] | None
) -> Vectors:
    left_out, known = pieces if turn is None else (pieces[0] @ turn, pieces[1] @ turn)
    rows = np.zeros((len(out) + len(inside), left_out.shape[1]), dtype=np.float32)
    rows[out], rows[inside] = left_out, known
    return rows


def _as_wide(parts: Sequence[Vectors], widths: Sequence[int]) -> list[Vectors]:
    """A closed form can have fewer directions in a smaller fold: zeros for those that it lacks."""
    wide = [np.zeros((len(rows), width), dtype=np.float32) for rows, width in zip(parts, widths, strict=True)]
    for to, rows in zip(wide, parts, strict=True):
        to[:, : rows.shape[1]] = rows
    return wide
