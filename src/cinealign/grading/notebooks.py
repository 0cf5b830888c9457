"""Notebooks that share passages: code compared as syntax trees without names and order, prose as sentences."""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

SHORTEST_CODE, SHORTEST_PROSE = 60, 25
"""Characters of a normalised statement, or a sentence, below which anyone may write it."""
SHARED = 0.3
"""Share of the shorter notebook's own passages from which two are shown."""
FEWEST = 3
"""Passages that two notebooks share at least."""
COMMON = 4
"""Notebooks from which a passage is taken for a hand-out's."""
LARGEST = 5_000_000
"""Characters of the cells of a notebook that are looked at."""
LARGEST_FILE = 100_000_000
"""Bytes of a notebook with its outputs."""
SHOWN = 5


@dataclass(frozen=True)
class Passages:
    """What of a notebook is compared: normalised passage -> the passage as it stands.

    Attributes:
        file: name of the notebook.
        code: statements of 60 characters or more; imports are left out.
        prose: sentences of markdown.
    """

    file: str
    code: dict[str, str]
    prose: dict[str, str]

    @property
    def everything(self) -> dict[str, str]:
        """Both kinds."""
        return {**self.code, **self.prose}


@dataclass(frozen=True)
class Shared:
    """What two notebooks share.

    Attributes:
        files: names of both.
        part: of the shorter one's own passages, in [0, 1].
        passages: as both have them, the first few: (in the one, in the other).
        count: how many passages are shared.
    """

    files: tuple[str, str]
    part: float
    passages: tuple[tuple[str, str], ...]
    count: int

    def line(self) -> str:
        """One line for the table."""
        one, other = self.files
        return f"notebooks {one} and {other} share {self.count} passages, {self.part:.0%} of the shorter one"


def passages(notebook: Path) -> Passages | None:
    """The passages of a notebook; None where it cannot be read or is absurdly large. Nothing of it is executed."""
    try:
        if notebook.stat().st_size > LARGEST_FILE:
            return None
        cells = json.loads(notebook.read_text(encoding="utf-8-sig"))["cells"]
        return of_cells(notebook.name, [(str(cell["cell_type"]), _source(cell)) for cell in cells])
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError, MemoryError):
        return None


def of_cells(name: str, cells: Iterable[tuple[str, str]]) -> Passages:
    """Passages of (kind, source) cells."""
    code: dict[str, str] = {}
    prose: dict[str, str] = {}
    room = LARGEST
    for kind, source in cells:
        room -= len(source)
        if room < 0:
            break
        if kind == "code":
            code |= statements(source)
        elif kind == "markdown":
            prose |= sentences(source)
    return Passages(name, code, prose)


def statements(source: str) -> dict[str, str]:
    """Normalised statements of a cell: comments, layout and the names of variables do not count; imports are left out."""
    lines = ["pass" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
        found = {}
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            shown = ast.unparse(node)
            normal = ast.unparse(_Renamed().visit(node))
            if len(normal) >= SHORTEST_CODE:
                found[normal] = shown
        return found
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def sentences(text: str) -> dict[str, str]:
    """Sentences of prose in either language; spaces, case and marks of markdown do not count."""
    found = {}
    for part in re.split(r"(?<=[.!?])\s+|[。！？\n]+", text):
        normal = re.sub(r"[\W_]+", "", part).lower()
        if len(normal) * (2 if re.search("[\u4e00-\u9fff]", normal) else 1) >= SHORTEST_PROSE:
            found[normal] = " ".join(part.split())
    return found


def compare(all_of: Sequence[Sequence[Passages]]) -> list[tuple[int, int, Shared]]:
    """Pairs of submissions whose notebooks share passages that are neither this program's nor a hand-out's.

    Args:
        all_of: notebooks of each submission.
    Returns:
        (place of the one, place of the other, what they share).
    """
    seen = Counter(normal for books in all_of for normal in {text for book in books for text in book.everything})
    dropped = {normal for normal, count in seen.items() if count >= max(COMMON, len(all_of) // 2)} | _generated()
    found = []
    for at, one in enumerate(all_of):
        for further, other in enumerate(all_of[at + 1 :], at + 1):
            best = [shared for a in one for b in other if (shared := _shared(a, b, dropped)) is not None]
            if best:
                found.append((at, further, max(best, key=lambda shared: shared.part)))
    return found


def _shared(one: Passages, other: Passages, dropped: set[str]) -> Shared | None:
    mine = {normal: text for normal, text in one.everything.items() if normal not in dropped}
    theirs = {normal: text for normal, text in other.everything.items() if normal not in dropped}
    both = sorted(mine.keys() & theirs.keys(), key=len, reverse=True)
    shorter = min(sum(map(len, mine)), sum(map(len, theirs)))
    part = sum(map(len, both)) / shorter if shorter else 0.0
    if len(both) < FEWEST or part < SHARED:
        return None
    shown = tuple((mine[normal][:400], theirs[normal][:400]) for normal in both[:SHOWN])
    return Shared((one.file, other.file), part, shown, len(both))


@cache
def _generated() -> frozenset[str]:
    """Passages of the notebooks that this program itself writes."""
    found: dict[str, str] = {}
    for entry in files("cinealign.report").joinpath("templates").iterdir():
        if entry.name.endswith(".py"):
            text = entry.read_text(encoding="utf-8")
            for cell in re.split(r"^# %%.*$", text, flags=re.MULTILINE):
                found |= statements(cell)
                found |= sentences(re.sub(r"^# ?", "", cell, flags=re.MULTILINE))
        elif entry.name.endswith(".md"):
            found |= sentences(entry.read_text(encoding="utf-8"))
    return frozenset(found)


def _source(cell: Any) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


class _Renamed(ast.NodeTransformer):
    """Variables, arguments and functions by the order in which they come."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def _name(self, name: str) -> str:
        return name if hasattr(builtins, name) else self._names.setdefault(name, f"v{len(self._names)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self._name(node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._name(node.arg)
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._name(node.name)
        self.generic_visit(node)
        return node
