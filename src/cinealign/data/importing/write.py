"""The import itself: every row is kept or dropped for a reason, and the catalogue appears whole or not at all.

Pictures that are finished stay in the draft of an interrupted import; the same command goes on from there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cinealign.data.catalogue import IMPORT_MARK
from cinealign.data.importing.pictures import fit_picture, read_picture
from cinealign.data.importing.plan import ImportPlan, Row
from cinealign.data.movie_table import KNOWN_COLUMNS
from cinealign.data.new_folder import refuse_occupied
from cinealign.data.report import Drop
from cinealign.data.scripts import scripts_of
from cinealign.data.split.new_split import NewSplit, on_both_sides, own_split, split_by_chance, write_split
from cinealign.data.split.record import SPLIT_FILE, TRAIN_FILE, SplitRecord, read_split_record
from cinealign.data.tables import listed, whole_number
from cinealign.errors import DataError
from cinealign.out import Draft, write_whole
from cinealign.progress import progress, say

SOURCE_ID = "source_id"
"""Column of info.csv that holds the source's ids where they are no whole numbers."""
NO_ID, DUPLICATE = "rows without an id", "rows that repeat an id; the first counts"
NO_IMAGE, UNREADABLE, NO_TEXT = "rows without a picture", "pictures that cannot be used", "rows with an empty text"
INFO_FILE, POSTERS = "info.csv", "poster"
STEPS, IDENTITY = "steps", "identity"
"""Of a draft: the pictures that are finished, and what the import goes by."""
_FILES = {INFO_FILE, POSTERS, TRAIN_FILE, SPLIT_FILE, IMPORT_MARK}
_CATALOGUE_NAMES = {
    "title": "name",
    "genre": "genre",
    "release": "release_time",
    "text": "intro",
    "directors": "directors",
    "writers": "writers",
    "cast": "starts",
}
_CHUNK = 64
_MOST_STAND = 0.8  # where fewer pictures are taller than wide, one that is wider is nothing special


