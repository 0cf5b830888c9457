"""What a source holds is what the catalogue holds: known tables, written as people's tools write them, come back equal.

Whatever a reader cannot be sure of it refuses with one line; nothing comes back changed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cinealign.data.catalogue import Catalogue
from cinealign.data.importing.names import PictureNames
from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.importing.write import write_catalogue
from cinealign.data.intros import clean_text
from cinealign.errors import DataError
from tests.data.importing.tables import picture
from tests.data.test_encodings import LEGACY, TEXTS

Rows = list[list[str]]
HEADER = ["id", "image", "text", "note"]

fewer = settings(max_examples=max(1, settings.default.max_examples // 4))  # type: ignore[union-attr]
"""For tests that are many themselves, or slow."""

words = st.text(st.sampled_from("abcXYZ 019éñ花水ж"), min_size=1, max_size=30).map(str.strip).filter(bool)
"""What people write, without a mark."""
ordinary = st.lists(
    words | st.sampled_from([",", ", ", "; ", '"', "'", "\n", "\r\n", " | ", "\t", "."]), max_size=6
).map("".join)
"""Texts with every mark that means something to a reader of tables."""
nasty = st.text(st.sampled_from("ab ,;|\t\"'\\\n\rN0.é花"), max_size=25)
"""Texts that are little else than such marks."""


def rows_of(text: st.SearchStrategy[str], least: int = 1) -> st.SearchStrategy[Rows]:
    """Rows of an id, a picture's name and two texts."""
    texts = st.lists(st.tuples(text, text), min_size=least, max_size=7)
    return texts.map(lambda pairs: [[str(10 + i), f"p{i}.png", *pair] for i, pair in enumerate(pairs)])


