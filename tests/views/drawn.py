"""Small posters for the tests of the views."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cinealign.data.posters import Poster


def draw_poster(path: Path, *words: tuple[str, int, int, int], background: str = "navy") -> Poster:
    """A 182 x 268 poster with (text, x, y, letter size in pixels) written on it."""
    picture = Image.new("RGB", (182, 268), background)
    pen = ImageDraw.Draw(picture)
    for text, x, y, size in words:
        pen.text((x, y), text, fill="white", font=ImageFont.load_default(size))
    picture.save(path)
    return Poster.of(path)


def draw_pattern(path: Path, seed: int) -> Poster:
    """A poster of random coloured discs."""
    import random

    draw = random.Random(seed)
    picture = Image.new("RGB", (182, 268), (draw.randrange(256), draw.randrange(256), draw.randrange(256)))
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, r = draw.randrange(182), draw.randrange(268), draw.randrange(8, 60)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(draw.randrange(256), draw.randrange(256), draw.randrange(256)))
    picture.save(path)
    return Poster.of(path)
