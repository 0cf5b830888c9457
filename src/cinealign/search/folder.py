"""An index on disk: immutable files, and one manifest that says which of them make the current generation.

| file | what |
|---|---|
| CURRENT | the name of the current manifest; replaced by a rename, which is what makes a change happen |
| manifests/000007.json | generation 7: the files that belong to it, counts, sums |
| items/000007.sqlite | what is known of some items (`items.py`); never changed once written |
| vectors/poster/, vectors/intro/ | the vectors of a side, as its engine keeps them |
| base-1/ | the space, the calibration, the card and the model; a base belongs to one build |
| lock | held by the one process that writes |

A writer adds files beside those that are there, then writes a manifest, then renames CURRENT. Killed before the rename, it
has changed nothing; the files it left are removed by the next writer. Readers hold the files of their generation open and go
on undisturbed; the files of the generation before the current one stay for readers that are just opening it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cinealign.errors import DataError, as_argument, damage_refused
from cinealign.out import HALVES, changing, write_whole

FORMAT = 1
"""Of the folder; a reader refuses another one."""
CURRENT, LOCK = "CURRENT", "lock"
MERGE_AT = 8
"""Files of about one size that become one."""
_DIGITS = 6
_BLOCK = 1 << 20
Side = str
"""`poster` or `intro`."""
SIDES: tuple[Side, Side] = ("poster", "intro")


@dataclass(frozen=True)
class Manifest:
    """One generation of an index.

    Attributes:
        generation: counts the changes; the first is 1.
        base: folder of the space, the calibration, the card and the model.
        space: file of the map from the model's vectors to the stored ones.
        engine: name of the engine of both sides.
        options: of the engine, as it was begun.
        vectors: side -> what the engine needs to open that side's vectors.
        items: files of the items, oldest first.
        removed: file of the removed items' keys, where there are any.
        settled: items that there were when all files were last written anew.
        next_key: the key that the next item gets; a key is never used twice.
        counts: items, and how many of them have a poster and an intro.
        sums: file -> size in bytes and sha256, of the files that never change.
    """

    generation: int
    base: str
    space: str
    engine: str
    options: Mapping[str, Any]
    vectors: Mapping[Side, Mapping[str, Any]]
    items: tuple[str, ...] = ()
    removed: str | None = None
    next_key: int = 0
    settled: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    sums: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT

    def following(self, **changes: Any) -> Manifest:
        """The next generation."""
        return replace(self, generation=self.generation + 1, **changes)

    @property
    def name(self) -> str:
        """Of the files that are written for this generation."""
        return f"{self.generation:0{_DIGITS}}"


def is_index(folder: Path) -> bool:
    """Whether `folder` looks like an index."""
    return (folder / CURRENT).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The current generation of the index in `folder`.

    Raises:
        DataError: no index, a damaged one, or one of another format.
    """
    if not is_index(folder):
        raise DataError(
            f"{folder} is not an index (it has no {CURRENT}); make one: cinealign index RUN --out {as_argument(folder)}"
        )
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
        given = json.loads((folder / "manifests" / name).read_text(encoding="utf-8"))
        found = given.pop("format")
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DataError(f"{folder} is a damaged index ({error}); make it again: cinealign index RUN --force") from None
    if found != FORMAT:
        raise DataError(f"{folder} has format {found} and this version reads {FORMAT}; make it again from its run")
    with damage_refused(DataError, folder / "manifests" / name, "make the index again: cinealign index RUN --force"):
        sums = {file: (int(size), str(digest)) for file, (size, digest) in given.pop("sums").items()}
        manifest = Manifest(**{**given, "items": tuple(given["items"])}, sums=sums)
        _check(manifest)
        return manifest


def _check(manifest: Manifest) -> None:
    """Raises TypeError or ValueError where a value is of another kind than `commit` writes, or names a place outside."""
    counts = [manifest.generation, manifest.next_key, manifest.settled]
    counts += [manifest.counts[name] for name in ("items", *SIDES)]
    if not all(type(count) is int and 0 <= count < 1 << 62 for count in counts):
        raise TypeError("a count is no number")
    names = [
        manifest.base,
        manifest.space,
        *manifest.items,
        *manifest.sums,
        *([manifest.removed] if manifest.removed else []),
    ]
    if not all(isinstance(name, str) and name and not name.startswith("/") and ".." not in name for name in names):
        raise ValueError("a file's name is none")
    if not all(isinstance(manifest.vectors[side], dict) for side in SIDES) or not isinstance(manifest.options, dict):
        raise TypeError("what an engine needs has no names")


def read_card(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """What the index says of itself, from its file.

    Raises:
        DataError: it cannot be read.
    """
    path = folder / manifest.base / "card.json"
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); make it again: cinealign index RUN --force") from None
    return card


def commit(folder: Path, manifest: Manifest) -> Manifest:
    """Make `manifest` the current generation: from here on the change has happened, whatever comes."""
    home = folder / "manifests"
    home.mkdir(exist_ok=True)
    file = home / f"{manifest.name}.json"
    write_whole(file, (json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n").encode(), durable=True)
    write_whole(folder / CURRENT, f"{file.name}\n".encode(), durable=True)
    return manifest


def write_array(path: Path, array: Any) -> None:
    """Write a NumPy array as .npy, on the disk before this returns; the file is new, so it needs no renaming."""
    import numpy as np

    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def sum_of(path: Path) -> tuple[int, str]:
    """Size and sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return path.stat().st_size, digest.hexdigest()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Held by the one process that changes the index; the system frees it when the process dies, however it dies.

    Raises:
        ConfigError: as `changing`.
    """
    with changing(folder, LOCK, f"{folder} is being changed by another process; wait for it to finish"):
        yield


def merge_from(sizes: Sequence[int], added: int) -> int:
    """From which of the files of `sizes` rows on all are to be merged with `added` new rows.

    Files stay few (some eight a power of two) and a row is written again only as often as that power grows.
    """
    first, size = len(sizes), added
    while True:
        run = 0
        while run < first and sizes[first - 1 - run] <= 2 * size:
            run += 1
        if run < MERGE_AT - 1:
            return first
        size += sum(sizes[first - run : first])
        first -= run


def kept_files(folder: Path, manifest: Manifest) -> set[str]:
    """Names below `folder` that the current generation and the one before it need; only those that are listed."""
    kept = {f"manifests/{manifest.name}.json", manifest.base, *manifest.items, *manifest.sums}
    kept |= {manifest.removed} if manifest.removed else set()
    before = folder / "manifests" / f"{manifest.generation - 1:0{_DIGITS}}.json"
    if before.is_file():
        earlier = json.loads(before.read_text(encoding="utf-8"))
        kept |= {f"manifests/{before.name}", earlier["base"], *earlier["items"], *earlier["sums"]}
        kept |= {earlier["removed"]} if earlier["removed"] else set()
    return kept


def sweep(folder: Path, manifest: Manifest) -> None:
    """Remove what no generation needs any more, and what a killed writer left. The caller holds the lock.

    Engines that keep a folder of their own see to it themselves.
    """
    kept = kept_files(folder, manifest)
    for pattern in ("manifests/*", "items/*", "removed/*", "vectors/*/*.npy", "vectors/*/*.part", HALVES):
        for path in folder.glob(pattern):
            if path.relative_to(folder).as_posix() not in kept:
                path.unlink(missing_ok=True)
    for path in folder.glob("base-*"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
