"""What an index answers: hits, and what is known of the whole answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cinealign.search.folder import Side
from cinealign.search.items import Item
from cinealign.search.query import Part, Target


@dataclass(frozen=True)
class Hit:
    """One answer.

    Attributes:
        id, side, title: of the item, and which side of it was found.
        score: the model's product of a poster and an intro; within a side the likeness, 1 for the item itself; for several
            parts standard deviations above the typical item.
        chance: the probability that the item is the partner of what was asked, among all items of the index; None where
            the question has no partner.
        shares: part of the model -> what it adds to the score; None where the score is no product of a poster and an intro.
        item: all that is known of it.
        place: in the whole list, from 1.
    """

    id: str
    side: Side
    title: str
    score: float
    chance: float | None
    shares: Mapping[str, float] | None
    item: Item = field(repr=False)
    place: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `source_id` is the id in the user's own table where an import numbered the items."""
        item = self.item
        own = {} if item.own_id == self.id else {"source_id": item.own_id}
        return {
            **{"place": self.place, "id": self.id, **own, "side": self.side, "title": self.title, "year": item.year},
            **{"genres": list(item.genres), "split": item.split, "score": self.score, "chance": self.chance},
            **{
                "shares": None if self.shares is None else dict(self.shares),
                "intro": item.intro,
                "picture": item.picture,
            },
        }


class Answer(list[Hit]):
    """The hits of one page, the nearest first, and what is known of the whole answer.

    Attributes:
        parts: what was asked.
        target: on which side.
        total: items that pass the filters.
        no_good_match: whether even the best chance is below the calibrated limit; None where chances are not known.
        best_chance: of all items of the index, whatever the filters and the page.
        expected_rank: of the partner among all items; None where chances are not known.
        notes: what a reader should know, one sentence each.
    """

    parts: tuple[Part, ...] = ()
    target: Target = "poster"
    total: int = 0
    no_good_match: bool | None = None
    best_chance: float | None = None
    expected_rank: float | None = None
    notes: tuple[str, ...] = ()
