"""Small data folders, made by hand, for the tests of reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

HEADER = "id,name,genre,release_time,intro,directors,writers,starts"


def make_folder(
    folder: Path,
    *,
    ids: Sequence[int] = (10, 20, 30, 40),
    posters: Sequence[int] | None = None,
    intros: dict[int, str] | None = None,
    train: str = "0\n2\n",
) -> Path:
    """A folder in the assignment's layout: movie 10 is called "Movie 10 (1990)", and so on."""
    (folder / "poster").mkdir(parents=True)
    rows = [
        f'{i},Movie {i} (1990),Drama|Crime,01 Jan 1991,"{(intros or {}).get(i, f"Intro of movie {i}.")}",A,B|C|B,D'
        for i in ids
    ]
    write_info(folder, rows)
    for i in ids if posters is None else posters:
        picture(i).save(folder / "poster" / f"{i}.jpg")
    (folder / "train.txt").write_text(train)
    return folder


def write_info(folder: Path, rows: Sequence[str], header: str = HEADER) -> None:
    (folder / "info.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def picture(number: int) -> Image.Image:
    """An 18 x 26 picture of one colour; every number below 256 has its own."""
    return Image.new("RGB", (18, 26), (number, 40, 90))
