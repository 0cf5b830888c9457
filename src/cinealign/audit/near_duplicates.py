"""What makes a held-out pair easier than it should be: near-duplicates across the split and intros that give themselves away.

Nothing here is a fault of a run; a reader should know of it. Every finding is a NOTE with counts and examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.findings import Finding, listed, noted, passed
from cinealign.data.catalogue import Catalogue
from cinealign.data.fingerprints import HASH_DISTANCE, difference_hashes, is_plain, text_vectors
from cinealign.data.intros import tokens
from cinealign.data.series import series_name

INTRO_COSINE = 0.6
"""Cosine of TF-IDF words at which intros are called near-equal."""
RUN_OF_WORDS = 4
"""Words in a row that lettering and intro must share to be called a repetition."""
EXAMPLES = 10
_YEAR = re.compile(r"\(\d{4}\)")


def near_duplicates(catalogue: Catalogue, lettering: Sequence[str] | None) -> list[Finding]:
    """A note for each kind of likeness.

    Args:
        catalogue: the data.
        lettering: the text on each of the N posters, None where the recipe does not read it.
    """
    return [
        similar_posters(catalogue),
        similar_intros(catalogue),
        sequels(catalogue),
        titles_in_intros(catalogue),
        *([] if lettering is None else [repeated_lettering(catalogue, lettering)]),
    ]


def similar_posters(catalogue: Catalogue) -> Finding:
    """Held-out posters that nearly equal a train poster, by a perceptual hash."""
    bits = difference_hashes(catalogue.posters).astype(np.float32) * 2 - 1  # (N, 144) of -1 and 1
    products = bits[catalogue.held_out_rows] @ bits[catalogue.train_rows].T
    distances = (bits.shape[1] - products) / 2
    plain = is_plain(bits > 0)
    distances[plain[catalogue.held_out_rows]] = np.inf
    held_out, train = np.nonzero(distances <= HASH_DISTANCE)
    meaning = f"whose posters differ in at most {HASH_DISTANCE} of {bits.shape[1]} bits"
    return _pairs(catalogue, "near-equal posters", held_out, train, meaning)


def similar_intros(catalogue: Catalogue) -> Finding:
    """Held-out intros that share most of their words with a train intro."""
    words = text_vectors(catalogue.intros)
    found = (words[catalogue.held_out_rows] @ words[catalogue.train_rows].T).tocoo()
    near = found.data >= INTRO_COSINE
    return _pairs(
        catalogue, "near-equal intros", found.row[near], found.col[near], f"with a cosine of at least {INTRO_COSINE}"
    )


def sequels(catalogue: Catalogue) -> Finding:
    """Held-out movies whose title, without number and subtitle, is that of a train movie."""
    rows_of: dict[str, list[int]] = {}
    for at, row in enumerate(catalogue.train_rows):
        rows_of.setdefault(series_name(catalogue.movies[row].title), []).append(at)
    pairs = [
        (at, other)
        for at, row in enumerate(catalogue.held_out_rows)
        for other in rows_of.get(series_name(catalogue.movies[row].title), [])
    ]
    held_out, train = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return _pairs(catalogue, "sequels", held_out, train, "with one title but for number and subtitle")


def titles_in_intros(catalogue: Catalogue) -> Finding:
    """Held-out intros that hold the movie's own title, which the poster shows."""
    found = []
    for row in catalogue.held_out_rows:
        movie = catalogue.movies[row]
        title = " ".join(tokens(_plain_title(movie.title), stop_words=False, stem=False))
        if len(title) >= 4 and f" {title} " in f" {' '.join(tokens(movie.intro, stop_words=False, stem=False))} ":
            found.append(movie.title)
    said = f"{len(found)} of {len(catalogue.held_out_rows)} held-out intros hold their own title"
    shown = f" ({listed(found)})" if found else ""
    return (noted if found else passed)(
        "title in the intro", said + shown, movies=len(found), examples=found[:EXAMPLES]
    )


def repeated_lettering(catalogue: Catalogue, lettering: Sequence[str]) -> Finding:
    """Held-out posters whose lettering shares `RUN_OF_WORDS` words in a row with their intro."""
    found = []
    for row in catalogue.held_out_rows:
        shared = _runs(lettering[row]) & _runs(catalogue.movies[row].intro)
        if shared:
            found.append(f"{catalogue.movies[row].title}: {' '.join(min(shared))!r}")
    among = f"{len(found)} of {len(catalogue.held_out_rows)} held-out posters"
    said = f"on {among} {RUN_OF_WORDS} words in a row are from the intro"
    shown = f" ({listed(found, 2)})" if found else ""
    return (noted if found else passed)(
        "lettering repeats intro", said + shown, movies=len(found), examples=found[:EXAMPLES]
    )


def _plain_title(title: str) -> str:
    return _YEAR.sub("", title).strip()


def _runs(text: str) -> set[tuple[str, ...]]:
    words = tokens(text, stop_words=False, stem=False)
    return {tuple(words[at : at + RUN_OF_WORDS]) for at in range(len(words) - RUN_OF_WORDS + 1)}


def _pairs(
    catalogue: Catalogue, name: str, held_out: NDArray[np.int64], train: NDArray[np.int64], meaning: str
) -> Finding:
    """A finding of pairs; places count within the held-out and the train rows."""
    movies = len(np.unique(held_out))
    said = f"{movies} of {len(catalogue.held_out_rows)} held-out items have a train item {meaning}"
    examples = [
        f"{catalogue.movies[catalogue.held_out_rows[one]].title} ~ {catalogue.movies[catalogue.train_rows[other]].title}"
        for one, other in list(zip(held_out, train, strict=True))[:EXAMPLES]
    ]
    shown = f" (such as {'; '.join(examples[:2])})" if examples else ""
    return (noted if movies else passed)(name, said + shown, movies=movies, pairs=len(held_out), examples=examples)
