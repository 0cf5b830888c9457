"""Lettering of the drawn posters: one built-in typeface made many by weight, width, slant, spacing, outline, tilt."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
_EM = 84  # pixels; lines are drawn this large, then scaled to their place


@dataclass(frozen=True)
class Style:
    """How a title is lettered. Lengths are shares of the em; `tilt` is in degrees, counter-clockwise.

    `weight` thickens the strokes, `width` scales letters sideways, `slant` shears them, `outline` draws a rim around
    them, and `hollow` leaves only the rim.
    """

    weight: float = 0.02
    width: float = 1.0
    slant: float = 0.0
    spacing: float = 0.0
    outline: float = 0.0
    tilt: float = 0.0
    capitals: bool = True
    hollow: bool = False
    shadow: bool = False
    motley: bool = False


STYLES: dict[str, tuple[Style, ...]] = {
    "Romance": (
        Style(weight=0.005, slant=0.28, capitals=False, shadow=True),
        Style(weight=0.0, spacing=0.1, width=0.9),
        Style(weight=0.02, slant=0.2, capitals=False, tilt=5, outline=0.04),
    ),
    "Comedy": (
        Style(weight=0.06, tilt=7, outline=0.07, motley=True),
        Style(weight=0.05, width=1.15, capitals=False, tilt=-5, outline=0.06, motley=True),
        Style(weight=0.07, outline=0.06, shadow=True),
    ),
    "Horror": (
        Style(weight=0.03, width=0.7, spacing=0.02, outline=0.05),
        Style(weight=0.01, width=0.75, spacing=0.14),
        Style(weight=0.05, slant=-0.12, tilt=-4, outline=0.03, shadow=True),
    ),
    "Sci-Fi": (
        Style(weight=0.01, width=1.3, spacing=0.2),
        Style(weight=0.03, width=1.4, spacing=0.1, outline=0.06, hollow=True),
        Style(weight=0.05, width=1.25, slant=0.25, shadow=True),
    ),
    "Western": (
        Style(weight=0.06, width=1.1, outline=0.04, shadow=True),
        Style(weight=0.08, width=0.85, spacing=0.05),
        Style(weight=0.05, width=1.2, tilt=3, outline=0.05),
    ),
    "Crime": (
        Style(weight=0.05, width=0.62, spacing=0.0, shadow=True),
        Style(weight=0.04, width=0.7, slant=0.16, tilt=9),
        Style(weight=0.03, width=0.8, spacing=0.08, outline=0.03),
    ),
    "Adventure": (
        Style(weight=0.05, slant=0.14, tilt=6, outline=0.06, shadow=True),
        Style(weight=0.06, width=1.05, outline=0.05, shadow=True),
        Style(weight=0.03, width=0.9, spacing=0.05, outline=0.04, tilt=-6),
    ),
    "War": (
        Style(weight=0.06, width=0.8, spacing=0.08, outline=0.03),
        Style(weight=0.07, width=0.75, outline=0.03, shadow=True),
        Style(weight=0.04, width=0.95, spacing=0.12, outline=0.03, tilt=-3),
    ),
}
"""The styles of every genre; a poster takes one of them by chance."""


def letter_title(
    text: str, style: Style, box: tuple[int, int], colours: tuple[Colour, Colour, Colour], dice: random.Random
) -> Image.Image:
    """The title as an RGBA picture not larger than `box` (width, height).

    Args:
        text: the words; broken into one to three lines, each set as wide as the box allows.
        style: how the letters look.
        box: pixels.
        colours: fill, rim, and a second fill for motley letters.
        dice: for the colours of motley letters.
    """
    lines = break_lines(text.upper() if style.capitals else text)
    pieces = [_line(line, style, colours, dice) for line in lines]
    # All lines have one width where they can; a short word does not outgrow its neighbours, though.
    scales = [min(box[0] / piece.width, 1.5 * min(box[0] / other.width for other in pieces)) for piece in pieces]
    gap = 0.04 * box[1]
    height = sum(piece.height * scale for piece, scale in zip(pieces, scales, strict=True)) + gap * (len(pieces) - 1)
    shrink = min(1.0, box[1] / height)
    block = Image.new("RGBA", box, (0, 0, 0, 0))
    top = 0.0
    for piece, scale in zip(pieces, scales, strict=True):
        # Lines too tall are pressed flat rather than made small: as wide letters they stay readable.
        size = (max(1, round(piece.width * scale * shrink**0.4)), max(1, round(piece.height * scale * shrink)))
        block.alpha_composite(piece.resize(size, Image.Resampling.LANCZOS), ((box[0] - size[0]) // 2, round(top)))
        top += size[1] + gap * shrink
    block = block.crop((0, 0, box[0], min(box[1], max(1, round(top)))))
    if style.tilt:
        block = block.rotate(style.tilt, Image.Resampling.BICUBIC, expand=True)
        block.thumbnail((box[0], box[1] * 2), Image.Resampling.LANCZOS)
    return block


def small_line(text: str, height: int, colour: Colour) -> Image.Image:
    """A line of credits, `height` pixels tall, as an RGBA picture."""
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(text)
    line = Image.new("RGBA", (int(right - left) + 4, int(bottom - top) + 4), (*colour, 0))
    ImageDraw.Draw(line).text((2 - left, 2 - top), text, font=font, fill=(*colour, 255))
    return line


def break_lines(text: str, longest: int = 9, most: int = 3) -> list[str]:
    """`text` in at most `most` lines: as few as keep lines within about `longest` letters."""
    split = text.split()
    for count in range(1, most + 1):
        ways = _ways(split, count)
        if ways:
            best = min(ways, key=lambda lines: max(map(len, lines)))
            if max(map(len, best)) <= longest or count == min(most, len(split)):
                return best
    return [text]


def _ways(split: list[str], count: int) -> list[list[str]]:
    if count == 1:
        return [[" ".join(split)]]
    return [[" ".join(split[:cut]), *rest] for cut in range(1, len(split)) for rest in _ways(split[cut:], count - 1)]


def _line(text: str, style: Style, colours: tuple[Colour, Colour, Colour], dice: random.Random) -> Image.Image:
    font = ImageFont.load_default(_EM)
    stroke, rim = style.weight * _EM, style.outline * _EM
    margin = round(_EM * 0.1 + stroke + rim + abs(style.slant) * _EM * 0.6)
    advance = [font.getlength(letter) + style.spacing * _EM + stroke for letter in text]
    size = (round(sum(advance)) + 2 * margin, round(_EM * 1.4) + 2 * margin)
    letters, edges = Image.new("L", size), Image.new("L", size)
    fills = Image.new("RGB", size, colours[0])
    pens = ImageDraw.Draw(letters), ImageDraw.Draw(edges), ImageDraw.Draw(fills)
    left = float(margin)
    for letter, step in zip(text, advance, strict=True):
        pens[0].text((left, margin), letter, font=font, fill=255, stroke_width=stroke)
        if rim:
            pens[1].text((left, margin), letter, font=font, fill=255, stroke_width=stroke + rim)
        if style.motley:
            pens[2].rectangle((left, 0, left + step, size[1]), fill=colours[dice.choice((0, 0, 2))])
        left += step
    line = Image.new("RGBA", size, (*colours[1], 0))
    if style.shadow:
        offset = round(_EM * 0.05)
        soft = ImageChops.offset(letters, offset, offset).filter(ImageFilter.GaussianBlur(_EM * 0.03))
        line.paste((*colours[1], 255), mask=soft)
    if rim and style.hollow:
        line.paste((*colours[0], 255), mask=ImageChops.subtract(edges, letters))
    elif rim:
        line.paste((*colours[1], 255), mask=edges)
    if not style.hollow:
        line.paste(Image.merge("RGBA", (*fills.split(), Image.new("L", size, 255))), mask=letters)
    if style.slant:
        middle = size[1] / 2
        shear = (1, style.slant, -style.slant * middle, 0, 1, 0)
        line = line.transform(size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)
    line = line.resize((max(1, round(line.width * style.width)), line.height), Image.Resampling.LANCZOS)
    inked = line.getchannel("A").point(lambda alpha: 255 if alpha > 40 else 0).getbbox()
    assert inked is not None
    return line.crop(inked)
