"""Drawn flags of countries that do not exist: a table and a folder of pictures, as a user's own data may lie about.

A flag is a field (stripes, a cross, quarters ...) in two or three colours, often with a device on it. The description
says what is drawn, in English and in Chinese, so either column can be the text.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cinealign.data.catalogue import SAMPLE_MARK
from cinealign.data.drawn.movies import FEWEST, MOST
from cinealign.data.new_folder import new_folder
from cinealign.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZE = (240, 160)
TABLE, PICTURES = "flags.csv", "pictures"
HEADER = ("code", "name", "picture", "description", "description_zh", "layout", "year")
_SCALE = 2
DEVICE_SHARE, SYNONYM_SHARE = 0.7, 0.3

Colour = tuple[int, int, int]
COLOURS: dict[str, tuple[Colour, str, str]] = {
    "red": ((205, 32, 44), "crimson", "红"),
    "blue": ((26, 62, 150), "navy", "蓝"),
    "green": ((10, 130, 70), "emerald", "绿"),
    "yellow": ((250, 205, 30), "golden", "黄"),
    "white": ((245, 245, 242), "silver", "白"),
    "black": ((25, 25, 28), "sable", "黑"),
    "orange": ((240, 125, 25), "amber", "橙"),
    "purple": ((110, 45, 135), "violet", "紫"),
    "brown": ((120, 72, 40), "chestnut", "棕"),
    "sky blue": ((110, 185, 230), "pale blue", "天蓝"),
}
"""A colour's name -> its red, green and blue, a word that may stand for it, and its Chinese name."""
DEVICES: dict[str, str] = {
    "star": "五角星",
    "disc": "圆盘",
    "crescent": "新月",
    "ring": "圆环",
    "diamond": "菱形",
    "square": "方块",
}
_COUNTS = {1: ("a", "一个"), 2: ("two", "两个"), 3: ("three", "三个")}
_BEGINNINGS = (
    "Tam",
    "Vel",
    "Or",
    "Kas",
    "Lun",
    "Mir",
    "Ost",
    "Pra",
    "Sel",
    "Dor",
    "Ith",
    "Nav",
    "Bel",
    "Gor",
    "Zan",
    "Ul",
)
_MIDDLES = ("a", "e", "i", "o", "or", "an", "el", "ur", "in", "av")
_ENDINGS = ("via", "land", "stan", "mark", "ria", "dor", "nia", "mere", "gard", "lia")


@dataclass(frozen=True)
class Flag:
    """What is drawn and how it is told."""

    layout: str
    colours: tuple[str, ...]
    device: str
    count: int
    device_colour: str


@dataclass(frozen=True)
class _Layout:
    """How many colours a field has, how it is told with slots {0} {1} {2}, and how it is painted."""

    colours: int
    told: tuple[str, ...]
    told_zh: str
    paint: Callable[[ImageDraw, int, int, list[Colour]], None]


def draw_flags(folder: Path, *, flags: int = 240, seed: int = 0, force: bool = False) -> None:
    """Write flags.csv and pictures/CODE.jpg to `folder`; it appears whole or not at all.

    Args:
        folder: must not exist, or be empty.
        flags: how many.
        seed: the same seed writes the same bytes on one machine.
        force: replace flags that were drawn there before.
    Raises:
        ConfigError: `flags` is out of range.
        DataError: `folder` holds something, or cannot be written.
    """
    if not FEWEST <= flags <= MOST:
        raise ConfigError(f"flags must be between {FEWEST} and {MOST}, got {flags}")
    folder = Path(folder)
    files = {TABLE, PICTURES, SAMPLE_MARK}
    with new_folder(folder, mark=SAMPLE_MARK, files=files, what="a sample drawn", force=force) as made:
        _write(made, flags, seed)


def invent_flag(dice: random.Random) -> Flag:
    """A flag; the same state of `dice` gives the same one. A device never has the colour that it mostly lies on."""
    layout = dice.choice(sorted(LAYOUTS))
    colours = tuple(dice.sample(sorted(COLOURS), LAYOUTS[layout].colours))
    if dice.random() >= DEVICE_SHARE:
        return Flag(layout, colours, "", 0, "")
    free = sorted(set(COLOURS) - set(colours))
    return Flag(layout, colours, dice.choice(sorted(DEVICES)), dice.choice((1, 1, 2, 3)), dice.choice(free))


