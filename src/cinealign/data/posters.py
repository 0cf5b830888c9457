"""Posters, in files or in memory: identity by content, and safe decoding when the picture is asked for."""

from __future__ import annotations

import hashlib
import io
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cinealign.arguments import as_path
from cinealign.data.pixels import rgb, without_texts
from cinealign.data.system_files import left_by_a_system
from cinealign.errors import DataError
from cinealign.threads import on_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 64_000_000
"""Larger posters are refused from their header, before a pixel is decoded: 8,000 x 8,000 take 192 MB as RGB."""
FORMATS = ("JPEG", "PNG", "WEBP")
"""By Pillow's names."""
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp")
_FOLDERS = ("poster", "posters")


@dataclass(frozen=True)
class Poster:
    """A picture known by its content; it is decoded when it is opened, and not kept.

    Attributes:
        digest: sha256 of the file's bytes, or of the pixels where there is no file: equal pictures share their features.
        opener: gives the picture as RGB; raises DataError where it cannot be decoded.
        path: the file, where it is one.
    """

    digest: str
    opener: Callable[[], Image] = field(compare=False, repr=False)
    path: Path | None = field(default=None, compare=False)

    @classmethod
    def of(cls, source: PosterSource) -> Poster:
        """The poster in `source`; a file is read for its digest, nothing is decoded.

        Args:
            source: a path; a file's bytes; a PIL picture; uint8 pixels (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, which
                must stay as they are; or a Poster, which is given back.
        Raises:
            DataError: a file that cannot be read, or something else than these.
            ConfigError: a path that no file can have.
        """
        if isinstance(source, Poster):
            return source
        if isinstance(source, str | os.PathLike):
            return read_poster(as_path(source, "poster"))[0]
        if isinstance(source, bytes | bytearray | memoryview):
            content = bytes(source)
            return cls(hashlib.sha256(content).hexdigest(), partial(decode_poster, "given as bytes", content))
        return _of_pixels(source)


PosterSource: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | Image | NDArray[np.uint8] | Poster"
"""What `Poster.of` takes."""


@dataclass(frozen=True)
class PosterFolder:
    """The picture files of a data folder by movie id, and the names of the files that cannot be posters."""

    files: dict[int, Path]
    strangers: tuple[str, ...]


def open_poster(poster: Poster | Path) -> Image:
    """The picture as RGB: turned upright as its EXIF data say, transparency over white, first frame of an animation.

    Colour profiles are not applied. Of grey levels and of light pictures on transparency `pixels.rgb` tells.

    Raises:
        DataError: not a JPEG, PNG or WebP picture, damaged or cut short, or more than `MAX_PIXELS` pixels.
    """
    return poster.opener() if isinstance(poster, Poster) else _open_file(poster)


def check_poster(path: Path) -> Poster:
    """The poster at `path` after decoding all of it, as a cut file shows only in its last rows.

    Raises:
        DataError: as `open_poster`.
    """
    poster, content = read_poster(path)
    decode_poster(path.name, content)
    return poster


def read_poster(path: Path) -> tuple[Poster, bytes]:
    """The poster at `path` and the file's bytes, undecoded; opening it reads the file again.

    Raises:
        DataError: the file cannot be read.
    """
    content = _bytes(path)
    digest = hashlib.sha256(content).hexdigest()
    return Poster(digest, partial(_open_known, path, digest), path), content


def decode_poster(name: str, content: bytes, formats: Sequence[str] = FORMATS) -> Image:
    """The picture in `content` as `open_poster` gives it; `name` is for messages.

    Nothing is tried but `formats`, by Pillow's names.

    Raises:
        DataError: as `open_poster`.
    """
    from PIL import Image

    opened = lambda: Image.open(io.BytesIO(without_texts(content)), formats=tuple(formats))  # noqa: E731
    with tiff_silent(content):
        return _decoded(name, opened, _listed_formats(formats))


def picture_suffix(content: bytes) -> str | None:
    """The ending for a file with `content`, by its first bytes: one of `SUFFIXES`, or None if it is no such picture."""
    if content.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    return ".webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def check_posters(paths: Sequence[Path]) -> tuple[dict[Path, Poster], list[str]]:
    """The posters that decode, by path, and what is wrong with each of the others. Decoding lets other threads run."""

    def check(path: Path) -> Poster | str:
        try:
            return check_poster(path)
        except DataError as error:
            return str(error)

    results = list(on_threads(check, paths))
    good = {path: result for path, result in zip(paths, results, strict=True) if isinstance(result, Poster)}
    return good, [result.partition(";")[0].removeprefix("poster ") for result in results if isinstance(result, str)]


