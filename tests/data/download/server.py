"""An HTTP server on 127.0.0.1 that is laid out as the public sources of MovieLens are, and misbehaves on demand."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from PIL import Image

README = """SUMMARY
================================================================================

Ratings of movies.

USAGE LICENSE
================================================================================

The data set may be used for any research purposes. You may not redistribute it.

CITATION
================================================================================

Cite it.
"""
NEVER = {
    "404": "HTTP 404",
    "500": "HTTP 500",
    "html": "an HTML page instead of a picture",
    "html as jpeg": "an HTML page instead of a picture",
    "gif": "no JPEG, PNG or WebP picture",
    "empty": "an empty answer",
    "cut": "cut off in the middle",
    "short length": "the picture is damaged",
    "huge": "larger than 30 MB",
    "endless": "larger than 30 MB",
    "gzip bomb": "larger than 30 MB",
    "pixels": "pixels",
    "tiny": "a picture of 1 x 1 pixels is no poster",
    "redirect loop": "more than 5 redirects",
    "redirect file": "only http and https are followed",
    "redirect elsewhere": "was not confirmed",
    "redirect nowhere": "a redirect that leads nowhere",
    "redirect login": "name and password",
}
"""Faults that no try gets past, with words of the reason that must be given."""
SOMETIMES = ("500 once", "503 once", "429 once", "cut once", "silent cut once", "reset once", "slow", "redirect", "png")
"""Faults that a patient client gets past."""


def picture(movie_id: int, side: int = 64, kind: str = "JPEG") -> bytes:
    """A small picture of its own for every movie."""
    image = Image.linear_gradient("L").resize((side, side * 3 // 2)).convert("RGB")
    image.paste((movie_id % 256, movie_id // 256 % 256, 90), (0, 0, side // 2, side // 2))
    content = io.BytesIO()
    image.save(content, kind, comment=f"movie {movie_id}")  # what is drawn may be equal once compressed
    return content.getvalue()


def archive(movies: Mapping[int, str], extra: Mapping[str, bytes] | None = None) -> bytes:
    """ml-1m.zip with `movies` (titles by id), a rating for each, and further members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        lines = [f"{movie_id}::{title}::Drama|Children's" for movie_id, title in movies.items()]
        file.writestr("ml-1m/movies.dat", "\n".join(lines).encode("latin-1"))
        ratings = [f"{movie_id + 1}::{movie_id}::{movie_id % 5 + 1}::97830{movie_id:04d}" for movie_id in movies]
        file.writestr("ml-1m/ratings.dat", "\n".join(ratings))
        file.writestr("ml-1m/README", README)
        for name, member in (extra or {}).items():
            file.writestr(name, member)
    return content.getvalue()


@dataclass
class MovieSite:
    """The server's content and its manners; change them before it is asked.

    `faults` are by movie id. `requests` counts by path, `poster_times` says when posters were asked for, and `truth` is
    what a client must end up with.
    """

    movies: int = 12
    faults: dict[int, str] = field(default_factory=dict)
    slow_s: float = 0.3
    key: str = "secret-key-1234"
    elsewhere: str = "http://127.0.0.1:9/"
    archive: bytes = b""
    metadata: bytes = b""
    requests: Counter[str] = field(default_factory=Counter)
    poster_times: list[float] = field(default_factory=list)
    daily_limit: int = 1_000_000
    retry_after: str = "1"

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        site = self

        class Handler(_Handler):
            pass

        Handler.site = site
        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.base = f"http://{self.host}"
        self.titles = {movie_id: f"Café No. {movie_id} (19{movie_id % 60 + 40})" for movie_id in self.ids}
        self.truth = {i: self.content(i) for i in self.ids if self.faults.get(i) not in NEVER}
        self.archive = self.archive or archive(self.titles)
        self.metadata = self.metadata or pickle.dumps(self.records())
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def ids(self) -> range:
        return range(1, self.movies + 1)

    def content(self, movie_id: int) -> bytes:
        return picture(movie_id, kind="PNG" if self.faults.get(movie_id) == "png" else "JPEG")

    def record(self, movie_id: int) -> dict[str, Any]:
        return {
            "Title": self.titles[movie_id],
            "Released": "22 Nov 1995",
            "Genre": "Animation, Comedy",
            "Director": "A. Director",
            "Writer": "W. One (story), W. Two (screenplay), W. One (screenplay)",
            "Actors": "C. One, C. Two",
            "Plot": f"The story of movie {movie_id}, told in one sentence.",
            "Poster": f"{self.base}/images/{movie_id}.jpg",
            "Ratings": [{"Source": "Internet Movie Database", "Value": "8.3/10"}],
            "imdbID": f"tt{movie_id:07d}",
            "Response": "True",
        }

    def records(self) -> list[Any]:
        return [((i, self.titles[i], f"{i:07d}"), self.record(i)) for i in self.ids]

    def count(self, path: str) -> int:
        """Count a request and say which one it is, from 1 on."""
        with self._lock:
            self.requests[path] += 1
            if path.startswith(("/images/", "/moved/", "/other/")):
                self.poster_times.append(time.monotonic())
            return self.requests[path]


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:  # clients that are killed or give up
        pass


