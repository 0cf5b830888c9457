"""Local paths, and what goes through a file system of fsspec as a bucket would."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.scale.places import Place


@pytest.fixture(params=["", "file://", "local://"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A folder, by its path, by a URI of it, and by one that only fsspec knows."""
    return Place.of(f"{request.param}{tmp_path}/there")


def test_what_is_written_is_read(place: Place) -> None:
    assert place.is_local == ("local://" not in place.uri)
    assert not place.is_folder() and not place.is_file()
    place.child("a").child("b").make()
    place.child("a").child("one.txt").write(b"one")
    place.child("a").child("b").child("two.txt").write(b"three")
    place.child("a").child("b").child(".hidden").write(b"no")
    again: Place = pickle.loads(pickle.dumps(place))
    assert again.child("a").files() == [("one.txt", 3)]
    assert again.files(deep=True) == [("a/b/two.txt", 5), ("a/one.txt", 3)]
    assert again.child("a").child("one.txt").read() == b"one" and again.child("a").is_folder()
    with again.child("a").child("one.txt").opened() as file:
        assert file.read() == b"one"
    assert place.sibling("a/one.txt").is_file()
    place.remove_folder()
    place.remove_folder()
    assert not place.is_folder()


def test_half_a_file_is_no_file(place: Place) -> None:
    place.make()
    with pytest.raises(RuntimeError), place.child("x.bin").writing() as stream:
        stream.write(b"half")
        raise RuntimeError
    assert place.files() == []


def test_what_cannot_be_read_is_named(place: Place) -> None:
    with pytest.raises(DataError, match=r"there/nothing cannot be read"):
        place.child("nothing").read()
    with pytest.raises(DataError, match="there cannot be read"):
        place.files()
    with pytest.raises(ConfigError, match=r"nosuch://bucket/x cannot be opened"):
        Place.of("nosuch://bucket/x").is_file()


def test_options_of_an_address_stay_behind_it() -> None:
    place = Place.of("s3://bucket/out?region=eu-central-1")
    assert place.child("table.lance").uri == "s3://bucket/out/table.lance?region=eu-central-1"
    assert place.child("table.lance").address == "s3://bucket/out/table.lance"
    assert place.child("a.parquet").name == "a.parquet" and not place.is_local
    assert Place.of("x/y").sibling("/abs/z.jpg").uri == "/abs/z.jpg"
