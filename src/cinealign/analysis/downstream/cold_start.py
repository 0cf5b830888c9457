"""Recommending movies that nobody has rated yet: held-out movies are cold, and only their features are known.

A rating is modelled as the user's mean, plus what users in general think of the movie, plus what this user thinks of such
movies. The second part is a kernel ridge regression of the train movies' mean deviations on their features, the third one
kernel ridge regression a user on the user's own train movies. Both only see ratings of train movies, and their penalties
are chosen on a quarter of the train movies, treated as cold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.numbers import ColdStart, Penalties
from cinealign.analysis.downstream.task_table import Kind, Measured, Table, feature_sets
from cinealign.analysis.estimates import ratio_draws
from cinealign.analysis.material import Material
from cinealign.analysis.skipped import SkippedError
from cinealign.data.ratings import Ratings, read_ratings
from cinealign.evaluation.statistics import bootstrap
from cinealign.experts.base import Vectors, normalised
from cinealign.progress import progress

GENERAL_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
PERSONAL_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
USER_SHRINKAGE, MOVIE_SHRINKAGE = 5.0, 5.0
PSEUDO_COLD = 0.25
RANKED, FEWEST_RANKED = 10, 10
FEWEST_RATINGS, FEWEST_MOVIES = 500, 20
RATING_TASK, RANKING_TASK = "cold-start rating", "cold-start ranking"
RMSE, NDCG = "RMSE", f"NDCG@{RANKED}"


@dataclass(frozen=True)
class Part:
    """Ratings of some of the movies: (R,) users, rows of movies, values."""

    user: NDArray[np.int64]
    row: NDArray[np.int64]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, ratings: Ratings, rows: NDArray[np.int64]) -> Part:
        """The ratings of the movies `rows`."""
        chosen = np.isin(ratings.row, rows)
        return cls(ratings.user[chosen], ratings.row[chosen], ratings.value[chosen])

    def among(self, rows: NDArray[np.int64]) -> Part:
        """The same with a movie's place in the sorted `rows` instead of its row."""
        return Part(self.user, np.searchsorted(rows, self.row), self.value)


def cold_start(material: Material, table: Table) -> ColdStart:
    """Add rows of both tasks to the table: RMSE over all ratings of held-out movies, and NDCG@10 of each user's ranking.

    Raises:
        SkippedError: there are no ratings, or too few.
    """
    ratings = read_ratings(material.catalogue)
    if ratings is None:
        raise SkippedError("no ratings.csv in the data folder")
    known, asked = (Part.of(ratings, rows) for rows in (material.train, material.held_out))
    if min(len(known.value), len(asked.value)) < FEWEST_RATINGS or len(np.unique(asked.row)) < FEWEST_MOVIES:
        raise SkippedError(
            f"ratings.csv has {len(known.value)} ratings of train and {len(asked.value)} of held-out items of this "
            f"catalogue; {FEWEST_RATINGS} of each and {FEWEST_MOVIES} rated held-out items are needed"
        )
    genres = _genre_rows(material)
    popular = None if genres is None else _popularity(known, genres, material)[asked.row]
    rated = np.unique(ratings.row)  # others play no part from here on
    known, asked = known.among(rated), asked.among(rated)
    judge = _Judge(material, table, asked, ratings.users)
    users = user_means(known, ratings.users)
    judge.add("user mean", "baseline", users[asked.user], None)
    settings: dict[str, Penalties] = {}
    sets: list[tuple[str, Kind, Vectors, str | None]] = []
    if genres is not None:
        sets.append(("genres", "baseline", genres, "user mean"))
        assert popular is not None
        judge.rank_only("popularity of its genres", "baseline", popular)
    base = "user mean" if genres is None else "genres"
    sets += [(method, kind, rows, base) for method, kind, rows, _ in feature_sets(material.aligned, material.raw)]
    if genres is not None:
        both = normalised(np.concatenate([material.aligned["both"], genres], axis=1))
        sets.append(("aligned both + genres", "aligned", both, base))
    with progress("cold start", len(sets)) as bar:
        for method, kind, features, against in sets:
            kernel = (features[rated] @ features[rated].T).astype(np.float64)
            chosen = choose_penalties(known, kernel, ratings.users, seed=material.seed)
            predicted = predict(known, asked, kernel, ratings.users, *chosen)
            settings[method] = Penalties(general=chosen[0], personal=chosen[1])
            judge.add(method, kind, predicted, against)
            bar.advance()
    judge.add("its own mean rating", "reference", _own_means(asked, users, len(rated)), base)
    counts = np.bincount(asked.row, minlength=len(rated))
    judge.rank_only("its own popularity", "reference", counts[asked.row].astype(np.float64))
    return ColdStart(
        users=ratings.users,
        train_ratings=len(known.value),
        test_ratings=len(asked.value),
        test_movies=len(np.unique(asked.row)),
        ranked_users=judge.ranked_users,
        settings=settings,
    )


