"""The picture of a row: found where the row says, never outside the source's folder; made fit for a catalogue."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinealign.data.importing.names import PictureNames
from cinealign.data.importing.source import PICTURE_SUFFIXES, cell_text
from cinealign.data.pixels import background, without_texts
from cinealign.data.posters import FORMATS, decode_poster, picture_suffix, tiff_silent, unwarned
from cinealign.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

READABLE = (*FORMATS, "GIF", "BMP", "TIFF", "AVIF")
MAX_BYTES = 256_000_000
"""A larger picture file is not even read."""
QUALITY = 92


@dataclass(frozen=True)
class FittedPicture:
    """Bytes that go into a catalogue, the file suffix that belongs to them, and what was done to the original."""

    content: bytes
    suffix: str
    changed: str
    """ "copied", "re-encoded" or "shrunk"."""
    seen: tuple[str, ...] = ()
    """What is worth saying of it: "across" is wider than tall, "over-black" is light on transparency."""


class PictureFinder:
    """Where the pictures of a source are.

    Args:
        folder: the folder that paths must stay in, links followed.
        by_id: True takes the files of `folder` by their names, which are ids; False follows the rows' paths.
    Raises:
        DataError: no such folder.
    """

    def __init__(self, folder: Path, *, by_id: bool) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of pictures; give the folder that holds them with --images")
        self.folder, self.names = folder, PictureNames(folder)
        self._by_id = by_id

    def find(self, value: Any, item_id: str, place: str) -> bytes | Path | None:
        """Its bytes where the row holds them, else its file; None where there is none.

        Args:
            value: the row's cell in the picture column; not looked at when pictures are found by id.
            item_id: the row's id as written.
            place: where the row stands, for messages.
        Raises:
            DataError: an address, a path that leaves the folder, or a name that two files fit.
        """
        if self._by_id:
            return _placed(place, lambda: self.names.by_id(item_id))
        if isinstance(value, dict):
            return value.get("bytes") or self.find(value.get("path"), item_id, place)
        if isinstance(value, (bytes, bytearray)) and (not value or not _is_path(bytes(value))):
            return bytes(value) or None
        text = cell_text(value).strip()
        if not text:
            return None
        if text.lower().startswith("data:image/"):
            return _embedded(text)
        if "://" in text[:12] and not text.startswith("file://"):
            raise DataError(
                f"{place}: the picture is an address ({text[:60]}) and nothing is fetched; "
                "download the pictures and give their folder with --images"
            )
        return _placed(place, lambda: self.names.by_path(text))


def _placed(place: str, look: Callable[[], Path | None]) -> Path | None:
    try:
        return look()
    except DataError as error:
        raise DataError(f"{place}: {error}" if place else str(error)) from None


def _is_path(content: bytes) -> bool:
    """Whether bytes are the path of a picture: databases write texts without saying that they are text."""
    return len(content) < 1024 and cell_text(content).strip().lower().endswith(PICTURE_SUFFIXES)


def read_picture(found: bytes | Path, name: str) -> bytes:
    """The bytes of a picture. Raises DataError where its file is too large or cannot be read."""
    if isinstance(found, bytes):
        size = len(found)
    else:
        try:
            size = found.stat().st_size
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror or error}") from None
    if size > MAX_BYTES:
        raise DataError(f"{name} has {size:,} bytes, more than {MAX_BYTES:,}")
    if isinstance(found, bytes):
        return found
    try:
        return found.read_bytes()
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}") from None


def fit_picture(name: str, content: bytes, longest_side: int) -> FittedPicture:
    """The picture as a catalogue keeps it: its own bytes where they will do, else a new JPEG.

    Args:
        name: for messages.
        content: a file of one of the formats of `READABLE`.
        longest_side: pixels; a larger picture is shrunk to it.
    Raises:
        DataError: no picture, damaged, or more pixels than `posters.MAX_PIXELS`.
    """
    picture = decode_poster(name, content, READABLE)
    flags = ("across" * (picture.width > 1.2 * picture.height), "over-black" * _is_light(content))
    small, suffix = max(picture.size) <= longest_side, picture_suffix(content)
    if small and suffix is not None:
        return FittedPicture(content, suffix, "copied", tuple(filter(None, flags)))
    changed = "re-encoded" if small else "shrunk"
    return FittedPicture(_jpeg(picture, longest_side), ".jpg", changed, tuple(filter(None, flags)))


def _is_light(content: bytes) -> bool:
    """Whether the picture is laid over black, as it would vanish on white."""
    from PIL import Image

    with tiff_silent(content), unwarned(), Image.open(io.BytesIO(without_texts(content)), formats=READABLE) as picture:
        return picture.has_transparency_data and background(picture.convert("RGBA")) == "black"


def _jpeg(picture: Image, longest_side: int) -> bytes:
    from PIL import Image

    picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def _embedded(text: str) -> bytes | None:
    """The bytes of a data address such as "data:image/png;base64,iVBOR..."; they count as damaged where they are."""
    head, _, body = text.partition(",")
    try:
        return base64.b64decode(body, validate=True) if head.lower().endswith(";base64") else b"?"
    except (binascii.Error, ValueError):
        return b"?"
