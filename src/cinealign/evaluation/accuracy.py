"""The two numbers of the assignment: top-p accuracy of a distance matrix and the score of the course."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cinealign.arguments import as_number
from cinealign.errors import ConfigError, DataError

if TYPE_CHECKING:
    import torch


def top_k(ratio: float, n: int) -> int:
    """`int(ratio * n)`: how many of a gallery of n count as near; 0 for a small gallery, where no query can succeed.

    Raises:
        ConfigError: `ratio` is no number in [0, 1].
    """
    ratio = as_number(ratio, "ratio")
    if not 0 <= ratio <= 1:
        raise ConfigError(f"ratio must be in [0, 1], got {ratio}; 0.05 asks for the nearest 5 %")
    return int(ratio * n)


def get_acc(D: ArrayLike | torch.Tensor, ratio: float = 0.05, dim: int = 1) -> float:
    """Share of queries whose own partner is among the `int(ratio * len(D))` nearest of the gallery.

    Equal to the assignment's loop (sort each row or column, look for the partner in the first k) on any matrix without
    ties. Exactly equal distances count against the model, where a sort would decide by position: a matrix of one value
    scores 0, not by luck. Different floats are never taken for equal here, however close.

    Args:
        D: (N, N) numpy or torch, real numbers; `D[i, j]` is the distance of poster i and intro j, lower is nearer.
        ratio: part of the gallery that counts as near, in [0, 1]. 0.05 is the task's; k = 0 gives 0.0.
        dim: 1 asks every poster for its intro (along rows), 0 every intro for its poster (along columns).
    Returns:
        The accuracy in [0, 1]; about `ratio` by chance.
    Raises:
        DataError: D is not square or not numeric, or holds NaN.
        ConfigError: `ratio` is no number in [0, 1], or `dim` is neither 1 nor 0.
    Source:
        The assignment's `get_acc(D, ratio, dim)`.
    Examples:
        Three posters, three intros; intro 1 lies nearer to poster 0 than its own does, and one of three may be near.

        >>> D = [[0.4, 0.3, 0.9], [0.8, 0.2, 0.7], [0.9, 0.6, 0.1]]
        >>> round(get_acc(D, ratio=0.34, dim=1), 4), get_acc(D, ratio=0.34, dim=0)
        (0.6667, 1.0)
    """
    from cinealign.evaluation.ranks import ranks_from_distances  # brings torch, which showing a run does not need

    ranks = ranks_from_distances(D, dim)
    return float(np.mean(ranks <= top_k(ratio, len(ranks))))


def course_score(acc1: float, acc2: float) -> float:
    """`10 * min(acc1 + acc2, 1.5)`: points for the accuracies of the two directions, 15 at most.

    Args:
        acc1, acc2: accuracies in [0, 1]; the order does not matter.
    Raises:
        ConfigError: an accuracy is no number.
        DataError: an accuracy is NaN or not in [0, 1] (a percentage, say).
    Source:
        The assignment's grading.
    """
    acc1, acc2 = as_number(acc1, "acc1"), as_number(acc2, "acc2")
    for accuracy in (acc1, acc2):
        if not 0 <= accuracy <= 1:
            raise DataError(f"an accuracy must be in [0, 1], got {accuracy}; give a share, not a percentage")
    return 10 * min(acc1 + acc2, 1.5)
