"""Pictures of the drawn posters: a sky, a scene of a few shapes and some grain, in the colours of a genre."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
WIDTH, HEIGHT = 364, 536  # twice the poster's size; shrinking it at the end smooths the edges


@dataclass(frozen=True)
class Palette:
    """Colours of a poster: the sky from top to bottom, near and far shapes, and what shines."""

    top: Colour
    bottom: Colour
    near: Colour
    far: Colour
    shine: Colour
    title: Colour
    rim: Colour


def _palette(*codes: str) -> Palette:
    top, bottom, near, far, shine, title, rim = (
        (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)) for code in codes
    )
    return Palette(top, bottom, near, far, shine, title, rim)


PALETTES: dict[str, tuple[Palette, ...]] = {
    "Romance": (
        _palette("f7c6d0", "fff1e6", "8c2f4b", "d9768f", "e0405f", "8c1d40", "fff6f2"),
        _palette("5b2a5e", "f29e8e", "2d1233", "8a3d6b", "ffd9c7", "fff0e8", "4a1640"),
        _palette("e8a0b4", "f8d7c4", "6d2440", "c25b7c", "fff4ea", "ffffff", "a32c55"),
    ),
    "Comedy": (
        _palette("ffd23f", "ffef9f", "e4572e", "17a2b8", "ff7ab6", "d7263d", "ffffff"),
        _palette("4cc9f0", "caf0f8", "ff9f1c", "7bd389", "ffe066", "ff3f6c", "ffffff"),
        _palette("fff3d6", "ffffff", "f25f5c", "50b99b", "ffbf00", "245fcf", "ffe98a"),
    ),
    "Horror": (
        _palette("05060a", "3a0d12", "000000", "1c0a0d", "b31217", "e01b22", "000000"),
        _palette("0b1a14", "2f4a38", "030806", "13261c", "c9d8a5", "d5e8b0", "04100a"),
        _palette("12101c", "4b3b5a", "050308", "1e1830", "e6dcc0", "f0e6d2", "150a1c"),
    ),
    "Sci-Fi": (
        _palette("020617", "12356b", "0a1a3a", "24579a", "6ff3ff", "c9fbff", "0a2a55"),
        _palette("0a0320", "4a1a8c", "12062e", "7a3fd0", "ff5edb", "f7d6ff", "2a0a55"),
        _palette("01161e", "0f5a5c", "00262b", "1f8a86", "d9f99d", "e6ffd0", "04343a"),
    ),
    "Western": (
        _palette("e07a1f", "ffd98a", "4a1f0b", "a8491a", "fff0b3", "3b1606", "ffdf9e"),
        _palette("8c3b12", "f3a94b", "2a1005", "6e2a0c", "ffe9a8", "fff1c9", "451a06"),
        _palette("d9b779", "f6e6bd", "5a3414", "a9743a", "c0391b", "7a1f0c", "fbeecb"),
    ),
    "Crime": (
        _palette("0d0f14", "3c4350", "020203", "20242c", "ffcf3f", "ffffff", "101216"),
        _palette("1a1a1a", "6b0f1a", "000000", "2b0508", "ffffff", "ffe14d", "1a0003"),
        _palette("c9ccd1", "f4f4f2", "111111", "4a4d52", "d0021b", "c20018", "ffffff"),
    ),
    "Adventure": (
        _palette("2a9df4", "fff3c4", "0f4c3a", "3f8f6b", "ffd447", "fff7d6", "0b3b52"),
        _palette("0f7173", "ffc971", "08333a", "2d7f76", "fff1c1", "ffe08a", "06343b"),
        _palette("f28f3b", "ffe8b0", "1d3b53", "588b8b", "fffbe0", "ffffff", "8a2f10"),
    ),
    "War": (
        _palette("4a4f3a", "b9b48c", "1c1f14", "353a28", "f2e6b8", "1a1c10", "d8d2a6"),
        _palette("2c3539", "8d9a97", "0f1416", "46545a", "ffb347", "ffffff", "1b2529"),
        _palette("6b5a3e", "d9c79a", "201809", "4a3c22", "b02318", "8f140c", "ecdfb8"),
    ),
}
"""The palettes of every genre; a poster takes one of them by chance."""


def paint(scene: str, palette: Palette, seed: int) -> Image.Image:
    """The picture of `scene` (a key of `SCENES`), WIDTH x HEIGHT, RGB; the same seed paints the same one."""
    dice = random.Random(seed)
    ramp = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = (1 - ramp) * np.array(palette.top) + ramp * np.array(palette.bottom)
    canvas = Image.fromarray(np.broadcast_to(sky, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    SCENES[scene](ImageDraw.Draw(canvas, "RGBA"), palette, dice)
    return canvas


def grain(picture: Image.Image, seed: int) -> Image.Image:
    """`picture` with the fine noise of printed paper."""
    noise = np.random.default_rng(seed).normal(0, 3, (picture.height, picture.width, 1))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


Pen = ImageDraw.ImageDraw


def _disc(pen: Pen, x: float, y: float, radius: float, colour: tuple[int, ...]) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _glow(pen: Pen, x: float, y: float, radius: float, colour: Colour) -> None:
    for ring in range(6, 0, -1):
        _disc(pen, x, y, radius * (1 + 0.13 * ring), (*colour, 26))
    _disc(pen, x, y, radius, colour)


def _stars(pen: Pen, dice: random.Random, colour: Colour, count: int) -> None:
    for _ in range(count):
        x, y, size = dice.uniform(0, WIDTH), dice.uniform(0, HEIGHT), dice.choice((1, 1, 1, 2, 3))
        _disc(pen, x, y, size, (*colour, dice.randint(120, 255)))


def _heart(pen: Pen, x: float, y: float, size: float, colour: tuple[int, ...]) -> None:
    turn = [math.tau * step / 60 for step in range(60)]
    outline = [
        (
            x + size * math.sin(t) ** 3,
            y - size * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16,
        )
        for t in turn
    ]
    pen.polygon(outline, fill=colour)


def _ridge(pen: Pen, dice: random.Random, base: float, rough: float, step: int, colour: Colour) -> list[float]:
    heights = [base + dice.uniform(-rough, rough) for _ in range(WIDTH // step + 2)]
    pen.polygon([(0, HEIGHT), *((i * step, h) for i, h in enumerate(heights)), (WIDTH + step, HEIGHT)], fill=colour)
    return heights


def _waves(pen: Pen, base: float, colours: tuple[Colour, Colour]) -> None:
    for row in range(6):
        y = base + row * 26
        crest = [(x, y + 6 * math.sin(x / 18 + row * 1.7)) for x in range(0, WIDTH + 6, 6)]
        pen.polygon([(0, HEIGHT), *crest, (WIDTH, HEIGHT)], fill=(*colours[row % 2], 210))


def _hearts(pen: Pen, palette: Palette, dice: random.Random) -> None:
    for _ in range(14):
        size = dice.uniform(8, 26)
        _heart(pen, dice.uniform(0, WIDTH), dice.uniform(0, HEIGHT), size, (*palette.far, dice.randint(60, 130)))
    _heart(pen, WIDTH / 2, dice.uniform(230, 300), dice.uniform(95, 130), palette.shine)


def _moonlit_sea(pen: Pen, palette: Palette, dice: random.Random) -> None:
    x, base = dice.uniform(90, WIDTH - 90), dice.uniform(330, 380)
    _glow(pen, x, base - 90, dice.uniform(50, 80), palette.shine)
    _waves(pen, base, (palette.far, palette.near))
    for row in range(8):
        half = 55 - row * 4 + dice.uniform(-8, 8)
        pen.rectangle((x - half, base + 8 + row * 18, x + half, base + 12 + row * 18), fill=(*palette.shine, 130))


def _confetti(pen: Pen, palette: Palette, dice: random.Random) -> None:
    colours = (palette.near, palette.far, palette.shine, palette.title)
    for _ in range(70):
        x, y, size = dice.uniform(0, WIDTH), dice.uniform(0, HEIGHT), dice.uniform(5, 15)
        pen.regular_polygon(
            (x, y, size), dice.choice((3, 4, 4)), rotation=dice.randint(0, 90), fill=dice.choice(colours)
        )
    for place in range(3):
        x, y = 80 + place * 100, dice.uniform(230, 330)
        pen.line([(x, y), (WIDTH / 2, HEIGHT + 30)], fill=palette.rim, width=3)
        pen.ellipse((x - 42, y - 52, x + 42, y + 52), fill=colours[place])
        pen.ellipse((x - 24, y - 34, x - 6, y - 10), fill=(255, 255, 255, 140))


def _sunburst(pen: Pen, palette: Palette, dice: random.Random) -> None:
    x, y = WIDTH / 2, dice.uniform(260, 310)
    start = dice.uniform(0, 20)
    for ray in range(0, 360, 20):
        pen.pieslice((x - 600, y - 600, x + 600, y + 600), start + ray, start + ray + 10, fill=(*palette.shine, 120))
    _disc(pen, x, y, 95, palette.near)
    for side in (-1, 1):
        _disc(pen, x + side * 34, y - 26, 15, (255, 255, 255))
        _disc(pen, x + side * 34 + dice.uniform(-5, 5), y - 24, 7, (20, 20, 20))
    pen.chord((x - 52, y - 34, x + 52, y + 62), 15, 165, fill=(255, 255, 255))


def _branch(pen: Pen, dice: random.Random, x: float, y: float, angle: float, length: float, colour: Colour) -> None:
    end = (x + length * math.cos(angle), y - length * math.sin(angle))
    pen.line([(x, y), end], fill=colour, width=max(1, round(length / 7)))
    if length > 12:
        for turn in (dice.uniform(0.25, 0.7), -dice.uniform(0.25, 0.7)):
            _branch(pen, dice, *end, angle + turn, length * dice.uniform(0.66, 0.8), colour)


def _dead_tree(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _glow(pen, dice.uniform(90, WIDTH - 90), dice.uniform(170, 220), dice.uniform(55, 85), palette.shine)
    _ridge(pen, dice, 470, 14, 26, palette.near)
    _branch(pen, dice, dice.uniform(120, 240), 490, math.pi / 2, 92, palette.near)
    for _ in range(5):
        x = dice.uniform(10, WIDTH - 30)
        pen.rounded_rectangle((x, 450, x + 22, 500), 10, fill=palette.far)


def _haunted_house(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _glow(pen, dice.uniform(60, WIDTH - 60), dice.uniform(130, 190), dice.uniform(35, 55), palette.shine)
    pen.ellipse((-60, 420, WIDTH + 60, 780), fill=palette.near)
    x = dice.uniform(100, 150)
    pen.rectangle((x, 310, x + 130, 440), fill=palette.near)
    pen.polygon([(x - 14, 312), (x + 65, 240), (x + 144, 312)], fill=palette.near)
    pen.rectangle((x + 90, 230, x + 130, 330), fill=palette.near)
    pen.polygon([(x + 82, 232), (x + 110, 180), (x + 138, 232)], fill=palette.near)
    for column, row in ((18, 330), (56, 330), (100, 250), (18, 380), (98, 372)):
        pen.rectangle(
            (x + column, row, x + column + 16, row + 24), fill=palette.shine if dice.random() < 0.7 else palette.far
        )
    for _ in range(6):
        bat_x, bat_y, size = dice.uniform(20, WIDTH - 20), dice.uniform(150, 300), dice.uniform(6, 13)
        for side in (-1, 1):
            pen.polygon(
                [(bat_x, bat_y), (bat_x + side * size * 2, bat_y - size), (bat_x + side * size, bat_y + size / 2)],
                fill=palette.near,
            )


def _planet(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _stars(pen, dice, palette.shine, 130)
    x, y, radius = dice.uniform(120, 250), dice.uniform(240, 310), dice.uniform(75, 115)
    _glow(pen, x, y, radius, palette.far)
    _disc(pen, x + radius * 0.25, y + radius * 0.15, radius * 0.85, (*palette.near, 110))
    ring = (x - radius * 1.75, y - radius * 0.4, x + radius * 1.75, y + radius * 0.4)
    pen.arc(ring, -20, 200, fill=palette.shine, width=7)
    _disc(pen, dice.uniform(40, WIDTH - 40), dice.uniform(400, 450), dice.uniform(14, 26), palette.shine)


def _rocket(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _stars(pen, dice, palette.shine, 90)
    pen.ellipse((-120, 440, WIDTH + 120, 900), fill=palette.far)
    x, y = dice.uniform(140, 224), dice.uniform(200, 240)
    pen.polygon([(x - 26, y + 120), (x, y + 250), (x + 26, y + 120)], fill=(255, 170, 60))
    pen.polygon([(x - 14, y + 120), (x, y + 200), (x + 14, y + 120)], fill=(255, 240, 170))
    pen.polygon([(x - 58, y + 135), (x - 24, y + 60), (x + 24, y + 60), (x + 58, y + 135)], fill=palette.shine)
    pen.ellipse((x - 34, y - 70, x + 34, y + 150), fill=(235, 238, 242))
    _disc(pen, x, y + 5, 17, palette.near)
    _disc(pen, x, y + 5, 11, palette.shine)


def _mesa(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _glow(pen, dice.uniform(90, WIDTH - 90), dice.uniform(250, 300), dice.uniform(60, 90), palette.shine)
    for _ in range(3):
        x, top, half = dice.uniform(0, WIDTH), dice.uniform(300, 370), dice.uniform(35, 75)
        pen.polygon([(x - half - 22, 470), (x - half, top), (x + half, top), (x + half + 22, 470)], fill=palette.far)
    _ridge(pen, dice, 460, 8, 40, palette.near)
    for x in (dice.uniform(30, 130), dice.uniform(230, 330)):
        tall = dice.uniform(80, 130)
        pen.rounded_rectangle((x - 9, 480 - tall, x + 9, 490), 9, fill=palette.near)
        for side, up in ((-1, 0.45), (1, 0.65)):
            pen.rounded_rectangle(
                (min(x, x + side * 32), 480 - tall * up, max(x, x + side * 32), 492 - tall * up), 6, fill=palette.near
            )
            pen.rounded_rectangle(
                (x + side * 32 - 6, 450 - tall * up, x + side * 32 + 6, 492 - tall * up), 6, fill=palette.near
            )


def _railroad(pen: Pen, palette: Palette, dice: random.Random) -> None:
    x, horizon = dice.uniform(130, 234), dice.uniform(290, 330)
    _glow(pen, x, horizon, dice.uniform(50, 75), palette.shine)
    pen.rectangle((0, horizon, WIDTH, HEIGHT), fill=palette.far)
    for row in range(12):
        depth = (row / 11) ** 2
        y, half = horizon + 4 + depth * (HEIGHT - horizon), 8 + depth * 110
        pen.rectangle((x - half, y, x + half, y + 3 + depth * 12), fill=palette.near)
    for side in (-1, 1):
        pen.polygon(
            [(x + side * 3, horizon), (x + side * 85, HEIGHT), (x + side * 97, HEIGHT), (x + side * 5, horizon)],
            fill=palette.near,
        )
    for post in range(4):
        left, tall = 20 + post * 22, 120 - post * 26
        pen.line(
            [(left, horizon + 60 - post * 14), (left, horizon + 60 - post * 14 - tall)],
            fill=palette.near,
            width=5 - post,
        )
        pen.line(
            [
                (left - 14 + post * 3, horizon + 72 - post * 14 - tall),
                (left + 14 - post * 3, horizon + 72 - post * 14 - tall),
            ],
            fill=palette.near,
            width=4,
        )


def _skyline(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _disc(pen, dice.uniform(60, WIDTH - 60), dice.uniform(150, 200), dice.uniform(25, 42), palette.shine)
    for colour, low, high, lit in ((palette.far, 210, 330, False), (palette.near, 290, 420, True)):
        x = -10.0
        while x < WIDTH:
            wide, top = dice.uniform(34, 66), dice.uniform(low, high)
            pen.rectangle((x, top, x + wide, HEIGHT), fill=colour)
            for window_y in range(round(top) + 10, HEIGHT - 8, 18):
                for window_x in range(round(x) + 7, round(x + wide) - 9, 13):
                    if lit and dice.random() < 0.35:
                        pen.rectangle((window_x, window_y, window_x + 6, window_y + 9), fill=palette.shine)
            x += wide + dice.uniform(0, 5)


def _gunsight(pen: Pen, palette: Palette, dice: random.Random) -> None:
    x, y, radius = dice.uniform(140, 224), dice.uniform(250, 290), dice.uniform(95, 125)
    _disc(pen, x, y - 22, 30, palette.near)
    pen.rounded_rectangle((x - 46, y + 10, x + 46, HEIGHT + 40), 26, fill=palette.near)
    pen.rectangle((x - 44, y - 42, x + 44, y - 34), fill=palette.near)
    pen.rounded_rectangle((x - 27, y - 72, x + 27, y - 36), 8, fill=palette.near)
    for ring, width in ((radius, 9), (radius * 0.55, 4)):
        pen.ellipse((x - ring, y - ring, x + ring, y + ring), outline=palette.shine, width=width)
    for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        pen.line(
            [(x + across * 20, y + down * 20), (x + across * radius * 1.3, y + down * radius * 1.3)],
            fill=palette.shine,
            width=5,
        )


def _mountains(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _glow(pen, dice.uniform(70, WIDTH - 70), dice.uniform(180, 230), dice.uniform(38, 55), palette.shine)
    for colour, base in ((palette.far, 240), (palette.near, 330)):
        for _ in range(4):
            x, top, half = dice.uniform(-20, WIDTH + 20), base + dice.uniform(-40, 50), dice.uniform(110, 170)
            pen.polygon([(x - half, HEIGHT), (x, top), (x + half, HEIGHT)], fill=colour)
            cap = 0.16
            pen.polygon(
                [
                    (x - half * cap, top + (HEIGHT - top) * cap),
                    (x, top),
                    (x + half * cap, top + (HEIGHT - top) * cap),
                    (x + half * 0.05, top + (HEIGHT - top) * 0.1),
                ],
                fill=(250, 250, 252),
            )


def _ship(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _glow(pen, dice.uniform(60, WIDTH - 60), dice.uniform(190, 240), dice.uniform(40, 60), palette.shine)
    x, y = dice.uniform(140, 224), 400.0
    for mast, tall in ((-48, 130), (0, 180), (48, 140)):
        pen.line([(x + mast, y), (x + mast, y - tall)], fill=palette.near, width=5)
        for sail in (0.25, 0.62):
            top, low = y - tall * (sail + 0.33), y - tall * sail
            pen.polygon(
                [(x + mast - 18, top), (x + mast + 18, top), (x + mast + 27, low), (x + mast - 23, low)],
                fill=(250, 244, 226),
            )
    pen.polygon([(x - 100, y - 8), (x + 104, y - 14), (x + 72, y + 40), (x - 76, y + 40)], fill=palette.near)
    _waves(pen, y + 22, (palette.far, palette.near))


def _searchlights(pen: Pen, palette: Palette, dice: random.Random) -> None:
    for _ in range(4):
        x, lean = dice.uniform(20, WIDTH - 20), dice.uniform(-150, 150)
        pen.polygon([(x - 5, 470), (x + lean - 38, 60), (x + lean + 38, 60), (x + 5, 470)], fill=(*palette.shine, 90))
    for _ in range(4):
        x, y, size = dice.uniform(40, WIDTH - 40), dice.uniform(150, 300), dice.uniform(9, 17)
        pen.polygon([(x - size * 2, y), (x, y - size / 3), (x + size * 2, y), (x, y + size / 3)], fill=palette.near)
        pen.ellipse((x - size / 3, y - size, x + size / 3, y + size * 1.2), fill=palette.near)
    _ridge(pen, dice, 455, 22, 30, palette.near)
    for post in range(0, WIDTH + 40, 52):
        pen.line([(post - 14, 500), (post + 14, 440)], fill=palette.far, width=6)
        pen.line([(post + 14, 500), (post - 14, 440)], fill=palette.far, width=6)
    pen.line([(0, 466), (WIDTH, 470)], fill=palette.far, width=3)


def _parachutes(pen: Pen, palette: Palette, dice: random.Random) -> None:
    _ridge(pen, dice, 440, 26, 60, palette.far)
    _ridge(pen, dice, 485, 14, 36, palette.near)
    for size in sorted(dice.uniform(16, 52) for _ in range(7)):
        x, y = dice.uniform(30, WIDTH - 30), dice.uniform(130, 360)
        colour = palette.shine if size > 30 else palette.far
        for side in (-1, -0.4, 0.4, 1):
            pen.line([(x + side * size, y), (x, y + size * 1.3)], fill=palette.near, width=2)
        pen.pieslice((x - size, y - size, x + size, y + size), 180, 360, fill=colour, outline=palette.near)
        pen.rounded_rectangle((x - size / 8, y + size * 1.2, x + size / 8, y + size * 1.7), 3, fill=palette.near)


SCENES: dict[str, Callable[[Pen, Palette, random.Random], None]] = {
    "hearts": _hearts,
    "moonlit_sea": _moonlit_sea,
    "confetti": _confetti,
    "sunburst": _sunburst,
    "dead_tree": _dead_tree,
    "haunted_house": _haunted_house,
    "planet": _planet,
    "rocket": _rocket,
    "mesa": _mesa,
    "railroad": _railroad,
    "skyline": _skyline,
    "gunsight": _gunsight,
    "mountains": _mountains,
    "ship": _ship,
    "searchlights": _searchlights,
    "parachutes": _parachutes,
}
"""What can be painted, by the names that the stories use."""
