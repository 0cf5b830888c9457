"""A dry run: the first rows, what would be dropped, and a contact sheet."""

from __future__ import annotations

import io
import itertools
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from cinealign.data.importing.pictures import READABLE, read_picture
from cinealign.data.importing.plan import ImportPlan, Row
from cinealign.data.importing.write import no_picture, reason_to_drop
from cinealign.data.posters import decode_poster
from cinealign.data.tables import listed
from cinealign.errors import DataError
from cinealign.out import write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

FIRST_ROWS = 5
COLUMNS, ROWS = 6, 2
CELL, PICTURE = (190, 286), (174, 190)
_WIDTH = 110


def preview_lines(plan: ImportPlan) -> list[str]:
    """The first rows and which rows would be dropped, as far as shows without decoding a picture.

    Raises:
        DataError: a picture is an address or outside its folder.
    """
    seen: set[str] = set()
    drops: dict[str, list[str]] = {}
    first: list[str] = []
    for place, row in enumerate(plan.rows()):
        if place < FIRST_ROWS:
            first += _row_lines(plan, row)
        reason = reason_to_drop(plan, row, seen)
        if reason is None and plan.pictures.find(row.image, row.source_id, plan.source.place(row.number)) is None:
            reason = no_picture(plan, row)
        if reason is not None:
            drops.setdefault(reason[0], []).append(reason[1])
    count = plan.source.count - sum(map(len, drops.values()))
    return [
        "first rows:",
        *first,
        *(f"would be dropped: {reason}: {len(names):,} ({listed(names)})" for reason, names in drops.items()),
        f"{count:,} rows have an id, a text and a picture; whether the pictures are sound shows when they are imported",
        "dry run: no catalogue was written",
    ]


def draw_contact_sheet(plan: ImportPlan, file: Path) -> int:
    """Draw the first pictures to a PNG, each with its id and the beginning of its text; a cross where one is missing.

    Texts are lettered where Pillow's own font has their letters (Latin); others are left to the table of first rows.

    Returns:
        How many pictures are on it.
    Raises:
        DataError: the file is not called .png, or a picture is an address or outside its folder.
        ConfigError: the file cannot be written.
    """
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    if file.suffix.lower() != ".png":
        raise DataError(f"the contact sheet is a PNG; {file} should be called {file.with_suffix('.png')}")
    rows = list(itertools.islice(plan.rows(), COLUMNS * ROWS))
    height = CELL[1] * -(-len(rows) // COLUMNS)
    sheet = Pictures.new("RGB", (CELL[0] * min(COLUMNS, len(rows)), height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    shown = 0
    for place, row in enumerate(rows):
        left, top = place % COLUMNS * CELL[0] + 8, place // COLUMNS * CELL[1] + 8
        picture = _thumbnail(plan, row)
        if picture is None:
            right, bottom = left + PICTURE[0], top + PICTURE[1]
            pen.line((left, top, right, bottom), fill="red", width=2)
            pen.line((left, bottom, right, top), fill="red", width=2)
        else:
            shown += 1
            sheet.paste(picture, (left + (PICTURE[0] - picture.width) // 2, top + (PICTURE[1] - picture.height) // 2))
        lines = [_latin(row.source_id)[:26], *textwrap.wrap(_latin(row.texts["text"]), 28)[:4]]
        for number, line in enumerate(lines):
            colour = "black" if number == 0 else "#555555"
            pen.text((left, top + PICTURE[1] + 4 + 15 * number), line, fill=colour, font=font)
    content = io.BytesIO()
    sheet.save(content, "PNG")
    write_whole(file, content.getvalue())
    return shown


def _thumbnail(plan: ImportPlan, row: Row) -> Image | None:
    found = plan.pictures.find(row.image, row.source_id, plan.source.place(row.number))
    if found is None:
        return None
    try:
        picture = decode_poster("picture", read_picture(found, "picture"), READABLE)
    except DataError:
        return None
    picture.thumbnail(PICTURE)
    return picture


def _latin(text: str) -> str:
    """`text` where the font has its letters, else nothing."""
    return text if all(ord(c) < 0x250 or c in "–—‘’“”…" for c in text) else ""


def _row_lines(plan: ImportPlan, row: Row) -> list[str]:
    said = {"id": row.source_id, **row.texts}
    picture = row.image if isinstance(row.image, str) else "in the row" if row.image else "in the folder"
    return [f"  {plan.source.place(row.number)}: picture {picture[:60]}"] + [
        f"    {role:9}  {text if len(text) <= _WIDTH else text[:_WIDTH] + '...'}" for role, text in said.items() if text
    ]
