from __future__ import annotations

import copy
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cinealign.analysis.numbers import Numbers, OtherLabels
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.metrics import split_rows
from cinealign.figures import LANGUAGES
from cinealign.plain_json import from_json, to_json
from cinealign.report.blocks import Document
from cinealign.report.document import compose
from cinealign.report.facts import Fact, Span, plain
from cinealign.report.ladder import write_ladder_file
from cinealign.report.sources import Sources
from cinealign.run import Run
from cinealign.studies.compare import differences, summary

NUMBER = re.compile(r"(?<![\w-])−?\d+(?:,\d{3})*(?:\.\d+)?")
ARITHMETIC = {"len", "compared", "better", "worse"}
"""Specs of spans that count entries of their source."""
OUR_OWN = {"95", "15", "0.05", "1", "10", "0", "30", "2", "100", "5"}
"""Numbers in the texts themselves: level of intervals, full score, level of tests, R@k, smallest slice ..."""


def text_of(document: Document) -> str:
    return "\n".join(plain(text) for text in document.texts())


def files_of(run: Run, made_up: Path) -> dict[str, Any]:
    """Every JSON value that the report may print, read again from disk."""
    found: dict[str, Any] = {
        name: json.loads((run.folder / name).read_text())
        for name in ("metrics.json", "catalogue.json", "environment.json", "model/fusion.json")
    }
    found["recipe.yaml"] = yaml.safe_load((run.folder / "recipe.yaml").read_text())
    for file in (made_up / "analysis.json", *(made_up / "explain").glob("*.json")):
        found[str(file.relative_to(made_up))] = json.loads(file.read_text())
    return found


def look_up(files: dict[str, Any], source: str) -> Any:
    file = next(name for name in files if source == name or source.startswith(f"{name}/"))
    value = files[file]
    for key in source.removeprefix(file).split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def assert_printed_from(span: Span, value: Any) -> None:
    """The text is the value, to the digits that are shown."""
    if span.spec in ARITHMETIC:
        assert int(span.text) <= len(value)
    elif span.spec == "key":
        assert span.text in value
    elif isinstance(value, str):
        assert span.text == value
    elif isinstance(value, list):
        assert span.text == ", ".join(value)
    elif value is None:
        assert span.text == "–"
    elif "< " in span.text:
        assert value < float(span.text.removeprefix("< "))
    else:
        number = span.text.removeprefix("= ").replace(",", "").replace("−", "-")
        shown = float(number.removesuffix(" %")) / (100 if number.endswith("%") else 1)
        decimals = len(number.partition(".")[2]) if "%" not in number else 4
        assert abs(shown - value) <= 0.5 * 10**-decimals + 1e-12, (span, value)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_number_is_in_the_runs_json(
    lang: Any, finished: Run, made_up: Path, sources: Sources, curves: Path
) -> None:
    document, files = compose(sources, lang, curves), files_of(finished, made_up)
    printed = 0
    for text in document.texts():
        for span in text:
            if span.source is not None:
                assert_printed_from(span, look_up(files, span.source))
                printed += bool(NUMBER.search(span.text))
            elif span.kind not in ("math", "cite"):
                assert set(NUMBER.findall(span.text)) <= OUR_OWN, span
    assert printed > 150


def test_counts_are_right(sources: Sources, curves: Path) -> None:
    text = text_of(compose(sources, "en", curves))
    assert "The recipe joins 3 of them" in text
    assert "Of 2 paired comparisons of aligned features" in text and "1 are significantly better and 0" in text


def test_sections_and_references(sources: Sources, curves: Path) -> None:
    documents = {lang: compose(sources, lang, curves, whose="张三 *x* #let") for lang in LANGUAGES}
    kinds = {lang: [type(block).__name__ for block in document.blocks] for lang, document in documents.items()}
    assert kinds["en"] == kinds["zh"] and kinds["en"].count("Heading") > 15 and kinds["en"].count("Figure") == 12
    cited = {span.text for text in documents["en"].texts() for span in text if span.kind == "cite"}
    assert set(documents["en"].references) == cited == {"efficientnet", "cca", "infonce", "cka"}
    assert plain(documents["zh"].subtitle[0]) == "张三 *x* #let"


