"""From what a picture file holds to RGB: metadata aside, every kind of grey level, transparency laid over something."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cinealign.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

LIGHT, SEEN_THROUGH = 225, 0.2
"""A picture is laid over black if what is seen is on average as light as this, and this share of it is transparent."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND")


def without_texts(content: bytes) -> bytes:
    """A PNG without the chunks that are no pixels (texts, profiles): damage there is no damage of the picture.

    The orientation stays. Other formats, and a PNG whose chunks do not follow each other, come back as they are.
    """
    if not content.startswith(_PNG):
        return content
    kept, place = [_PNG], len(_PNG)
    while place < len(content):
        if place + 12 > len(content):
            return content
        (length,) = struct.unpack_from(">I", content, place)
        kind, end = content[place + 4 : place + 8], place + 12 + length
        if end > len(content):
            return content
        if kind in _PIXELS:
            kept.append(content[place:end])
        place = end
        if kind == b"IEND":
            break
    return b"".join(kept)


def rgb(name: str, picture: Image) -> Image:
    """The picture as RGB: 16-bit levels by their upper 8 bits, 32-bit and floating ones by their range.

    Levels to 255 stay as they are, to 65,535 they count as 16 bits, and floating ones to 1 as shares of white. Transparency
    lies over white; over black where what is seen is itself nearly white (`LIGHT`).

    Raises:
        DataError: levels of another range, which have no one meaning.
    """
    from PIL import Image

    if picture.mode.startswith("I;16"):  # `convert` would clip at 255 and leave nothing but white
        picture = _scaled(picture.convert("I"), 1 / 256)
    elif picture.mode in ("I", "F"):
        picture = _scaled(picture, _scale(name, picture))
    elif picture.mode == "LAB":
        picture = _from_lab(picture)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, background(seen)), seen).convert("RGB")


def background(picture: Image) -> str:
    """What lies behind an RGBA picture: "white", or "black" where it would vanish on white."""
    from PIL import ImageStat

    alpha = picture.getchannel("A")
    if ImageStat.Stat(alpha).mean[0] > 255 * (1 - SEEN_THROUGH) or not alpha.getextrema()[1]:
        return "white"
    grey = picture.convert("RGB").convert("L")
    return "black" if ImageStat.Stat(grey, alpha.point(lambda level: 255 * (level > 127))).mean[0] >= LIGHT else "white"


def _scale(name: str, picture: Image) -> float:
    low, high = picture.getextrema()
    assert isinstance(low, (int, float)) and isinstance(high, (int, float))
    if low >= 0 and high <= 1 and picture.mode == "F":
        return 255
    if low >= 0 and high <= 255:
        return 1
    if low >= 0 and high <= 65_535 and picture.mode == "I":
        return 1 / 256
    raise DataError(
        f"poster {name} has grey levels from {low:g} to {high:g}, which have no one meaning; save it with 8 or 16 bits"
    )


def _scaled(picture: Image, scale: float) -> Image:
    import numpy as np
    from PIL import Image

    levels = np.asarray(picture, dtype=np.float64) * scale
    return Image.fromarray((levels if scale < 1 else levels.round()).astype(np.uint8))


def _from_lab(picture: Image) -> Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None
    return converted
