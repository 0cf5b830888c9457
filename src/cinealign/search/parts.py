"""The parts of a model in its vectors: which numbers belong to which part, and what a reader calls it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cinealign.model import AlignmentModel
from cinealign.search.space import Block

MIXING = frozenset({"mahalanobis"})
"""Distances whose coordinates mix the parts."""
MATCH, BIAS = "match", "hub correction"
WITHOUT_MEANING = frozenset({BIAS, "memory of train pairs", "length"})
"""Parts that say nothing of what an item is about: they tell train pairs apart, or say how near an item is to everything."""
_LETTERS, _APPEARANCE = "letters", "appearance"


def model_blocks(model: AlignmentModel, widths: Sequence[int], total: int) -> tuple[list[Block], list[str]]:
    """The parts that an index keeps, and the names of those that it leaves out.

    What only remembers train pairs is left out: it says nothing of a new poster or text.

    Args:
        model: a fitted model.
        widths: numbers of each expert's vectors.
        total: numbers of the model's vectors.
    """
    if model.recipe.distance.distance in MIXING:
        return [Block(MATCH, 0, total)], []
    if len(model.experts) == 1 and (own := getattr(model.experts[0], "vector_parts", None)) is not None:
        return _own_parts(own(), total), []
    names, blocks, left_out, at = part_names(model), [], [], 0
    known = sum(w for w, o in zip(model.weights, model.recipe.align, strict=True) if o.expert != "memory") > 0
    for name, width, weight, options in zip(names, widths, model.weights, model.recipe.align, strict=True):
        if weight <= 0:
            continue
        if known and options.expert == "memory":
            left_out.append(name)
        else:
            blocks.append(Block(name, at, at + width))
        at += width
    if at < total:
        blocks.append(Block(BIAS, at, total))
    return blocks, left_out


def _own_parts(parts: Sequence[tuple[str, int]], total: int) -> list[Block]:
    """Blocks of an expert that tells the parts of its vectors: their names and widths, in order."""
    blocks, at = [], 0
    for name, width in parts:
        blocks.append(Block(name, at, at + width))
        at += width
    return [*blocks, *([Block(BIAS, at, total)] if at < total else [])]


def part_names(model: AlignmentModel) -> list[str]:
    """What a reader calls each expert: by what it looks at on the poster; by its kind too where that would not do."""
    if len(model.recipe.align) == 1:
        return [MATCH]
    plain = []
    for options in model.recipe.align:
        views = [model.recipe.views[name] for name in options.poster]
        if options.expert == "lexical":
            plain.append(_LETTERS)
        elif all(view.view != "lettering" for view in views):
            plain.append(_APPEARANCE)
        else:
            plain.append(" and ".join(options.poster))
    several = Counter(plain)
    return [
        f"{name} ({options.expert})" if several[name] > 1 else name
        for name, options in zip(plain, model.recipe.align, strict=True)
    ]