def came_out(name: str, content: bytes, **options: Any) -> Rows:
    """The cells that a source reads from `content`, the header first."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / name
        path.write_bytes(content)
        source = open_source(path, **options)
        records = list(source.rows())
        assert len(records) == source.count
        return [list(source.columns), *([*map(str, record.values.values())] for record in records)]


def equal_or_refused(rows: Rows, name: str, content: bytes, **options: Any) -> None:
    try:
        found = came_out(name, content, **options)
    except DataError as refused:
        assert "\n" not in str(refused)
        return
    assert found == [HEADER, *rows]


def as_csv(rows: Rows, **how: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, **how).writerows([HEADER, *rows])
    return text.getvalue()


def as_pandas(rows: Rows, **how: Any) -> str:
    return str(pd.DataFrame(rows, columns=HEADER).to_csv(index=False, **how))


def as_excel_csv(rows: Rows) -> str:
    return "sep=;\r\n" + as_csv(rows, delimiter=";")


STANDARD: dict[str, Callable[[Rows], str]] = {
    "csv": as_csv,
    "csv, LF": lambda rows: as_csv(rows, lineterminator="\n"),
    "csv, all quoted": lambda rows: as_csv(rows, quoting=csv.QUOTE_ALL),
    "csv, texts quoted": lambda rows: as_csv(rows, quoting=csv.QUOTE_NONNUMERIC),
    "semicolons": lambda rows: as_csv(rows, delimiter=";"),
    "tabs": lambda rows: as_csv(rows, delimiter="\t"),
    "bars": lambda rows: as_csv(rows, delimiter="|"),
    "pandas": as_pandas,
    "pandas, tabs": lambda rows: as_pandas(rows, sep="\t"),
    "Excel's sep= line": as_excel_csv,
}
"""Writers that double their quotes, and so lose nothing."""


@pytest.mark.parametrize("writer", STANDARD)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@fewer
@given(rows=rows_of(ordinary))
def test_a_standard_table_comes_back(writer: str, encoding: str, rows: Rows) -> None:
    assert came_out("t.csv", STANDARD[writer](rows).encode(encoding)) == [HEADER, *rows]


@pytest.mark.parametrize("writer", STANDARD)
@fewer
@given(rows=rows_of(nasty))
def test_a_table_of_marks_comes_back_or_is_refused(writer: str, rows: Rows) -> None:
    if (
        "LF" in writer or "pandas" in writer
    ):  # such a writer does not quote a lone CR, which is a line end to all readers
        assume(not any("\r" in cell for row in rows for cell in row))
    equal_or_refused(rows, "t.csv", STANDARD[writer](rows).encode())


def as_r(rows: Rows, separator: str) -> str:
    """R's write.table with quotes after backslashes and row names; numbers stand without quotes."""
    quoted = lambda text: '"' + text.replace('"', '\\"') + '"'  # noqa: E731
    lines = [separator.join(map(quoted, HEADER))]
    lines += [separator.join([quoted(str(n)), row[0], *map(quoted, row[1:])]) for n, row in enumerate(rows, start=1)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
@example(rows=[["10", "p0.png", "", ""], ["11", "p1.png", '",0', ""]])
@example(rows=[["10", "p0.png", '"', "; "]])
@example(rows=[["10", "p0.png", "a", "b"], ["11", "p1.png", "c", '"\na b c d']])
@given(rows=rows_of(ordinary))
def test_r(separator: str, rows: Rows) -> None:
    equal_or_refused(rows, "t.csv", as_r(rows, separator).encode())
    plain = [[cell.replace("\n", " ").replace("\r", " ") for cell in row] for row in rows]
    assert came_out("t.csv", as_r(plain, separator).encode()) == [HEADER, *plain]


@example(rows=[["10", "p0.png", '"', ",0"]])
@given(rows=rows_of(nasty))
def test_escaped_by_pandas(rows: Rows) -> None:
    """With an escape character, which pandas doubles itself; without a quote in a cell that would not show."""
    assume(any('"' in cell for row in rows for cell in row))
    content = as_pandas(rows, escapechar="\\", doublequote=False, quoting=csv.QUOTE_ALL)
    found = pd.read_csv(io.StringIO(content), escapechar="\\", doublequote=False, dtype=str, keep_default_na=False)
    if found.to_numpy().tolist() == rows:  # what pandas itself cannot read back is nobody's to read
        equal_or_refused(rows, "t.csv", content.encode())


def as_dump(rows: Rows) -> str:
    """PostgreSQL's COPY in text format, with a row that holds a null."""
    escapes = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    lines = [["".join(escapes.get(c, c) for c in cell) for cell in row] for row in rows]
    return "\n".join("\t".join(line) for line in [HEADER, *lines, ["9", "p.png", "x", "\\N"]]) + "\n"


@given(rows=rows_of(nasty))
def test_a_dump_of_a_database(rows: Rows) -> None:
    assume(not any(cell[:1] == cell[-1:] == '"' for row in rows for cell in row))  # such as COPY's csv format writes
    equal_or_refused([*rows, ["9", "p.png", "x", "\\N"]], "t.tsv", as_dump(rows).encode())


@example(
    rows=[["10", "p0.png", "0", "0"], ["11", "p1.png", "0", "X"], ["12", "p2.png", "0", "0"]],
    opens=0,
    closes=1,
    tabs=False,
    first=False,
)
@example(
    rows=[["10", "p0.png", "0", "0"], ["11", "p1.png", "0", "0"], ["12", "p2.png", "X", "0"]],
    opens=1,
    closes=5,
    tabs=False,
    first=False,
)
@example(
    rows=[[str(10 + i), f"p{i}.png", text, "0"] for i, text in enumerate(["000", "X", "0", "00"])],
    opens=0,
    closes=1,
    tabs=False,
    first=False,
)
@given(
    rows=rows_of(words, least=3),
    opens=st.integers(0, 6),
    closes=st.integers(0, 6),
    tabs=st.booleans(),
    first=st.booleans(),
)
def test_a_lone_quote_swallows_no_row(rows: Rows, opens: int, closes: int, tabs: bool, first: bool) -> None:
    """A quote at the beginning of a text, and perhaps another one at the end of a later one."""
    rows = [list(row) for row in rows]
    rows[opens % len(rows)][2 if first else 3] = '"' + rows[opens % len(rows)][2]
    rows[closes % len(rows)][3] += '"' * (closes % 2)
    separator = "\t" if tabs else ","
    content = "\n".join(separator.join(line) for line in [HEADER, *rows]) + "\n"
    try:
        found = came_out("t.tsv" if tabs else "t.csv", content.encode())
    except DataError:
        return
    assert len(found) == len(rows) + 1
    assert [[cell.replace('"', "") for cell in row] for row in found[1:]] == [
        [c.replace('"', "") for c in r] for r in rows
    ]


@pytest.mark.parametrize("header", [True, False])
@given(rows=rows_of(ordinary))
def test_the_first_item_does_not_vanish(header: bool, rows: Rows) -> None:
    content = as_csv(rows).partition("\r\n")[2]
    assume(all(content.partition("\n")[0].count(mark) < 3 for mark in "\t;|"))  # else one of these may separate
    with pytest.raises(DataError, match=r"row 1 holds '(?:10|p0\.png)' where a column's name belongs"):
        came_out("t.csv", content.encode())
    found = came_out("t.csv", content.encode(), header=header) if not header else [[], *rows]
    assert found[1:] == rows


FORMS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "lines": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "lines, not ASCII": lambda rows: "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    "array": lambda rows: json.dumps(rows, indent=1),
    "under a key": lambda rows: json.dumps({"version": 3, "rows": rows}),
    **{
        f"pandas {orient}": lambda rows, orient=orient: str(pd.DataFrame(rows).to_json(orient=orient))  # type: ignore[misc]
        for orient in ("records", "columns", "index", "split")
    },
}


