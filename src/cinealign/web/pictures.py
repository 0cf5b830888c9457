"""Pictures that come in, and posters that go out: decoded here, never stored, never named by a path."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING

from cinealign.data.pixels import without_texts
from cinealign.data.posters import FORMATS, Poster, decode_poster
from cinealign.errors import DataError
from cinealign.search.items import Item
from cinealign.search.pairs import picture_of
from cinealign.web.settings import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTHS = {"small": 320, "large": 900}
"""Widths at most, in pixels, of the posters that are sent."""
REMEMBERED = 64 * 2**20
"""Bytes of small posters that are kept."""
SIDE = 10_000
"""A picture that is wider or higher is none that a poster could be."""


def sent_poster(content: bytes) -> Poster:
    """A picture that somebody sent, decoded whole: its first frame, upright, RGB.

    Raises:
        DataError: nothing, no JPEG, PNG or WebP picture, a damaged one, or too many pixels.
    """
    if not content:
        raise DataError("the picture is empty; send a JPEG, PNG or WebP picture")
    _refuse_large(content)
    try:
        picture = decode_poster("picture", content)
    except DataError as error:
        raise DataError(str(error).partition(";")[0].removeprefix("poster ")) from None
    return Poster(hashlib.sha256(content).hexdigest(), lambda: picture)


def _refuse_large(content: bytes) -> None:
    """Look at the header only: what is too large is not decoded."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(without_texts(content)), formats=FORMATS) as picture:
                width, height = picture.size
    except Exception:  # what is wrong with it is said when it is decoded
        return
    if width * height > MAX_PIXELS or max(width, height) > SIDE:
        raise DataError(f"the picture is {width:,} x {height:,}; send one of at most {MAX_PIXELS:,} pixels")


def preview(poster: Poster) -> str:
    """A small JPEG as a data: address, so that a page can show what was sent without keeping it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(poster.opener(), WIDTHS["small"])).decode()


def jpeg(picture: Image, width: int) -> bytes:
    """The picture, not wider than `width`, written anew without anything that came with the file."""
    from PIL import Image

    height = max(1, round(picture.height * width / picture.width))
    if picture.width > width:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=86)
    return out.getvalue()


class PosterShelf:
    """Posters of items as JPEG files in memory, each decoded once while there is room."""

    def __init__(self, memory: int = REMEMBERED) -> None:
        """Args:
        memory: bytes to keep.
        """
        self._most, self._bytes = memory, 0
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.Semaphore(2)

    def get(self, item: Item, size: str) -> bytes:
        """The poster of an item as JPEG, at most `WIDTHS[size]` wide.

        Raises:
            DataError: it has none, or the file is gone or another one.
        """
        key = (str(item.poster_digest), size)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._decoding:
            made = jpeg(decode_poster(f"of item {item.item_id}", picture_of(item)), WIDTHS[size])
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return made