@dataclass(frozen=True)
class ImportReport:
    """What became of every row."""

    read: int
    kept: int
    drops: tuple[Drop, ...]
    pictures: dict[str, int]
    scripts: dict[str, int]
    mapped: bool
    split: SplitRecord
    noun: str
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For the user."""
        done = ", ".join(f"{count:,} {what}" for what, count in self.pictures.items() if count)
        written = ", ".join(f"{script} {count / self.kept:.0%}" for script, count in self.scripts.items())
        numbered = (
            [f"ids: numbered from 1; column {SOURCE_ID} of {INFO_FILE} keeps the source's"] if self.mapped else []
        )
        return [
            f"{self.read:,} rows read, {self.read - self.kept:,} dropped, {self.kept:,} {self.noun}s kept",
            *(f"dropped: {drop.reason}: {drop.count:,} ({listed(drop.names)})" for drop in self.drops),
            f"pictures: {done}",
            f"scripts of the texts: {written}",
            *numbered,
            *(f"note: {note}" for note in self.notes),
            f"{self.split.line()}: {self.split.train:,} train, {self.split.held_out:,} held out",
        ]


@dataclass
class _Kept:
    row: Row
    picture: Path
    digest: str


def write_catalogue(plan: ImportPlan, out: Path, *, force: bool = False) -> ImportReport:
    """Import: write info.csv, poster/, train.txt, split.json and import.json to `out`.

    Where `out` holds the same import already, it is left as it is and reported again: the call that made it may have been
    ended before it could say so.

    Raises:
        DataError: `out` is taken, nothing can be kept, a picture is an address or outside its folder, or the disk fails.
        ConfigError: another process is importing to `out`.
    """

    def refuse() -> None:
        if _earlier(plan, out, force) is None:
            refuse_occupied(out, mark=IMPORT_MARK, files=_FILES, what="a catalogue imported", force=force)
        if out.exists() and plan.source.path.resolve().is_relative_to(out.resolve()):
            raise DataError(f"{out} holds the source; choose another folder")

    try:
        with Draft.open(out, refuse) as draft:
            if (earlier := _earlier(plan, out, force)) is not None:
                say(f"import: {out} holds the import of this source already; --force makes it anew")
                draft.discard()
                return earlier
            return _import(plan, draft)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}; choose another folder") from None


def _earlier(plan: ImportPlan, out: Path, force: bool) -> ImportReport | None:
    """What an earlier call of the same import said of `out`; None where there was none, or it is to be replaced."""
    try:
        mark, split = json.loads((out / IMPORT_MARK).read_text(encoding="utf-8")), read_split_record(out)
        if force or split is None or mark["identity"] != _identity(plan):
            return None
        return ImportReport(
            read=mark["rows_read"],
            kept=mark["n"],
            drops=tuple(Drop(drop["reason"], tuple(drop["names"])) for drop in mark["drops"]),
            pictures=mark["pictures"],
            scripts=mark["scripts"],
            mapped=mark["ids_mapped"],
            split=split,
            noun=mark["noun"],
            notes=tuple(mark["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _import(plan: ImportPlan, draft: Draft) -> ImportReport:
    steps = draft.folder / STEPS
    kept, drops = _collect(plan, steps / POSTERS, _begin(draft, plan))
    if not kept:
        draft.discard()
        raise DataError(f"nothing can be kept: {_said(drops)}")
    ids, mapped = _ids([each.row.source_id for each in kept])
    split = _split(plan, kept)
    report = _lay_out(plan, draft.folder, kept, ids, mapped, split, drops)
    shutil.rmtree(steps)
    draft.finish()
    return report


def _begin(draft: Draft, plan: ImportPlan) -> dict[int, Path]:
    """Begin anew, or take over the finished pictures of an interrupted import of the same source."""
    identity, steps = _identity(plan), draft.folder / STEPS
    known = steps / IDENTITY
    same = known.is_file() and known.read_text() == identity
    draft.clear(keep=STEPS if same else "")  # pictures that were laid out already are made anew
    (steps / POSTERS).mkdir(parents=True, exist_ok=True)
    write_whole(known, identity.encode())
    done = {int(p.stem.partition("_")[0]): p for p in (steps / POSTERS).iterdir() if not p.name.startswith(".")}
    if done:
        say(f"import: {len(done):,} pictures are there already from an interrupted import")
    return done


def _identity(plan: ImportPlan) -> str:
    """sha256 of what an import goes by: names, sizes and times of the source's files, options, columns."""
    path = plan.source.path
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    decided = [stats, plan.options, sorted(plan.columns.names.items()), plan.pictures_by_id]
    return hashlib.sha256(repr(decided).encode()).hexdigest()


def _collect(plan: ImportPlan, posters: Path, done: dict[int, Path]) -> tuple[list[_Kept], dict[str, list[str]]]:
    """Every row's picture, written under the row's number, or the reason why the row is dropped."""
    drops: dict[str, list[str]] = {reason: [] for reason in (NO_ID, DUPLICATE, NO_IMAGE, UNREADABLE, NO_TEXT)}
    kept: list[_Kept] = []
    seen: set[str] = set()
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
        progress("import", plan.source.count) as bar,
    ):
        warnings.simplefilter("ignore")  # Pillow warns of sizes that are refused anyway
        for chunk in _chunks(plan.rows()):
            good = []
            for row in chunk:
                if (reason := reason_to_drop(plan, row, seen)) is not None:
                    drops[reason[0]].append(reason[1])
                else:
                    good.append(row)
            for row, result in zip(good, pool.map(lambda row: _picture(plan, row, posters, done), good), strict=True):
                if isinstance(result, tuple):
                    drops[result[0]].append(result[1])
                else:
                    image = row.image if isinstance(row.image, str) else None
                    digest = hashlib.sha256(result.read_bytes()).hexdigest()
                    kept.append(_Kept(replace(row, image=image), result, digest))
            bar.advance(len(chunk))
    return kept, drops


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, _CHUNK)):
        yield chunk