def user_means(known: Part, users: int) -> NDArray[np.float64]:
    """(U,) each user's mean rating, drawn towards the mean of all as if `USER_SHRINKAGE` more ratings had been that."""
    overall = known.value.mean()
    counts = np.bincount(known.user, minlength=users)
    sums = np.bincount(known.user, weights=known.value, minlength=users)
    means: NDArray[np.float64] = (sums + USER_SHRINKAGE * overall) / (counts + USER_SHRINKAGE)
    return means


def predict(
    known: Part, asked: Part, kernel: NDArray[np.float64], users: int, general: float, personal: float
) -> NDArray[np.float64]:
    """(R,) predicted ratings of cold movies; see the module's text.

    Args:
        known: ratings of train movies.
        asked: users and movies to predict; their values are not looked at.
        kernel: (N, N) inner products of the movies' features.
        users: how many there are.
        general: penalty of the general part; a movie with n ratings has the noise general / n.
        personal: penalty of a user's own part.
    """
    means = user_means(known, users)
    residual = known.value - means[known.user]
    common, of_known = _general(known, residual, kernel, general)
    return (
        means[asked.user]
        + common[asked.row]
        + _personal(known, asked, residual - of_known, kernel, users, [personal])[0]
    )


def choose_penalties(known: Part, kernel: NDArray[np.float64], users: int, *, seed: int) -> tuple[float, float]:
    """The penalties with the least squared error on a quarter of the train movies, treated as cold: one after the other."""
    movies = np.unique(known.row)
    cold = np.random.default_rng(seed).permutation(movies)[: max(1, round(PSEUDO_COLD * len(movies)))]
    outside = np.isin(known.row, cold)
    inside, asked = (Part(known.user[at], known.row[at], known.value[at]) for at in (~outside, outside))
    means = user_means(inside, users)
    residual, wanted = inside.value - means[inside.user], asked.value - means[asked.user]
    found = []
    for penalty in GENERAL_PENALTIES:
        common, of_known = _general(inside, residual, kernel, penalty)
        found.append((float(((wanted - common[asked.row]) ** 2).mean()), penalty, common, of_known))
    _, general, common, of_known = min(found, key=lambda entry: entry[0])
    guesses = _personal(inside, asked, residual - of_known, kernel, users, list(PERSONAL_PENALTIES))
    errors = [float(((wanted - common[asked.row] - guess) ** 2).mean()) for guess in guesses]
    return general, PERSONAL_PENALTIES[int(np.argmin(errors))]


def ndcg(predicted: NDArray[np.float64], ratings: NDArray[np.float64], k: int = RANKED) -> float:
    """Normalised discounted cumulative gain of one user's ranking, gains 2^rating - 1; in [0, 1].

    Equal predictions share the mean gain of their places.

    Args:
        predicted, ratings: (M,), the movies that the user has rated.
        k: places that count.
    Source:
        Jarvelin and Kekalainen (2002); ties as in McSherry and Najork, "Computing information retrieval performance
        measures efficiently in the presence of tied scores" (2008).
    """
    discounts = np.where(np.arange(len(ratings)) < k, 1 / np.log2(np.arange(len(ratings)) + 2), 0.0)
    gains = 2.0**ratings - 1
    order = np.argsort(-predicted, kind="stable")
    _, group = np.unique(-predicted[order], return_inverse=True)
    shared = np.bincount(group, weights=gains[order]) / np.bincount(group)
    best = float(np.sort(gains)[::-1] @ discounts)
    return float(shared[group] @ discounts) / best if best > 0 else 0.0


