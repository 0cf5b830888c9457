"""ml-1m.zip of GroupLens: movies, ratings and the licence, read in memory; nothing is ever unpacked to a name it chooses."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.data.intros import clean_text
from cinealign.errors import DataError

ARCHIVE = "ml-1m.zip"
MOST_ARCHIVE_BYTES = 60_000_000
_MEMBERS = {"README": 1_000_000, "movies.dat": 10_000_000, "ratings.dat": 200_000_000}
"""What is read, and the most bytes that each may unpack to."""
_HEADING = re.compile(r"^(?P<title>[^\n]+)\n=+ *$", re.MULTILINE)


@dataclass(frozen=True)
class ListedMovie:
    """A line of movies.dat."""

    movie_id: int
    title: str
    genres: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MovieLens:
    """The archive's content.

    `ratings` is (R, 4) int64: user, movie, stars and seconds since 1970, in the order of the file.
    """

    readme: str
    movies: tuple[ListedMovie, ...]
    ratings: NDArray[np.int64]

    @property
    def licence(self) -> str:
        """The part of the README that says what the data may be used for; all of it where it has no such heading."""
        headings = list(_HEADING.finditer(self.readme))
        for at, heading in enumerate(headings):
            if "license" in heading["title"].lower() or "licence" in heading["title"].lower():
                end = headings[at + 1].start() if at + 1 < len(headings) else len(self.readme)
                return self.readme[heading.end() : end].strip()
        return self.readme.strip()


def read_archive(content: bytes) -> MovieLens:
    """The movies, ratings and README in the bytes of ml-1m.zip.

    Raises:
        DataError: not a zip, damaged, a member whose name leads out of its folder, a member that is missing or unpacks
            to an absurd size, or a line that cannot be read.
    """
    texts = {name: _plain(text) for name, text in _members(content).items()}
    movies = tuple(_movie(number, line) for number, line in _lines(texts["movies.dat"]))
    if not movies:
        raise DataError(f"{ARCHIVE}: movies.dat is empty; is it the right address?")
    if len({movie.movie_id for movie in movies}) < len(movies):
        raise DataError(f"{ARCHIVE}: movies.dat names a movie twice; is it the right address?")
    return MovieLens(texts["README"], movies, _ratings(texts["ratings.dat"]))


def _members(content: bytes) -> dict[str, str]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                _refuse_strange_name(member.filename)
                name = member.filename.rpartition("/")[2]
                if name not in _MEMBERS:
                    continue
                if name in found:
                    raise DataError(f"{ARCHIVE} holds two files named {name}; is it the right address?")
                most = _MEMBERS[name]
                if member.file_size <= most:
                    with archive.open(member) as file:
                        found[name] = file.read(most + 1)
                if member.file_size > most or len(found[name]) > most:
                    raise DataError(f"{ARCHIVE}: {name} unpacks to more than {most:,} bytes; is it the right address?")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, ValueError):
        raise DataError(f"{ARCHIVE} is damaged or no zip file; is it the right address?") from None
    for name in _MEMBERS:
        if name not in found:
            raise DataError(f"{ARCHIVE} holds no {name}; is it the right address?")
    return {name: raw.decode("latin-1") for name, raw in found.items()}


def _refuse_strange_name(name: str) -> None:
    """Nothing is unpacked to a file, so no name can do harm; but an archive with such names is not the one asked for."""
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise DataError(f"{ARCHIVE} holds the name {name[:60]!r}, which leads out of its folder; it is refused")


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _movie(number: int, line: str) -> ListedMovie:
    parts = line.split("::")
    if len(parts) != 3 or not re.fullmatch("[0-9]{1,9}", parts[0]):
        raise DataError(f"{ARCHIVE}: movies.dat line {number}: expected ID::title::genres, got {line[:60]!r}")
    return ListedMovie(int(parts[0]), clean_text(parts[1]), tuple(part for part in parts[2].strip().split("|") if part))


def _ratings(text: str) -> NDArray[np.int64]:
    if not text.strip():
        return np.zeros((0, 4), dtype=np.int64)
    try:
        ratings = np.loadtxt(
            io.StringIO(text.replace("::", ",")), delimiter=",", dtype=np.int64, ndmin=2, comments=None
        )
    except (ValueError, OverflowError):
        ratings = np.zeros((0, 0), dtype=np.int64)
    if ratings.shape[1] != 4:
        raise DataError(f"{ARCHIVE}: ratings.dat: expected user::movie::rating::time on every line; is it damaged?")
    return ratings
