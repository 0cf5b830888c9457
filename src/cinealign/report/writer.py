"""Puts a document together: sections say what comes next, the writer finds the words and keeps the order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml

from cinealign.figures import Language
from cinealign.report.blocks import Align, Block, Bullets, Figure, Formula, Heading, Paragraph, Table, texts_of
from cinealign.report.facts import Span, Text
from cinealign.report.texts import Texts, Value


class Writer:
    """Blocks in the order in which they were asked for."""

    def __init__(self, texts: Texts, *, brief: bool = False) -> None:
        """Args:
        texts: of one language.
        brief: leave out what the report says twice, see `repeating_figure`.
        """
        self.texts, self.brief = texts, brief
        self.blocks: list[Block] = []

    @property
    def lang(self) -> Language:
        """Of the texts."""
        return self.texts.lang

    def say(self, key: str, **values: Value) -> Text:
        """As `Texts.say`."""
        return self.texts.say(key, **values)

    def heading(self, key: str, level: int = 1) -> None:
        """The title at `key`."""
        self.blocks.append(Heading(self.say(key), level))

    def paragraph(self, *sentences: Text) -> None:
        """One paragraph of these sentences; empty ones are passed over."""
        said = [sentence for sentence in sentences if sentence]
        if said:
            self.blocks.append(Paragraph(self.joined(said)))

    def joined(self, sentences: Sequence[Text]) -> Text:
        """Sentences one after the other, with a space between where the language has one."""
        gap = self.texts.word("words.gap")
        made: list[Span] = []
        for sentence in sentences:
            if made and gap:
                made.append(Span(gap))
            made += sentence
        return tuple(made)

    def bullets(self, entries: Sequence[Text]) -> None:
        """A list."""
        if entries:
            self.blocks.append(Bullets(tuple(entries)))

    def formula(self, key: str) -> None:
        """The formula at `key`."""
        self.blocks.append(Formula(" ".join(self.texts.word(key).split())))

    def table(
        self,
        caption: Text,
        head: str,
        rows: Sequence[Sequence[Text]],
        align: str,
        *,
        widths: Sequence[float] = (),
        **values: Value,
    ) -> None:
        """A table.

        Args:
            caption: above it.
            head: key of the column titles; `values` fill their places.
            rows: of cells; one cell alone is a title across.
            align: a letter a column: l, r or c.
            widths: as in `Table`.
            **values: for the column titles.
        """
        titles = [self.say(f"{head}.{at}", **values) for at in range(len(self.texts.raw(head)))]
        sides = {"l": "left", "r": "right", "c": "center"}
        self.blocks.append(
            Table(
                caption,
                tuple(titles),
                tuple(tuple(row) for row in rows),
                tuple(cast(Align, sides[letter]) for letter in align),
                tuple(widths),
            )
        )

    def figure(self, file: Path | None, caption: Text, width: float = 1.0, *, at_top: bool = False) -> None:
        """A picture; nothing where there is none."""
        if file is not None:
            self.blocks.append(Figure(file, caption, width, at_top))

    def repeating_figure(self, file: Path | None, caption: Text, width: float = 1.0) -> None:
        """A picture of numbers that a table of the report has too; a brief report does without."""
        if not self.brief:
            self.figure(file, caption, width)

    def cited(self, also: Sequence[Text]) -> dict[str, str]:
        """The works cited in the blocks and in `also`, in the order of first mention."""
        texts = [*also, *(text for block in self.blocks for text in texts_of(block))]
        keys = dict.fromkeys(span.text for text in texts for span in text if span.kind == "cite")
        works: dict[str, str] = yaml.safe_load(
            Path(__file__).parent.joinpath("texts", "references.yaml").read_text(encoding="utf-8")
        )
        return {key: works[key] for key in keys}
