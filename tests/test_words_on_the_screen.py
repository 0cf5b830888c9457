"""Pictures and texts need not be of movies: messages, tables and figures say "item"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

PACKAGE = Path(__file__).parent.parent / "src" / "cinealign"
DRAWN = set((PACKAGE / "data" / "drawn").glob("*.py")) | {PACKAGE / "cli" / "data.py"}
"""The drawn catalogue is one of movies."""
ASSIGNMENT = {
    PACKAGE / "report" / "templates" / "notebook.py",
    PACKAGE / "report" / "texts.py",  # the word that it replaces by the data's noun
    PACKAGE / "cli" / "data_download.py",
    PACKAGE / "views" / "intro" / "language_model_states.py",  # what its model is told to look for
    *(PACKAGE / "data" / "download").glob("*.py"),
}
"""The assignment's story and MovieLens are about movies."""
NAMES = re.compile(r"movies?\.csv|movies?_\w+|movieid|\w*/movielens|movies?", re.IGNORECASE)
"""Names of files, columns and keys, where nothing else is said."""


def strings(code: str) -> Iterator[str]:
    """Every string of `code` but docstrings, an f-string in its pieces."""
    tree = ast.parse(code)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def said(text: str) -> bool:
    """Whether `text` calls something a movie, rather than naming a file, a column or a key."""
    return bool(re.search(r"(?i)\bmovies?\b(?!\.csv)", text)) and not NAMES.fullmatch(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N movies", True),
        ("one row a movie", True),
        ("movie", False),
        ("movies", False),
        ("movie_id", False),
        ("has no column movie_id", False),
        ("neither info.csv nor movies.csv", False),
        ("../shared/movielens", False),
    ],
)
def test_said(text: str, expected: bool) -> None:
    assert said(text) is expected


def test_no_message_says_movie() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {text!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path not in DRAWN | ASSIGNMENT
        for text in strings(path.read_text(encoding="utf-8"))
        if said(text)
    ]
    assert not found


def test_no_recipe_says_movie() -> None:
    described = [
        yaml.safe_load(path.read_text(encoding="utf-8"))["description"] for path in (PACKAGE / "recipes").glob("*.yaml")
    ]
    assert described and not [text for text in described if said(text)]
