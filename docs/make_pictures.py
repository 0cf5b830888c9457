"""The pictures of README and docs: a run's table, the drawn sample, its description, an explanation, a page of a report.

.venv/bin/python docs/make_pictures.py runs/default

Posters are those of the drawn sample alone.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console

from cinealign import Catalogue, Recipe, Run, align, analyse, explain
from cinealign.cli.show.metrics import print_metrics
from cinealign.data.drawn.movies import draw_sample
from cinealign.data.posters import open_poster
from cinealign.describe.folder import describe
from cinealign.describe.page import draw_description
from cinealign.report.document import compose
from cinealign.report.sources import Sources
from cinealign.report.typeset import typeset_pages
from cinealign.studies.curves import plot_run

PICTURES = Path(__file__).parent / "pictures"
COLUMNS, ROWS, WIDTH, HEIGHT = 12, 2, 91, 134
EXPLAINED = 94


def result(run: Run) -> None:
    console = Console(record=True, width=144, file=io.StringIO())
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


def explanation_and_report() -> None:
    """A small recipe that reads no lettering, so that this takes seconds."""
    recipe = Recipe.parse(
        {
            **{"name": "small", "seed": 3},
            "views": {
                "appearance": {"view": "appearance", "width": 96, "height": 128},
                "words": {"view": "tfidf"},
            },
            "align": [
                {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 32, "ridge": 3},
                {
                    **{"expert": "contrastive", "poster": "appearance", "intro": "words", "dimensions": 32},
                    "training": {"epochs": 6, "batch_size": 64},
                },
                {"expert": "memory", "poster": "appearance", "intro": "words"},
            ],
            **{"fusion": {"folds": 3, "steps": 50}, "evaluation": {"bootstrap": 100}},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        draw_sample(Path(folder) / "sample")
        catalogue = Catalogue.load(Path(folder) / "sample")
        run = align(catalogue, recipe, Path(folder) / "run")
        _, files = explain(run, catalogue, EXPLAINED)
        with Image.open(next(file for file in files if file.suffix == ".png")) as picture:
            small = picture.convert("RGB").resize((1140, 945), Image.Resampling.LANCZOS)
        small.quantize(128).save(PICTURES / "explain.png", optimize=True)
        sources = Sources.gather(run, analyse(run, catalogue).folder)
        document = compose(sources, "en", plot_run(run, Path(folder) / "curves.pdf")[0])
        with Image.open(io.BytesIO(typeset_pages(document, dots_an_inch=80)[0])) as picture:
            picture.convert("RGB").quantize(64).save(PICTURES / "report.png", optimize=True)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    result(Run(Path(sys.argv[1])))
    sample()
    explanation_and_report()
