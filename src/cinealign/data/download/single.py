"""Single files that a download needs before anything else, kept so that a resumed one does not ask for them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cinealign.data.download.files import STATE, DownloadFolder, source_mark
from cinealign.data.download.queue import BackOff, run_job
from cinealign.data.download.web import RefusedError, UnavailableError, Web
from cinealign.errors import DataError
from cinealign.progress import say

Read = TypeVar("Read")


def fetch_file(
    web: Web,
    folder: DownloadFolder,
    address: str,
    kind: str,
    read: Callable[[bytes], Read],
    *,
    most_bytes: int,
    back_off: BackOff,
) -> Read:
    """What `read` makes of the file at `address`; it is kept once `read` has accepted it.

    Raises:
        DataError: it cannot be had, or `read` refuses it.
    """
    kept_as = f"{STATE}/{source_mark(address)}-{address.rpartition('/')[2]}"
    kept = folder.read(kept_as)
    if kept is not None:
        return read(kept)
    say(f"asking for {address}")
    try:
        content = run_job(lambda: web.get(address, kind, most_bytes=most_bytes).content, back_off)
    except (RefusedError, UnavailableError) as error:
        later = (
            "; the same command tries again" if isinstance(error, UnavailableError) else "; is it the right address?"
        )
        raise DataError(f"{address} cannot be had: {error.reason}{later}") from None
    result = read(content)
    folder.write(kept_as, content)
    return result
