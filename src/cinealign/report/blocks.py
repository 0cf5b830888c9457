"""What a report is made of: headings, paragraphs, lists, formulas, tables and figures, before anything is typeset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from cinealign.report.facts import Text

Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Heading:
    """A title in the text; level 1 is a section."""

    text: Text
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    entries: tuple[Text, ...]


@dataclass(frozen=True)
class Formula:
    """A displayed formula in Typst's notation, one of the package's own."""

    math: str


@dataclass(frozen=True)
class Table:
    """A table with a numbered caption.

    Attributes:
        caption: says split, N and k where there are numbers.
        head: the column titles.
        rows: cells; a row of one cell is a title across all columns.
        align: of each column.
        widths: relative width of each column, 0 for as wide as it must be.
    """

    caption: Text
    head: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    align: tuple[Align, ...]
    widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        columns = len(self.head)
        assert len(self.align) == columns and len(self.widths) in (0, columns)
        assert all(len(row) in (1, columns) for row in self.rows)


@dataclass(frozen=True)
class Figure:
    """A picture with a numbered caption; `width` is a share of the text's, `at_top` keeps it from the foot of a page."""

    file: Path
    caption: Text
    width: float = 1.0
    at_top: bool = False


Block = Heading | Paragraph | Bullets | Formula | Table | Figure


@dataclass(frozen=True)
class Document:
    """A whole report."""

    lang: str
    title: Text
    subtitle: tuple[Text, ...]
    abstract: tuple[Text, ...]
    blocks: tuple[Block, ...]
    references: dict[str, str] = field(default_factory=dict)
    """Key -> text of the works that are cited, in the order of their first mention."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, each block with its kind; figures by their path."""
        value = asdict(self)
        value["blocks"] = [
            {"kind": type(block).__name__.lower(), **made}
            for block, made in zip(self.blocks, value["blocks"], strict=True)
        ]
        for block in value["blocks"]:
            if block["kind"] == "figure":
                block["file"] = str(block["file"])
        return value

    def figures(self) -> list[Figure]:
        """The pictures in their order."""
        return [block for block in self.blocks if isinstance(block, Figure)]

    def texts(self) -> Iterator[Text]:
        """Every text that a reader sees, references and formulas excepted."""
        yield self.title
        yield from self.subtitle
        yield from self.abstract
        for block in self.blocks:
            yield from texts_of(block)


def texts_of(block: Block) -> Sequence[Text]:
    """The texts in `block`."""
    if isinstance(block, Heading | Paragraph):
        return [block.text]
    if isinstance(block, Bullets):
        return block.entries
    if isinstance(block, Table):
        return [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
    return [block.caption] if isinstance(block, Figure) else []
