"""Slow, obvious versions of what the package does fast; tests compare the two."""

from __future__ import annotations

import math

import numpy as np


def get_acc(D, ratio=0.05, dim=1):
    """The assignment's loop: sort every row (dim=1) or column (dim=0) and look for the partner in the first k."""
    k = int(ratio * len(D))
    found = 0
    for item in range(len(D)):
        order = np.argsort(D[item] if dim == 1 else D[:, item])
        if item in order[:k]:
            found += 1
    return found / len(D)


def retrieval_ranks(query, gallery, query_ids, gallery_ids, tie_tolerance=1e-6):
    """One query, one gallery item at a time, in float64 with exactly rounded sums."""
    ranks = []
    for q, query_id in zip(query, query_ids, strict=True):
        similarities = [math.fsum(float(a) * float(b) for a, b in zip(q, g, strict=True)) for g in gallery]
        own = max(s for s, g_id in zip(similarities, gallery_ids, strict=True) if g_id == query_id)
        rank = 1
        for similarity, gallery_id in zip(similarities, gallery_ids, strict=True):
            if gallery_id != query_id and similarity >= own - tie_tolerance:
                rank += 1
        ranks.append(rank)
    return ranks


def ranks_from_distances(D, dim=1, ids=None, tie_tolerance=0.0):
    """One query, one gallery item at a time."""
    n = len(D)
    ids = list(range(n)) if ids is None else ids
    ranks = []
    for q in range(n):
        distances = [D[q][g] if dim == 1 else D[g][q] for g in range(n)]
        own = min(distances[g] for g in range(n) if ids[g] == ids[q])
        ranks.append(1 + sum(distances[g] <= own + tie_tolerance for g in range(n) if ids[g] != ids[q]))
    return ranks


def resampled(values, statistic, samples, seed):
    """The bootstrap of `evaluation.statistics` for a small number of movies, one sample at a time."""
    rows = np.random.default_rng(seed).integers(0, len(values), size=(samples, len(values)))
    return [statistic([values[row] for row in sample]) for sample in rows]
