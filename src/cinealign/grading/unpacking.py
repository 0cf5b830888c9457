"""A zip of a stranger unpacked: only plain files, only below the folder, and never more than a limit allows."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cinealign.errors import DataError

MOST_FILES = 20_000
MOST_BYTES = 3_000_000_000
CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one submission may hold: files, and bytes when unpacked."""

    files: int = MOST_FILES
    size: int = MOST_BYTES


def unpack(packed: Path, folder: Path, limits: Limits | None = None) -> list[str]:
    """Write the plain files of a zip below `folder`.

    Sizes are counted while unpacking, as a zip can lie about them. Links, devices, absolute names and `..` are left out and
    named; zips inside a zip stay closed.

    Args:
        packed: the zip.
        folder: an empty folder.
        limits: files and bytes at most.
    Returns:
        What was left out, one line each.
    Raises:
        DataError: damaged, encrypted, or beyond the limits.
    """
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(packed) as archive:
            entries = archive.infolist()
            if len(entries) > limits.files:
                raise DataError(f"{packed.name} holds {len(entries):,} files, at most {limits.files:,} are read")
            return _unpack(archive, entries, folder, limits.size, packed.name)
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib, lzma and struct each raise their own on damage
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{packed.name} cannot be unpacked ({said}); ask for it again") from None


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, room: int, what: str) -> list[str]:
    left_out: list[str] = []
    limit = room
    for entry in entries:
        mode = entry.external_attr >> 16
        if entry.is_dir():
            continue
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            left_out.append(f"{_shown(entry.filename)}: a link or device")
            continue
        target = _below(folder, entry.filename)
        if target is None:
            left_out.append(f"{_shown(entry.filename)}: its name leads elsewhere")
            continue
        if entry.flag_bits & 1:
            raise DataError(f"{what} is encrypted; ask for it without a password")
        if target.exists() or any(parent.is_file() for parent in target.parents if parent != folder):
            left_out.append(f"{_shown(entry.filename)}: comes twice")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("wb") as file:
            while block := source.read(CHUNK):
                room -= len(block)
                if room < 0:
                    raise DataError(f"{what} is larger than {limit / 1e6:,.0f} MB when unpacked; it is not read")
                file.write(block)
    return left_out


def _below(folder: Path, name: str) -> Path | None:
    """Where an entry goes; None where its name is absolute, climbs, or no file system would take it."""
    name = name.replace("\\", "/")
    parts = PurePosixPath(name).parts
    odd = not parts or name.startswith("/") or ".." in parts or ":" in parts[0] or not name.isprintable()
    if odd or len(name) > 1000 or any(len(part.encode(errors="replace")) > 200 for part in parts):
        return None
    return folder.joinpath(*parts)


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:80]
