"""From a document to a PDF (or pages as PNG) by Typst; the document travels as JSON, so its texts are never read as markup."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from cinealign.errors import ConfigError
from cinealign.figures import CJK_FONT, cjk_font
from cinealign.report.blocks import Document
from cinealign.report.extras import INSTALL, extra


def typeset_pdf(document: Document) -> bytes:
    """The document as PDF; equal documents give equal files.

    Raises:
        ConfigError: Typst is missing, or the Chinese font where the document is Chinese.
    """
    pdf: bytes = _compile(document, "pdf")
    return pdf


def typeset_pages(document: Document, dots_an_inch: float = 100) -> list[bytes]:
    """Every page as PNG.

    Raises:
        ConfigError: as `typeset_pdf`.
    """
    pages = _compile(document, "png", ppi=dots_an_inch)
    return pages if isinstance(pages, list) else [pages]


def page_count(pdf: bytes) -> int:
    """Pages of a PDF that `typeset_pdf` gave."""
    return max(int(count) for count in re.findall(rb"/Type/Pages/Count (\d+)", pdf))  # inner nodes count their own part


def _compile(document: Document, kind: str, **options: Any) -> Any:
    typst = extra("typst", "a report")
    fonts = _fonts(typst, document.lang)
    value = document.to_json()
    with tempfile.TemporaryDirectory(prefix="cinealign-report-") as scratch:
        folder = Path(scratch)
        for at, block in enumerate(value["blocks"]):
            if block["kind"] == "figure":
                picture = Path(block["file"])
                block["file"] = f"figure-{at}{picture.suffix}"
                shutil.copyfile(picture, folder / block["file"])
        (folder / "document.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        template = files("cinealign.report").joinpath("templates", "report.typ").read_bytes()
        (folder / "report.typ").write_bytes(template)
        return typst.compile(
            folder / "report.typ", root=folder, font_paths=fonts, ignore_system_fonts=True, format=kind, **options
        )


def _fonts(typst: Any, lang: str) -> Any:
    """Typst's own fonts and the packaged Chinese one; none of the system's, so that a report looks alike everywhere."""
    font = cjk_font()
    paths = [str(font.parent)] if font is not None else []
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=paths)
    if lang == "zh" and CJK_FONT not in fonts.families():
        raise ConfigError(
            f"a Chinese report needs the font {CJK_FONT!r}, which is not installed; install it with: {INSTALL}"
        )
    return fonts
