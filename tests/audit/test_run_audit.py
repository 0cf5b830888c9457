"""Every fake of a run that we can think of, and the check that catches it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from cinealign.audit.audit import audit_run
from cinealign.audit.checks import (
    check_columns,
    check_given_matrix,
    check_metrics,
    check_ratio,
    check_rebuild,
    check_split,
    check_ties,
    check_vectors,
    first_difference,
)
from cinealign.audit.evidence import Evidence
from cinealign.audit.findings import worst
from cinealign.audit.refit import check_refit
from cinealign.distance.distances import distance_matrix
from cinealign.environment import blas_threads
from cinealign.evaluation.metrics import evaluate_vectors
from cinealign.experts.fusion import fusion_weights
from cinealign.fitting import cross_fit, fit_model
from cinealign.model import AlignmentModel
from cinealign.run import Run
from cinealign.state import State
from cinealign.views.registry import VIEWS
from cinealign.views.weights import MissingWeightsError


def rescored(run: Run, catalogue) -> None:
    """Give a spoiled run the metrics of its own vectors, as a careful faker would."""
    run = Run(run.folder)
    poster, intro = run.vectors
    samples = run.recipe.evaluation.bootstrap
    scored = evaluate_vectors(poster, intro, run.ids, run.train_rows, seed=run.recipe.seed, samples=samples)
    rewrite(run.folder / "metrics.json", lambda metrics: {**metrics, **scored})


def rewrite(path, change) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")


def save_model(run: Run, model: AlignmentModel, extracts) -> None:
    model.save(run.folder / "model")
    vectors = {
        "poster": model.encode_poster_extracts(extracts.poster),
        "intro": model.encode_intro_extracts(extracts.intro),
    }
    State(vectors).save(run.folder / "vectors.safetensors")


def fresh(evidence: Evidence) -> Evidence:
    """The run as it now lies on disk; the data are what they were."""
    again = Evidence(Run(evidence.run.folder), evidence.catalogue, evidence.store)
    again.__dict__["extracts"] = evidence.extracts
    return again


@pytest.fixture
def evidence(copied, sample, store) -> Evidence:
    return Evidence(copied, sample, store)


def test_an_honest_run_passes_every_check(finished, sample, store):
    heard = []
    findings = audit_run(finished, sample, store=store, heard=heard.append)
    assert findings == heard
    assert [f for f in findings if f.verdict == "FAIL"] == []
    assert worst(findings) == "PASS"
    by_name = {finding.check: finding for finding in findings}
    for name in ("split", "recipe", "ratio", "metrics", "rebuilt D", "special diagonal", "train-only refit"):
        assert by_name[name].verdict == "PASS", by_name[name].line()
    assert "bit for bit the same" in by_name["train-only refit"].said
    assert "PASS  ratio: headline at 0.05, k = int(0.05 * 240) = 12" in [finding.line() for finding in findings]
    json.dumps([finding.to_json() for finding in findings], allow_nan=False)


@pytest.mark.parametrize("amount", [0.5, 1e-3])
def test_a_lowered_diagonal_is_not_what_the_model_gives(evidence, finished, amount):
    """One more coordinate a held-out movie lowers D[i, i] and no other entry; metrics are made to agree."""
    run, held_out = evidence.run, evidence.catalogue.held_out_rows
    poster, intro = finished.vectors
    extra = np.zeros((len(poster), len(held_out)), dtype=np.float32)
    extra[held_out, np.arange(len(held_out))] = np.sqrt(amount)
    faked = State({"poster": np.hstack([poster, extra]), "intro": np.hstack([intro, extra])})
    faked.save(run.folder / "vectors.safetensors")
    rescored(run, evidence.catalogue)
    assert check_metrics(fresh(evidence)).verdict == "PASS"
    assert check_rebuild(fresh(evidence)).verdict == "FAIL"


def test_vectors_moved_by_noise_sized_amounts_are_not_what_the_model_gives(evidence, finished):
    poster, intro = finished.vectors
    held_out = evidence.catalogue.held_out_rows
    moved = poster.copy()
    moved[held_out] += 1e-3 * intro[held_out]
    State({"poster": moved, "intro": intro}).save(evidence.run.folder / "vectors.safetensors")
    found = check_rebuild(fresh(evidence))
    assert found.verdict == "FAIL"
    assert f"{len(held_out)} items have other vectors than the model gives them ({len(held_out)} held out" in found.said


@pytest.mark.parametrize("fake", ["lowered", "noise", "transposed", "nan", "constant", "honest"])
def test_a_matrix_that_is_said_to_be_the_runs(evidence, finished, fake):
    D = distance_matrix(*finished.vectors)
    rows = evidence.catalogue.held_out_rows
    if fake == "lowered":
        D[rows, rows] -= 0.5
    elif fake == "noise":
        D[rows, rows] -= np.abs(np.random.default_rng(0).normal(0, 0.01, len(rows))).astype(np.float32) + 2e-4
    elif fake == "transposed":
        D = D.T.copy()
    elif fake == "nan":
        D[rows[0]] = np.nan
    elif fake == "constant":
        D[rows[0]] = 0.5
    found = check_given_matrix(evidence, D)
    assert found.verdict == ("PASS" if fake == "honest" else "FAIL")
    if fake in ("lowered", "noise"):
        assert f"{len(rows)} diagonal entries ({len(rows)} held out) and 0 others" in found.said
    if fake == "transposed":
        assert "it is the transpose of this run's D" in found.said


def test_the_refit_has_the_threads_of_the_run(evidence):
    """Linear algebra too: sums in another order make other last bits."""
    path = evidence.run.folder / "environment.json"
    assert json.loads(path.read_text())["blas_threads"] >= 1
    with threadpool_limits(3, user_api="blas"):
        for asked, expected in (({"blas_threads": 2, "threads": 1}, 2), ({"threads": 1}, 1)):
            path.write_text(json.dumps(asked))
            with fresh(evidence).threads():
                assert blas_threads() == expected
            assert blas_threads() == 3


def test_training_on_held_out_pairs_is_caught_by_the_refit(evidence, sample, cheap):
    everything = evidence.extracts.training_set(np.arange(len(sample)))
    save_model(evidence.run, fit_model(cheap, everything), evidence.extracts)
    rescored(evidence.run, sample)
    assert check_metrics(fresh(evidence)).verdict == check_rebuild(fresh(evidence)).verdict == "PASS"
    found = check_refit(fresh(evidence))
    assert found.verdict == "FAIL"
    assert "not what the train pairs alone give" in found.said
    assert {"view words", "expert 0 (cca)", "expert 2 (memory)"} <= set(found.details["differing"])


def test_tf_idf_of_all_intros_is_caught_by_the_refit(evidence, sample, finished):
    """Only the idf: vocabulary, experts and weights stay those of the train rows."""
    model = AlignmentModel.load(evidence.run.folder / "model")
    intros = evidence.extracts.intro["words"]
    state = model.views["words"].state()
    frequency = [sum(term in terms for terms in map(set, intros)) for term in state.values["vocabulary"]]
    state.arrays["idf"] = np.log((1 + len(intros)) / (1 + np.array(frequency))) + 1
    model.views["words"].load_state(state)
    save_model(evidence.run, model, evidence.extracts)
    rescored(evidence.run, sample)
    found = check_refit(fresh(evidence))
    assert found.verdict == "FAIL"
    assert list(found.details["differing"]) == ["view words"]


def test_fusion_weights_of_all_pairs_are_caught_by_the_refit(evidence, sample, cheap):
    model = AlignmentModel.load(evidence.run.folder / "model")
    everything = evidence.extracts.training_set(np.arange(len(sample)))
    fixed = [options.weight for options in cheap.align]
    fusion = cheap.fusion
    out_of_fold = cross_fit(cheap, everything)
    model.weights = fusion_weights(out_of_fold, fixed, temperature=fusion.temperature, steps=fusion.steps)
    save_model(evidence.run, model, evidence.extracts)
    found = check_refit(fresh(evidence))
    assert found.verdict == "FAIL"
    assert list(found.details["differing"]) == ["fusion weights"]


def test_a_train_list_with_held_out_movies_is_caught_by_the_split(evidence):
    more = sorted([*evidence.run.train_rows.tolist(), *evidence.catalogue.held_out_rows[:5].tolist()])
    rewrite(evidence.run.folder / "catalogue.json", lambda saved: {**saved, "train_rows": more})
    found = check_split(fresh(evidence))
    assert found.verdict == "FAIL"
    assert "5 more (items" in found.said


def test_movies_in_another_order_or_of_other_data_are_caught(evidence, sample):
    rewrite(evidence.run.folder / "catalogue.json", lambda saved: {**saved, "ids": saved["ids"][::-1]})
    assert "row 0 is item" in check_split(fresh(evidence)).said
    changed = replace(evidence.catalogue, digest="0" * 64)
    rewrite(evidence.run.folder / "catalogue.json", lambda saved: {**saved, "ids": saved["ids"][::-1]})
    found = check_split(Evidence(Run(evidence.run.folder), changed, evidence.store))
    assert found.verdict == "FAIL"
    assert "an intro or poster is another one" in found.said


@pytest.mark.parametrize("change", [{"ratio": 0.5}, {"k": 120}, {"n": 2400}])
def test_a_changed_ratio_is_caught(evidence, change):
    rewrite(evidence.run.folder / "metrics.json", lambda metrics: {**metrics, **change})
    found = check_ratio(fresh(evidence))
    assert found.verdict == "FAIL"
    assert f"{next(iter(change))} is {next(iter(change.values()))}, must be" in found.said


def test_edited_metrics_are_caught(evidence):
    def better(metrics):
        metrics["poster_to_intro"]["held_out"] += 0.01
        return metrics

    rewrite(evidence.run.folder / "metrics.json", better)
    found = check_metrics(fresh(evidence))
    assert found.verdict == "FAIL"
    assert "poster_to_intro.held_out is" in found.said


def test_nan_constant_and_transposed_vectors_are_caught(evidence, finished):
    poster, intro = finished.vectors
    path = evidence.run.folder / "vectors.safetensors"
    broken = poster.copy()
    broken[7] = np.nan
    State({"poster": broken, "intro": intro}).save(path)
    assert "NaN or infinite (rows 7)" in check_vectors(fresh(evidence)).said
    same = np.repeat(poster[:1], len(poster), axis=0)
    State({"poster": same, "intro": intro}).save(path)
    spoiled = fresh(evidence)
    assert check_vectors(spoiled).said == "all poster vectors are equal: the model has collapsed"
    assert check_ties(spoiled).verdict == "FAIL"
    State({"poster": intro, "intro": poster}).save(path)
    assert check_rebuild(fresh(evidence)).verdict == "FAIL"


def test_ties_of_equal_content_and_of_nothing_found_are_no_collapse(evidence, finished):
    poster, intro = (side.copy() for side in finished.vectors)
    poster[:40] = 0  # posters without a word, for a model that reads them
    intro[:40] = intro[0]
    State({"poster": poster, "intro": intro}).save(evidence.run.folder / "vectors.safetensors")
    assert check_ties(fresh(evidence)).verdict == "FAIL"
    shared = evidence.catalogue.movies[0].intro
    movies = tuple(
        replace(movie, intro=shared) if row < 40 else movie for row, movie in enumerate(evidence.catalogue.movies)
    )
    captions = fresh(evidence)
    captions.catalogue = replace(evidence.catalogue, movies=movies)
    found = check_ties(captions)
    # two further items of the sample have one text; where they lie in a batch decides whether their vectors are equal
    said = r"40 items share their poster vector with another, 4[02] their"
    assert found.verdict == "NOTE" and re.match(said, found.said)


def test_weights_that_are_not_here_leave_the_question_open(copied, sample, store, monkeypatch):
    def missing(*_: object) -> None:
        raise MissingWeightsError("needs weights 'a/model' and they are not on this machine; pass --weights DIR")

    for view in copied.recipe.views.values():
        monkeypatch.setattr(VIEWS.kind(view.view), "extract", missing)
    findings = audit_run(copied, sample, store=store)
    unmade = [found for found in findings if "needs weights 'a/model'" in found.said]
    assert {found.verdict for found in unmade} == {"NOTE"} and "rebuilt D" in {found.check for found in unmade}
    assert worst(findings) == "NOTE"


def test_a_model_that_looks_at_the_partner_or_at_other_items_is_caught(evidence):
    class Peeking:
        """Encodes as the model does, and adds something of an item's place or of the other items."""

        def __init__(self, model, place):
            self.recipe, self.views = model.recipe, model.views
            self.encode_poster_extracts = model.encode_poster_extracts
            self._model, self._place = model, place

        def encode_intro_extracts(self, extracts):
            vectors = self._model.encode_intro_extracts(extracts)
            if self._place:
                return vectors + np.linspace(0, 1e-3, len(vectors), dtype=np.float32)[:, None]
            return vectors - vectors.mean(axis=0)

    honest = evidence.model
    for place, said in ((True, "look at their place or partner"), (False, "the model is transductive")):
        seen = Evidence(evidence.run, evidence.catalogue, evidence.store)
        seen.run.__dict__["model"] = Peeking(honest, place)
        found = check_columns(seen)
        assert found.verdict == "FAIL"
        assert said in found.said


def test_where_json_differs():
    one = {"a": [1, {"b": 0.1}], "c": None}
    assert first_difference(one, {"a": [1, {"b": 0.1 + 1e-12}], "c": None}) == ""
    assert first_difference(one, {"a": [1, {"b": 0.2}], "c": None}) == "a.1.b is 0.1, must be 0.2"
    assert first_difference(one, {"a": [1, {"b": 0.1}], "c": None, "d": 1}) == "d is missing"
    assert first_difference({"a": True}, {"a": 1}) == ""
    assert first_difference({"a": None}, {"a": 1}) == "a is None, must be 1"
