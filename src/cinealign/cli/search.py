"""`cinealign search`: ask an index or a run, by text, picture or item."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinealign.cli.folders import run_folder
from cinealign.cli.runs import AsJson, DeviceChoice, DeviceOption

if TYPE_CHECKING:
    from cinealign.search.answer import Answer
    from cinealign.search.reasons import Reason


class TargetChoice(StrEnum):
    """Which side is searched."""

    poster = "poster"
    intro = "intro"
    both = "both"


class SplitChoice(StrEnum):
    """Which items."""

    train = "train"
    held_out = "held_out"
    added = "added"


def search(
    folder: Annotated[
        Path, typer.Argument(metavar="INDEX|RUN", callback=run_folder, help="An index folder or a run directory.")
    ],
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Free text; several texts are combined.")
    ] = None,
    images: Annotated[list[Path] | None, typer.Option("--image", metavar="FILE", help="A picture.")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(metavar="ID|TITLE", help="An item of the index; ID:poster or ID:intro for one side of it."),
    ] = None,
    plus: Annotated[
        list[str] | None, typer.Option(metavar="WHAT", help="More like this: a text, image:FILE or id:ID.")
    ] = None,
    minus: Annotated[list[str] | None, typer.Option(metavar="WHAT", help="Less like this: as --plus.")] = None,
    target: Annotated[
        TargetChoice | None, typer.Option("--for", help="What to find; intros for a picture, else posters, if absent.")
    ] = None,
    genre: Annotated[list[str] | None, typer.Option(help="Only this genre; several: any of them.")] = None,
    year: Annotated[str | None, typer.Option(metavar="YEARS", help="1994, 1990-1999, 1990- or -1999.")] = None,
    title: Annotated[str | None, typer.Option(help="Only titles that contain this text.")] = None,
    split: Annotated[SplitChoice | None, typer.Option(help="Only these items.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Only items whose column of the table holds this value."),
    ] = None,
    limit: Annotated[int, typer.Option(help="Hits per page.")] = 10,
    offset: Annotated[int, typer.Option(help="Hits to skip.")] = 0,
    why: Annotated[bool, typer.Option("--why", help="Explain each hit.")] = False,
    cover: Annotated[
        bool, typer.Option("--cover", help="With --why: which parts of the picture count; takes a while.")
    ] = False,
    as_json: AsJson = False,
    device: DeviceOption = DeviceChoice.auto,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the hits as CSV.")] = False,
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the hits' posters to this file.")
    ] = None,
) -> None:
    """Find posters for a text, intros for a picture, or similar items, each with its chance of being the partner.

    The chance of a hit is the probability that it is the partner of the query, if the partner is in the index.
    """
    from cinealign.device import use_device
    from cinealign.search.query import parts_of
    from cinealign.search.run_index import open_any

    parts = parts_of(texts, images, like, plus, minus)  # before anything is loaded
    use_device(device.value)
    filters = _filters(genre, year, title, split, where)
    index, note = open_any(folder)
    answer = index.search_many(
        [parts], side=None if target is None else target.value, where=filters or None, limit=limit, offset=offset
    )[0]
    reasons: list[Reason] | None = None
    if why or cover:
        from cinealign.search.reasons import reasons as why_found

        reasons = why_found(index, answer, cover=cover)
    for line in [*([note] if note else []), *answer.notes]:
        typer.echo(line, err=True)
    if contact_sheet is not None:
        from cinealign.search.sheet import draw_sheet

        typer.echo(f"contact sheet: {contact_sheet}, {draw_sheet(answer, contact_sheet)} pictures", err=True)
    if as_json:
        _print_json(answer, reasons)
    elif as_csv:
        _print_csv(answer)
    else:
        from cinealign.cli.show.search import answer_lines

        typer.echo("\n".join(answer_lines(answer, reasons)))


def _filters(
    genre: list[str] | None,
    year: str | None,
    title: str | None,
    split: SplitChoice | None,
    where: list[str] | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for given in where or []:
        column, equals, value = given.partition("=")
        if not equals or not column or not value:
            raise typer.BadParameter(f"--where {given!r}: expected COLUMN=VALUE, such as directors='Akira Kurosawa'")
        found.setdefault(column, []).append(value)
    if genre:
        found["genre"] = genre
    if year is not None:
        found["year"] = _years(year)
    if title is not None:
        found["title"] = title
    if split is not None:
        found["split"] = split.value
    return found


def _years(given: str) -> tuple[int | None, int | None]:
    first, dash, last = given.partition("-")
    parts = [first, last] if dash else [first, first]
    if not any(parts) or not all(
        part == "" or (part.isascii() and part.isdigit() and len(part) <= 4) for part in parts
    ):
        raise typer.BadParameter(
            f"--year {given!r}: expected a year or a span, such as 1994, 1990-1999, 1990- or -1999"
        )
    begin, end = (int(part) if part else None for part in parts)
    return begin, end


def _print_json(answer: Answer, reasons: list[Reason] | None) -> None:
    import json

    hits = [hit.to_json() for hit in answer]
    if reasons is not None:
        hits = [{**hit, "why": reason.to_json()} for hit, reason in zip(hits, reasons, strict=True)]
    told = {
        "for": answer.target,
        "total": answer.total,
        "best_chance": answer.best_chance,
        "no_good_match": answer.no_good_match,
        "expected_rank": answer.expected_rank,
        "notes": list(answer.notes),
        "hits": hits,
    }
    typer.echo(json.dumps(told, indent=1, ensure_ascii=False))


def _print_csv(answer: Answer) -> None:
    import csv
    import sys

    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["place", "id", "side", "title", "year", "genres", "score", "chance", "picture", "intro"])
    for hit in answer:
        item, chance = hit.item, "" if hit.chance is None else f"{hit.chance:.4f}"
        told = [hit.place, hit.id, hit.side, hit.title, item.year or "", "|".join(item.genres), f"{hit.score:.6f}"]
        table.writerow([*told, chance, item.picture or "", item.intro or ""])
