"""Why does this poster match this intro? What each expert says, and what is lost when a word or a part is covered.

Nothing here looks inside a network: parts of the poster and words of the intro are taken away one by one, and the model is
asked again. So it works with any recipe, and a number says how much the product falls, not why.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.explain.numbers import (
    Cells,
    ExpertSays,
    Explanation,
    LineDrop,
    NearestTrain,
    Places,
    Splits,
    WordDrop,
)
from cinealign.analysis.explain.painting import lines_outside
from cinealign.analysis.identity import RunIdentity
from cinealign.analysis.material import Material
from cinealign.analysis.references import ReferenceWithIntro, Similar
from cinealign.data.posters import Poster
from cinealign.errors import DataError
from cinealign.evaluation.nearest import nearest
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel
from cinealign.search.reasons import COLUMNS, ROWS, grid_cells, with_cell_painted, without_each_word
from cinealign.views.base import Extracted
from cinealign.views.poster.lettering import LetteringView
from cinealign.views.poster.ocr import Line
from cinealign.views.store import FeatureStore

NEAREST = 5
TIE = 1e-6


def explain_pair(material: Material, movie_id: int, with_id: int | None = None) -> Explanation:
    """Everything there is to say about one poster and one intro; docs/analysis.md says what each number means.

    Of a train item experts that only remember pairs are left out (`without_memory`): they would hide all the others.

    Args:
        material: a run with its data.
        movie_id: whose poster.
        with_id: whose intro; the same movie's where None.
    Raises:
        DataError: the catalogue has no such movie.
    """
    poster, intro = (_row(material, given) for given in (movie_id, movie_id if with_id is None else with_id))
    held_out = set(material.held_out.tolist())
    names = {row: "held_out" if row in held_out else "train" for row in (poster, intro)}
    model, (first, second) = material.model, material.run.vectors
    remembers = any(options.expert == "memory" for options in material.run.recipe.align)
    forget = remembers and "train" in names.values() and len(material.run.recipe.align) > 1
    if forget:  # else all that is said of a train item is that its pair is remembered
        model, (first, second) = material.without_memory
    product = float(first[poster] @ second[intro])
    with tempfile.TemporaryDirectory(prefix="cinealign-") as scratch:
        cover = _Cover(material, model, (first, second), poster, intro, Path(scratch))
        words, lines, cells = cover.words(), cover.lines(), cover.cells()
    return Explanation(
        run=RunIdentity.of(material.run),
        poster=material.movie(poster),
        intro=material.movie_as(ReferenceWithIntro, intro),
        split=Splits(poster=names[poster], intro=names[intro]),
        without_memory=forget,
        product=product,
        distance=float(material.run.as_distances(np.asarray(product, dtype=np.float32))),
        rank=Places(
            poster_to_intro=_place(second @ first[poster], intro),
            intro_to_poster=_place(first @ second[intro], poster),
            n=len(first),
        ),
        experts=[e for e in _experts(material, poster, intro) if not (forget and e.expert == "memory")],
        words=words,
        lines=lines,
        cells=Cells(rows=ROWS, columns=COLUMNS, drop=cells),
        nearest_train=NearestTrain(
            poster=_nearest_train(material, "poster", poster),
            intro=_nearest_train(material, "intro", intro),
        ),
    )


@dataclass(frozen=True)
class _Cover:
    """Covers parts of one poster and one intro and asks the model again.

    The unchanged item is asked for along with the changed ones: in bfloat16 a network's numbers depend a little on the
    items computed with it, and so this cancels out. What is computed goes to a store that is thrown away.
    """

    material: Material
    model: AlignmentModel
    vectors: tuple[Vectors, Vectors]
    poster: int
    intro: int
    scratch: Path

    def words(self) -> list[WordDrop]:
        """How much the product falls without each word of the intro."""
        text = self.material.catalogue.intros[self.intro]
        places, texts = without_each_word(text)
        vectors = self.model.encode_intros([text, *texts], self._store)
        products = vectors @ self.vectors[0][self.poster]
        drops = products[0] - products[1:]
        return [
            WordDrop(word=text[start:end], start=start, end=end, drop=float(drop))
            for (start, end), drop in zip(places, drops, strict=True)
        ]

    def lines(self) -> list[LineDrop]:
        """How much the product falls without each line of lettering that a view looks at; the picture stays as it is."""
        readers, read = self._readers, self._read()
        if not readers:
            return []
        leader = next(name for name, reader in readers.items() if reader is self.material.lettering)
        chosen = [line for line in read[leader] if any(line in readers[name].chosen(read[name]) for name in readers)]
        variants = [read, *({name: _without(lines, line) for name, lines in read.items()} for line in chosen)]
        seen: dict[str, Extracted] = {
            name: reader.extract_texts([reader.text(variant[name]) for variant in variants], self._store)
            for name, reader in readers.items()
        }
        drops = self._drops(seen, len(variants))
        return [
            LineDrop(text=line.text, box=[list(corner) for corner in line.box], confidence=line.confidence, drop=drop)
            for line, drop in zip(chosen, drops, strict=True)
        ]

    def cells(self) -> list[list[float]]:
        """How much the product falls when a cell of the poster is painted over and its lettering dropped: (ROWS, COLUMNS)."""
        original, grid = self.material.catalogue.posters[self.poster], grid_cells(ROWS, COLUMNS)
        painted = [
            original,
            *(with_cell_painted(original, cell) for cell in grid),
        ]
        seen: dict[str, Extracted] = {}
        read = self._read()
        for name in self.material.extracts.poster:
            view = self.material.model.views[name]
            if isinstance(view, LetteringView):
                texts = [view.text(read[name]), *(view.text(lines_outside(read[name], cell)) for cell in grid)]
                seen[name] = view.extract_texts(texts, self._store)
            else:
                seen[name] = view.extract(painted, self._store)
        drops = self._drops(seen, len(painted))
        return [drops[start : start + COLUMNS] for start in range(0, ROWS * COLUMNS, COLUMNS)]

    @property
    def _store(self) -> FeatureStore:
        return FeatureStore(self.scratch / "features")

    @property
    def _readers(self) -> dict[str, LetteringView]:
        views = self.material.model.views.items()
        return {name: view for name, view in views if isinstance(view, LetteringView)}

    def _read(self) -> dict[str, list[Line]]:
        """The lines of the poster as each reader's engine reads them; from the user's store, as OCR takes long."""
        posters: list[Poster] = [self.material.catalogue.posters[self.poster]]
        store = self.material.store
        return {name: reader.lines(posters, store)[0] for name, reader in self._readers.items()}

    def _drops(self, seen: dict[str, Extracted], count: int) -> list[float]:
        """Product of the first of `count` posters minus that of each other; views not in `seen` see the same on all."""
        same = {name: _repeated(rows, self.poster, count) for name, rows in self.material.extracts.poster.items()}
        vectors: Vectors = self.model.encode_poster_extracts({**same, **seen})
        products = vectors @ self.vectors[1][self.intro]
        return [float(drop) for drop in products[0] - products[1:]]


def _row(material: Material, movie_id: int) -> int:
    at = np.flatnonzero(material.catalogue.ids == movie_id)
    if not len(at):
        known = ", ".join(map(str, material.catalogue.ids[:5]))
        raise DataError(f"the catalogue has no item {movie_id} with both sides; its ids are {known} ...")
    return int(at[0])


def _place(products: NDArray[np.float32], own: int) -> int:
    """Rank of `own`; ties count against it."""
    return int(np.count_nonzero(products >= products[own] - TIE))


def _experts(material: Material, poster: int, intro: int) -> list[ExpertSays]:
    """What each expert adds to the product before the recipe's distance, beside what it adds for other intros."""
    found = []
    parts = zip(
        material.run.recipe.align,
        material.model.weights,
        material.parts["poster"],
        material.parts["intro"],
        strict=True,
    )
    for options, weight, posters, intros in parts:
        cosines = intros @ posters[poster]
        others = weight * np.delete(cosines, intro).astype(np.float64)
        contribution = float(weight * cosines[intro])
        found.append(
            ExpertSays(
                expert=options.expert,
                poster=list(options.poster),
                intro=list(options.intro),
                weight=float(weight),
                cosine=float(cosines[intro]),
                contribution=contribution,
                typical=float(others.mean()),
                spread=float(others.std()),
                above_typical=contribution - float(others.mean()),
            )
        )
    return found


def _nearest_train(material: Material, side: str, row: int) -> list[Similar]:
    rows = material.aligned[side]
    train = material.train[material.train != row]
    similarity = rows[train] @ rows[row]
    best = nearest(similarity, NEAREST)
    return [material.movie_as(Similar, train[at], similarity=float(similarity[at])) for at in best]


def _without(lines: Sequence[Line], dropped: Line) -> list[Line]:
    """Lines of one reader without `dropped`, which another may have read: then without what lies within its box."""
    if dropped in lines:
        return [line for line in lines if line != dropped]
    xs, ys = zip(*dropped.box, strict=True)
    return lines_outside(lines, (min(xs), min(ys), max(xs), max(ys)))


def _repeated(extracted: Extracted, row: int, count: int) -> Extracted:
    if isinstance(extracted, np.ndarray):
        return np.repeat(extracted[row : row + 1], count, axis=0)
    return [extracted[row]] * count
