from __future__ import annotations

import io
import zipfile

import pytest

from cinealign.data.download.archive import read_archive
from cinealign.errors import DataError
from tests.data.download.server import README, archive

TITLES = {1: "Toy Story (1995)", 73: "Misérables, Les (1995)"}


def packed(**members: bytes) -> bytes:
    content = io.BytesIO()
    usual = {"movies.dat": b"1::A (1990)::Drama", "ratings.dat": b"5::1::4::978300000", "README": README.encode()}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, member in {**usual, **{name.replace("_", "."): member for name, member in members.items()}}.items():
            file.writestr(f"ml-1m/{name}", member)
    return content.getvalue()


def test_movies_ratings_and_licence() -> None:
    found = read_archive(archive(TITLES))
    assert [(movie.movie_id, movie.title, movie.genres) for movie in found.movies] == [
        (1, "Toy Story (1995)", ("Drama", "Children's")),
        (73, "Misérables, Les (1995)", ("Drama", "Children's")),
    ]
    assert found.ratings.tolist() == [[2, 1, 2, 978300001], [74, 73, 4, 978300073]]
    assert found.licence.startswith("The data set may be used") and "CITATION" not in found.licence


def test_readme_without_the_usual_headings_is_shown_whole() -> None:
    assert read_archive(packed(README=b"Be kind.\r\nCite us.")).licence == "Be kind.\nCite us."


@pytest.mark.parametrize("name", ["../evil", "ml-1m/../../evil", "/etc/evil", "..\\evil", "C:evil"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="leads out of its folder"):
        read_archive(archive(TITLES, {name: b"x"}))


def test_bomb_is_refused_before_it_unpacks() -> None:
    bomb = packed(movies_dat=bytes(40_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match=r"movies.dat unpacks to more than 10,000,000 bytes"):
        read_archive(bomb)


def test_bomb_that_lies_about_its_size_is_refused() -> None:
    honest = packed(movies_dat=bytes(40_000_000))
    size, lie = (40_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert honest.count(size) == 2
    with pytest.raises(DataError, match=r"damaged or no zip file|unpacks to more"):
        read_archive(honest.replace(size, lie))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged or no zip"),
        (b"<html>not here</html>", "damaged or no zip"),
        (archive(TITLES)[:-40], "damaged or no zip"),
        (packed(movies_dat=b""), r"movies.dat is empty"),
        (packed(movies_dat=b"1::A"), r"movies.dat line 1: expected ID::title::genres"),
        (packed(movies_dat=b"1::A::B\n../2::A::B"), r"movies.dat line 2"),
        (packed(movies_dat=b"1::A::B\n1::C::D"), "names a movie twice"),
        (packed(ratings_dat=b"1::2::3"), "expected user::movie::rating::time"),
        (packed(ratings_dat=b"1::2::3::x"), "expected user::movie::rating::time"),
        (archive(TITLES, {"other/movies.dat": b"1::A::B"}), "two files named"),
    ],
)
def test_damaged_archives(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_archive(content)


def test_missing_member() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("ml-1m/movies.dat", "1::A::B")
    with pytest.raises(DataError, match="holds no README"):
        read_archive(content.getvalue())


def test_every_cut_is_refused_or_read_whole() -> None:
    whole = archive(TITLES)
    for end in range(0, len(whole), 37):
        with pytest.raises(DataError):
            read_archive(whole[:end])
