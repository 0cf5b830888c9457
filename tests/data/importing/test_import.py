"""What an import keeps, drops and refuses."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cinealign import out as places
from cinealign.data.catalogue import Catalogue
from cinealign.data.importing import pictures as importing_pictures
from cinealign.data.importing import write
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.importing.preview import draw_contact_sheet, preview_lines
from cinealign.data.importing.write import ImportReport, write_catalogue
from cinealign.data.split.folder import SplitOptions, split_folder
from cinealign.errors import CineAlignError, ConfigError, DataError
from cinealign.out import Draft
from tests.data.importing.tables import picture, save_dataset, write_csv, write_jsonl, write_parquet, write_xlsx

COLOURS = ("red", "green", "blue", "navy", "gold", "teal", "plum", "grey")


def small(home: Path, count: int = 8, **more: list[str]) -> tuple[Path, list[dict[str, Any]]]:
    """Rows with pictures in `home`/img, and the table that says so."""
    (home / "img").mkdir(parents=True)
    rows = []
    for i in range(count):
        picture(COLOURS[i]).save(home / "img" / f"p{i}.png")
        rows.append(
            {"key": f"k{i}", "image": f"img/p{i}.png", "text": f"A plain {COLOURS[i]} sheet of paper."}
            | {column: cells[i] for column, cells in more.items()}
        )
    return write_csv(home / "items.csv", rows), rows


def imported(source: Path, out: Path, **options: Any) -> ImportReport:
    return write_catalogue(plan_import(source, ImportOptions(**options)), out)


def info(out: Path) -> list[dict[str, str]]:
    with (out / "info.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_drop_is_named(tmp_path: Path) -> None:
    home = tmp_path / "source"
    source, rows = small(home)
    (home / "img" / "p1.png").unlink()
    (home / "img" / "p2.png").write_bytes(b"not a picture")
    whole = (home / "img" / "p3.png").read_bytes()
    (home / "img" / "p3.png").write_bytes(whole[: len(whole) - 20])
    rows[4]["text"] = " N/A "
    rows[5]["key"] = "k0"
    rows[6]["key"] = ""
    write_csv(source, rows)
    report = imported(source, tmp_path / "out")
    assert {drop.reason: drop.names for drop in report.drops} == {
        write.NO_ID: ("items.csv row 8",),
        write.DUPLICATE: ("items.csv row 7: k0",),
        write.NO_IMAGE: ("items.csv row 3: img/p1.png",),
        write.UNREADABLE: (
            "items.csv row 4: p2.png is not a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture",
            report.drops[3].names[1],
        ),
        write.NO_TEXT: ("items.csv row 6: k4",),
    }
    assert "p3.png is damaged" in report.drops[3].names[1]
    assert report.lines()[0] == "8 rows read, 6 dropped, 2 items kept"
    assert [row["source_id"] for row in info(tmp_path / "out")] == ["k0", "k7"]
    mark = json.loads((tmp_path / "out" / "import.json").read_text())
    assert mark["n"] == 2 and sum(drop["count"] for drop in mark["drops"]) == 6
    catalogue = Catalogue.load(tmp_path / "out")
    assert len(catalogue) == 2 and catalogue.intros == ["A plain red sheet of paper.", "A plain grey sheet of paper."]


def test_nothing_to_keep_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    source, rows = small(tmp_path / "source")
    write_csv(source, [{**row, "image": "img/none.png"} for row in rows])
    with pytest.raises(DataError, match=r"nothing can be kept: rows without a picture: 8 \(items.csv row 2"):
        imported(source, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_words_for_nothing_in_ids_and_titles(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", 4, item_id=["1.0", "nan", "3.0", "4.0"], title=["Null", "T", "None", "N/A"])
    report = imported(source, tmp_path / "out", columns={"id": "item_id"})
    assert [(drop.reason, drop.names) for drop in report.drops] == [(write.NO_ID, ("items.csv row 3",))]
    assert [(row["id"], row["name"]) for row in info(tmp_path / "out")] == [("1", "Null"), ("3", "None"), ("4", "")]


def test_kept_columns_stay_as_they_are(tmp_path: Path) -> None:
    odd = ["<b>x</b> &amp; y\n z\r", " a\u00a0b ", "", "\\N", "NULL", '"', ",", "\t"]
    source, _ = small(tmp_path / "source", note=odd)
    imported(source, tmp_path / "out")
    assert [row["note"] for row in info(tmp_path / "out")] == odd


def test_pictures_found_under_another_name_are_listed(tmp_path: Path) -> None:
    source, rows = small(tmp_path / "source", 3)
    write_csv(source, [{**row, "image": row["image"].upper()} for row in rows[:1]] + rows[1:])
    lines = imported(source, tmp_path / "out").lines()
    assert "note: pictures whose files are called otherwise: 1 (IMG/P0.PNG is img/p0.png)" in lines
    assert info(tmp_path / "out")[0]["source_image"] == "IMG/P0.PNG"


def test_pictures_that_lie_across_or_are_light_are_listed(tmp_path: Path) -> None:
    home = tmp_path / "source"
    source, _ = small(home)
    for i in range(8):
        picture(COLOURS[i], (30, 20) if i == 3 else (20, 30)).save(home / "img" / f"p{i}.png")
    light = Image.new("RGBA", (20, 30), (255, 255, 255, 0))
    light.paste((250, 250, 250, 255), (4, 4, 9, 9))
    light.save(home / "img" / "p5.png")
    lines = imported(source, tmp_path / "out").lines()
    assert "note: pictures that lie across where most stand: 1 (k3); turn them if they are turned" in lines
    assert "note: light pictures on transparency, which are laid over black: 1 (k5)" in lines


def captions(home: Path, split: bool = False) -> Path:
    """Five texts of each of eight pictures, which lie under two names each."""
    _, rows = small(home)
    for row in rows:
        content = (home / row["image"]).read_bytes()
        (home / row["image"].replace("p", "q")).write_bytes(content)
    many = [
        {
            "image": row["image"] if i % 2 else row["image"].replace("p", "q"),
            "text": f"{row['text']} {i}",
            **({"split": "train" if i else "test"} if split else {}),
        }
        for row in rows
        for i in range(5)
    ]
    return write_csv(home / "items.csv", many)


def test_a_picture_of_several_rows_is_on_one_side(tmp_path: Path) -> None:
    report = imported(captions(tmp_path / "source"), tmp_path / "out")
    catalogue = Catalogue.load(tmp_path / "out")
    sides = [
        {catalogue.posters[row].digest for row in rows} for rows in (catalogue.train_rows, catalogue.held_out_rows)
    ]
    assert len(catalogue) == 40 and sides[0].isdisjoint(sides[1]) and all(sides)
    assert "note: pictures of several rows: 8; each on one side of the split" in report.lines()
    assert (report.split.kind, report.split.settings["by"]) == ("group", "picture")
    assert not any("both sides" in line for line in catalogue.report.lines())
    split_folder(tmp_path / "out", SplitOptions(seed=3), force=True)
    again = Catalogue.load(tmp_path / "out")
    assert not any("both sides" in line for line in again.report.lines())


def test_an_own_split_with_pictures_on_both_sides_is_said(tmp_path: Path) -> None:
    lines = imported(captions(tmp_path / "source", split=True), tmp_path / "out").lines()
    assert "note: pictures of several rows: 8; 8 of them on both sides of the split" in lines
    assert any(
        "posters that are on both sides of the split: 8" in line
        for line in Catalogue.load(tmp_path / "out").report.lines()
    )


@pytest.mark.parametrize(
    ("column", "cells", "train"),
    [
        ("is_train", ["1", "0", "1.0", "0"], [0, 2]),
        ("is_train", ["True", "False", "false", "true"], [0, 3]),
        ("subset", ["train", "test", "dev", "train"], [0, 3]),
        ("partition", ["Training", "x", "x", "x"], [0]),
    ],
)
def test_columns_that_tell_a_split(tmp_path: Path, column: str, cells: list[str], train: list[int]) -> None:
    source, _ = small(tmp_path / "source", 4, **{column: cells})
    assert imported(source, tmp_path / "out").split.kind == "own"
    assert Catalogue.load(tmp_path / "out").train_rows.tolist() == train


def test_folds_are_offered(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", 4, fold=["0", "1", "2", "2"])
    lines = plan_import(source, ImportOptions()).lines()
    assert lines[-1].endswith("(0, 1, 2); --split fold --train-value tells, several values with commas between")
    imported(source, tmp_path / "out", columns={"split": "fold"}, train_value="0, 1")
    assert Catalogue.load(tmp_path / "out").train_rows.tolist() == [0, 1]


def test_whole_numbers_stay_the_ids(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", item_id=[str(40 - i) for i in range(8)])
    report = imported(source, tmp_path / "out", columns={"id": "item_id"})
    assert not report.mapped
    assert [row["id"] for row in info(tmp_path / "out")] == [str(40 - i) for i in range(8)]
    assert Catalogue.load(tmp_path / "out").ids.tolist() == [40 - i for i in range(8)]


def test_columns_that_the_catalogue_would_misread_are_renamed(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", overview=["x"] * 8, Id=["9"] * 8, colour=list(COLOURS))
    imported(source, tmp_path / "out", columns={"id": "key"})
    row = info(tmp_path / "out")[0]
    assert (row["source_overview"], row["source_source_Id"], row["colour"], row["intro"]) == (
        *("x", "9", "red"),
        "A plain red sheet of paper.",
    )
    assert Catalogue.load(tmp_path / "out").intros[0] == "A plain red sheet of paper."


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "img/../../secret.png", "..\\secret.png"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    source, rows = small(tmp_path / "source")
    picture("white").save(tmp_path / "secret.png")
    rows[3]["image"] = path
    write_csv(source, rows)
    with pytest.raises(
        DataError, match=r"items.csv row 5: the picture .* is outside .*; give the folder .* with --images"
    ):
        imported(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["x" * 260, "x" * 250, "a/" + "y" * 300])
def test_a_place_with_too_long_a_name_is_one_line(tmp_path: Path, name: str) -> None:
    source, _ = small(tmp_path / "source")
    with pytest.raises(CineAlignError, match="cannot be written: File name too long; choose another"):
        imported(source, tmp_path / name)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source")
    picture("white").save(tmp_path / "secret.png")
    (tmp_path / "source" / "img" / "p2.png").unlink()
    (tmp_path / "source" / "img" / "p2.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match=r"row 4: the picture 'img/p2\.png' is outside"):
        imported(source, tmp_path / "out")


def test_images_names_the_folder_that_absolute_paths_may_be_in(tmp_path: Path) -> None:
    source, rows = small(tmp_path / "source")
    home = tmp_path / "elsewhere"
    (tmp_path / "source" / "img").rename(home)
    write_csv(source, [{**row, "image": str(home / Path(row["image"]).name)} for row in rows])
    with pytest.raises(DataError, match="is outside"):
        imported(source, tmp_path / "out")
    assert imported(source, tmp_path / "out", images=home).kept == 8


@pytest.mark.parametrize(
    "address", ["http://example.org/a.jpg", "https://example.org/a.jpg", "FTP://example.org/a.jpg"]
)
def test_no_address_is_fetched(tmp_path: Path, address: str) -> None:
    source, rows = small(tmp_path / "source")
    rows[0]["image"] = address
    write_csv(source, rows)
    with pytest.raises(DataError, match=r"row 2: the picture is an address \(.*\) and nothing is fetched; download"):
        imported(source, tmp_path / "out")


def test_pictures_are_copied_or_made_fit(tmp_path: Path) -> None:
    home = tmp_path / "source"
    source, rows = small(home, 5)
    picture("red", (2000, 500)).save(home / "img" / "p0.png")
    picture("red").save(home / "img" / "p1.gif")
    picture("red").save(home / "img" / "p2.webp")
    picture("red", mode="CMYK").save(home / "img" / "p3.jpg")
    for row, name in zip(rows, ("p0.png", "p1.gif", "p2.webp", "p3.jpg", "p4.png"), strict=True):
        row["image"] = f"img/{name}"
    write_csv(source, rows)
    report = imported(source, tmp_path / "out")
    assert report.pictures == {"copied": 3, "re-encoded": 1, "shrunk": 1}
    posters = tmp_path / "out" / "poster"
    assert sorted(path.name for path in posters.iterdir()) == ["1.jpg", "2.jpg", "3.webp", "4.jpg", "5.png"]
    with Image.open(posters / "1.jpg") as shrunk:
        assert shrunk.size == (1024, 256)
    assert (posters / "4.jpg").read_bytes() == (home / "img" / "p3.jpg").read_bytes()


def test_too_many_pixels_or_bytes_are_dropped_undecoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "source"
    source, _ = small(home, 4)
    Image.new("1", (9000, 8000)).save(home / "img" / "p1.png")
    monkeypatch.setattr(importing_pictures, "MAX_BYTES", (home / "img" / "p1.png").stat().st_size + 1)
    (home / "img" / "p2.png").write_bytes(b"\0" * (importing_pictures.MAX_BYTES + 1))
    said = " ".join(name for drop in imported(source, tmp_path / "out").drops for name in drop.names)
    assert "p1.png is 9,000 x 8,000: more than 64,000,000 pixels" in said
    assert "p2.png has" in said and "bytes, more than" in said


def test_an_interrupted_import_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = small(tmp_path / "source")
    fit, fitted = write.fit_picture, []

    def stops(name: str, content: bytes, longest_side: int) -> Any:
        if name == "p5.png":
            raise KeyboardInterrupt
        fitted.append(name)
        return fit(name, content, longest_side)

    monkeypatch.setattr(write, "fit_picture", stops)
    with pytest.raises(KeyboardInterrupt):
        imported(source, tmp_path / "out")
    assert not (tmp_path / "out").exists() and fitted
    before = set(fitted)
    fitted.clear()
    monkeypatch.setattr(write, "fit_picture", lambda *given: (fitted.append(given[0]), fit(*given))[1])
    assert imported(source, tmp_path / "out").kept == 8
    assert before.isdisjoint(fitted) and before | set(fitted) == {f"p{i}.png" for i in range(8)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]
    assert len(Catalogue.load(tmp_path / "out")) == 8


def test_an_import_killed_at_its_very_end_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = small(tmp_path / "source")

    def stops(*_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Draft, "finish", stops)
    with pytest.raises(KeyboardInterrupt):
        imported(source, tmp_path / "out")
    monkeypatch.undo()
    assert imported(source, tmp_path / "out", noun="sheet").kept == 8
    catalogue = Catalogue.load(tmp_path / "out")
    assert len(catalogue) == 8 and catalogue.noun == "sheet"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_two_imports_into_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = small(tmp_path / "source")
    collect, seen = write._collect, []

    def meanwhile(*given: Any) -> Any:
        found = collect(*given)
        with pytest.raises(ConfigError, match="is being made by another process; wait for it") as refused:
            imported(source, tmp_path / "out")
        seen.append(refused.value)
        return found

    monkeypatch.setattr(write, "_collect", meanwhile)
    assert imported(source, tmp_path / "out").kept == 8
    assert len(seen) == 1 and len(Catalogue.load(tmp_path / "out")) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_an_import_that_another_one_forestalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one ends between the first look at the folder and the lock."""
    source, _ = small(tmp_path / "source")
    locked = places.locked

    def late(folder: Path) -> Any:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "info.csv").write_text("mine")
        return locked(folder)

    monkeypatch.setattr(places, "locked", late)
    with pytest.raises(DataError, match="is not empty"):
        imported(source, tmp_path / "out")
    assert (tmp_path / "out" / "info.csv").read_text() == "mine"