@pytest.mark.parametrize("form", FORMS)
@fewer
@given(rows=rows_of(nasty))
def test_json(form: str, rows: Rows) -> None:
    entries = [dict(zip(HEADER, row, strict=True)) for row in rows]
    for name in ("t.json", *(["t.jsonl"] if form.startswith("lines") else [])):
        assert came_out(name, FORMS[form](entries).encode()) == [HEADER, *rows]


@fewer
@given(
    rows=rows_of(
        nasty.map(lambda text: text.strip() or "x").filter(lambda text: text[0] not in "=" and "\r" not in text)
    )
)
def test_excel(rows: Rows) -> None:
    workbook = openpyxl.Workbook()
    for row in [HEADER, *rows]:
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    found = came_out("t.xlsx", file.getvalue())
    # A workbook is XML, whose readers take every end of a line for a line feed (XML 1.0, section 2.11).
    assert found == [HEADER, *([re.sub("\r\n?", "\n", cell) for cell in row] for row in rows)]


@pytest.mark.parametrize(("language", "encoding"), [(name, each) for name in LEGACY for each in LEGACY[name]])
@fewer
@given(data=st.data())
def test_texts_in_old_encodings(language: str, encoding: str, data: st.DataObject) -> None:
    """A text and pieces of it, more and fewer of them: the right letters, or none."""
    pieces = (
        TEXTS[language].split() if " " in TEXTS[language] else [TEXTS[language][i : i + 4] for i in range(0, 24, 4)]
    )
    texts = data.draw(st.lists(st.lists(st.sampled_from(pieces), min_size=1, max_size=9), min_size=1, max_size=9))
    joint = " " if " " in TEXTS[language] else ""
    rows = [[str(i), f"p{i}.png", joint.join(text), "x"] for i, text in enumerate([pieces, *texts])]
    equal_or_refused(rows, "t.csv", as_csv(rows).encode(encoding))