def tell_flag(flag: Flag, dice: random.Random) -> str:
    """The flag in an English sentence; now and then a colour goes by another word."""
    words = [_colour_word(name, dice) for name in flag.colours]
    field = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", dice.choice(LAYOUTS[flag.layout].told).format(*words))
    field = field[0].upper() + field[1:]
    if not flag.device:
        return f"{field}."
    plural = flag.device if flag.count == 1 else f"{flag.device}s"
    colour = _colour_word(flag.device_colour, dice)
    count = _COUNTS[flag.count][0]
    article = "an" if count == "a" and colour[0] in "aeiou" else count
    where = "in the middle" if flag.count == 1 else "in a row"
    return dice.choice(
        (f"{field}, with {article} {colour} {plural} {where}.", f"{field}; {where}, {article} {colour} {plural}.")
    )


def tell_flag_zh(flag: Flag) -> str:
    """The flag in a Chinese sentence."""
    field = LAYOUTS[flag.layout].told_zh.format(*(COLOURS[name][2] + "色" for name in flag.colours))
    if not flag.device:
        return f"{field}。"
    where = "中央有" if flag.count == 1 else "中间一排有"
    return f"{field}，{where}{_COUNTS[flag.count][1]}{COLOURS[flag.device_colour][2]}色{DEVICES[flag.device]}。"


def paint_flag(flag: Flag, seed: int) -> Image:
    """The flag, 240 x 160, RGB, in cloth that is never quite flat or clean."""
    from PIL import Image, ImageDraw

    dice = np.random.default_rng(seed)
    width, height = SIZE[0] * _SCALE, SIZE[1] * _SCALE

    def dyed(name: str) -> Colour:
        red, green, blue = (int(v) for v in np.clip(np.array(COLOURS[name][0]) + dice.integers(-12, 13, 3), 0, 255))
        return red, green, blue

    picture = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(picture)
    LAYOUTS[flag.layout].paint(pen, width, height, [dyed(name) for name in flag.colours])
    for place in range(flag.count):
        radius = height * (0.2 if flag.count == 1 else 0.13)
        middle = width * (place + 1) / (flag.count + 1)
        _device(pen, flag.device, middle, height / 2, radius, dyed(flag.device_colour), picture)
    cloth = np.asarray(picture.resize(SIZE, Image.Resampling.LANCZOS), dtype=np.float64)
    wave = np.sin(np.linspace(0, math.tau * dice.uniform(1, 2), SIZE[0]) + dice.uniform(0, math.tau))
    cloth = cloth * (1 + 0.08 * wave[None, :, None]) + dice.normal(0, 3, (SIZE[1], SIZE[0], 1))
    return Image.fromarray(cloth.clip(0, 255).astype(np.uint8))


def _write(folder: Path, flags: int, seed: int) -> None:
    dice = random.Random(f"flags {seed}")
    (folder / PICTURES).mkdir(parents=True)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    known: set[Flag] = set()
    codes: set[str] = set()
    while len(known) < flags:
        flag, name = invent_flag(dice), _country(dice)
        code = f"{name[:3].upper()}-{dice.randint(10, 999)}"
        if flag in known or code in codes:
            continue
        known.add(flag)
        codes.add(code)
        file = f"{PICTURES}/{code}.jpg"
        paint_flag(flag, seed * 1_000_003 + len(known)).save(folder / file, quality=90)
        told, told_zh = tell_flag(flag, dice), tell_flag_zh(flag)
        table.writerow((code, f"Flag of {name}", file, told, told_zh, flag.layout, dice.randint(1801, 1999)))
    (folder / TABLE).write_bytes(text.getvalue().encode())
    mark = {"drawn_by": "cinealign data sample --kind flags", "flags": flags, "seed": seed}
    (folder / SAMPLE_MARK).write_bytes((json.dumps(mark) + "\n").encode())


def _country(dice: random.Random) -> str:
    return dice.choice(_BEGINNINGS) + dice.choice(_MIDDLES) + dice.choice(_ENDINGS)


def _colour_word(name: str, dice: random.Random) -> str:
    return COLOURS[name][1] if dice.random() < SYNONYM_SHARE else name


