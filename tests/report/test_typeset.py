from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cinealign.errors import ConfigError
from cinealign.figures import LANGUAGES
from cinealign.report import typeset
from cinealign.report.document import compose
from cinealign.report.extras import extra
from cinealign.report.facts import Span
from cinealign.report.sources import Sources
from cinealign.report.typeset import page_count, typeset_pages, typeset_pdf


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages(lang: Any, sources: Sources, curves: Path) -> None:
    document = compose(sources, lang, curves, whose="Amélie 张三")
    pdf = typeset_pdf(document)
    assert pdf.startswith(b"%PDF") and pdf == typeset_pdf(document)
    assert 6 <= len(typeset_pages(document, 20)) == page_count(pdf) <= 15


def test_words_of_the_data_are_no_markup(sources: Sources, curves: Path) -> None:
    """Titles and names are shown, never evaluated."""
    document = compose(sources, "en", curves)
    nasty = (Span('#read("/etc/passwd") $x$ ] *b* \\ @a <b> `c`'),)
    assert typeset_pdf(replace(document, title=nasty, subtitle=(nasty,))).startswith(b"%PDF")


def without(name: str) -> Callable[[str, str], Any]:
    def found(module: str, purpose: str) -> Any:
        if module.startswith(name):
            raise ConfigError(f"{purpose} needs {module!r}")
        return extra(module, purpose)

    return found


def test_without_the_chinese_font(sources: Sources, curves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeset, "cjk_font", lambda: None)
    assert typeset_pdf(compose(sources, "en", curves)).startswith(b"%PDF")
    with pytest.raises(ConfigError, match=r"Chinese report needs the font 'Noto Sans CJK SC'.*cinealign\[report\]"):
        typeset_pdf(compose(sources, "zh", curves))
