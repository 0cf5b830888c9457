"""The pictures of README and docs: a run's table as the terminal shows it, posters of the drawn sample, and its description.

.venv/bin/python docs/make_pictures.py runs/default
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console

from cinealign import Catalogue, Run
from cinealign.analysis.description import describe
from cinealign.analysis.description_figure import draw_description
from cinealign.data.posters import open_poster
from cinealign.data.sample import draw_sample
from cinealign.evaluation.table import print_metrics

PICTURES = Path(__file__).parent / "pictures"
COLUMNS, ROWS, WIDTH, HEIGHT = 12, 2, 91, 134


def result(run: Run) -> None:
    console = Console(record=True, width=112, file=io.StringIO())
    print_metrics(run.metrics, f"recipe {run.metrics['recipe']}", console)
    console.save_svg(str(PICTURES / "result.svg"), title="cinealign run")


def sample() -> None:
    with tempfile.TemporaryDirectory() as folder:
        draw_sample(Path(folder) / "sample")
        posters = Catalogue.load(Path(folder) / "sample").posters[: COLUMNS * ROWS]
        sheet = Image.new("RGB", (COLUMNS * WIDTH, ROWS * HEIGHT))
        for i, poster in enumerate(posters):
            small = open_poster(poster).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
            sheet.paste(small, (i % COLUMNS * WIDTH, i // COLUMNS * HEIGHT))
        sheet.save(PICTURES / "sample.jpg", quality=88)
        draw_description(describe(Path(folder) / "sample")[0], PICTURES / "describe.png")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    result(Run(Path(sys.argv[1])))
    sample()
