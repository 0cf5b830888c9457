from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.store import FeatureStore


def shuffle_held_out_intros(source: Path, folder: Path, catalogue: Catalogue) -> None:
    """A copy of a data folder in which every held-out movie has the intro of another held-out movie."""
    shutil.copytree(source, folder)
    held_out = np.random.default_rng(1).permutation(catalogue.ids[catalogue.held_out_rows]).tolist()
    donor = dict(zip(held_out, [*held_out[1:], held_out[0]], strict=True))  # one cycle: nobody keeps their own
    with (folder / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    intros = {int(row["id"]): row["intro"] for row in rows}
    for row in rows:
        row["intro"] = intros[donor.get(int(row["id"]), int(row["id"]))]
    with (folder / "info.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def shuffled(
    tmp_path_factory: pytest.TempPathFactory, sample_folder: Path, sample: Catalogue, cheap: Recipe, store: FeatureStore
) -> Run:
    folder = tmp_path_factory.mktemp("shuffled")
    shuffle_held_out_intros(sample_folder, folder / "data", sample)
    catalogue = Catalogue.load(folder / "data")
    assert catalogue.train_rows.tolist() == sample.train_rows.tolist()
    assert sorted(catalogue.intros) == sorted(sample.intros) and catalogue.digest != sample.digest
    return align(catalogue, cheap, folder / "run", store=store)


@pytest.mark.parametrize("gallery", ["all", "held_out"])
def test_breaking_the_pairs_breaks_the_score(finished: Run, shuffled: Run, gallery: str) -> None:
    """Found partners among 2 x 96 queries: within a binomial interval around chance when broken, far above it when not.

    Among held-out movies only chance is exact; among all movies it holds as long as train movies attract no less.
    """

    def hits(run: Run) -> tuple[int, int, float]:
        held_out = len(run.ids) - len(run.train_rows)
        part = run.metrics["held_out_gallery"] if gallery == "held_out" else run.metrics
        shares = [part[d] if gallery == "held_out" else part[d]["held_out"] for d in DIRECTIONS]
        return round(sum(shares) * held_out), 2 * held_out, part["chance"]

    found, asked, chance = hits(shuffled)
    low, high = binom.ppf([0.0005, 0.9995], asked, chance)
    assert low <= found <= high
    assert hits(finished)[0] > 2 * high


def test_breaking_held_out_pairs_leaves_the_train_score(finished: Run, shuffled: Run) -> None:
    for direction in DIRECTIONS:
        assert finished.metrics[direction]["train"] > 0.95
        assert shuffled.metrics[direction]["train"] > 0.95


def test_the_same_call_gives_the_same_numbers(
    finished: Run, sample: Catalogue, cheap: Recipe, store: FeatureStore, tmp_path: Path
) -> None:
    again = align(sample, cheap, tmp_path / "again", store=store)
    for file in ("metrics.json", "catalogue.json", "recipe.yaml", "history.jsonl", "vectors.safetensors"):
        assert (again.folder / file).read_bytes() == (finished.folder / file).read_bytes(), file


def test_another_seed_gives_others(
    finished: Run, sample: Catalogue, cheap: Recipe, store: FeatureStore, tmp_path: Path
) -> None:
    other = Recipe.parse({**cheap.model_dump(mode="json"), "seed": 4})
    vectors = align(sample, other, tmp_path / "other", store=store).vectors
    assert not np.allclose(vectors[0], finished.vectors[0]), (
        "the intervals alone would differ by the seed of the bootstrap"
    )


@pytest.mark.slow
def test_default_recipe_on_the_sample(sample: Catalogue, store: FeatureStore, tmp_path: Path) -> None:
    """All parts of the recommended start, the lettering included."""
    run = align(sample, Recipe.load("default"), tmp_path / "default", store=store)
    for direction in DIRECTIONS:
        assert run.metrics[direction]["held_out"] > 0.3 > 5 * run.metrics["chance"]
    again = align(sample, Recipe.load("default"), tmp_path / "again", store=store)
    assert (again.folder / "metrics.json").read_bytes() == (run.folder / "metrics.json").read_bytes()


def test_a_folder_or_a_name_in_place_of_what_is_loaded_is_one_line(sample: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"catalogue must be a Catalogue, got str; Catalogue\.load"):
        align("data", Recipe.load("baseline"), tmp_path / "run")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"recipe must be a Recipe, got str; Recipe\.load"):
        align(sample, "baseline", tmp_path / "run")  # type: ignore[arg-type]
