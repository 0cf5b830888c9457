"""The numbers of question 3; docs/analysis.md says what each means."""

from __future__ import annotations

from dataclasses import dataclass

from cinealign.analysis.downstream.task_table import TaskRow
from cinealign.analysis.references import Reference, Similar
from cinealign.analysis.skipped import Skipped


@dataclass(frozen=True, kw_only=True)
class TaggedGenre:
    """A genre, its description, how many held-out movies have it, and the AUC of each method."""

    genre: str
    description: str
    movies: int
    auc: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """Zero-shot tags, genre by genre."""

    genres: list[TaggedGenre]


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """Penalties that a probe chooses from, and how."""

    penalties: list[float]
    chosen_by: str


@dataclass(frozen=True, kw_only=True)
class Probes:
    """What was probed; what the data do not know is left out."""

    genres: list[str] | None = None
    decades: list[int] | None = None
    most_frequent_decade: int | None = None
    settings: ProbeSettings


@dataclass(frozen=True, kw_only=True)
class FoundIntro(Similar):
    """A movie that a poster found, with its intro."""

    intro: str


@dataclass(frozen=True, kw_only=True)
class TextSearch:
    """A free text and the held-out posters nearest to it."""

    query: str
    found: list[Similar]


@dataclass(frozen=True, kw_only=True)
class PosterSearch:
    """A held-out poster, the intros nearest to it, and the rank of its own."""

    query: Reference
    found: list[FoundIntro]
    partner_rank: int


@dataclass(frozen=True, kw_only=True)
class Search:
    """Examples of searches."""

    text_to_poster: list[TextSearch]
    poster_to_intro: list[PosterSearch]


@dataclass(frozen=True, kw_only=True)
class Penalties:
    """Those that a method of the cold start chose."""

    general: float
    personal: float


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """How many ratings were learned from and asked for, and the penalties by method."""

    users: int
    train_ratings: int
    test_ratings: int
    test_movies: int
    ranked_users: int
    settings: dict[str, Penalties]


@dataclass(frozen=True, kw_only=True)
class AlikePair:
    """Two movies that are near each other."""

    first: Reference
    second: Reference
    similarity: float
    same_series: bool


@dataclass(frozen=True, kw_only=True)
class Series:
    """How many series there are, how many queries, and the nearest pairs of all."""

    series: int
    queries: int
    pairs: list[AlikePair]


@dataclass(frozen=True, kw_only=True)
class OddSets:
    """Sets with an odd one out: how many, how large, and of which genres."""

    sets: int
    size: int
    genres: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ClusterGenre:
    """A genre in a cluster: its share of the movies, and that divided by its share of all movies."""

    genre: str
    share: float
    lift: float


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A group of movies: its name, the words that mark its intros, its size, genres, and the movies at its middle."""

    name: str
    words: list[str]
    movies: int
    held_out: int
    genres: list[ClusterGenre]
    examples: list[Reference]


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """The largest first; `count` is what was asked for."""

    count: int
    clusters: list[Cluster]


@dataclass(frozen=True, kw_only=True)
class Downstream:
    """All rows of the table, and what else there is to say of each task."""

    table: list[TaskRow]
    tagging: Tagging | Skipped
    probes: Probes | Skipped
    search: Search | Skipped
    cold_start: ColdStart | Skipped
    similar: Series | Skipped
    odd_one_out: OddSets | Skipped
    clusters: Clusters | Skipped