def changed(sources: Sources, name: str, changes: dict[str, Any]) -> Sources:
    """The sources with values at "key/key" of one of its files replaced."""
    fact = getattr(sources, name)
    value = copy.deepcopy(to_json(fact.value))
    for path, new in changes.items():
        *inner, last = [int(key) if key.isdecimal() else key for key in path.split("/")]
        place = value
        for key in inner:
            place = place[key]
        place[last] = new
    if name == "analysis":
        return replace(sources, analysed=replace(sources.analysed, numbers=from_json(Numbers, value)))
    return replace(sources, **{name: Fact(value, fact.place)})


@pytest.mark.parametrize(
    ("name", "changes", "before", "after"),
    [
        (
            "metrics",
            {"intervals/poster_to_intro/held_out": [0.04, 0.06], "intervals/intro_to_poster/held_out": [0.04, 0.06]},
            "Held-out partners are found more often than by chance in both directions",
            "In neither direction can held-out accuracy be told from chance",
        ),
        (
            "metrics",
            {"poster_to_intro/train": 0.5, "intervals/poster_to_intro/train": [0.3, 0.4]},
            "the train pairs are remembered",
            "In one direction only the interval of train partners",
        ),
        ("metrics", {"acc_sum": 1.2, "course_score": 12.0}, "gives the full course score", "a course score of 12.00"),
        (
            "analysis",
            {"relation/permutation/p": 0.21},
            "Posters and intros are related",
            "could not be shown (permutation test, p = 0.21)",
        ),
        (
            "analysis",
            {"relation/left/1/difference/p": 0.3},
            "With a blank appearance it falls to",
            "A blank appearance makes no significant difference",
        ),
        (
            "analysis",
            {"relation/left/1/difference/value": 0.2},
            "With a blank appearance it falls to",
            "With a blank appearance it rises to",
        ),
        (
            "analysis",
            {"relation/cca/0/mean_held_out": 0.05},
            "The closest pair of views is",
            "No pair of raw views correlates more",
        ),
        (
            "analysis",
            {"neighbours/traits/genre/spaces/intro_to_poster/lift_low/2": 0.9},
            "More than by chance, in both directions: genre.",
            "Not alike in both directions: genre.",
        ),
        (
            "analysis",
            {"downstream/table/0/difference/value": -0.2},
            "Significantly better:\ngenre probe, macro AUC (aligned poster)",
            "Significantly worse:\ngenre probe, macro AUC (aligned poster)",
        ),
        (
            "analysis",
            {"downstream/table/0/lower_is_better": True},
            "Significantly better:\ngenre probe",
            "Significantly worse:\ngenre probe",
        ),
    ],
)
def test_sentences_follow_the_numbers(
    sources: Sources, curves: Path, name: str, changes: dict[str, Any], before: str, after: str
) -> None:
    was, now = (text_of(compose(e, "en", curves)) for e in (sources, changed(sources, name, changes)))
    assert before in was and after not in was
    assert after in now and before not in now


def test_figures_of_a_chinese_report_speak_chinese(finished: Run, made_up: Path, curves: Path) -> None:
    sources = Sources.gather(finished, made_up)
    english = compose(sources, "zh", curves)
    assert "图中的标签是英文" in text_of(english)
    numbers = sources.analysed.numbers
    spoken = {name: replace(found, zh=OtherLabels(pdf=f"zh-{found.pdf}")) for name, found in numbers.figures.items()}
    told = replace(sources, analysed=replace(sources.analysed, numbers=replace(numbers, figures=spoken)))
    chinese, other = compose(told, "zh", curves), compose(told, "en", curves)
    assert "图中的标签是英文" not in text_of(chinese) and "another language" not in text_of(other)
    files = [[figure.file.relative_to(made_up) for figure in made.figures() if figure.file != curves] for made in
             (english, chinese, other)]  # fmt: skip
    assert files[1] == [Path(f"zh-{file}") for file in files[0]] and files[2] == files[0]


def test_skipped_parts_are_named(sources: Sources, curves: Path) -> None:
    text = text_of(compose(sources, "en", curves))
    for part in ("lettering blank (no view reads lettering)", "co rating (no ratings.csv)", "cold start (no ratings"):
        assert part in text


