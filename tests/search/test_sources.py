"""What can be added: catalogue folders, folders of files, tables; both sides or one."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from cinealign.data.importing.plan import ImportOptions
from cinealign.errors import DataError
from cinealign.search.growth import NewItem
from cinealign.search.sources import new_items


def picture(colour: str = "red", kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 60), colour).save(file, kind)
    return file.getvalue()


def items_of(path: Path, **options: object) -> dict[str, NewItem]:
    found = list(new_items(path, ImportOptions(one_side=True, **options)))  # type: ignore[arg-type]
    assert len({item.item_id for item in found}) == len(found)
    return {item.item_id: item for item in found}


def test_a_folder_of_pictures_and_texts(tmp_path: Path) -> None:
    (tmp_path / "0007.png").write_bytes(picture())
    (tmp_path / "7.txt").write_text("A <b>boy</b> finds a map.\n")
    (tmp_path / "alien.gif").write_bytes(picture("blue", "GIF"))
    (tmp_path / "plot.txt").write_text("Only a text.")
    found = items_of(tmp_path)
    assert set(found) == {"7", "alien", "plot"}
    assert found["7"].intro == "A boy finds a map." and found["7"].picture == tmp_path / "0007.png"
    assert found["alien"].intro is None and isinstance(found["alien"].picture, bytes)  # a format that views do not open
    assert found["plot"].picture_digest is None and found["plot"].intro == "Only a text."
    (tmp_path / "7.jpg").write_bytes(picture(kind="JPEG"))
    with pytest.raises(DataError, match=r"has two files for item 7: 0007\.png and 7\.jpg; remove one"):
        items_of(tmp_path)


def test_a_catalogue_folder_needs_no_split_and_neither_side_everywhere(tmp_path: Path) -> None:
    (tmp_path / "info.csv").write_text(
        "id,name,genre,release_time,intro,directors\n1,One (1990),Drama|War,1990,A text.,Ann|Bob\n"
        "2,Two,,1991,,\n3,Three,,,Third.,\n"
    )
    (tmp_path / "poster").mkdir()
    (tmp_path / "poster" / "2.png").write_bytes(picture())
    found = items_of(tmp_path)
    assert (found["1"].title, found["1"].year, found["1"].intro) == ("One (1990)", 1990, "A text.")
    assert found["1"].facets == {"genre": ("Drama", "War"), "directors": ("Ann", "Bob")}
    assert found["2"].intro is None and found["2"].picture_digest is not None and found["3"].picture_digest is None


def test_a_catalogue_that_an_import_numbered_keeps_the_ids_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "info.csv").write_text("id,name,intro,source_id\n1,One,A text.,SKU-8\n2,Two,Second.,SKU-9\n")
    assert set(items_of(tmp_path)) == {"SKU-8", "SKU-9"}


def test_tables_with_one_side(tmp_path: Path) -> None:
    rows = [{"key": f"b{n}", "plot": f"Story number {n} of a long row of stories.", "shelf": "A"} for n in range(3)]
    (tmp_path / "books.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = items_of(tmp_path / "books.jsonl", columns={"id": "key", "text": "plot"})
    assert found["b1"].intro == "Story number 1 of a long row of stories." and found["b1"].picture_digest is None
    assert found["b1"].facets == {"shelf": ("A",)}
    covers = tmp_path / "covers"
    covers.mkdir()
    for n in range(3):
        (covers / f"b{n}.png").write_bytes(picture())
    (tmp_path / "pictures.csv").write_text("key,file\nb0,b0.png\nb1,b1.png\nb2,gone.png\n")
    found = items_of(tmp_path / "pictures.csv", columns={"id": "key", "image": "file"}, images=covers)
    assert found["b0"].intro is None and found["b0"].picture == covers / "b0.png"
    assert found["b2"].picture_digest is None and found["b2"].intro is None  # nothing of it: not usable


def test_a_folder_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(DataError, match=r"holds no table, no pictures and no \.txt files"):
        items_of(tmp_path)
