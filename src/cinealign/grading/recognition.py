"""What a submission holds: a run of this program, a matrix D or vectors of both sides, notebooks and what they claim."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinealign.data.system_files import left_by_a_system
from cinealign.distance.files import READERS
from cinealign.errors import DataError
from cinealign.grading.vectors import holds_vectors, two_files

LARGEST_MATRIX = 1_500_000_000
"""Bytes of a file of D, unpacked too, beyond which it is not opened."""
LARGEST_NOTEBOOK = 100_000_000
_MATRIX_NAME = re.compile(r"^d(?![a-z])|dist|matrix|cost|距离", re.IGNORECASE)
_CLAIM = re.compile(r"(?:acc\w*|准确率|正确率)[^0-9\n%]{0,40}([01]\.[0-9]+|[0-9]{1,3}(?:\.[0-9]+)?\s*%)", re.IGNORECASE)
SAVE_D = """import numpy as np
D = np.asarray(D, dtype=np.float32)  # (N, N): D[i, j] is the distance of poster i and intro j
np.save("D.npy", D)"""
"""The cell with which a student saves D, where a submission has none."""
NO_D = "no D; the sheet shows a cell of three lines that saves it"
_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
_PICKLED = (".pkl", ".pickle", ".joblib", ".dill")


@dataclass(frozen=True)
class Found:
    """The parts of one submission.

    Attributes:
        run: folder of a run of this program.
        matrix: file of D.
        vectors: files of the vectors of both sides, one or two, where there is no D.
        beside: the same where there is a D too.
        notebooks, reports: .ipynb and .pdf files.
        pickles: files that are not opened.
        claims: accuracies in [0, 1] that outputs of notebooks print, in order.
        remarks: what is missing or odd.
    """

    run: Path | None = None
    matrix: Path | None = None
    vectors: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()
    notebooks: tuple[Path, ...] = ()
    reports: tuple[Path, ...] = ()
    pickles: tuple[Path, ...] = ()
    claims: tuple[float, ...] = ()
    remarks: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """run, matrix, vectors, or nothing to score."""
        return "run" if self.run else "vectors" if self.vectors else "matrix" if self.matrix else "-"


def recognise(submission: Path) -> Found:
    """Look through an unpacked submission; links are not followed.

    Args:
        submission: its folder, or its one file.
    """
    files = [submission] if submission.is_file() else _files(submission)
    remarks: list[str] = []
    runs = [path.parent for path in files if path.name == "metrics.json" and (path.parent / "recipe.yaml").is_file()]
    notebooks = tuple(path for path in files if path.suffix.lower() == ".ipynb")
    reports = tuple(path for path in files if path.suffix.lower() == ".pdf")
    pickles = tuple(path for path in files if path.suffix.lower() in _PICKLED)
    claims: list[float] = []
    for notebook in notebooks:
        try:
            claims += claimed(notebook)
        except DataError as error:
            remarks.append(str(error))
    vectors = () if runs else _vectors(files, remarks)
    matrix = None if runs or vectors else _matrix(files, remarks)
    beside = () if matrix is None else _both_sides([path for path in files if path != matrix], remarks)
    for missing, there in (("notebook", notebooks), ("report (PDF)", reports)):
        if not there:
            remarks.append(f"no {missing}")
    if pickles:
        remarks.append(f"pickles are not opened: {', '.join(path.name[:60] for path in pickles[:3])}")
    if packed := [path.name[:60] for path in files if path.suffix.lower() in _ARCHIVES]:
        remarks.append(f"archives inside are not opened: {', '.join(packed[:3])}")
    if not runs and not vectors and matrix is None:
        remarks.append(NO_D)
    run = runs[0] if runs else None
    return Found(run, matrix, vectors, beside, notebooks, reports, pickles, tuple(claims), remarks)


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not left_by_a_system(path.relative_to(folder))
    )


def claimed(notebook: Path) -> list[float]:
    """Accuracies that the kept outputs of a notebook print.

    Raises:
        DataError: too large, or no notebook.
    """
    if notebook.stat().st_size > LARGEST_NOTEBOOK:
        raise DataError(f"{notebook.name} is larger than {LARGEST_NOTEBOOK / 1e6:.0f} MB; its outputs are not read")
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8-sig"))["cells"]
        text = "\n".join(_text(output) for cell in cells for output in cell.get("outputs", []))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
        raise DataError(f"{notebook.name} cannot be read as a notebook") from None
    if not text.strip():
        raise DataError(f"{notebook.name} has no kept outputs; run all cells and save")
    shares = [float(number.rstrip("% ")) / (100 if "%" in number else 1) for number in _CLAIM.findall(text)]
    return [share for share in shares if 0 <= share <= 1]


def _text(output: Any) -> str:
    lines = output.get("text", output.get("data", {}).get("text/plain", ""))
    return "".join(lines) if isinstance(lines, list) else str(lines)


def _vectors(files: list[Path], remarks: list[str]) -> tuple[Path, ...]:
    """Files of the vectors of both sides, where no file is called as D is."""
    could_be = [path for path in files if path.suffix.lower() in READERS]
    if any(_MATRIX_NAME.search(path.stem) and not holds_vectors(path) for path in could_be):
        return ()
    return _both_sides(could_be, remarks)


def _both_sides(files: list[Path], remarks: list[str]) -> tuple[Path, ...]:
    """One archive of both sides, or a file of each."""
    could_be = [path for path in files if path.suffix.lower() in READERS]
    archives = [path for path in could_be if holds_vectors(path)]
    found: tuple[Path, ...] = (archives[0],) if archives else two_files(could_be) or ()
    if sum(map(_size, found)) > LARGEST_MATRIX:
        remarks.append(f"{found[0].name} takes more than {LARGEST_MATRIX / 1e9:.1f} GB; it is not read")
        return ()
    return found


def _matrix(files: list[Path], remarks: list[str]) -> Path | None:
    """The file of D: the one whose name says so, else the only one that could be."""
    could_be = [path for path in files if path.suffix.lower() in READERS and path.name.lower() not in _SIDE_FILES]
    named = [path for path in could_be if _MATRIX_NAME.search(path.stem)]
    chosen = named or [path for path in could_be if path.suffix.lower() != ".txt"]
    if len(chosen) > 1:
        chosen.sort(key=lambda path: (path.stem != "D", -path.stat().st_size))
        remarks.append(f"{len(chosen)} files could be D; {chosen[0].name} is taken, the others are not read")
    if chosen and (size := _size(chosen[0])) > LARGEST_MATRIX:
        remarks.append(f"{chosen[0].name} takes {size / 1e9:.1f} GB; at most {LARGEST_MATRIX / 1e9:.1f} GB are read")
        return None
    return chosen[0] if chosen else None


_SIDE_FILES = (
    "train.txt",
    "stop_words.txt",
    "requirements.txt",
    "vocabulary.csv",
    "info.csv",
    "movies.csv",
    "readme.txt",
)


def _size(path: Path) -> int:
    """Bytes of a file, of an archive those it claims to hold."""
    size = path.stat().st_size
    if path.suffix.lower() in (".npz", ".pt", ".pth"):
        try:
            with zipfile.ZipFile(path) as archive:
                return max(size, sum(entry.file_size for entry in archive.infolist()))
        except Exception:  # damaged: its reader says so
            return size
    return size