def comparison(run: Run, real: bool) -> dict[str, Any]:
    """comparison.json of two recipes and two seeds, by the functions of `compare`; `better` is really so where `real`."""
    n, dice = run.metrics["n"], np.random.default_rng(0)
    splits = split_rows(np.array(run.catalogue["train_rows"]), n)
    plain = dice.random((2, n, 2)) < 0.2
    better = plain | (dice.random((2, n, 2)) < (0.4 if real else 0.002))
    better[:, splits["held_out"][0]] = True
    hits = {"plain": plain, "better": better}
    return {
        **{"n": n, "k": 12, "ratio": 0.05, "chance": 0.05, "seeds": 2, "data": {"digest": run.catalogue["digest"]}},
        "split": {split: len(rows) for split, rows in splits.items()},
        "recipes": [{"recipe": name, "description": name, **summary(each, splits)} for name, each in hits.items()],
        "differences": differences({name: each.sum(axis=0)[splits["held_out"]] for name, each in hits.items()}, 2),
    }


@pytest.mark.parametrize("real", [True, False])
def test_comparisons_and_ladder(finished: Run, made_up: Path, curves: Path, tmp_path: Path, real: bool) -> None:
    compared = comparison(finished, real)
    assert compared["differences"][0]["sum"]["real"] is real
    (tmp_path / "comparison.json").write_text(json.dumps(compared))
    ladder = tmp_path / "ladder.csv"
    write_ladder_file(ladder, [("plain lettering", 0.41, 0.4214), ("+ genre, year", 0.5, 0.6)])
    sources = Sources.gather(finished, made_up, comparisons=[tmp_path], ladder=ladder)
    text = text_of(compose(sources, "en", curves))
    found = compared["recipes"][1]["held_out_sum"]
    low, high = found["interval"]
    said = f"{found['mean']:.3f} [{low:.3f}, {high:.3f}] ± {found['spread']:.3f}"
    assert f"The highest held-out sum has better ({said})." in text
    assert ("plain is significantly lower" in text) is real
    assert ("The difference to plain is not significant" in text) is not real
    own = finished.metrics["poster_to_intro"]["held_out"]
    assert f"{finished.recipe.name} (this run)\n{own:.3f} [" in text  # it was not compared
    assert (
        "From the simplest method to this one" in text and "plain lettering\n0.410\n0.421\n+ genre, year\n0.500" in text
    )


def test_a_run_without_vectors_is_known_by_recipe_and_data(finished: Run, made_up: Path, tmp_path: Path) -> None:
    """As the run of an unpacked submission, whose notebook words its conclusions from the analysis."""
    without = tmp_path / "run"
    shutil.copytree(finished.folder, without, ignore=shutil.ignore_patterns("vectors.safetensors"))
    assert Sources.gather(Run(without), made_up).analysis["run"]["digest"].value == finished.catalogue["digest"]
    numbers = json.loads((made_up / "analysis.json").read_text())
    numbers["run"]["digest"] = "another"
    (tmp_path / "analysis.json").write_text(json.dumps(numbers))
    with pytest.raises(DataError, match="is an analysis of another run than"):
        Sources.gather(Run(without), tmp_path)


def test_evidence_of_something_else_is_refused(finished: Run, made_up: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"analysis\.json cannot be read .*; run `cinealign analyse` first"):
        Sources.gather(finished, tmp_path)
    other = comparison(finished, True)
    other["data"]["digest"] = "another"
    (tmp_path / "comparison.json").write_text(json.dumps(other))
    with pytest.raises(ConfigError, match="compares recipes on other data than"):
        Sources.gather(finished, made_up, comparisons=[tmp_path])
    (tmp_path / "ladder.csv").write_text("step,other\n")
    with pytest.raises(
        DataError, match=r"ladder\.csv: expected a CSV with the columns step, .*benchmarks/ladder\.py .*--csv"
    ):
        Sources.gather(finished, made_up, ladder=tmp_path / "ladder.csv")
    numbers = json.loads((made_up / "analysis.json").read_text())
    numbers["run"]["vectors"] = "another"
    (tmp_path / "analysis.json").write_text(json.dumps(numbers))
    with pytest.raises(DataError, match="is an analysis of another run than"):
        Sources.gather(finished, tmp_path)
