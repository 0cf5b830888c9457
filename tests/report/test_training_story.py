"""The network in the notebook: its cells run, train, compare on inner folds and say what the numbers say."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cinealign.data.catalogue import Catalogue
from cinealign.errors import DataError
from cinealign.figures import LANGUAGES, drawing, label_of
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.report.blocks import Figure, texts_of
from cinealign.report.facts import Fact
from cinealign.report.notebook import execute_notebook, make_notebook
from cinealign.report.sections.method import write_method
from cinealign.report.sources import Sources
from cinealign.report.texts import Texts
from cinealign.report.training_story import (
    LEARNED,
    REMEMBERED,
    STEADY,
    WORSENED,
    changed_history,
    has_network,
    history_table,
    network_numbers,
    network_of,
    over_fitting,
    parameter_table,
    remembered,
)
from cinealign.report.writer import Writer
from cinealign.run import Run
from cinealign.studies.curves import draw_run
from cinealign.studies.network_picture import draw_network, plot_network
from cinealign.training.networks.two_tower import two_towers
from cinealign.views.store import FeatureStore
from tests.report.test_notebook import said

SMALL: dict[str, Any] = {
    "name": "small-network",
    "seed": 2,
    "views": {
        "lettering": {"view": "lettering", "encoder": {"view": "language_model"}},
        "intro": {"view": "language_model"},
    },
    "align": [
        {
            "expert": "network",
            "languages": [{"intro": "intro", "poster": ["lettering"], "dimensions": 16}],
            "rank": 4,
            "folds": 3,
            "memory": 8,
            "training": {"epochs": 2, "batch_size": "full", "learning_rate": 3e-3, "decay_to": "start"},
        }
    ],
    "evaluation": {"bootstrap": 100},
}


@pytest.fixture(scope="module")
def network(rated: Catalogue, store: FeatureStore, lettered: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of a small network; `lettered` has put what is read into the store."""
    return align(rated, Recipe.parse(SMALL), tmp_path_factory.mktemp("network") / "run", store=store)


def test_the_notebook_trains_it_and_compares_a_change(
    network: Run, rated: Catalogue, kernel_store: None, tmp_path: Path
) -> None:
    places = {"DATA": rated.folder, "RUN": network.folder, "RECIPE": network.folder / "recipe.yaml"}
    notebook = make_notebook("en", {**places, "TRAINED": tmp_path / "changed", "TRAIN": True}, network=True)
    end = next(at for at, cell in enumerate(notebook.cells) if cell.source.startswith("## 7."))
    notebook.cells = notebook.cells[:end]
    cell = next(cell for cell in notebook.cells if cell.source.startswith("CHANGES = []"))
    cell.source = cell.source.replace("CHANGES = []", 'CHANGES = ["align.0.training.epochs=3"]')
    execute_notebook(notebook, tmp_path)
    changed, text = Run(tmp_path / "changed"), said(notebook)
    shown = [
        out["data"].get("text/markdown", "") for c in notebook.cells for out in c.get("outputs", []) if "data" in out
    ]
    assert any(inspect.getsource(two_towers) in code for code in shown)
    assert [entry["epoch"] for entry in changed.history] == [0, 1, 2, 3]
    sentence, numbers = over_fitting(changed.history)
    assert sentence.format(**numbers) in text
    ((gap, numbers),) = remembered(changed.history)
    assert gap.format(**numbers) in text
    ours, library = next(line for line in text.splitlines() if line.startswith("ten lines: ")).split(", library: ")
    assert ours.removeprefix("ten lines: ") == library
    table = changed_history(network.folder, changed)
    assert table is not None and "saved run" in text and "this run" in text
    best = next(entry for entry in network.history if entry.get("chosen"))
    assert table.loc["saved run", "inner log rank"] == best["inner_log_rank"]


