from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cinealign.data.download.metadata import (
    Links,
    load_plain_pickle,
    read_links,
    read_poster_addresses,
    read_records,
)
from cinealign.errors import DataError

RECORD: dict[str, Any] = {
    "Title": "Toy Story",
    "Released": "22 Nov 1995",
    "Genre": "Animation, Adventure",
    "Director": "John Lasseter",
    "Writer": "John Lasseter (original story by), Pete Docter (original story by), John Lasseter (screenplay)",
    "Actors": "Tom Hanks, Tim Allen",
    "Plot": "A cowboy doll is profoundly threatened &amp; jealous.",
    "Poster": "https://m.media-amazon.com/images/M/1.jpg",
    "Ratings": [{"Source": "Metacritic", "Value": "95/100"}],
    "imdbID": "tt0114709",
}


class Calls:
    """A pickle of this makes a file when it is loaded by a careless reader."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(protocol: int) -> None:
    shared = ["x", 1.5]
    data = [((1, "é\n", "0114709"), {"a": None, "b": True, "c": 2**70, "d": [shared, shared], "e": ()}), -3, b"raw"]
    if protocol < 3:
        data.pop()  # bytes are made by a call there
    assert load_plain_pickle(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_that_calls_is_refused_and_calls_nothing(protocol: int, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    content = pickle.dumps([RECORD, Calls(f"touch {witness}")], protocol)
    with pytest.raises(DataError, match="only plain data is read"):
        load_plain_pickle(content)
    assert not witness.exists()
    pickle.loads(content)
    assert witness.exists(), "the test's own pickle is harmless, so it shows nothing"


@pytest.mark.parametrize(
    "value", [np.int64(1), pd.Series([1]), collections.OrderedDict(a=1), {1, 2}, Path("a"), bytearray(b"a"), int, len]
)
def test_every_class_and_function_is_refused(value: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(DataError, match="only plain data is read"):
            load_plain_pickle(pickle.dumps([value], protocol))


@pytest.mark.parametrize(
    "opcodes", [b"ios\nsystem\n(S'true'\nR.", b"(S'true'\nios\nsystem\n.", b"Pid\n.", b"\x82\x01."]
)
def test_hand_made_opcodes_are_refused(opcodes: bytes) -> None:
    with pytest.raises(DataError, match=r"only plain data is read|is damaged"):
        load_plain_pickle(opcodes)


def test_number_that_would_reserve_memory_is_refused() -> None:
    with pytest.raises(DataError, match="damaged"):
        load_plain_pickle(b"]r" + struct.pack("<I", 2**31 - 1) + b".")
    with pytest.raises(DataError, match="damaged"):
        load_plain_pickle(b"\x8d" + struct.pack("<Q", 2**60) + b"x.")


def test_damaged_pickles_end_in_one_error() -> None:
    whole = pickle.dumps([((i, f"Movie {i}", f"{i:07d}"), RECORD) for i in range(20)])
    dice = random.Random(0)
    for _ in range(300):
        damaged = bytearray(whole[: dice.randrange(len(whole))] if dice.random() < 0.3 else whole)
        for _ in range(dice.randrange(1, 6)):
            if damaged:
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            read_records(bytes(damaged))
        except DataError as error:
            assert "\n" not in str(error)


def test_records_as_the_source_writes_them() -> None:
    """Its script reads a table with pandas, asks for each row and pickles tuples of the row's cells and the answers."""
    table = io.StringIO("movie_id,title,imdbId,tmdbId\n1,Toy Story (1995),0114709,862\n2,Lost (1990),0000002,\n")
    links = pd.read_csv(table, converters={"movie_id": int, "title": str, "imdbId": str}, usecols=[0, 1, 2])
    answers = [RECORD, "<None>"]
    rows = [
        ((row["movie_id"], row["title"], row["imdbId"]), answer)
        for (_, row), answer in zip(links.iterrows(), answers, strict=True)
    ]
    content = pickle.dumps(rows, 3)
    assert not any(opcode.name == "GLOBAL" for opcode, _, _ in pickletools.genops(content))
    facts = read_records(content)
    assert facts[1].imdb_id == "tt0114709" and facts[1].genres == ("Animation", "Adventure")
    assert facts[1].writers == ("John Lasseter", "Pete Docter")
    assert facts[1].intro == "A cowboy doll is profoundly threatened & jealous."
    assert facts[1].posters == ("https://m.media-amazon.com/images/M/1.jpg",)
    assert facts[2].imdb_id == "tt0000002" and not facts[2].intro and not facts[2].posters


def test_absent_values_are_nothing() -> None:
    record = dict.fromkeys(RECORD, "N/A") | {"Plot": None, "Genre": ["odd"], "Actors": 7}
    (facts,) = read_records(pickle.dumps([((9, "x", "12"), record)])).values()
    assert (facts.genres, facts.intro, facts.posters, facts.cast, facts.imdb_id) == ((), "", (), (), "tt0000012")


@pytest.mark.parametrize(
    "records", [[], {}, 7, "text", [1], [((1, 2), {})], [(("1", "t", "i"), {})], [((-1, "t", "i"), {})]]
)
def test_other_shapes_are_refused(records: Any) -> None:
    with pytest.raises(DataError, match=r"metadata.pkl (?:record 0: expected|holds no list)"):
        read_records(pickle.dumps(records))


def test_small_pickle_with_an_absurd_content_is_refused() -> None:
    long = "x" * 30_000
    content = pickle.dumps([((at, "t", "1"), {"Plot": long}) for at in range(1000)])
    assert len(content) < 100_000
    with pytest.raises(DataError, match="record 0: a text of more than 20,000 letters"):
        read_records(content)
    with pytest.raises(DataError, match="holds no list of records"):
        read_records(pickle.dumps([((1, "t", "1"), {})] * 60_000))


def test_links() -> None:
    content = 'movie_id,title,imdbId,tmdbId\n1,"A, The (1990)",0114709,862\n2,Café,,\n'.encode()
    assert read_links(content) == {1: Links("tt0114709", "862"), 2: Links("", "")}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "has no column movie_id, imdbId, tmdbId"),
        (b"", "has no column"),
        (b"movie_id,title,imdbId,tmdbId\nx,t,1,2\n", "is it damaged"),
        (b"movie_id,title,imdbId,tmdbId\n1,t\n", "is it damaged"),
        (b'movie_id,title,imdbId,tmdbId\n1,"t', "damaged or no CSV"),
        (b"\xff\xfe\xff", "damaged or no CSV"),
        (b"x" * 200_000, "damaged or no CSV|has no column"),
    ],
)
def test_damaged_links(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_links(content)


def test_poster_addresses() -> None:
    assert read_poster_addresses(b"1,https://a/1.jpg\n\n720,https://a/2.jpg\n") == {
        1: "https://a/1.jpg",
        720: "https://a/2.jpg",
    }
    for damaged in (b"<html>\n", b"1,a,b\n", b"x,https://a\n"):
        with pytest.raises(DataError, match="expected movie_id,address"):
            read_poster_addresses(damaged)
