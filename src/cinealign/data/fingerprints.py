"""Small fingerprints of posters and intros, for finding what is nearly the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import Poster, open_poster
from cinealign.threads import on_threads

if TYPE_CHECKING:
    from PIL.Image import Image

HASH_SIDE = 12
"""A poster's hash has HASH_SIDE * HASH_SIDE bits."""
HASH_DISTANCE = 14
"""Bits of 144 in which near-equal posters may differ; unrelated ones differ in about 60."""
_BLOCK = 1024


def difference_hashes(posters: Sequence[Poster]) -> NDArray[np.bool_]:
    """(N, 144) bits: whether each cell of a poster, made grey and shrunk, is brighter than its left neighbour.

    Scaling, compression and a change of brightness leave most bits as they are. Source: the dHash of N. Krawetz, 2013.
    """

    found: NDArray[np.bool_] = _of_each(posters, difference_hash)
    return found


def difference_hash(picture: Image) -> NDArray[np.bool_]:
    """(144,) bits of one picture, as in `difference_hashes`."""
    grey = np.asarray(picture.convert("L").resize((HASH_SIDE + 1, HASH_SIDE)), dtype=np.int16)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def is_plain(hashes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) whether a poster has hardly an edge (one colour, say) and so the hash of any other such one."""
    plain: NDArray[np.bool_] = hashes.mean(axis=1) < 0.1
    return plain


def near_equal_pairs(hashes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(P, 2) rows i < j of all pairs whose hashes differ in at most `HASH_DISTANCE` bits, plain posters left out.

    Works in blocks of rows, so memory does not grow with the square of N.
    """
    signs = hashes.astype(np.float32) * 2 - 1  # (N, 144) of -1 and 1
    plain = is_plain(hashes)
    found = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(signs), _BLOCK):
        differing = (signs.shape[1] - signs[start : start + _BLOCK] @ signs[start:].T) / 2  # (block, N - start)
        one, other = np.nonzero(differing <= HASH_DISTANCE)
        pairs = np.stack([one, other], axis=1) + start
        found.append(pairs[(one < other) & ~plain[pairs].any(axis=1)])
    return np.concatenate(found)


def colour_layout(posters: Sequence[Poster]) -> NDArray[np.float64]:
    """(N, 192) colours of an 8 x 8 grid over the poster."""
    return _of_each(posters, lambda p: np.asarray(p.resize((8, 8)), dtype=np.float64).ravel())


def text_similarities(texts: Sequence[str]) -> NDArray[np.float64]:
    """(N, N) cosines of the texts' TF-IDF words, endings and stop words cut; 0 for texts without a word."""
    words = text_vectors(texts)
    found: NDArray[np.float64] = (words @ words.T).toarray()
    return found


def text_vectors(texts: Sequence[str]) -> Any:
    """(N, V) sparse unit rows of TF-IDF words; for comparing texts with each other, never for learning."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    from cinealign.data.intros import tokens

    try:
        return TfidfVectorizer(analyzer=tokens, sublinear_tf=True).fit_transform(texts)
    except ValueError:  # no text has a word
        return sparse.csr_matrix((len(texts), 1))


def _of_each(posters: Sequence[Poster], look: Callable[[Image], NDArray[Any]]) -> NDArray[Any]:
    return np.stack(list(on_threads(lambda poster: look(open_poster(poster)), posters)))
