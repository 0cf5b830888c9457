"""What is known about a movie, from OMDb's or TMDB's record of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cinealign.data.intros import clean_text

_NOTE = re.compile(r"\s*\([^()]*\)")
_IMDB_ID = re.compile(r"tt[0-9]{1,12}")
_MOST_CAST = 4


@dataclass(frozen=True)
class Facts:
    """A movie as a source knows it; "" and () where it knows nothing. `posters` are addresses, the best first."""

    movie_id: int
    imdb_id: str = ""
    genres: tuple[str, ...] = ()
    release: str = ""
    intro: str = ""
    directors: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    posters: tuple[str, ...] = ()


def imdb_id(text: object) -> str:
    """ "tt0114709" from "tt0114709" or "0114709"; "" where it is no IMDb id."""
    written = str(text).strip() if isinstance(text, str | int) else ""
    written = f"tt{written.zfill(7)}" if written.isdigit() else written
    return written if _IMDB_ID.fullmatch(written) else ""


def omdb_facts(movie_id: int, record: Mapping[str, Any], imdb: str = "") -> Facts:
    """The facts in OMDb's record; its "N/A" is nothing, notes such as "(screenplay)" are left out."""
    poster = _text(record, "Poster")
    return Facts(
        movie_id=movie_id,
        imdb_id=imdb_id(_text(record, "imdbID")) or imdb,
        genres=_names(_text(record, "Genre")),
        release=_text(record, "Released"),
        intro=_text(record, "Plot"),
        directors=_names(_text(record, "Director")),
        writers=_names(_text(record, "Writer")),
        cast=_names(_text(record, "Actors")),
        posters=(poster,) if poster else (),
    )


def tmdb_facts(movie_id: int, record: Mapping[str, Any], pictures: str, imdb: str = "") -> Facts:
    """The facts in TMDB's record of a movie with its credits; `pictures` is the address that poster paths go after."""
    credits = record.get("credits")
    credits = credits if isinstance(credits, Mapping) else {}
    crew = _records(credits.get("crew"))
    path = _text(record, "poster_path")
    return Facts(
        movie_id=movie_id,
        imdb_id=imdb_id(_text(record, "imdb_id")) or imdb,
        genres=_distinct(_text(genre, "name") for genre in _records(record.get("genres"))),
        release=_text(record, "release_date"),
        intro=_text(record, "overview"),
        directors=_distinct(_text(person, "name") for person in crew if person.get("job") == "Director"),
        writers=_distinct(_text(person, "name") for person in crew if person.get("department") == "Writing"),
        cast=_distinct(_text(person, "name") for person in _records(credits.get("cast")))[:_MOST_CAST],
        posters=(f"{pictures}/{path.lstrip('/')}",) if path else (),
    )


def _records(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    text = clean_text(value) if isinstance(value, str) else ""
    return "" if text.upper() == "N/A" else text


def _names(text: str) -> tuple[str, ...]:
    return _distinct(_NOTE.sub("", text).split(","))


def _distinct(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in names if (name := part.strip().replace("|", "/"))))