def reason_to_drop(plan: ImportPlan, row: Row, seen: set[str]) -> tuple[str, str] | None:
    """Why a row is dropped whatever its picture is, and its name in the report; None keeps it, and its id in `seen`."""
    place = plan.source.place(row.number)
    if not row.source_id:
        return NO_ID, place
    if row.source_id in seen:
        return DUPLICATE, f"{place}: {row.source_id}"
    if not row.texts["text"]:
        return NO_TEXT, f"{place}: {row.source_id}"
    seen.add(row.source_id)
    return None


def no_picture(plan: ImportPlan, row: Row) -> tuple[str, str]:
    """The reason for a row without a picture, and its name in the report."""
    named = row.image if isinstance(row.image, str) else row.source_id
    return NO_IMAGE, f"{plan.source.place(row.number)}: {named[:80]}"


def _picture(plan: ImportPlan, row: Row, posters: Path, done: dict[int, Path]) -> Path | tuple[str, str]:
    """The row's picture, finished on disk, or why there is none."""
    place = plan.source.place(row.number)
    found = plan.pictures.find(row.image, row.source_id, place)
    if found is None:
        return no_picture(plan, row)
    ready = done.get(row.number)
    if ready is not None and not (isinstance(found, Path) and found.stat().st_mtime_ns > ready.stat().st_mtime_ns):
        return ready
    name = found.name if isinstance(found, Path) else "its picture"
    try:
        fitted = fit_picture(name, read_picture(found, name), plan.options.longest_side)
    except DataError as error:
        return UNREADABLE, f"{place}: {str(error).partition(';')[0].removeprefix('poster ')}"
    finished = posters / f"{'_'.join((str(row.number), fitted.changed, *fitted.seen))}{fitted.suffix}"
    write_whole(finished, fitted.content)
    return finished


def _ids(source_ids: list[str]) -> tuple[list[int], bool]:
    """The catalogue's ids, and whether they are other ones than the source's."""
    numbers = [whole_number(text) for text in source_ids]
    own = [number for number in numbers if number is not None and number >= 0]
    if len(own) == len(numbers) and len(set(own)) == len(own):
        return own, False
    return list(range(1, len(source_ids) + 1)), True


def _split(plan: ImportPlan, kept: list[_Kept]) -> NewSplit:
    """The source's own split where it tells one that leaves something to test on, else a random one."""
    options = plan.options
    if (column := plan.columns.names.get("split")) is not None:
        own = own_split([each.row.texts["split"] for each in kept], column, options.train_value)
        if len(own.train) < len(kept) or "split" in options.columns:
            return own
        say(f"import: column {column!r} calls every item train, so a random split is drawn")
    return split_by_chance([each.digest for each in kept], share=options.share, seed=options.seed)


def _lay_out(
    plan: ImportPlan,
    made: Path,
    kept: list[_Kept],
    ids: list[int],
    mapped: bool,
    split: NewSplit,
    drops: dict[str, list[str]],
) -> ImportReport:
    """Make the catalogue in `made` of the pictures that are kept."""
    (made / POSTERS).mkdir()
    pictures = dict.fromkeys(("copied", "re-encoded", "shrunk"), 0)
    for item_id, each in zip(ids, kept, strict=True):
        pictures[each.picture.stem.split("_")[1]] += 1
        each.picture.rename(made / POSTERS / f"{item_id}{each.picture.suffix}")
    rows = [each.row for each in kept]
    (made / INFO_FILE).write_bytes(_info_csv(plan, ids, rows, mapped).encode())
    record = write_split(made, ids, split)
    report = ImportReport(
        read=plan.source.count,
        kept=len(kept),
        drops=tuple(Drop(reason, tuple(names)) for reason, names in drops.items() if names),
        pictures=pictures,
        scripts=scripts_of(row.texts["text"] for row in rows),
        mapped=mapped,
        split=record,
        noun=plan.options.noun,
        notes=tuple(_notes(plan, kept, split)),
    )
    identity = (made / STEPS / IDENTITY).read_text()
    mark = json.dumps({"identity": identity, **_mark(plan, report)}, ensure_ascii=False, indent=1)
    (made / IMPORT_MARK).write_text(mark + "\n", encoding="utf-8")
    return report