def find_posters(folder: Path) -> PosterFolder:
    """The poster files in `folder`/poster (or posters), keyed by the movie id in their names ("0007.jpg" is movie 7).

    Hidden files and those that Windows leaves in picture folders are passed over.

    Raises:
        DataError: no poster folder, two of them, or two files for one movie.
    """
    homes = sorted(entry for entry in folder.iterdir() if entry.name.lower() in _FOLDERS and entry.is_dir())
    if not homes:
        raise DataError(f"{folder} has no folder 'poster'; put the pictures there as ID.jpg, ID.png or ID.webp")
    if len(homes) > 1:
        raise DataError(f"{folder} has both {homes[0].name!r} and {homes[1].name!r}; keep one poster folder")
    found: dict[int, Path] = {}
    strangers: list[str] = []
    for path in sorted(homes[0].iterdir()):
        if left_by_a_system(path.name):
            continue
        if path.suffix.lower() not in SUFFIXES or not re.fullmatch("[0-9]{1,18}", path.stem) or not path.is_file():
            strangers.append(path.name)
            continue
        movie_id = int(path.stem)
        if movie_id in found:
            raise DataError(f"item {movie_id} has two posters, {found[movie_id].name} and {path.name}; remove one")
        found[movie_id] = path
    return PosterFolder(found, tuple(strangers))


_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LIBTIFF = threading.Lock()


@contextmanager
def tiff_silent(content: bytes) -> Iterator[None]:
    """Inside, a TIFF is read while stderr is shut: libtiff writes there by itself, past Python. One at a time."""
    if content[:4] not in _TIFF:
        yield
        return
    with _LIBTIFF:
        try:
            kept = os.dup(2)
        except OSError:  # a process without stderr has nothing to shut
            yield
            return
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


_WARNINGS = threading.Lock()


@contextmanager
def unwarned() -> Iterator[None]:
    """Inside, Pillow does not print what it thinks of metadata; one thread at a time, as the filters are the process's."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open_file(path: Path) -> Image:
    return decode_poster(path.name, _bytes(path))


def _open_known(path: Path, digest: str) -> Image:
    """The poster that was read before; of another one in its place features would be kept under this one's digest."""
    content = _bytes(path)
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(f"poster {path.name} has changed since the data were read; start again")
    return decode_poster(path.name, content)


def _decoded(name: str, opened: Callable[[], Image], wanted: str = "") -> Image:
    """The picture that `opened` gives as `open_poster` has it; `name` and the `wanted` formats are for messages."""
    from PIL import Image, UnidentifiedImageError

    too_large = f"poster {name} has more than {MAX_PIXELS:,} pixels; give a smaller picture"
    try:
        with unwarned():
            given = opened()
        with given as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise DataError(f"poster {name} is {width:,} x {height:,}: {too_large.partition(' has ')[2]}")
            picture.load()
            return rgb(name, _upright(picture))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow looks at the header before we can
        raise DataError(too_large) from None
    except UnidentifiedImageError:
        raise DataError(f"poster {name} is not a {wanted} picture; replace or remove it") from None
    except Exception as error:  # on damaged bytes Pillow's readers raise errors of many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"poster {name} is damaged ({reason}); replace or remove it") from None


def _of_pixels(source: Any) -> Poster:
    """The poster of a PIL picture or an array."""
    from PIL import Image

    if not isinstance(source, Image.Image):
        pixels = source if hasattr(source, "__array_interface__") else None
        shape: tuple[int, ...] = getattr(source, "shape", ())
        kind = str(getattr(source, "dtype", ""))
        if pixels is None or kind != "uint8" or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
            given = f"{kind} {tuple(shape)}" if shape else type(source).__name__
            raise DataError(
                "a poster is a path, the bytes of a file, a PIL picture or uint8 pixels (H, W, 3), (H, W, 4) or (H, W); "
                f"got {given}"
            )
        if 0 in shape:
            raise DataError(f"a poster needs at least one pixel, got {tuple(shape)}")
        source = Image.fromarray(source)
    picture = _decoded("given as pixels", source.copy)  # a copy: leaving `with` would close the caller's
    digest = hashlib.sha256(f"{picture.width} x {picture.height} RGB ".encode() + picture.tobytes()).hexdigest()
    return Poster(digest, picture.copy)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"poster {path.name} cannot be read: {error.strerror or error}; check the file") from None


def _listed_formats(formats: Sequence[str]) -> str:
    names = [{"WEBP": "WebP"}.get(name, name) for name in formats]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _upright(picture: Image) -> Image:
    """Turned as its metadata say; as it is where they are damaged."""
    from PIL import ImageOps

    try:
        with unwarned():
            return ImageOps.exif_transpose(picture)
    except Exception:  # on damaged metadata Pillow raises errors of many kinds
        return picture
