"""The look of all figures: colours, sizes, label language and saving."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from cinealign.errors import ConfigError
from cinealign.out import write_whole

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CJK_FONT = "Noto Sans CJK SC"
"""Of the package noto-cjk-sans-otc."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, without its yellow, which is too light for thin lines on paper."""
LINES = ("-", "--", "-.", ":")
"""Taken along with the colours, for print without any."""
SUFFIXES = (".pdf", ".png")
DPI = 200
"""Of PNG files; letters are a little wider at another one, so figures are laid out at it too."""
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "pdf.fonttype": 42,
    "figure.constrained_layout.use": True,
}
_language: ContextVar[Language] = ContextVar("language of figures", default="en")


@contextmanager
def drawing(lang: Language = "en") -> Iterator[None]:
    """Whatever is drawn meanwhile looks like our figures, and its labels speak `lang` (see `label`).

    Raises:
        ConfigError: the language needs a font that is not installed.
    """
    import logging

    import matplotlib

    if lang == "zh" and cjk_font() is None:
        raise ConfigError(
            f"Chinese figures need the font {CJK_FONT!r}; install it with: pip install 'cinealign[report]'"
        )
    style = {**STYLE, "font.family": fonts()}
    if lang == "zh":
        style = {**style, "pdf.fonttype": 3}  # a font of 19 MB is cut to size ten times faster so
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # the font has one weight, which is no news
    before = _language.set(lang)
    try:
        with matplotlib.rc_context(style):
            yield
    finally:
        _language.reset(before)


def label(text: str, **values: Any) -> str:
    """`text` in the language of the figure that is being drawn, with `values` in its places.

    A text that is not in figure_labels.zh.yaml, such as a genre or the name of a view, stays as it is.
    """
    told = label_of(text, _language.get())
    return told.format(**values) if values else told


_RANGE = re.compile(r"([\d.,]+) to ([\d.,]+)")


def label_of(text: str, lang: Language) -> str:
    """`text` as it stands in figures whose labels speak `lang`."""
    if lang != "zh":
        return text
    labels = _labels()
    if text in labels:
        return labels[text]
    if bounds := _RANGE.fullmatch(text):
        return f"{bounds[1]}–{bounds[2]}"
    for pattern, told in _patterns():
        if found := pattern.fullmatch(text):
            return told.replace("*", "{}").format(*found.groups())
    return text


def spoken(lang: Language) -> Language:
    """`lang` where figures can be drawn in it on this machine, else "en"."""
    return "en" if lang == "zh" and cjk_font() is None else lang


def fonts(first: str = "DejaVu Sans") -> list[str]:
    """`first`, and after it the font with Chinese letters where it is installed: what the one lacks the other has."""
    return [first, CJK_FONT] if _registered(cjk_font()) else [first]


def cjk_font() -> Path | None:
    """The file of the packaged font with Chinese letters; None where it is not installed."""
    try:
        from noto_cjk_sans_otc import FONT_PATH
    except ModuleNotFoundError:
        return None
    return Path(str(FONT_PATH))


@cache
def _registered(font: Path | None) -> bool:
    """Whether matplotlib has the font, after it was told of it."""
    if font is None:
        return False
    from matplotlib import font_manager

    font_manager.fontManager.addfont(font)
    return any(entry.name == CJK_FONT for entry in font_manager.fontManager.ttflist)


@cache
def _labels() -> dict[str, str]:
    import yaml

    text = files("cinealign").joinpath("figure_labels.zh.yaml").read_text(encoding="utf-8")
    labels: dict[str, str] = yaml.safe_load(text)
    return labels


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Labels with a * for what may stand there, such as the genre in "always *"."""
    return [
        (re.compile(re.escape(text).replace(r"\*", "(.+?)")), told) for text, told in _labels().items() if "*" in text
    ]


def save_figure(figure: Any, out: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """Write `figure` as PDF and as PNG of `DPI` dots an inch, or as one of them; `out` has either suffix or none.

    Equal figures give equal files.

    Raises:
        ConfigError: another suffix, or a place that cannot be written.
    """
    base = figure_base(out)
    files = [base.with_name(base.name + suffix) for suffix in suffixes]
    for file in files:
        _write(figure, file, "--out", DPI)
    return files


def check_page(file: Path) -> None:
    """See that `file` can name a page.

    Raises:
        ConfigError: it is neither a .png nor a .pdf, or a folder.
    """
    if file.suffix not in SUFFIXES or file.is_dir():
        raise ConfigError(f"--picture {file}: expected a file name that ends in .png or .pdf")


def save_page(figure: Any, file: Path) -> None:
    """Write `figure` to `file` alone; it appears whole or not at all, and equal figures give equal files.

    Raises:
        ConfigError: as `check_page`, or a place that cannot be written.
    """
    check_page(file)
    _write(figure, file, "--picture", 150)


def _write(figure: Any, file: Path, option: str, dpi: int) -> None:
    """Draw in memory, as the PDF writer hides what the system told it behind an error of its own."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format=file.suffix[1:], dpi=dpi, metadata=_undated(file.suffix))
    write_whole(file, drawn.getvalue(), option)


def _undated(suffix: str) -> dict[str, Any]:
    return {"CreationDate": None} if suffix == ".pdf" else {"Software": None}


def figure_base(out: Path) -> Path:
    """`out` without .pdf or .png.

    Raises:
        ConfigError: it has another suffix: a point with two to five letters behind it, so that `ridge-0.5` is a name.
    """
    if out.suffix in SUFFIXES:
        return out.with_suffix("")
    if re.fullmatch(r"\.[A-Za-z]{2,5}", out.suffix):
        raise ConfigError(f"--out {out}: figures are written as {' and '.join(SUFFIXES)}, got {out.suffix}")
    return out
