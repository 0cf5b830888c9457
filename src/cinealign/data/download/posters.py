"""Posters side by side: each is checked before it appears, and one that is there is never asked for again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cinealign.data.download.files import DownloadFolder
from cinealign.data.download.queue import BackOff, run_jobs
from cinealign.data.download.web import RefusedError, Reply, UnavailableError, Web
from cinealign.data.posters import SUFFIXES, decode_poster, picture_suffix
from cinealign.errors import DataError
from cinealign.progress import progress

MOST_POSTER_BYTES = 30_000_000
LEAST_SIDE = 32
"""Pixels; what is smaller in either direction is a placeholder or a counter, not a poster."""


@dataclass
class _Wanted:
    """A movie whose poster is not there, and the addresses that have not been refused."""

    movie_id: int
    addresses: list[str]
    refusals: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class MissingPoster:
    """A poster that could not be had: the last address and what was wrong with each."""

    movie_id: int
    address: str
    reason: str


def present_posters(folder: DownloadFolder) -> set[int]:
    """Ids of the movies whose poster lies in the folder."""
    return {
        int(path.stem)
        for path in (folder.path / "poster").iterdir()
        if path.is_file() and not path.is_symlink()
        if path.suffix in SUFFIXES and path.stem.isascii() and path.stem.isdigit()
    }


def fetch_posters(
    web: Web,
    folder: DownloadFolder,
    addresses: Mapping[int, Sequence[str]],
    *,
    workers: int,
    back_off: BackOff,
    most_bytes: int = MOST_POSTER_BYTES,
) -> list[MissingPoster]:
    """Put the poster of every movie in `addresses` into the folder; further addresses are tried where one is refused.

    Returns:
        What could not be had, by movie id.
    Raises:
        DataError: as `run_jobs`, or a file cannot be written.
    """
    present = present_posters(folder)
    wanted = [_Wanted(movie_id, list(urls)) for movie_id, urls in addresses.items() if movie_id not in present]

    def attempt(job: _Wanted) -> str:
        while job.addresses:
            address = job.addresses[0]
            try:
                suffix, content = _poster(job.movie_id, web.get(address, "posters", most_bytes=most_bytes))
            except RefusedError as error:
                job.refusals.append((job.addresses.pop(0), error.reason))
                continue
            folder.write(f"poster/{job.movie_id}{suffix}", content)
            return suffix
        raise RefusedError("no address is left")

    missing: list[MissingPoster] = []
    label, done_before = "posters", len(addresses) - len(wanted)
    with warnings.catch_warnings(), progress(label, len(addresses), done_before) as report:
        warnings.simplefilter("ignore")  # Pillow warns of sizes that `decode_poster` refuses anyway
        for done in run_jobs(wanted, attempt, workers=workers, back_off=back_off):
            report.advance()
            if done.failure is not None:
                missing.append(_missing(done.job, done.failure))
    return sorted(missing, key=lambda poster: poster.movie_id)


def _poster(movie_id: int, reply: Reply) -> tuple[str, bytes]:
    """The file's ending and its bytes, once all of it has been decoded.

    Raises:
        RefusedError: no picture, or too small or too large a one.
        UnavailableError: a picture that does not decode; it may have been cut off on its way.
    """
    content = reply.content
    suffix = picture_suffix(content)
    if suffix is None:
        if reply.content_type == "text/html" or content[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
            raise RefusedError("an HTML page instead of a picture")
        what = f" ({reply.content_type})" if reply.content_type else ""
        raise RefusedError(f"no JPEG, PNG or WebP picture{what}" if content else "an empty answer")
    try:
        picture = decode_poster(f"{movie_id}{suffix}", content)
    except DataError as error:
        reason = str(error).partition(";")[0].removeprefix(f"poster {movie_id}{suffix} ")
        if "pixels" in str(error):
            raise RefusedError(reason) from None
        raise UnavailableError(f"the picture {reason}") from None
    if min(picture.size) < LEAST_SIDE:
        raise RefusedError(f"a picture of {picture.width} x {picture.height} pixels is no poster")
    return suffix, content


def _missing(job: _Wanted, failure: RefusedError | UnavailableError) -> MissingPoster:
    reasons = [reason for _, reason in job.refusals]
    if isinstance(failure, UnavailableError):
        reasons.append(failure.reason)
    address = job.addresses[0] if job.addresses else job.refusals[-1][0]
    return MissingPoster(job.movie_id, address, "; then ".join(reasons))
