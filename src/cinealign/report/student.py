"""Who hands in: an id that is safe as a file name on any system, and a name that is only ever shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from cinealign.errors import ConfigError

LONGEST_ID, LONGEST_NAME = 64, 100
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)")
"""Names that some systems keep for devices."""


@dataclass(frozen=True)
class Student:
    """A student, checked.

    Attributes:
        student_id: letters, digits, `-` and `_` of ASCII, beginning and ending with a letter or digit; names files.
        name: as the student writes it; shown, never part of a path. May be "".
    """

    student_id: str
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what could leave its folder, hide in a terminal or not be a file name.

        Raises:
            ConfigError: so it is.
        """
        shown = ascii(self.student_id)
        if len(self.student_id) > LONGEST_ID or not _ID.fullmatch(self.student_id):
            raise ConfigError(
                f"--student-id {shown}: expected up to {LONGEST_ID} ASCII letters, digits, - and _, with a letter or digit "
                "at both ends"
            )
        if _RESERVED.fullmatch(self.student_id):
            raise ConfigError(
                f"--student-id {shown} is a reserved name on some systems; give the number the course knows"
            )
        if len(self.name) > LONGEST_NAME or any(unicodedata.category(letter)[0] == "C" for letter in self.name):
            raise ConfigError(f"--name {self.name!a}: expected up to {LONGEST_NAME} letters without control characters")

    def line(self) -> str:
        """Name and id on one line."""
        return f"{self.name} · {self.student_id}" if self.name else self.student_id

    def markdown(self) -> str:
        """The same for a Markdown cell, with every mark of Markdown and HTML made harmless."""
        safe = re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:/@])", r"\\\1", self.line())
        return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
