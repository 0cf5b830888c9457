"""Folders of pictures alone, of texts alone, and of both named alike."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from PIL import Image

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.data.importing.plan import ImportOptions
from cinealign.data.one_side import files_by_name, side_line
from cinealign.errors import DataError
from cinealign.search.sources import new_items


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as stopped:
        main([str(each) for each in arguments])
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


def picture(path: Path, colour: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 30), (colour, 20, 20)).save(path)


def text(path: Path, words: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number, name in enumerate(("0007.jpg", "inside/flag.png", ".hidden/9.jpg")):
        picture(tmp_path / "pictures" / name, 60 * number)
    text(tmp_path / "pictures" / "README.txt", "about these pictures")
    return tmp_path / "pictures"


def test_the_command_that_a_line_offers_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"x")
    command = side_line(folder, files_by_name(folder)).split("`")[1]
    assert shlex.split(command) == ["cinealign", "encode", "RUN", "--images", str(folder)]


def test_items_are_called_by_the_names_of_their_files(pictures: Path) -> None:
    found = files_by_name(pictures)
    assert found.side == "poster" and list(found.pictures) == ["7", "flag"] and not found.texts
    picture(pictures / "again" / "7.jpg")
    assert list(files_by_name(pictures).pictures) == ["7", "again/7", "inside/flag"]
    picture(pictures / "inside" / "flag.jpg")
    with pytest.raises(DataError, match=r"two files for item inside/flag: flag.jpg and flag.png"):
        files_by_name(pictures)


def test_a_run_refuses_one_side_in_one_line(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "holds 2 pictures and no texts; one side is enough for `cinealign encode RUN --images"
    code, _, error = command(capsys, "run", "--data", pictures, "--recipe", "classical-tfidf")
    assert code == 2 and said in error and error.count("\n") == 1
    code, _, error = command(capsys, "data", "import", pictures, "--out", tmp_path / "made")
    assert code == 2 and "nothing to import" in error and said in error
    assert not (tmp_path / "made").exists()
    for name in ("1.txt", "2.txt"):
        text(tmp_path / "texts" / name, "A king loses his crown.")
    with pytest.raises(DataError, match="holds 2 texts and no pictures; one side is enough"):
        Catalogue.load(tmp_path / "texts")


def test_check_opens_every_file_of_one_side(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "8.jpg").write_bytes(b"no picture")
    code, out, _ = command(capsys, "data", "check", pictures)
    assert code == 0 and "holds 3 pictures" in out and "cannot be used: 1 (8.jpg" in out
    told = json.loads(command(capsys, "data", "check", pictures, "--json")[1])
    assert (told["side"], told["n"], len(told["unusable"])) == ("poster", 3, 1)
    code, _, error = command(capsys, "data", "check", pictures, "--strict")
    assert code == 2 and "--strict allows no drop" in error


def test_pictures_and_texts_of_one_name_are_imported_as_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    for number in range(5):
        picture(source / "pictures" / f"{number}.jpg", 40 * number)
        text(source / "texts" / f"{number:04d}.txt", f"The story of item number {number}, told at length.")
    picture(source / "pictures" / "alone.jpg", 250)
    with pytest.raises(DataError, match=r"holds pictures and texts but neither info\.csv nor movies\.csv"):
        Catalogue.load(source)
    code, out, error = command(capsys, "data", "import", source, "--out", tmp_path / "made", "--look", 0)
    assert code == 0, error
    assert "6 rows read, 1 dropped, 5 items kept" in out and "source item alone: alone" in out
    made = Catalogue.load(tmp_path / "made")
    assert {movie.intro for movie in made.movies} == {
        f"The story of item number {number}, told at length." for number in range(5)
    }


def test_an_index_takes_a_table_without_a_column_of_intros(tmp_path: Path) -> None:
    text(tmp_path / "info.csv", "id,name\n3,Three\n4,Four\n")
    picture(tmp_path / "poster" / "3.jpg")
    three, four = new_items(tmp_path, ImportOptions(one_side=True))
    assert (three.item_id, three.intro, three.picture is None) == ("3", None, False)
    assert (four.item_id, four.intro, four.picture) == ("4", None, None)
