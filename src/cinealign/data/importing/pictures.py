"""The picture of a row: found where the row says, never outside the source's folder; made fit for a catalogue."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinealign.data.importing.columns import PICTURE_SUFFIXES
from cinealign.data.posters import FORMATS, decode_poster
from cinealign.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

READABLE = (*FORMATS, "GIF", "BMP", "TIFF", "AVIF")
MAX_BYTES = 256_000_000
"""A larger picture file is not even read."""
QUALITY = 92
_SUFFIX = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp"}


@dataclass(frozen=True)
class FittedPicture:
    """Bytes that go into a catalogue, the file suffix that belongs to them, and what was done to the original."""

    content: bytes
    suffix: str
    changed: str
    """ "copied", "re-encoded" or "shrunk"."""


class PictureFinder:
    """Where the pictures of a source are.

    Args:
        folder: the folder that paths must stay in, links followed.
        by_id: True takes the files of `folder` by their names, which are ids; False follows the rows' paths.
    Raises:
        DataError: no such folder, or, by id, two files of one name.
    """

    def __init__(self, folder: Path, *, by_id: bool) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of pictures; give the folder that holds them with --images")
        self.folder, self._home = folder, folder.resolve()
        self._of_id = picture_names(folder) if by_id else None

    def find(self, value: Any, item_id: str, place: str) -> bytes | Path | None:
        """Its bytes where the row holds them, else its file; None where there is none.

        Args:
            value: the row's cell in the picture column; not looked at when pictures are found by id.
            item_id: the row's id as written.
            place: where the row stands, for messages.
        Raises:
            DataError: an address, or a path that leaves the folder.
        """
        if self._of_id is not None:
            return self._of_id.get(plain_id(item_id))
        if isinstance(value, dict):
            return value.get("bytes") or self.find(value.get("path"), item_id, place)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value) or None
        if not isinstance(value, str) or not value.strip():
            return None
        text = value.strip()
        if text.lower().startswith("data:image/"):
            return _embedded(text)
        if "://" in text[:12]:
            raise DataError(
                f"{place}: the picture is an address ({text[:60]}) and nothing is fetched; "
                "download the pictures and give their folder with --images"
            )
        return self._file(text, place)

    def _file(self, text: str, place: str) -> Path | None:
        path = self.folder / (text if "\\" not in text else text.replace("\\", "/"))
        try:
            real = path.resolve()
            if not real.is_relative_to(self._home):
                raise DataError(
                    f"{place}: the picture {text[:80]!r} is outside {self.folder}; "
                    "give the folder that holds the pictures with --images"
                )
            candidates = [real, *(real.with_name(real.name + suffix) for suffix in PICTURE_SUFFIXES)]
            return next((each for each in candidates if each.is_file() and not self._escapes(each)), None)
        except (OSError, ValueError):  # a name too long for the file system, or with a NUL
            return None

    def _escapes(self, path: Path) -> bool:
        return not path.resolve().is_relative_to(self._home)


def picture_names(folder: Path) -> Mapping[str, Path]:
    """The picture files of a folder by their names without suffix; "0007" is "7".

    Raises:
        DataError: two files have one name.
    """
    found: dict[str, Path] = {}
    home = folder.resolve()
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in PICTURE_SUFFIXES or not path.is_file():
            continue
        name = plain_id(path.stem)
        if not path.resolve().is_relative_to(home):
            raise DataError(f"{path} is a link that leaves the folder; put the picture itself there")
        if name in found:
            raise DataError(f"{folder} has two pictures for the id {name}: {found[name].name} and {path.name}")
        found[name] = path
    return found


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
    from PIL import Image

    picture = decode_poster(name, content, READABLE)
    with Image.open(io.BytesIO(content), formats=READABLE) as header:
        kind = header.format or ""
    small = max(picture.size) <= longest_side
    if small and kind in _SUFFIX:
        return FittedPicture(content, _SUFFIX[kind], "copied")
    return FittedPicture(_jpeg(picture, longest_side), ".jpg", "re-encoded" if small else "shrunk")


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


def plain_id(text: str) -> str:
    """An id as files are named by it: "0007" and "7" are one."""
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else text