def test_tables_follow_the_module_and_the_history(network: Run) -> None:
    towers = network.model.experts[0].towers  # type: ignore[attr-defined]
    table = parameter_table(towers)
    assert table.loc["total"].tolist() == [
        sum(weight.numel() for weight in towers.parameters() if weight.requires_grad),
        sum(weight.numel() for weight in towers.parameters() if not weight.requires_grad),
    ]
    assert history_table(network.history)["chosen"].tolist().count("*") == 1
    assert changed_history(network.folder, network) is None
    titles = [axes.get_title() for axes in draw_run(network).axes]
    assert {"gates", "inner log rank", "gradient norm", "temperature"} <= set(titles)


def test_over_fitting_is_said_where_left_out_pairs_get_worse() -> None:
    def history(*ranks: float) -> list[dict[str, Any]]:
        best = ranks.index(min(ranks))
        return [
            {
                "kind": "network",
                "expert": 0,
                "epoch": at,
                "loss": 3.0 - at,
                "inner_log_rank": rank,
                "chosen": at == best,
            }
            for at, rank in enumerate(ranks)
        ]

    assert over_fitting(history(2.0, 1.9, 1.95))[0] == WORSENED
    assert over_fitting(history(2.0, 1.9, 1.9005))[0] == STEADY
    assert over_fitting(history(2.0, 1.9, 1.8))[0] == STEADY
    assert all(label_of(text, "zh") != text for text in (WORSENED, STEADY))
    with pytest.raises(DataError, match="no epoch of a network"):
        over_fitting([{"kind": "contrastive", "expert": 0, "epoch": 1}])


def test_only_a_recipe_with_a_network_gets_its_cells(cheap: Recipe) -> None:
    assert has_network(Recipe.load("default")) and not has_network(cheap)
    assert not any("CHANGES" in cell.source for cell in make_notebook("en", {}).cells)


def test_the_report_draws_it_and_names_its_sizes(network: Run, tmp_path: Path, sources: Sources, curves: Path) -> None:
    towers = network_of(network)
    for lang in LANGUAGES:
        with drawing(lang):
            figure = draw_network(towers)
        told = [text.get_text() for text in figure.axes[0].texts]
        assert any("384 → 16" in text and "4" in text for text in told)
        assert sum(f"= {network.width}" in text for text in told) == 2
        picture = plot_network(towers, tmp_path / f"{lang}.pdf", lang)
        numbers = Fact(network_numbers(network), "model/network")
        recipe = Fact(yaml.safe_load((network.folder / "recipe.yaml").read_text()), "recipe.yaml")
        fusion = Fact({"weights": [1.0]}, "model/fusion.json")
        writer = Writer(Texts(lang, "movie"))
        write_method(writer, replace(sources, network=numbers, recipe=recipe, fusion=fusion), picture)
        places = {span.source: span.text for block in writer.blocks for text in texts_of(block) for span in text}
        trained = sum(weight.numel() for weight in towers.parameters() if weight.requires_grad)
        assert places["model/network/trained"] == f"{trained:,}"
        assert places["recipe.yaml/align/0/loss/loss"] == "info_nce"
        assert {"recipe.yaml/align/0/training/optimizer", "model/network/frozen"} <= places.keys()
        assert any(isinstance(block, Figure) and block.file == picture for block in writer.blocks)


def test_the_gap_between_train_and_left_out_pairs_is_said() -> None:
    def history(**inner: float) -> list[dict[str, Any]]:
        losses = [{"loss": 3.0, **({"inner_loss": 3.5} if inner else {})}, {"loss": 1.0, "chosen": True, **inner}]
        return [{"kind": "network", "expert": 0, "epoch": at, **entry} for at, entry in enumerate(losses)]

    ((sentence, numbers),) = remembered(history(inner_loss=3.4))
    assert sentence == REMEMBERED and "from 3.500 to 3.400: most" in sentence.format(**numbers)
    assert remembered(history(inner_loss=2.4))[0][0] == LEARNED
    assert remembered(history()) == []  # a run of before
    for text in (REMEMBERED, LEARNED):
        assert label_of(text, "zh") != text and label_of(text, "zh").format(**numbers)
