"""What a student writes himself: cells of the notebook that are his, kept by a submission and printed in its report."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cinealign.errors import ConfigError
from cinealign.report.extras import extra

TAG = "own-words"
"""Tag of the cells; their metadata's `question` says what they are about."""
QUESTIONS = ("relation", "neighbours", "downstream")
_PROMPT = re.compile(r"^\s*\*\*(?:My analysis|我的分析)\*\*[^\n]*")
"""The line that asks for it, with whatever follows on it."""


def read_own_words(file: Path) -> dict[str, str]:
    """Question -> what stands in the student's own cells of a notebook, or of the notebook in a submission's zip.

    Raises:
        ConfigError: the file cannot be read as either.
    """
    nbformat = extra("nbformat", "a notebook")
    try:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                name = next(name for name in archive.namelist() if name.endswith(".ipynb"))
                text = archive.read(name).decode("utf-8")
        else:
            text = file.read_text(encoding="utf-8")
        return written(nbformat.reads(text, as_version=4))
    except Exception as error:  # zipfile, zlib and nbformat each raise their own on damage
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise ConfigError(f"--notebook {file} cannot be read ({said}); give a notebook or a submission's zip") from None


def kept_words(file: Path) -> dict[str, str]:
    """As `read_own_words` of a file that is going to be replaced; nothing where there is none, or none of ours."""
    try:
        return read_own_words(file) if file.is_file() else {}
    except ConfigError:
        return {}


def written(notebook: Any) -> dict[str, str]:
    """Question -> what stands in the own cells of a notebook; cells without a word of one's own are left out."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        question = cell.metadata.get("question")
        if TAG in cell.metadata.get("tags", []) and question in QUESTIONS:
            own = _PROMPT.sub("", str(cell.source)).strip()
            if own:
                found[str(question)] = own
    return found


def with_own_words(prompt: str, question: str, own: Mapping[str, str]) -> str:
    """The source of an own cell: what asks for it, and what is written already."""
    return f"{prompt}\n\n{own[question]}" if question in own else prompt


def unwritten(own: Mapping[str, str]) -> list[str]:
    """Questions of which nothing is written."""
    return [question for question in QUESTIONS if not own.get(question, "").strip()]
