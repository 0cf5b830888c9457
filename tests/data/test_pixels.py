"""Every mode and level of grey, transparency, and metadata that are no pixels."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinealign.data.posters import decode_poster
from cinealign.errors import DataError

LEVELS = np.tile(np.arange(0, 256, 5, dtype=np.uint8), (8, 1))  # (8, 52)
FORMATS = ("PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG")


def decoded(picture: Image.Image, format: str, **how: object) -> np.ndarray:
    file = io.BytesIO()
    picture.save(file, format, **how)  # type: ignore[arg-type]
    return np.asarray(decode_poster("7", file.getvalue(), FORMATS))


def grey(mode: str) -> Image.Image:
    base = Image.fromarray(LEVELS)
    if mode == "I;16":
        return Image.fromarray(LEVELS.astype(np.uint16) * 257)
    if mode == "I;16 in 32":
        return Image.fromarray(LEVELS.astype(np.int32) * 257)
    if mode == "I":
        return Image.fromarray(LEVELS.astype(np.int32))
    if mode in ("F", "F to 1"):
        return Image.fromarray(LEVELS.astype(np.float32) / (255 if mode == "F to 1" else 1))
    if mode == "P":
        return base.quantize(256)
    return base.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr", "HSV") else base.convert(mode)


@pytest.mark.parametrize(
    ("mode", "format"),
    [(mode, "PNG") for mode in ("L", "LA", "P", "RGB", "RGBA", "I;16")]
    + [(mode, "TIFF") for mode in ("L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "I;16 in 32", "F", "F to 1")]
    + [("RGB", "BMP"), ("L", "BMP"), ("P", "GIF")],
)
def test_grey_levels_come_out_as_they_went_in(mode: str, format: str) -> None:
    pixels = decoded(grey(mode), format)
    assert pixels.shape == (8, 52, 3)
    assert np.abs(pixels.astype(int) - LEVELS[:, :, None]).max() == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_grey_levels_of_jpeg(mode: str) -> None:
    assert np.abs(decoded(grey(mode), "JPEG", quality=100).astype(int) - LEVELS[:, :, None]).max() <= 3


def test_lab_is_converted() -> None:
    lab = np.zeros((4, 4, 3), dtype=np.uint8)
    lab[..., 0] = 255  # lightness alone: white
    assert decoded(Image.fromarray(lab, "LAB"), "TIFF").min() >= 254


@pytest.mark.parametrize("levels", [np.array([[-1, 5]], np.int32), np.array([[0, 70_000]], np.int32)])
def test_levels_without_one_meaning_are_refused(levels: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"grey levels from .* which have no one meaning; save it with 8 or 16 bits"):
        decoded(Image.fromarray(levels), "TIFF")
    with pytest.raises(DataError, match="no one meaning"):
        decoded(Image.fromarray(np.array([[0.0, np.inf]], np.float32)), "TIFF")


@pytest.mark.parametrize(("letters", "behind"), [(255, 0), (240, 0), (0, 255), (120, 255)])
def test_letters_on_transparency_are_seen(letters: int, behind: int) -> None:
    picture = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    picture.paste((letters, letters, letters, 255), (10, 10, 30, 20))
    pixels = decoded(picture, "PNG")
    assert pixels[0, 0].tolist() == [behind] * 3 and pixels[15, 15].tolist() == [letters] * 3


def test_nothing_seen_at_all_is_white() -> None:
    assert decoded(Image.new("RGBA", (4, 4), (255, 255, 255, 0)), "PNG").min() == 255


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize(
    "odd",
    [
        chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * 3_000_000)),
        chunk(b"iTXt", b"note\0\1\0\0\0" + zlib.compress(b"x" * 3_000_000)),
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"x" * 3_000_000)),
        chunk(b"iCCP", b"icc\0\0damaged"),
        chunk(b"tEXt", b"x")[:-1] + b"?",  # a wrong checksum
        chunk(b"eXIf", b"\0\x08\0\x02\x01\x12"),
    ],
)
def test_odd_metadata_cost_no_picture(odd: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(LEVELS).save(file, "PNG")
    content = file.getvalue()
    assert np.asarray(decode_poster("7.png", content[:33] + odd + content[33:]))[..., 0].tolist() == LEVELS.tolist()


def test_the_orientation_of_a_png_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decoded(Image.new("L", (40, 20)), "PNG", exif=exif).shape == (40, 20, 3)