def _notes(plan: ImportPlan, kept: list[_Kept], split: NewSplit) -> list[str]:
    """What is kept and worth knowing: pictures found under another name, and pictures of several rows."""
    notes = []
    if loosely := plan.pictures.names.loosely:
        # Threads find them in any order.
        names = [f"{name[:60]} is {file}" for name, file in sorted(loosely.items())]
        notes.append(f"pictures whose files are called otherwise: {len(names):,} ({listed(names, 3)})")
    across, light = (
        [each.row.source_id for each in kept if what in each.picture.stem.split("_")[2:]]
        for what in ("across", "over-black")
    )
    if 0 < len(across) <= (1 - _MOST_STAND) * len(kept):
        notes.append(
            f"pictures that lie across where most stand: {len(across):,} ({listed(across)}); turn them if they are turned"
        )
    if light:
        notes.append(f"light pictures on transparency, which are laid over black: {len(light):,} ({listed(light)})")
    counts = Counter(each.digest for each in kept)
    if several := sum(count > 1 for count in counts.values()):
        both = on_both_sides([each.digest for each in kept], split)
        sides = f"; {both:,} of them on both sides of the split" if both else "; each on one side of the split"
        notes.append(f"pictures of several rows: {several:,}{sides}")
    return notes


def _info_csv(plan: ImportPlan, ids: list[int], rows: list[Row], mapped: bool) -> str:
    roles = [role for role in _CATALOGUE_NAMES if role in plan.columns.names or role == "title"]
    paths = any(row.image for row in rows)
    own = [*([SOURCE_ID] if mapped else []), *(["source_image"] if paths else [])]
    own += ["split"] if "split" in plan.columns.names else []
    kept = _kept_titles(plan.columns.kept, {"id", *own})
    lines = [_csv_line(["id", *(_CATALOGUE_NAMES[role] for role in roles), *own, *kept.values()])]
    for item_id, row in zip(ids, rows, strict=True):
        cells = {SOURCE_ID: row.source_id, "source_image": row.image or "", "split": row.texts.get("split", "")}
        texts = {"title": row.source_id, **row.texts}
        line = [item_id, *(texts[r] for r in roles), *(cells[n] for n in own), *(row.kept[c] for c in kept)]
        lines.append(_csv_line(line))
    return "".join(lines)


def _csv_line(cells: Sequence[object]) -> str:
    """A line of CSV that ends with LF; a cell with any line end is quoted, which the writer does for its own only."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _kept_titles(columns: tuple[str, ...], taken: set[str]) -> dict[str, str]:
    """Titles of kept columns in info.csv; one that the catalogue would read as its own is called source_..."""
    titles: dict[str, str] = {}
    for column in columns:
        title = column
        plain = title.strip().lower().replace(" ", "_")
        while plain in KNOWN_COLUMNS or plain in taken:
            title, plain = f"source_{title}", f"source_{plain}"
        taken.add(plain)
        titles[column] = title
    return titles


def _mark(plan: ImportPlan, report: ImportReport) -> dict[str, Any]:
    return {
        "noun": report.noun,
        "source": str(plan.source.path),
        "format": plan.source.described,
        "columns": plan.columns.names,
        "pictures_from": str(plan.pictures.folder),
        "rows_read": report.read,
        "n": report.kept,
        "ids_mapped": report.mapped,
        "pictures": report.pictures,
        "scripts": report.scripts,
        "notes": list(report.notes),
        "drops": [{"reason": drop.reason, "count": drop.count, "names": list(drop.names)} for drop in report.drops],
        "split": report.split.to_json(),
    }


def _said(drops: dict[str, list[str]]) -> str:
    return "; ".join(f"{reason}: {len(names):,} ({listed(names, 2)})" for reason, names in drops.items() if names)
