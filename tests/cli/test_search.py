"""`cinealign index`, `search` and `export` as a user meets them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cinealign.cli.app import main
from cinealign.cli.show.search import cut
from cinealign.search import index as indexes
from cinealign.search.folder import read_manifest
from tests.search.encoders import WordEncoder
from tests.search.folders import words_of, write_index


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model of the indexes here."""
    monkeypatch.setattr(indexes.Index, "_load_encoder", lambda self: WordEncoder())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_index(tmp_path / "index")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_a_table_of_hits_within_eighty_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "search", folder, words_of(4), "--why", "--limit", 3, "--for", "both")
    assert code == 0 and err == ""
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines) and lines[0].split() == ["chance", "score", "id", "side", "title"]
    assert lines[1].split()[:4] == ["1", "-", "1.000", "5"] and "Movie 5 (1954)" in lines[1]
    assert any("words: " in line for line in lines) and any("parts: " in line for line in lines)
    assert lines[-1] == "1 to 3 of 120"


def test_json_and_csv(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = ("search", folder, words_of(4), "--genre", "Drama", "--year", "1950-1990", "--offset", 2, "--limit", 2)
    _, out, _ = run(capsys, *question, "--json", "--why")
    told = json.loads(out)
    assert told["for"] == "poster" and [hit["place"] for hit in told["hits"]] == [3, 4] and told["best_chance"] is None
    assert set(told["hits"][0]["why"]) == {"shares", "words", "lines", "cells"} and "Drama" in told["hits"][0]["genres"]
    _, out, _ = run(capsys, *question, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == [hit["id"] for hit in told["hits"]] and rows[0]["intro"]


def test_a_contact_sheet(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "search", folder, "war", "--limit", 8, "--contact-sheet", tmp_path / "sheet.png")
    assert code == 0 and "contact sheet" in err
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (6 * 170 + 10, 2 * 284 + 10)
    code, _, err = run(capsys, "search", folder, "war", "--contact-sheet", tmp_path / "sheet.jpg")
    assert code == 2 and "ends in .png" in err


def test_a_chinese_text_gets_a_line_that_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "search", folder, "大白鲨", "--json")
    assert code == 0 and "Chinese script" in err and "Chinese script" in json.loads(out)["notes"][0]


def test_growing_and_shrinking(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "more.csv"
    table.write_text(f"id,text\n900,{words_of(900)}\n901,{words_of(901)}\n1,{words_of(0)}\n")
    code, out, err = run(capsys, "index", "add", folder, table)
    assert (
        code == 0 and "added: 2 (900, 901)" in out and "in the index already: 1 (1)" in out and "safe: 2 items" in err
    )
    _, out, _ = run(capsys, "search", folder, words_of(900), "--for", "intro", "--limit", 1, "--json")
    assert json.loads(out)["hits"][0]["id"] == "900"
    table.write_text(f"id,text\n900,{words_of(5)}\n902,{words_of(902)}\n")
    _, out, _ = run(capsys, "index", "add", folder, table)
    assert "not added: the index holds another item of that id" in out and "added: 1 (902)" in out
    _, out, _ = run(capsys, "index", "update", folder, table)
    assert "updated: 1 (900)" in out
    code, out, _ = run(capsys, "index", "remove", folder, 900, 902, 77777)
    assert code == 0 and out == "removed: 2; not there: 77777\n"
    code, out, _ = run(capsys, "index", "info", folder, "--json")
    assert json.loads(out)["now"]["items"] == 61
    assert run(capsys, "index", "compact", folder)[0] == 0
    code, out, _ = run(capsys, "index", "check", folder, "--sample", 0)
    assert code == 0 and out.count("ok ") == 3
    (folder / read_manifest(folder).items[0]).write_bytes(b"SQLite format 3\0")
    code, _, err = run(capsys, "index", "check", folder)
    assert code == 2 and "is damaged" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--year", "nineties"], "expected a year or a span, such as 1994, 1990-1999, 1990- or -1999"),
        (["--where", "director"], "expected COLUMN=VALUE"),
        (["--where", "colour=red"], "no item has a column 'colour' to filter by"),
        (["--like", "99999"], "has no item '99999'"),
        (["--image", "gone.jpg"], "gone.jpg"),
        (["--limit", "0"], "limit must be between 1 and 10,000"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Opens(WordEncoder):
        def encode_posters(self, posters):  # type: ignore[no-untyped-def]
            from cinealign.data.posters import Poster

            return super().encode_posters([Poster.of(poster) for poster in posters])

    monkeypatch.setattr(indexes.Index, "_load_encoder", lambda self: Opens())
    code, out, err = run(capsys, "search", folder, "war", *arguments)
    assert code == 2 and out == "" and said in err and err.count("\n") == 1


def test_nothing_asked_and_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "search", tmp_path)
    assert code == 2 and "nothing to search for" in err
    code, _, err = run(capsys, "search", tmp_path, "war")
    assert code == 2 and "is not a run directory" in err


def test_export_writes_what_its_suffix_says(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "export", folder, "--out", tmp_path / "v.parquet")
    assert code == 0 and "120 unit vectors of 16 numbers" in out and (tmp_path / "v.parquet").is_file()
    shutil.rmtree(folder / "vectors")
    code, _, err = run(capsys, "export", folder, "--out", tmp_path / "v.parquet")
    assert code == 2 and err.count("\n") == 1


def test_texts_are_cut_by_the_columns_they_take() -> None:
    assert cut("abcdef", 6) == "abcdef" and cut("abcdefg", 6) == "abc..."
    assert cut("大白鲨袭击海滩", 9) == "大白鲨..."
