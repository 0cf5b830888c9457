"""The posters of hits in a grid, with place, chance and title below each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cinealign.data.posters import Poster, open_poster
from cinealign.errors import ConfigError, DataError
from cinealign.out import whole_file
from cinealign.search.answer import Hit

WIDTH, HEIGHT, TEXT, GAP, COLUMNS = 160, 240, 34, 10, 6


def draw_sheet(hits: Sequence[Hit], path: Path) -> int:
    """Write a PNG; returns how many of the pictures could be shown. An item without one keeps an empty place.

    Raises:
        ConfigError: the file is no .png or cannot be written, or there is nothing to draw.
    """
    from PIL import Image, ImageDraw, ImageFont

    if path.suffix.lower() != ".png":
        raise ConfigError(f"--contact-sheet {path}: the sheet is a PNG; give a name that ends in .png")
    if not hits:
        raise ConfigError("--contact-sheet: there is no hit to draw")
    columns = min(COLUMNS, len(hits))
    rows = -(-len(hits) // columns)
    sheet = Image.new("RGB", (columns * (WIDTH + GAP) + GAP, rows * (HEIGHT + TEXT + GAP) + GAP), "white")
    draw, font, shown = ImageDraw.Draw(sheet), ImageFont.load_default(12), 0
    for at, hit in enumerate(hits):
        left = GAP + (at % columns) * (WIDTH + GAP)
        top = GAP + (at // columns) * (HEIGHT + TEXT + GAP)
        try:
            picture = open_poster(Poster.of(Path(hit.item.picture))) if hit.item.picture else None
        except DataError:
            picture = None
        if picture is None:
            draw.rectangle((left, top, left + WIDTH, top + HEIGHT), outline="grey")
        else:
            picture.thumbnail((WIDTH, HEIGHT))
            sheet.paste(picture, (left + (WIDTH - picture.width) // 2, top + (HEIGHT - picture.height) // 2))
            shown += 1
        chance = "" if hit.chance is None else f"  {hit.chance:.0%}"
        draw.text((left, top + HEIGHT + 2), f"{hit.place}{chance}", fill="black", font=font)
        title = hit.title if draw.textlength(hit.title, font) <= WIDTH else hit.title[:20].rstrip() + "..."
        draw.text(
            (left, top + HEIGHT + 17), title.encode("latin-1", "replace").decode("latin-1"), fill="black", font=font
        )
    with whole_file(path, "--contact-sheet") as beside:
        sheet.save(beside)
    return shown
