"""The sizes and names from which the two-tower network is built, and what its towers take in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from torch import Tensor

    from cinealign.training.networks.two_tower.ngrams import Bags

PICTURE, ALIKE, MEANING, LETTERS = "picture", "alike", "meaning", "letters"
"""Names of the parts of a poster that are no reading of its lettering."""


@dataclass(frozen=True)
class Language:
    """One language model: the intro view and the readings of the lettering that came out of it.

    Attributes:
        intro: name of the intro view.
        readings: names of the poster views: wordings of what is read on a poster.
        width: numbers of an embedding.
        kept: main directions of it that the network works in.
    """

    intro: str
    readings: tuple[str, ...]
    width: int
    kept: int


@dataclass(frozen=True)
class Plan:
    """Everything that must be known to build the network before its weights are loaded.

    Attributes:
        languages: at least one.
        pictures: widths of the picture views together, 0 for none.
        looks: directions of the picture in the shared space.
        ngrams: rows of the table of letters, 0 for none.
        letters: numbers of a row.
        letters_dropout: share of the n-grams of a bag that drop out in training.
        rank, dropout: of the adapters.
        pairs: train pairs, for hubs and memory.
        neighbours: of the hub bias.
        memory: coordinates of the codes; 0 for no memory.
        bandwidth: width of the kernel in cosine: how different a train item may be and still be recalled.
        memory_share: of a vector's squared length.
        kernels: bandwidth of the Gaussian kernels of picture and intro; 0 for none.
    """

    languages: tuple[Language, ...]
    pictures: int
    looks: int
    ngrams: int
    letters: int
    letters_dropout: float
    rank: int
    dropout: float
    pairs: int
    neighbours: int
    memory: int
    bandwidth: float
    memory_share: float
    kernels: float = 0.0

    @property
    def readings(self) -> list[tuple[str, Language]]:
        """Every reading with its language, in the order of the poster tower."""
        return [(name, language) for language in self.languages for name in language.readings]

    @property
    def meaning(self) -> int:
        """Numbers of the meaning block: the languages' directions side by side."""
        return sum(language.kept for language in self.languages)

    @property
    def core(self) -> int:
        """Numbers in which poster and intro are compared: meaning and letters."""
        return self.meaning + (self.letters if self.ngrams else 0)

    @property
    def width(self) -> int:
        """Numbers of a vector: the core, two for the hub bias, the codes, two that make every length 1."""
        return self.core + 2 + self.memory + 2

    @property
    def parts(self) -> list[str]:
        """Names of a poster's parts, in the order of the gates."""
        seen = [PICTURE, *[ALIKE] * bool(self.kernels)] if self.pictures else []
        return [name for name, _ in self.readings] + seen + [MEANING, LETTERS] * bool(self.ngrams)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The counterpart of `as_json`."""
        languages = tuple(Language(**{**one, "readings": tuple(one["readings"])}) for one in values["languages"])
        return cls(**{**values, "languages": languages})


@dataclass(frozen=True)
class Posters:
    """What the views saw of N posters.

    Attributes:
        readings: (N, width) embeddings, one entry a reading of the plan; rows of zeros where nothing was read.
        pictures: (N, pictures) the picture views side by side, centred and scaled; rows of zeros where there is none.
        letters: bags of the lettering's n-grams.
    """

    readings: list[Tensor]
    pictures: Tensor
    letters: Bags

    def take(self, rows: Tensor) -> Posters:
        """The posters `rows` (B,), in that order."""
        return Posters([values[rows] for values in self.readings], self.pictures[rows], self.letters.take(rows))


@dataclass(frozen=True)
class Intros:
    """What the views saw of N intros.

    Attributes:
        languages: (N, width) embeddings, one entry a language of the plan.
        letters: bags of their n-grams.
        expected: (N, meaning) what a closed form that was fitted without them expects of their posters; None lets the
            tower's own say it.
    """

    languages: list[Tensor]
    letters: Bags
    expected: Tensor | None = None

    def take(self, rows: Tensor) -> Intros:
        """The intros `rows` (B,), in that order."""
        expected = None if self.expected is None else self.expected[rows]
        return Intros([values[rows] for values in self.languages], self.letters.take(rows), expected)


@dataclass(frozen=True)
class Started:
    """N posters after the closed forms, before anything that training changes.

    Attributes:
        readings: (N, kept) unit rows of every reading in the directions of its language, by the plan's order.
        mapped: (N, kept) the same after their closed forms, not normalised.
        picture, alike, meaning: (N, meaning) unit rows, what the picture, train pictures like it and the letters say of
            the intro.
        letters: bags.
        there: (N, parts) float32, 1 for parts that are there.
    """

    readings: list[Tensor]
    mapped: list[Tensor]
    picture: Tensor
    alike: Tensor
    meaning: Tensor
    letters: Bags
    there: Tensor

    def take(self, rows: Tensor) -> Started:
        """The posters `rows` (B,), in that order."""
        return Started(
            [values[rows] for values in self.readings],
            [values[rows] for values in self.mapped],
            self.picture[rows],
            self.alike[rows],
            self.meaning[rows],
            self.letters.take(rows),
            self.there[rows],
        )