class _Handler(BaseHTTPRequestHandler):
    site: MovieSite
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        nth = self.site.count(parts.path)
        try:
            self.answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}, nth)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, path: str, query: dict[str, str], nth: int) -> None:
        site = self.site
        name = path.rpartition("/")[2]
        if path == "/datasets/ml-1m.zip":
            self.send(site.archive, "application/zip")
        elif path == "/meta/metadata.pkl":
            self.send(site.metadata, "application/octet-stream")
        elif path == "/meta/movie_posters.csv":
            self.send("".join(f"{i},{site.base}/other/{i}.jpg\n" for i in site.ids if i % 7 == 0).encode(), "text/csv")
        elif path == "/meta/links_artificial.csv":
            rows = "".join(f'{i},"{site.titles[i]}",{i:07d},{i + 1000}\n' for i in site.ids)
            self.send(f"movie_id,title,imdbId,tmdbId\n{rows}".encode(), "text/csv")
        elif path.startswith("/images/"):
            movie_id = int(name.partition(".")[0])
            self.poster(movie_id, site.faults.get(movie_id, ""), nth)
        elif path.startswith("/omdb"):
            self.omdb(query)
        elif path.startswith("/tmdb/movie/"):
            self.tmdb(int(name) - 1000, query)
        elif path.startswith("/moved/"):
            self.send(site.content(int(name.partition(".")[0])), "image/jpeg")
        else:
            self.send(b"nothing here", "text/plain", 404)

    def poster(self, movie_id: int, fault: str, nth: int) -> None:
        content = self.site.content(movie_id)
        first = nth == 1
        if fault == "404":
            self.send(b"<html>not found</html>", "text/html", 404)
        elif fault == "500" or (fault == "500 once" and first):
            self.send(b"oops", "text/plain", 500)
        elif fault in ("503 once", "429 once") and first:
            self.send(b"later", "text/plain", int(fault[:3]), {"Retry-After": self.site.retry_after})
        elif fault == "slow":
            time.sleep(self.site.slow_s)
            self.send(content, "image/jpeg")
        elif fault == "cut" or (fault == "cut once" and first):
            self.send(content[: len(content) // 2], "image/jpeg", length=len(content))
            self.close_connection = True
        elif fault == "silent cut once" and first:
            self.send(content[: len(content) // 2], "image/jpeg", length=None)
        elif fault == "short length":
            self.send(content, "image/jpeg", length=len(content) // 2)
            self.close_connection = True
        elif fault == "reset once" and first:
            self.connection.close()
            self.close_connection = True
        elif fault == "html":
            self.send(b"<!DOCTYPE html><html>log in</html>", "text/html")
        elif fault == "html as jpeg":
            self.send(b"\n <html>log in</html>", "image/jpeg")
        elif fault == "gif":
            self.send(b"GIF89a" + bytes(100), "image/gif")
        elif fault == "empty":
            self.send(b"", "image/jpeg")
        elif fault == "huge":
            self.send(content, "image/jpeg", length=10_000_000_000)
            self.close_connection = True
        elif fault == "endless":
            self.send(content, "image/jpeg", length=None)
            for _ in range(1000):
                self.wfile.write(bytes(1_000_000))
        elif fault == "drip":
            self.send(b"", "image/jpeg", length=100_000)
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.05)
        elif fault == "gzip bomb":
            self.send(_gzip_bomb(), "image/jpeg", headers={"Content-Encoding": "gzip"})
        elif fault == "pixels":
            self.send(_png_header(100_000, 100_000), "image/png")
        elif fault == "tiny":
            one = io.BytesIO()
            Image.new("RGB", (1, 1)).save(one, "JPEG")
            self.send(one.getvalue(), "image/jpeg")
        elif fault.startswith("redirect"):
            self.redirect(movie_id, fault.removeprefix("redirect").strip())
        else:
            self.send(content, "image/png" if fault == "png" else "image/jpeg")

    def redirect(self, movie_id: int, where: str) -> None:
        targets = {
            "": f"/moved/{movie_id}.jpg",
            "loop": f"/images/{movie_id}.jpg",
            "file": "file:///etc/passwd",
            "elsewhere": f"{self.site.elsewhere}{movie_id}.jpg",
            "login": f"http://me:secret@{self.site.host}/moved/{movie_id}.jpg",
        }
        self.send(b"", "text/plain", 302, {"Location": targets[where]} if where in targets else {})

    def omdb(self, query: dict[str, str]) -> None:
        site = self.site
        movie_id = int(query["i"].removeprefix("tt"))
        if query.get("apikey") != site.key:
            refusal = {"Response": "False", "Error": f"Invalid API key! {query.get('apikey')}"}
            self.send(json.dumps(refusal).encode(), "application/json", 401)
        elif site.requests["/omdb/"] > site.daily_limit:
            self.send(b'{"Response":"False","Error":"Request limit reached!"}', "application/json", 401)
        elif site.faults.get(movie_id) == "unknown":
            self.send(b'{"Response":"False","Error":"Incorrect IMDb ID."}', "application/json")
        elif site.faults.get(movie_id) == "facts 500":
            self.send(b"oops", "text/plain", 500)
        else:
            record = site.record(movie_id) | {"Plot": f"A plot that repeats {site.key} as no server should."}
            self.send(json.dumps(record).encode(), "application/json")

    def tmdb(self, movie_id: int, query: dict[str, str]) -> None:
        site = self.site
        if site.key not in (query.get("api_key"), self.headers.get("Authorization", "").removeprefix("Bearer ")):
            self.send(b'{"status_code":7,"status_message":"Invalid API key."}', "application/json", 401)
            return
        record = {
            "imdb_id": f"tt{movie_id:07d}",
            "genres": [{"id": 1, "name": "Comedy"}],
            "overview": f"TMDB's story of movie {movie_id}.",
            "poster_path": f"/{movie_id}.jpg",
            "release_date": "1995-11-22",
            "credits": {
                "cast": [{"name": f"C. {at}"} for at in range(9)],
                "crew": [
                    {"name": "A. Director", "job": "Director", "department": "Directing"},
                    {"name": "W. One", "job": "Screenplay", "department": "Writing"},
                    {"name": "W. One", "job": "Story", "department": "Writing"},
                ],
            },
        }
        self.send(json.dumps(record).encode(), "application/json")

    def send(
        self,
        content: bytes,
        kind: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        length: int | None = -1,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(content) if length == -1 else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@cache
def _gzip_bomb() -> bytes:
    """Small on the way, 100 MB once unpacked."""
    return gzip.compress(bytes(1_000_000), 9) * 100  # members of one stream, one after the other


def _png_header(width: int, height: int) -> bytes:
    import struct
    import zlib

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
