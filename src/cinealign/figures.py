"""How figures look and are saved: colours that everyone can tell apart, also in grey, and no hidden state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cinealign.errors import ConfigError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, without its yellow, which is too light for thin lines on paper."""
LINES = ("-", "--", "-.", ":")
"""Taken along with the colours, for print without any."""
SUFFIXES = (".pdf", ".png")
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
    "font.sans-serif": ["DejaVu Sans", "Noto Sans CJK SC"],
}


def save_figure(figure: Any, out: Path) -> list[Path]:
    """Write `figure` as PDF and as PNG of 200 dots an inch; `out` names one of the two, or both without a suffix.

    Equal figures give equal files.

    Raises:
        ConfigError: another suffix, or a place that cannot be written.
    """
    base = figure_base(out)
    files = [base.with_name(base.name + suffix) for suffix in SUFFIXES]
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            figure.savefig(file, dpi=200, metadata=_undated(file.suffix))
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
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
    part = file.with_name(f".{file.stem}.part{file.suffix}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(part, dpi=150, metadata=_undated(file.suffix))
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"--picture {file} cannot be written: {error.strerror}; choose another place") from None


def _undated(suffix: str) -> dict[str, Any]:
    return {"CreationDate": None} if suffix == ".pdf" else {"Software": None}


def figure_base(out: Path) -> Path:
    """`out` without .pdf or .png.

    Raises:
        ConfigError: it has another suffix of a picture.
    """
    if out.suffix in SUFFIXES:
        return out.with_suffix("")
    if out.suffix in (".svg", ".jpg", ".jpeg", ".eps"):
        raise ConfigError(f"--out {out}: figures are written as .pdf and .png, got {out.suffix}")
    return out