class _Judge:
    """Scores predictions of the same ratings and adds them to the table."""

    def __init__(self, material: Material, table: Table, asked: Part, users: int) -> None:
        self._table, self._asked = table, asked
        self._samples, self._seed = material.samples, material.seed
        self._movies = np.unique(asked.row, return_inverse=True)[1]
        order = np.argsort(asked.user, kind="stable")
        counts = np.bincount(asked.user, minlength=users)
        lists = np.split(order, np.cumsum(counts)[:-1])
        # Where all of a user's ratings are equal every order is right.
        self._lists = [at for at in lists if len(at) >= FEWEST_RANKED and np.ptp(asked.value[at]) > 0]
        self.ranked_users = len(self._lists)
        random = Measured.mean(
            [ndcg(np.zeros(len(at)), asked.value[at]) for at in self._lists] or [0.0],
            samples=self._samples,
            seed=self._seed,
        )
        self._chance = random.value if self._lists else None

    def add(self, method: str, kind: Kind, predicted: NDArray[np.float64], against: str | None) -> None:
        """Both tasks."""
        errors = np.bincount(self._movies, weights=(predicted - self._asked.value) ** 2)
        counts = np.bincount(self._movies).astype(np.float64)
        value, drawn = ratio_draws(errors[:, None], counts[:, None], samples=self._samples, seed=self._seed)
        measured = Measured(float(np.sqrt(value[0])), np.sqrt(drawn[:, 0]))
        n = len(errors)
        self._table.add(
            RATING_TASK, RMSE, method, kind, measured, n, chance=None, against=against, lower_is_better=True
        )
        self.rank_only(method, kind, predicted, against)

    def rank_only(self, method: str, kind: Kind, predicted: NDArray[np.float64], against: str | None = None) -> None:
        """The ranking task alone."""
        if not self._lists:
            return
        values = np.array([ndcg(predicted[at], self._asked.value[at]) for at in self._lists])
        measured = Measured(float(values.mean()), bootstrap(values, samples=self._samples, seed=self._seed)[:, 0])
        n, chance = len(values), self._chance
        self._table.add(RANKING_TASK, NDCG, method, kind, measured, n, chance=chance, against=against, unit="users")


def _general(
    known: Part, residual: NDArray[np.float64], kernel: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) what users in general think of movies by their features, and (R,) what they think of the movies they rated."""
    n = len(kernel)
    counts = np.bincount(known.row, minlength=n)
    sums = np.bincount(known.row, weights=residual, minlength=n)
    movies = np.flatnonzero(counts)
    means = sums[movies] / counts[movies]
    centre = float(sums.sum() / counts.sum())
    ridge = kernel[np.ix_(movies, movies)] + np.diag(penalty / counts[movies])
    common = kernel[:, movies] @ np.linalg.solve(ridge, means - centre) + centre
    own = sums / (counts + MOVIE_SHRINKAGE)
    return common, own[known.row]


def _personal(
    known: Part,
    asked: Part,
    residual: NDArray[np.float64],
    kernel: NDArray[np.float64],
    users: int,
    penalties: list[float],
) -> list[NDArray[np.float64]]:
    """For each penalty (R,) what each asking user thinks of such movies besides what users in general do."""
    found = [np.zeros(len(asked.row)) for _ in penalties]
    by_user = [np.split(np.argsort(part.user, kind="stable"), _ends(part.user, users)) for part in (known, asked)]
    for rated, wanted in zip(*by_user, strict=True):
        if not (len(rated) and len(wanted)):
            continue
        rows, cold = known.row[rated], asked.row[wanted]
        inner, cross = kernel[np.ix_(rows, rows)], kernel[np.ix_(cold, rows)]
        for at, penalty in enumerate(penalties):
            ridge = inner + penalty * np.eye(len(rows))
            found[at][wanted] = cross @ np.linalg.solve(ridge, residual[rated])
    return found


def _ends(user: NDArray[np.int64], users: int) -> NDArray[np.int64]:
    ends: NDArray[np.int64] = np.cumsum(np.bincount(user, minlength=users))[:-1]
    return ends


def _genre_rows(material: Material) -> Vectors | None:
    movies = material.catalogue.movies
    names = sorted({genre for movie in movies for genre in movie.genres})
    if not names:
        return None
    return normalised(np.array([[name in movie.genres for name in names] for movie in movies], dtype=np.float32))


def _popularity(known: Part, genres: Vectors, material: Material) -> NDArray[np.float64]:
    """(N,) log of the number of ratings as genres alone would have it, by least squares on train movies."""
    counts = np.bincount(known.row, minlength=len(genres))
    design = np.concatenate([np.ones((len(genres), 1)), genres], axis=1)
    weights = np.linalg.lstsq(design[material.train], np.log1p(counts[material.train]), rcond=None)[0]
    popularity: NDArray[np.float64] = design @ weights
    return popularity


def _own_means(asked: Part, users: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """(R,) the user's mean plus the movie's mean deviation among the other users who rated it."""
    residual = asked.value - users[asked.user]
    sums, counts = np.bincount(asked.row, weights=residual, minlength=n), np.bincount(asked.row, minlength=n)
    others = (sums[asked.row] - residual) / (counts[asked.row] - 1 + MOVIE_SHRINKAGE)
    predicted: NDArray[np.float64] = users[asked.user] + others
    return predicted
