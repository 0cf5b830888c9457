"""Pretrained word vectors: wordllama's from its wheel, or those of a GloVe, word2vec or fastText file of the user's.

Files can hold millions of words, so they are streamed: only the vectors of the words asked for are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ModelError
from cinealign.views.weights import file_sha256, packaged_file

PACKAGE = "wordllama"
VECTORS, VECTORS_SHA256 = (
    "weights/l2_supercat_256.safetensors",
    "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
)
TOKENIZER, TOKENIZER_SHA256 = (
    "tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)
_LONGEST_WORD, _WIDEST = 4096, 65_536


@dataclass(frozen=True)
class WordVectors:
    """`matrix` (V, E) float32, row i of word i; `known` (V,) bool, False where the source has no vector (a zero row)."""

    matrix: NDArray[np.float32]
    known: NDArray[np.bool_]


def word_vectors(source: str, words: Sequence[str]) -> WordVectors:
    """The vectors of `words`, which are lower-case, from `source`.

    Args:
        source: "wordllama", or a file: text with a word and its numbers a line (.txt, .vec, with or without word2vec's
            first line of two counts) or word2vec's binary form (.bin). Of words that differ in case only, the exact
            one counts, else the first, which in these files is the most frequent.
        words: V words.
    Raises:
        ModelError: the file or wheel is missing, or not in one of these forms.
    """
    return _wordllama(words) if source == "wordllama" else _from_file(Path(source), words)


def vector_width(source: str) -> int:
    """E of a source, from its first vector."""
    return word_vectors(source, ["the"]).matrix.shape[1] if source == "wordllama" else _width(Path(source))


def source_digest(source: str) -> str:
    """What stands for the content of `source` in a cache's settings: a sha256."""
    if source == "wordllama":
        return VECTORS_SHA256
    path = _existing(Path(source))
    return file_sha256(path, path.stat().st_mtime_ns)


def _wordllama(words: Sequence[str]) -> WordVectors:
    """wordllama has vectors of word pieces; a word's is the mean of its pieces'."""
    from tokenizers import Tokenizer

    matrix = _wordllama_pieces()
    config = packaged_file(PACKAGE, TOKENIZER, TOKENIZER_SHA256).read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_str(config)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = np.zeros((len(words), matrix.shape[1]), dtype=np.float32)
    known = np.zeros(len(words), dtype=bool)
    for row, encoded in enumerate(tokenizer.encode_batch(list(words), add_special_tokens=False)):
        if encoded.ids:
            rows[row], known[row] = matrix[encoded.ids].mean(axis=0), True
    return WordVectors(rows, known)


@lru_cache(maxsize=1)
def _wordllama_pieces() -> NDArray[np.float32]:
    from safetensors.numpy import load_file

    tensors = load_file(packaged_file(PACKAGE, VECTORS, VECTORS_SHA256))
    assert len(tensors) == 1
    return cast("NDArray[np.float32]", next(iter(tensors.values())).astype(np.float32))


def _from_file(path: Path, words: Sequence[str]) -> WordVectors:
    width = _width(path)
    rows_of: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        rows_of.setdefault(word.lower(), []).append(row)
    matrix = np.zeros((len(words), width), dtype=np.float32)
    known, exact = np.zeros(len(words), dtype=bool), np.zeros(len(words), dtype=bool)
    for word, values in _entries(path, width):
        for row in rows_of.get(word.lower(), ()):
            if exact[row] or (known[row] and word != words[row]):
                continue
            vector = _numbers(path, word, values, width)
            matrix[row], known[row], exact[row] = vector, True, word == words[row]
    return WordVectors(matrix, known)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(
            f"word vectors {path} are not on this machine; give 'wordllama' or the path of a GloVe, word2vec or fastText"
            " file (.txt, .vec, .bin)"
        )
    return path


def _width(path: Path) -> int:
    with _existing(path).open("rb") as file:
        first = file.readline(1_000_000).split()
        if len(first) == 2 and all(part.isdigit() for part in first):
            width = int(first[1][:9])
            if not 0 < width <= _WIDEST:
                raise _strange(path, f"its first line says {width:,} numbers a word, at most {_WIDEST:,} are read")
            return width
        if path.suffix == ".bin" or len(first) < 3:
            raise _strange(path, "its first line is neither two counts nor a word and its numbers")
        return len(first) - 1


def _entries(path: Path, width: int) -> Iterator[tuple[str, bytes]]:
    """Words and the bytes of their vectors, one at a time."""
    with path.open("rb") as file:
        if path.suffix == ".bin":
            yield from _binary_entries(path, file, width)
            return
        for number, line in enumerate(file):
            parts = line.rstrip().rsplit(b" ", width)  # some words of GloVe have spaces in them
            if number == 0 and len(line.split()) == 2:
                continue
            if len(parts) != width + 1:
                raise _strange(path, f"line {number + 1} has not one word and {width} numbers")
            yield parts[0].decode("utf-8", "replace"), parts[1] if width == 1 else b" ".join(parts[1:])


def _binary_entries(path: Path, file: BinaryIO, width: int) -> Iterator[tuple[str, bytes]]:
    count = int(file.readline().split()[0][:18])  # more words than that are in no file
    for _ in range(count):
        word = bytearray()
        while (letter := file.read(1)) != b" ":
            if not letter or len(word) > _LONGEST_WORD:
                raise _strange(path, "it ends or goes astray before its last word")
            word += letter
        values = file.read(4 * width)
        if len(values) != 4 * width:
            raise _strange(path, "it ends before its last word")
        yield word.lstrip(b"\n").decode("utf-8", "replace"), values
    if file.read(_LONGEST_WORD).strip():
        raise _strange(path, f"it goes on after the {count:,} words of its first line")


def _numbers(path: Path, word: str, values: bytes, width: int) -> NDArray[np.float32]:
    try:
        binary = path.suffix == ".bin"
        vector = np.frombuffer(values, "<f4") if binary else np.array(values.split(), dtype=np.float32)
    except ValueError:
        raise _strange(path, f"the numbers of {word!r} are none") from None
    if vector.shape != (width,) or not np.isfinite(vector).all():
        raise _strange(path, f"the numbers of {word!r} are not {width} finite ones")
    return vector


def _strange(path: Path, reason: str) -> ModelError:
    return ModelError(f"word vectors {path} cannot be read: {reason}; expected GloVe, word2vec or fastText vectors")
