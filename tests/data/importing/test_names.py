"""Names of pictures as several systems write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from cinealign.data.importing.names import PictureNames
from cinealign.errors import DataError


def folder(home: Path, *names: str) -> PictureNames:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x")
    return PictureNames(home)


@pytest.mark.parametrize(
    ("written", "on_disk"),
    [
        ("a/1.jpg", "a/1.jpg"),
        ("./a/1.jpg", "a/1.jpg"),
        ("/1.jpg", "1.jpg"),
        ("a\\1.jpg", "a/1.jpg"),
        ("C:\\Users\\ann\\a\\1.jpg", "a/1.jpg"),
        ("/home/ann/posters/a/1.jpg", "a/1.jpg"),
        ("file:///home/ann/a/1.jpg", "a/1.jpg"),
        ("1.jpg", "1.JPG"),
        ("A/Big.jpg", "a/big.JPG"),
        ("1", "1.JPG"),
        ("a/1", "a/1.jpeg"),
        ("1.jpg", "1.png"),
        ("1.jpg", "deeper/still/1.jpg"),
        ("Big%20Sleep.jpg", "Big Sleep.jpg"),
        ("Am%C3%A9lie.jpg", "Amélie.jpg"),
        (unicodedata.normalize("NFD", "Amélie.jpg"), unicodedata.normalize("NFC", "Amélie.jpg")),
        (unicodedata.normalize("NFC", "가나.jpg"), unicodedata.normalize("NFD", "가나.jpg")),
        ("7.0.jpg", "7.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("1.jfif", "1.jfif"),
    ],
)
def test_the_one_file_that_is_meant(tmp_path: Path, written: str, on_disk: str) -> None:
    names = folder(tmp_path, on_disk, "other/x.jpg", ".hidden/1.jpg", "__MACOSX/1.jpg", "a/._1.jpg")
    assert names.by_path(written) == tmp_path / on_disk
    exact = (tmp_path / written.replace("\\", "/")).exists()
    assert (written in names.loosely) is not exact


@pytest.mark.parametrize("written", ["2.jpg", "b/1.jpg", "a/1.jpg/x", "x" * 300, "a\0b", "a", "/etc/a/b/1"])
def test_what_is_not_there(tmp_path: Path, written: str) -> None:
    names = folder(tmp_path, "a/1.jpg")
    if written.startswith("/"):
        with pytest.raises(DataError, match="is outside"):
            names.by_path(written)
    else:
        assert names.by_path(written) is None


def test_two_files_that_fit_are_refused(tmp_path: Path) -> None:
    names = folder(tmp_path, "a/1.jpg", "b/1.jpg", "2.png", "2.gif")
    with pytest.raises(DataError, match=r"has two pictures that fit 1\.jpg: a/1\.jpg and b/1\.jpg; name it as written"):
        names.by_path("1.jpg")
    with pytest.raises(DataError, match=r"two pictures for the id 2: 2\.gif and 2\.png"):
        names.by_id("2")
    assert names.by_path("b/1.jpg") == tmp_path / "b" / "1.jpg"


def test_one_file_is_no_picture_of_two_names(tmp_path: Path) -> None:
    names = folder(tmp_path, "1.jpg")
    assert names.by_path("a/1.jpg") == tmp_path / "1.jpg" == names.by_path("a/1.jpg")
    with pytest.raises(DataError, match=r"'a/1\.jpg' and 'b/1\.jpg' would both be the picture 1\.jpg"):
        names.by_path("b/1.jpg")


@pytest.mark.parametrize(
    ("item", "on_disk"),
    [("7", "7.jpg"), ("7.0", "0007.png"), ("0007", "7.JPG"), ("ab", "AB.jfif"), ("ab.jpg", "ab.jpg"), ("x", "d/x.jpe")],
)
def test_ids(tmp_path: Path, item: str, on_disk: str) -> None:
    names = folder(tmp_path, on_disk, "8.jpg")
    assert names.by_id(item) == tmp_path / on_disk and names.by_id("9") is None


def test_ids_prefer_the_top_of_the_folder(tmp_path: Path) -> None:
    assert folder(tmp_path, "7.jpg", "thumbs/7.jpg").by_id("7") == tmp_path / "7.jpg"


def test_no_link_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "A.jpg").symlink_to(tmp_path / "secret.jpg")
    names = PictureNames(tmp_path / "home")
    for look in (lambda: names.by_path("a.jpg"), lambda: names.by_path("A.jpg"), lambda: names.by_id("a")):
        with pytest.raises(DataError, match=r"outside|leaves the folder"):
            look()
