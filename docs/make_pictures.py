"""The pictures of README and docs: a run's table as the terminal shows it, its analysis, the drawn sample and its description.

.venv/bin/python docs/make_pictures.py runs/default

The run must be analysed already (`cinealign analyse runs/default`). Posters are those of the drawn sample alone.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console

from cinealign import Analysis, Catalogue, Recipe, Run, align, explain
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


def questions(analysis: Analysis) -> None:
    for name in ("relation-left", "neighbours-lift", "downstream"):
        figure = analysis.figure(name)
        assert not figure["shows_posters"]
        shutil.copyfile(figure["png"], PICTURES / f"{name}.png")


def explanation() -> None:
    with tempfile.TemporaryDirectory() as folder:
        draw_sample(Path(folder) / "sample", movies=120)
        catalogue = Catalogue.load(Path(folder) / "sample")
        run = align(catalogue, Recipe.load("default"), Path(folder) / "run")
        best = min(catalogue.held_out_rows, key=lambda row: float(1 - run.vectors[0][row] @ run.vectors[1][row]))
        _, files = explain(run, catalogue, int(catalogue.ids[best]))
        shutil.copyfile(next(file for file in files if file.suffix == ".png"), PICTURES / "explain.png")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    result(Run(Path(sys.argv[1])))
    sample()
    questions(Analysis.load(Path(sys.argv[1]) / "analysis"))
    explanation()
