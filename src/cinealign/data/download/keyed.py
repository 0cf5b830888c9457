"""Facts from OMDb or TMDB with the user's own key, one request a movie."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from cinealign.data.download.facts import Facts, omdb_facts, tmdb_facts
from cinealign.data.download.files import STATE, DownloadFolder, source_mark
from cinealign.data.download.metadata import Links
from cinealign.data.download.queue import BackOff, run_jobs
from cinealign.data.download.web import RefusedError, UnavailableError, Web
from cinealign.errors import DataError
from cinealign.progress import progress

Service = Literal["omdb", "tmdb"]
NAMES = {"omdb": "OMDb", "tmdb": "TMDB"}
VARIABLES = {"omdb": "OMDB_API_KEY", "tmdb": "TMDB_API_KEY"}
"""Environment variables that hold the keys."""
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class KeyedSource:
    """A service that wants a key. `pictures` is the address that TMDB's poster paths go after."""

    service: Service
    address: str
    key: str
    pictures: str = ""

    def ask(self, web: Web, movie_id: int, links: Links) -> Facts:
        """The facts of one movie.

        Raises:
            RefusedError, UnavailableError: as `Web.get`; a refused key is a `_KeyRefusedError`.
        """
        query, headers = {}, {}
        if self.service == "omdb":
            if not links.imdb_id:
                raise RefusedError("no IMDb id is known for it")
            address = f"{self.address}/"
            query = {"i": links.imdb_id, "plot": "short", "apikey": self.key}
        else:
            name = links.tmdb_id or links.imdb_id
            if not name:
                raise RefusedError("no TMDB id is known for it")
            address = f"{self.address}/movie/{name}"
            query = {"append_to_response": "credits"}
            if "." in self.key:  # a read access token, which is a JSON web token; the older keys are 32 hex digits
                headers = {"Authorization": f"Bearer {self.key}"}
            else:
                query["api_key"] = self.key
        try:
            reply = web.get(address, self.service, most_bytes=_MOST_BYTES, query=query, headers=headers)
        except RefusedError as error:
            if error.status in (401, 403):
                raise _KeyRefusedError(_said(web, error)) from None
            raise
        record = _record(web.masked(reply.content.decode("utf-8", "replace")))
        if self.service == "tmdb":
            return tmdb_facts(movie_id, record, self.pictures, links.imdb_id)
        if record.get("Response") != "True":
            raise RefusedError(f"OMDb says: {str(record.get('Error', 'nothing'))[:100]}")
        return omdb_facts(movie_id, record, links.imdb_id)


class _KeyRefusedError(Exception):
    """The service does not take the key, or has had enough of it for today."""


def fetch_facts(
    source: KeyedSource,
    web: Web,
    folder: DownloadFolder,
    movie_ids: Sequence[int],
    links: Mapping[int, Links],
    *,
    workers: int,
    back_off: BackOff,
) -> tuple[dict[int, Facts], dict[int, str]]:
    """Facts by movie id, and the reason for each movie that has none. What earlier runs were told is not asked again.

    Raises:
        DataError: the service refuses the key.
    """
    home = f"{STATE}/{source.service}-{source_mark(source.address)}"
    (folder.path / home).mkdir(exist_ok=True)
    found: dict[int, Facts] = {}
    for movie_id in movie_ids:
        if (kept := folder.read(f"{home}/{movie_id}.json")) is not None:
            found[movie_id] = _facts(kept)
    reasons: dict[int, str] = {}
    wanted = [movie_id for movie_id in movie_ids if movie_id not in found]

    def attempt(movie_id: int) -> Facts:
        facts = source.ask(web, movie_id, links.get(movie_id, Links("", "")))
        folder.write(f"{home}/{movie_id}.json", json.dumps(asdict(facts)).encode())
        return facts

    try:
        with progress(f"facts from {NAMES[source.service]}", len(movie_ids), len(found)) as report:
            for done in run_jobs(wanted, attempt, workers=workers, back_off=back_off):
                if done.result is not None:
                    found[done.job] = done.result
                elif done.failure is not None:
                    reasons[done.job] = done.failure.reason
                report.advance()
    except _KeyRefusedError as error:
        raise DataError(
            f"{NAMES[source.service]} refuses the key ({error}); look at it, or come back tomorrow if it has a daily "
            "limit: the same command goes on from here"
        ) from None
    return found, reasons


def _record(text: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise UnavailableError("the answer is no JSON") from None
    if not isinstance(record, dict):
        raise RefusedError("the answer is no record")
    return record


def _said(web: Web, error: RefusedError) -> str:
    """What the service says with its refusal, without the key and short enough for one line."""
    try:
        record = json.loads(error.body)
        text = record.get("Error") or record.get("status_message") or error.reason
    except (ValueError, AttributeError, RecursionError):
        text = error.reason
    return web.masked(" ".join(str(text).split()))[:120]


def _facts(kept: bytes) -> Facts:
    content = json.loads(kept)
    make: dict[str, Callable[[Any], Any]] = {
        f.name: tuple if isinstance(f.default, tuple) else lambda value: value for f in fields(Facts)
    }
    return Facts(**{name: make[name](value) for name, value in content.items()})