def test_a_changed_source_does_not_go_on_from_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, rows = small(tmp_path / "source")
    monkeypatch.setattr(write, "_lay_out", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        imported(source, tmp_path / "out")
    monkeypatch.undo()
    write_csv(source, rows[::-1])
    os.utime(source, (1, 1))
    assert imported(source, tmp_path / "out").kept == 8
    first = info(tmp_path / "out")[0]
    assert first["source_id"] == "k7"
    assert (tmp_path / "out" / "poster" / "1.png").read_bytes() == (tmp_path / "source" / "img" / "p7.png").read_bytes()


def test_a_taken_folder_is_refused_and_only_an_import_replaced(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source")
    plan = plan_import(source, ImportOptions())
    write_catalogue(plan, tmp_path / "out")
    with pytest.raises(DataError, match="is not empty; choose a new folder, or pass --force"):
        write_catalogue(plan_import(source, ImportOptions(seed=7)), tmp_path / "out")
    write_catalogue(plan, tmp_path / "out", force=True)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"holds notes.txt, so it is not just a catalogue imported before"):
        write_catalogue(plan, tmp_path / "out", force=True)
    with pytest.raises(DataError, match="is not empty"):
        write_catalogue(plan, tmp_path / "source")


def test_the_same_import_again_reports_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after SIGKILL between the last rename and the end of the process."""
    source, rows = small(tmp_path / "source")
    first = imported(source, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    (tmp_path / "out.partial").mkdir()
    again = imported(source, tmp_path / "out")
    assert again == first and "holds the import of this source already" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]
    write_csv(source, rows[::-1])
    os.utime(source, (1, 1))
    with pytest.raises(DataError, match="is not empty"):
        imported(source, tmp_path / "out")


def test_a_picture_that_is_named_by_its_id_is_no_note(tmp_path: Path) -> None:
    source, rows = small(tmp_path / "source")
    (tmp_path / "named").mkdir()
    for row in rows:
        shutil.copy(tmp_path / "source" / row["image"], tmp_path / "named" / f"{row['key'].upper()}.png")
    plain = [{key: value for key, value in row.items() if key != "image"} for row in rows]
    upper = [{**row, "key": row["key"].upper()} for row in plain]
    for kind, told in (("as written", upper), ("otherwise", plain)):
        write_csv(source, told)
        notes = imported(source, tmp_path / kind, images=tmp_path / "named").notes
        assert any("called otherwise: 8 (k0 is K0.png, k1 is K1.png" in note for note in notes) is (kind == "otherwise")


def test_the_sources_own_split(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", split=["train", "test", "Train", "val", "train", "test", "test", "train"])
    report = imported(source, tmp_path / "out")
    assert (report.split.kind, report.split.train, report.split.held_out) == ("own", 4, 4)
    assert Catalogue.load(tmp_path / "out").train_rows.tolist() == [0, 2, 4, 7]


def test_a_split_in_other_words(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source", split=["a", "b"] * 4)
    plan = plan_import(source, ImportOptions())
    assert "split" not in plan.columns.names
    assert "column 'split' does not say which items are train (a, b); --split split --train-value tells" in "\n".join(
        plan.lines()
    )
    with pytest.raises(DataError, match="column 'split' names no train item; it says 'a', 'b'"):
        imported(source, tmp_path / "out", columns={"split": "split"})
    report = imported(source, tmp_path / "out", columns={"split": "split"}, train_value="B")
    assert report.split.train == 4 and Catalogue.load(tmp_path / "out").train_rows.tolist() == [1, 3, 5, 7]


def test_a_random_split_is_said_not_to_be_the_assignments(tmp_path: Path) -> None:
    source, _ = small(tmp_path / "source")
    lines = imported(source, tmp_path / "out", seed=4).lines()
    assert lines[-1] == ("split: random (share 0.6, seed 4); drawn here, not the assignment's: 5 train, 3 held out")
    again = imported(source, tmp_path / "again", seed=4)
    assert again.split.digest == json.loads((tmp_path / "out" / "split.json").read_text())["digest"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"columns": {"text": "blurb"}}, DataError, "has no column 'blurb'; it has: key, image, text"),
        ({"columns": {"text": "key", "id": "key"}}, DataError, "column 'key' is asked for as text and as id"),
        ({"columns": {"colour": "key"}}, ConfigError, "no role 'colour'; the roles are: id, image"),
        ({"images": Path("nowhere")}, DataError, "nowhere: no such folder of pictures"),
        ({"longest_side": 8}, ConfigError, "between 16 and 8192 pixels, got 8"),
        ({"noun": "\n"}, ConfigError, "the noun must be a word"),
        ({"seed": -1}, ConfigError, "the seed must be 0 or more, got -1"),
        ({"share": 1.0}, ConfigError, "share of train items must be between 0 and 1, got 1.0"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, options: dict[str, Any], error: type[Exception], message: str) -> None:
    source, _ = small(tmp_path / "source")
    with pytest.raises(error, match=message):  # before anything is written, so in a dry run too
        plan_import(source, ImportOptions(**options))


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "source"
    source, rows = small(home)
    (home / "img" / "p1.png").unlink()
    (home / "img" / "p2.png").write_bytes(b"no")
    rows[3]["text"] = ""
    write_csv(source, rows)
    plan = plan_import(source, ImportOptions())
    lines = preview_lines(plan)
    assert lines[1:4] == [
        "  items.csv row 2: picture img/p0.png",
        "    id         k0",
        "    text       A plain red sheet of paper.",
    ]
    assert "would be dropped: rows without a picture: 1 (items.csv row 3: img/p1.png)" in lines
    assert "would be dropped: rows with an empty text: 1 (items.csv row 5: k3)" in lines
    assert lines[-2].startswith("6 rows have an id, a text and a picture")
    shown = draw_contact_sheet(plan, tmp_path / "sheet.png")
    assert shown == 6  # neither the missing nor the damaged one
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG" and sheet.width > 1000
        assert sheet.convert("RGB").getpixel((95, 103)) == (255, 0, 0)  # the first picture is red
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sheet.png", "source"]
    with pytest.raises(DataError, match=r"the contact sheet is a PNG; .* should be called"):
        draw_contact_sheet(plan, tmp_path / "sheet.txt")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"image": b"x", "text": "some text"}]
    sources = [
        write_parquet(tmp_path / "a.parquet", rows),
        write_xlsx(tmp_path / "a.xlsx", [{"image": "x.png", "text": "t"}]),
    ]
    real = importlib.import_module

    def without(name: str, *given: Any) -> Any:
        if name.partition(".")[0] in ("pyarrow", "openpyxl"):
            raise ImportError(name)
        return real(name, *given)

    monkeypatch.setattr(importlib, "import_module", without)
    for source, package in zip(sources, ("Parquet needs pyarrow", "Excel needs openpyxl"), strict=True):
        with pytest.raises(DataError, match=rf"reading {package}, which is missing; pip install 'cinealign\[data\]'"):
            plan_import(source, ImportOptions())


def test_a_saved_data_set_cannot_point_outside(tmp_path: Path) -> None:
    folder = save_dataset(
        tmp_path / "saved", [{"picture": b"x", "code": "a", "description": "d", "layout": "cross"}], shards=1
    )
    for names in (["../other.arrow"], ["/etc/passwd"], [], [3]):
        (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
        with pytest.raises(DataError, match="names no data files of its folder"):
            plan_import(folder, ImportOptions())
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "gone.arrow"}]}))
    with pytest.raises(DataError, match=r"lacks gone\.arrow"):
        plan_import(folder, ImportOptions())
    (folder / "gone.arrow").write_bytes(b"no arrow data at all")
    with pytest.raises(DataError, match=r"gone\.arrow is damaged or no such file of Arrow data"):
        plan_import(folder, ImportOptions())


def test_embedded_pictures_need_not_fit_in_memory_together(tmp_path: Path) -> None:
    """Rows are kept without the bytes of their pictures."""
    _, rows = small(tmp_path / "source")
    content = [{**row, "image": (tmp_path / "source" / row["image"]).read_bytes()} for row in rows]
    plan = plan_import(write_parquet(tmp_path / "items.parquet", content), ImportOptions())
    assert "pictures in the rows" in "\n".join(plan.lines())
    (tmp_path / "posters").mkdir()
    kept, drops = write._collect(plan, tmp_path / "posters", {})
    assert len(kept) == 8 and not any(drops.values())
    assert all(each.row.image is None for each in kept)


def test_json_lines_with_what_json_can_hold(tmp_path: Path) -> None:
    _, rows = small(tmp_path / "source", 3)
    content = [
        {
            "id": 7.0,
            "img": rows[0]["image"],
            "caption": ["First line.", "Second line."],
            "tags": ["a", "b"],
            "deep": {},
        },
        {"id": 9, "img": rows[1]["image"], "caption": "Ein \ud83d Text &amp; mehr\0", "tags": None},
        {"id": 11, "img": {"path": rows[2]["image"]}, "caption": "Third", "tags": "c"},
    ]
    source = write_jsonl(tmp_path / "source" / "items.jsonl", content[:1])
    source.write_text("".join(json.dumps(each) + "\n" for each in content))
    imported(source, tmp_path / "out")
    assert [(row["id"], row["genre"], row["intro"]) for row in info(tmp_path / "out")] == [
        ("7", "a|b", "First line. Second line."),
        ("9", "", "Ein \ufffd Text & mehr"),
        ("11", "c", "Third"),
    ]
    assert len(Catalogue.load(tmp_path / "out")) == 3