def _stripes(horizontal: bool) -> Callable[[ImageDraw, int, int, list[Colour]], None]:
    def paint(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
        for place, colour in enumerate(colours):
            start, end = place / len(colours), (place + 1) / len(colours)
            box = (0, height * start, width, height * end) if horizontal else (width * start, 0, width * end, height)
            pen.rectangle(box, fill=colour)

    return paint


def _cross(middle: float) -> Callable[[ImageDraw, int, int, list[Colour]], None]:
    def paint(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
        pen.rectangle((0, 0, width, height), fill=colours[0])
        half = height * 0.1
        pen.rectangle((0, height / 2 - half, width, height / 2 + half), fill=colours[1])
        pen.rectangle((width * middle - half, 0, width * middle + half, height), fill=colours[1])

    return paint


def _saltire(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
    pen.rectangle((0, 0, width, height), fill=colours[0])
    pen.line((0, 0, width, height), fill=colours[1], width=height // 5)
    pen.line((0, height, width, 0), fill=colours[1], width=height // 5)


def _quarters(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
    pen.rectangle((0, 0, width, height), fill=colours[0])
    pen.rectangle((width / 2, 0, width, height / 2), fill=colours[1])
    pen.rectangle((0, height / 2, width / 2, height), fill=colours[1])


def _border(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
    pen.rectangle((0, 0, width, height), fill=colours[1])
    rim = height * 0.14
    pen.rectangle((rim, rim, width - rim, height - rim), fill=colours[0])


def _triangle(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
    pen.rectangle((0, 0, width, height / 2), fill=colours[0])
    pen.rectangle((0, height / 2, width, height), fill=colours[1])
    pen.polygon(((0, 0), (height * 0.8, height / 2), (0, height)), fill=colours[2])


def _canton(pen: ImageDraw, width: int, height: int, colours: list[Colour]) -> None:
    pen.rectangle((0, 0, width, height), fill=colours[0])
    pen.rectangle((0, 0, width * 0.42, height * 0.5), fill=colours[1])


LAYOUTS: dict[str, _Layout] = {
    "horizontal stripes": _Layout(
        3,
        ("Three horizontal stripes of {0}, {1} and {2}", "{0} above {1} above {2}"),
        "三条横纹，自上而下为{0}、{1}、{2}",
        _stripes(True),
    ),
    "vertical stripes": _Layout(
        3,
        ("Three vertical stripes of {0}, {1} and {2}", "An upright tricolour of {0}, {1} and {2}"),
        "三条竖纹，自左至右为{0}、{1}、{2}",
        _stripes(False),
    ),
    "two halves": _Layout(
        2, ("{0} above {1}", "The upper half {0}, the lower half {1}"), "上半{0}，下半{1}", _stripes(True)
    ),
    "cross": _Layout(2, ("A {1} cross on {0}", "A {0} field with a {1} cross"), "{0}底上一个{1}十字", _cross(0.5)),
    "nordic cross": _Layout(
        2,
        ("A {1} cross on {0}, nearer the hoist", "A {0} field with a {1} nordic cross"),
        "{0}底上一个偏左的{1}十字",
        _cross(0.36),
    ),
    "saltire": _Layout(
        2, ("A {1} saltire on {0}", "Two {1} diagonals crossing on {0}"), "{0}底上一个{1}斜十字", _saltire
    ),
    "quarters": _Layout(
        2, ("Quartered {0} and {1}", "Four quarters, {0} and {1} by turns"), "{0}与{1}相间的四个方格", _quarters
    ),
    "border": _Layout(2, ("A {0} field with a {1} border", "{0}, edged with {1}"), "{0}底，{1}边框", _border),
    "triangle": _Layout(
        3,
        ("{0} above {1}, with a {2} triangle at the hoist", "Two halves of {0} and {1} behind a {2} triangle"),
        "上{0}下{1}，左侧一个{2}三角形",
        _triangle,
    ),
    "canton": _Layout(2, ("A {0} field with a {1} canton", "{0}, the upper corner {1}"), "{0}底，左上角为{1}", _canton),
}
"""The fields a flag can have."""


def _device(pen: ImageDraw, device: str, x: float, y: float, radius: float, colour: Colour, picture: Image) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    if device == "disc":
        pen.ellipse(box, fill=colour)
    elif device == "ring":
        pen.ellipse(box, outline=colour, width=round(radius * 0.36))
    elif device == "square":
        pen.rectangle((x - radius * 0.85, y - radius * 0.85, x + radius * 0.85, y + radius * 0.85), fill=colour)
    elif device == "diamond":
        pen.polygon(((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)), fill=colour)
    elif device == "crescent":
        _crescent(picture, x, y, radius, colour)
    else:
        points = [
            (x + r * math.sin(turn), y - r * math.cos(turn))
            for step in range(10)
            for r, turn in [(radius if step % 2 == 0 else radius * 0.4, math.tau * step / 10)]
        ]
        pen.polygon(points, fill=colour)


def _crescent(picture: Image, x: float, y: float, radius: float, colour: Colour) -> None:
    from PIL import Image, ImageDraw

    mask = Image.new("L", picture.size)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    inner, shift = radius * 0.8, radius * 0.4
    pen.ellipse((x - inner + shift, y - inner, x + inner + shift, y + inner), fill=0)
    picture.paste(Image.new("RGB", picture.size, colour), mask=mask)
