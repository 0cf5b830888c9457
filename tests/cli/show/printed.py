"""Tables of the terminal as plain text."""

from __future__ import annotations

import io

from rich.console import Console

from cinealign.cli.show.metrics import PLAIN_WIDTH, print_metrics
from cinealign.evaluation.metrics import Metrics


def metrics_text(metrics: Metrics, title: str = "", width: int = PLAIN_WIDTH) -> str:
    """What `print_metrics` prints as plain text: no colour, no control codes, `width` columns."""
    file = io.StringIO()
    print_metrics(metrics, title, Console(file=file, width=width, no_color=True, force_terminal=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
