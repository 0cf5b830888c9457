"""Hostile archives: each is survived, and nothing is written outside the folder or beyond the limits."""

import io
import stat
import struct
import zipfile

import pytest

from cinealign.errors import DataError
from cinealign.grading.unpacking import Limits, unpack

SMALL = Limits(files=100, size=1_000_000)


def packed(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


CLIMBING = [
    "../out.txt",
    "a/../../out.txt",
    "/etc/out.txt",
    "..\\out.txt",
    "C:\\out.txt",
    "C:/out.txt",
    "a/..\\..\\..\\out.txt",
    "./../out.txt",
    "a\nb/out.txt",
    "x" * 250,
    "/".join(["deep"] * 300),
]


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_lead_elsewhere_are_left_out(tmp_path, name):
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    left_out = unpack(packed(tmp_path / "z.zip", [(name, b"x"), ("good.txt", b"y")]), folder, SMALL)
    assert len(left_out) == 1 and "leads elsewhere" in left_out[0] and "\n" not in left_out[0]
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {
        "z.zip",
        "in",
        "in/side",
        "in/side/good.txt",
    }


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_left_out(tmp_path, kind):
    archive = packed(tmp_path / "z.zip", [(entry("link", kind | 0o777), b"/etc/passwd"), ("link/under.txt", b"x")])
    (tmp_path / "to").mkdir()
    assert "link: a link or device" in unpack(archive, tmp_path / "to", SMALL)
    assert not (tmp_path / "to" / "link").is_symlink()


def test_a_file_twice_and_a_file_that_is_a_folder_too(tmp_path):
    (tmp_path / "to").mkdir()
    with pytest.warns(UserWarning):
        archive = packed(tmp_path / "z.zip", [("a", b"first"), ("a", b"second"), ("a/b", b"x")])
    assert [line.partition(":")[2] for line in unpack(archive, tmp_path / "to", SMALL)] == [
        " comes twice",
        " comes twice",
    ]
    assert (tmp_path / "to" / "a").read_bytes() == b"first"


def bomb(path):
    return packed(path, [("zeros.bin", bytes(50_000_000))])


def lying_bomb(path):
    """The sizes in its directory say 10 bytes."""
    raw = bytearray(bomb(path).read_bytes())
    at = raw.find(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(raw))
    return path


def many(path):
    return packed(path, [(f"{number}", b"") for number in range(101)])


def nested(path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", bytes(50_000_000))
    return packed(path, [("inner.zip", inner.getvalue())])


def encrypted(path):
    raw = bytearray(packed(path, [("a", b"secret")]).read_bytes())
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (bomb, "is larger than 1 MB when unpacked"),
        (lying_bomb, "cannot be unpacked|is larger"),
        (many, "holds 101 files, at most 100"),
        (encrypted, "is encrypted"),
    ],
)
def test_bombs_and_locked_archives_are_refused(tmp_path, make, said):
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match=said):
        unpack(make(tmp_path / "z.zip"), tmp_path / "to", SMALL)
    assert sum(path.stat().st_size for path in (tmp_path / "to").iterdir()) <= 1_000_000


def test_a_zip_inside_stays_closed(tmp_path):
    (tmp_path / "to").mkdir()
    assert unpack(nested(tmp_path / "z.zip"), tmp_path / "to", SMALL) == []
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["inner.zip"]


@pytest.mark.parametrize("keep", [0, 1, 10, 30, 60, 100, -1, -10, -30])
def test_damaged_archives_are_refused(tmp_path, keep):
    archive = packed(tmp_path / "z.zip", [("a.txt", b"content " * 50), ("b.txt", b"more " * 50)])
    archive.write_bytes(archive.read_bytes()[:keep])
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "to", SMALL)


@pytest.mark.parametrize("at", range(30, 60, 3))
def test_changed_content_is_refused(tmp_path, at):
    archive = packed(tmp_path / "z.zip", [("a.txt", bytes(range(256)) * 8)])
    raw = bytearray(archive.read_bytes())
    raw[at] ^= 0x5A
    archive.write_bytes(bytes(raw))
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "to", SMALL)
