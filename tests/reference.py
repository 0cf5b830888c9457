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


def ridge_cca(x, y, ridge, dimensions):
    """The textbook: centred covariances, their inverse roots, eigenvectors of M M' and M' M; returns two maps (F, D).

    Signs are settled by the map from one side's direction to the other's.
    """
    import scipy.linalg

    def inverse_root(covariance):
        values, vectors = scipy.linalg.eigh(
            covariance + ridge * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        )
        return vectors @ np.diag(values**-0.5) @ vectors.T

    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    root_x, root_y = inverse_root(x.T @ x / len(x)), inverse_root(y.T @ y / len(y))
    shared = root_x @ (x.T @ y / len(x)) @ root_y
    squares, left = scipy.linalg.eigh(shared @ shared.T)
    order = np.argsort(-squares)[:dimensions]
    correlations, left = np.sqrt(np.maximum(squares[order], 0)), left[:, order]
    right = shared.T @ left / correlations
    return root_x @ left * np.sqrt(correlations), root_y @ right * np.sqrt(correlations)


def info_nce(similarities, scale):
    """One query, one direction at a time: minus the log of the partner's share, averaged over both directions."""
    count, total = len(similarities), 0.0
    for i in range(count):
        row = [math.exp(scale * similarities[i][j]) for j in range(count)]
        column = [math.exp(scale * similarities[j][i]) for j in range(count)]
        total -= math.log(row[i] / sum(row)) + math.log(column[i] / sum(column))
    return total / (2 * count)
