"""The numbers of one machine, from blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.cli.scoring import score_run
from cinealign.errors import DataError
from cinealign.evaluation.metrics import evaluate_vectors, score
from cinealign.evaluation.ranks import retrieval_ranks
from cinealign.evaluation.statistics import bootstrap_interval, mean_interval, median_interval
from cinealign.run import Run
from cinealign.scale import evaluate as evaluating
from cinealign.scale.encode import Report
from cinealign.scale.evaluate import BlockTask, count_block, evaluate, longest_of
from cinealign.scale.pairs import open_pairs, read_ids


class Held:
    """Pairs in memory."""

    def __init__(self, poster: Any, intro: Any) -> None:
        self.sides = {"poster": poster, "intro": intro}
        self.count, self.train_rows = len(poster), np.arange(0, len(poster), 3)

    def read(self, side: str, rows: Any) -> Any:
        return self.sides[side][rows]


def some_pairs(count: int = 101, width: int = 17) -> Held:
    dice = np.random.default_rng(0)
    poster = dice.standard_normal((count, width)).astype(np.float32)
    intro = poster + dice.standard_normal((count, width)).astype(np.float32)
    intro[40], poster[40] = intro[7], poster[7]  # ties
    return Held(poster, intro * np.linspace(0.5, 1.5, count, dtype=np.float32)[:, None])


def test_the_numbers_of_a_run_are_those_of_evaluate(ray: Any, finished: Run) -> None:
    wanted, _ = score_run(finished.folder, None, "item", False)
    found = evaluate(finished.folder, workers=2)
    assert found == {name: wanted[name] for name in found}


def test_a_table_has_the_numbers_of_its_run(
    ray: Any, finished: Run, encoded: tuple[Path, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "QUERIES", 50)
    ids = read_ids(finished.folder / "catalogue.json")
    pairs = open_pairs(encoded[0], ids)
    table = {side: pairs.read(side, np.arange(pairs.count)) for side in ("poster", "intro")}
    wanted = evaluate_vectors(table["poster"], table["intro"], np.arange(pairs.count), pairs.train_rows, samples=100)
    assert evaluate(encoded[0], train_ids=ids, workers=2, samples=100) == wanted
    assert len(pairs.train_rows) == len(ids)
    with pytest.raises(DataError, match="no item 'zzz' with both sides, which --train-ids names"):
        open_pairs(encoded[0], ["zzz"])


@pytest.mark.parametrize("gallery", [7, 32, 1000])
@pytest.mark.parametrize("direction", ["poster_to_intro", "intro_to_poster"])
def test_ranks_by_blocks_are_those_of_the_whole(direction: str, gallery: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(evaluating, "GALLERY", gallery)
    monkeypatch.setattr(evaluating, "CHUNK", 5)
    pairs = some_pairs()
    held = np.ones(pairs.count, dtype=bool)
    held[pairs.train_rows] = False
    source, target = evaluating.SIDES[direction]
    rows = np.array([0, 7, 40, 41, 100])
    threads = torch.get_num_threads()
    longest = max(longest_of(pairs, target, at, min(at + 13, 101)) for at in range(0, 101, 13))
    every, among = count_block(BlockTask(pairs, direction, longest, held), rows)
    torch.set_num_threads(threads)
    ids = np.arange(pairs.count)
    whole = retrieval_ranks(pairs.sides[source], pairs.sides[target], ids, ids)
    assert every.tolist() == whole[rows].tolist()
    some = retrieval_ranks(pairs.sides[source][held], pairs.sides[target][held], ids[held], ids[held])
    place = {row: at for at, row in enumerate(ids[held])}
    assert [among[at] for at, row in enumerate(rows) if held[row]] == [some[place[r]] for r in rows if held[r]]


def test_a_vector_that_is_not_finite_is_named() -> None:
    pairs = some_pairs()
    pairs.sides["intro"][55, 3] = np.nan
    with pytest.raises(DataError, match="the intro vector of item 55 is not finite; encode it again"):
        longest_of(pairs, "intro", 50, 101)


def test_a_sample_of_queries_is_measured_in_the_whole_gallery() -> None:
    dice = np.random.default_rng(1)
    ranks = [dice.integers(1, 1001, 1000) for _ in range(2)]
    rows = np.sort(dice.choice(1000, 300, replace=False))
    train = np.arange(400)
    sampled = score(*(each[rows] for each in ranks), train_rows=train, n=1000, samples=50, rows=rows)
    assert sampled["n"] == 1000 and sampled["k"] == 50
    held = rows[rows >= 400]
    assert sampled["poster_to_intro"]["held_out"] == (ranks[0][held] <= 50).mean()
    assert sampled["ranks"]["intro_to_poster"]["train"]["queries"] == np.count_nonzero(rows < 400)
    whole = score(*ranks, train_rows=train, n=1000, samples=50)
    assert score(*ranks, train_rows=train, n=1000, samples=50, rows=np.arange(1000)) == whole


def test_large_sample_intervals_are_what_the_bootstrap_tends_to() -> None:
    ranks = np.random.default_rng(2).geometric(0.02, 20_000)
    hits = ranks <= 30
    np.testing.assert_allclose(mean_interval(hits), bootstrap_interval(hits, samples=1000)[0], atol=5e-4)
    np.testing.assert_allclose(mean_interval(1 / ranks), bootstrap_interval(1 / ranks, samples=1000)[0], atol=5e-4)
    drawn = bootstrap_interval(ranks, statistic="median", samples=200)[0]
    np.testing.assert_allclose(median_interval(ranks), drawn, atol=1)
    train = np.arange(10)
    n = len(ranks)
    ranks = np.minimum(ranks, n)
    small, large = (score(ranks, ranks[::-1], train_rows=train, n=n, samples=samples) for samples in (300, 0))
    assert small["poster_to_intro"] == large["poster_to_intro"]
    np.testing.assert_allclose(large["intervals"]["acc_sum"], small["intervals"]["acc_sum"], atol=2e-3)
    assert small["intervals"].keys() == large["intervals"].keys()
    assert small["intervals"]["ranks"]["poster_to_intro"]["all"].keys() == (
        large["intervals"]["ranks"]["poster_to_intro"]["all"].keys()
    )