@given(
    language=st.sampled_from(sorted(TEXTS)),
    place=st.floats(0.1, 0.95),
    damage=st.sampled_from([b"\xff", b"\x80", b"\xc0", b"\xe9", b"\xf8"]),
)
def test_damaged_utf8_is_refused(language: str, place: float, damage: bytes) -> None:
    content = as_csv([[str(i), f"p{i}.png", TEXTS[language], "x"] for i in range(9)]).encode()
    at = int(len(content) * place)
    content = content[:at] + damage + content[at:]
    try:
        content.decode()
    except UnicodeDecodeError:
        with pytest.raises(DataError, match=r"t\.csv line \d+, byte \d+ \(0x..\): damaged"):
            came_out("t.csv", content)


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda name: name,
    "upper": lambda name: name.upper(),
    "NFD": lambda name: unicodedata.normalize("NFD", name),
    "percent codes": quote,
    "a leading slash": lambda name: f"/{name}",
    "Windows": lambda name: "C:\\Users\\ann\\posters\\" + name.replace("/", "\\"),
    "without suffix": lambda name: name.rpartition(".")[0],
    "another suffix": lambda name: name.rpartition(".")[0] + ".jpeg",
    "without folder": lambda name: name.rpartition("/")[2],
}
file_names = st.tuples(
    st.sampled_from(["", "a/", "b/", "a/é/"]),
    st.sampled_from(["1", "01", "é", "Big Sleep", "100%", "a.b", "한", "ß"]),
    st.sampled_from([".jpg", ".JPG", ".png"]),
).map("".join)


def plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@pytest.mark.parametrize("how", WRITTEN)
@fewer
@given(files=st.sets(file_names, min_size=1, max_size=5), missing=file_names)
def test_no_other_picture_is_taken(how: str, files: set[str], missing: str) -> None:
    """Each file is found by its name, or the name is refused; a name is never another one's picture in silence."""
    with tempfile.TemporaryDirectory() as home:
        for name in files:
            (Path(home) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(home) / name).write_bytes(b"x")
        names = PictureNames(Path(home))
        for name in files:
            try:
                found = names.by_path(WRITTEN[how](name))
            except DataError:
                continue
            right = found is not None and found.resolve() == (Path(home) / name).resolve()
            assert right or (how != "as it is" and plain(WRITTEN[how](name)) in map(plain, files))
        if missing not in files:
            try:
                found = names.by_path(missing)
            except DataError:
                return
            assert found is None or plain(found.stem) == plain(missing.rpartition("/")[2].rpartition(".")[0])


kept_texts = ordinary | nasty


@fewer
@given(
    texts=st.lists(
        ordinary.filter(lambda text: len(clean_text(text)) > 3), min_size=2, max_size=5, unique_by=clean_text
    ),
    notes=st.lists(kept_texts, min_size=5, max_size=5),
    genres=st.lists(
        st.lists(words | st.sampled_from(["a|b", "None", "x, y", "[]", "nan"]), max_size=3), min_size=5, max_size=5
    ),
    suffix=st.sampled_from([".csv", ".jsonl", ".parquet"]),
)
@example(texts=["one of two", "two of two"], notes=["1,a\n7,b,c,d"] * 5, genres=[["x"]] * 5, suffix=".csv")
def test_the_whole_way(texts: list[str], notes: list[str], genres: list[list[str]], suffix: str) -> None:
    """From a source into a catalogue and out of it."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        rows = []
        for i, text in enumerate(texts):
            picture("red", (3 + i, 5)).save(folder / f"p{i}.png")
            parts = [part for part in dict.fromkeys(genres[i]) if clean_text(part) == part]
            rows.append({"code": f"k{i}", "image": f"p{i}.png", "text": text, "genre": parts, "note": notes[i]})
        source = write_source(folder / f"t{suffix}", rows)
        plan = plan_import(
            source, ImportOptions(columns={"text": "text", "genre": "genre", "id": "code", "image": "image"})
        )
        try:
            write_catalogue(plan, folder / "out")
            catalogue = Catalogue.load(folder / "out")
        except DataError as refused:
            assert "swallows" in str(refused)
            return
        with (folder / "out" / "info.csv").open(encoding="utf-8", newline="") as file:
            kept = [(row["source_id"], row["note"]) for row in csv.DictReader(file)]
    assert catalogue.intros == [clean_text(text) for text in texts]
    assert [list(movie.genres) for movie in catalogue.movies] == [row["genre"] for row in rows]
    assert kept == [(row["code"], row["note"]) for row in rows]


def write_source(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows({**row, "genre": json.dumps(row["genre"])} for row in rows)
    return path
