"""Whatever is given to the public functions: a wrong argument is one line of ours, and never a surprise from within."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cinealign
from cinealign import Catalogue, CineAlignError, Encoder, FeatureStore, Index, Recipe, Run, get_acc
from cinealign.arguments import as_number, as_path, one_of, shown
from cinealign.encoder import SIDES
from tests.search.conftest import lettered_data, sample_index  # noqa: F401  (fixtures)

WRONG: dict[str, Any] = {
    "nothing": None,
    "a text": "mug",
    "a number": 3.7,
    "a truth value": True,
    "not a number": float("nan"),
    "too large": 10**30,
    "below zero": -1,
    "complex": 1j,
    "bytes": b"abc",
    "an empty list": [],
    "nothing in a list": [None],
    "ragged": [[1], [2, 3]],
    "a mapping": {},
    "an object": object(),
    "a class": Run,
    "a matrix": np.zeros((2, 3)),
    "NaN in a matrix": np.full((4, 4), np.nan),
    "an empty matrix": np.zeros((0, 0)),
    "texts in an array": np.array(["a", "b"]),
    "a tensor": torch.zeros(2, 3),
    "a null character": "a\0b",
    "a long text": "x" * 5000,
}


def _is(*kinds: Any, but: Any = ()) -> Callable[[Any], bool]:
    return lambda given: isinstance(given, kinds) and not isinstance(given, but)


def _is_path(given: Any) -> bool:
    return isinstance(given, str) and "\0" not in given and len(given) < 256


def _is_texts(given: Any) -> bool:
    return isinstance(given, str) or (isinstance(given, list | np.ndarray) and all(isinstance(a, str) for a in given))


def _is_empty(given: Any) -> bool:
    return isinstance(given, list | dict | np.ndarray) and not len(given)


def _is_numbers(given: Any) -> bool:
    return isinstance(given, Real | np.ndarray | torch.Tensor) and shown(given).find("nan") < 0 and not _is_texts(given)


FITS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("Path | str", "str | os.PathLike[str]", "AlignmentModel | Path | str"), _is_path),
    **dict.fromkeys(("TrainIds", "MissingIntro", "Side", "Target", "Language", "log"), _is()),
    **dict.fromkeys(("Catalogue", "Recipe", "Run", "FeatureStore", "Encodes"), _is()),
    **dict.fromkeys(("Vectors", "ArrayLike | torch.Tensor", "given"), _is()),
    "Mapping[str, Any]": _is(dict),
    "vectors": lambda given: (
        hasattr(given, "shape") and len(given.shape) == 2 and given.shape[1] and _is_numbers(given)
    ),
    "bool": _is(bool),
    "int": _is(Integral, but=bool),
    "float": _is(Real, but=bool),
    "scores": lambda given: _is_numbers(given) or _is_empty(given),
    "str | Iterable[str]": _is_texts,
    **dict.fromkeys(("texts", "str | Sequence[str]"), _is_texts),
    "Sequence[str]": lambda given: not isinstance(given, str) and _is_texts(given),
    "questions": lambda given: _is_empty(given) or (not isinstance(given, str) and _is_texts(given)),
    **dict.fromkeys(("str | int | Sequence[str | int]", "posters"), _is_empty),
    "parts": lambda given: given is None or _is_texts(given) or _is_empty(given),
    "source": _is(bytes),
}
"""Annotation, or the name of an argument where that is more than its annotation -> what is right of the above."""
BEYOND = {"image": "posters", "plus": "parts", "minus": "parts"}
OUT_OF_SIGHT = {"judge"}
"""Methods that other parts of the package call with their own objects, as all those of the feature store."""


@pytest.fixture(scope="module")
def good(
    sample: Catalogue,
    cheap: Recipe,
    finished: Run,
    lettered: Run,
    sample_index: Index,  # noqa: F811
    sample_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """Name of an argument -> a right value; and of a class -> an object of it."""
    place = tmp_path_factory.mktemp("places")
    return {
        "Run": finished,
        "Encoder": lettered.encoder(),
        "Index": sample_index,
        "catalogue": sample,
        "recipe": cheap,
        "run": finished,
        "out": place / "out",
        "folder": place,
        "model": place,
        "name_or_file": "default",
        "given": {},
        "movie_id": 1,
        "D": np.eye(3),
        "acc1": 0.5,
        "acc2": 0.5,
        "scores": np.eye(3),
        "vectors": lettered.vectors[0],
        "side": "poster",
        "posters": [],
        "texts": [],
        "text": "a ship",
        "questions": [],
        "source": sample_folder / "poster" / "1.jpg",
    }


def _public() -> Iterator[tuple[str, str]]:
    """Owner and name of every function and method that a user may call with arguments."""
    for name in cinealign.__all__:
        thing = getattr(cinealign, name)
        if inspect.isfunction(thing):
            yield "", name
        elif inspect.isclass(thing) and not issubclass(thing, CineAlignError | list):
            own = (
                []
                if thing is FeatureStore
                else [key for key in vars(thing) if key[0] != "_" and key not in OUT_OF_SIGHT]
            )
            for key in own + ["__init__"] * (thing in (Run, Encoder, FeatureStore)):
                if callable(getattr(thing, key)) and len(_arguments(getattr(thing, key))):
                    yield name, key


def _arguments(function: Any) -> list[inspect.Parameter]:
    return [one for one in inspect.signature(function).parameters.values() if one.name != "self"]


def _fits(argument: inspect.Parameter, value: Any) -> bool:
    annotation = str(argument.annotation)
    if value is None and (annotation.endswith("| None") or argument.default is None):
        return True
    name = BEYOND.get(argument.name, argument.name)
    return FITS[name if name in FITS else annotation.removesuffix(" | None")](value)


@pytest.mark.parametrize(("owner", "name"), list(_public()))
def test_a_wrong_argument_is_one_line(owner: str, name: str, good: dict[str, Any]) -> None:
    home = good.get(owner, getattr(cinealign, owner, cinealign))
    call = getattr(cinealign, owner) if name == "__init__" else getattr(home, name)
    arguments = _arguments(call)
    right = {one.name: good[one.name] for one in arguments if one.default is inspect.Parameter.empty}
    right |= {"text": "a ship"} if name == "search" else {}
    for argument in arguments:
        for label, value in WRONG.items():
            if _fits(argument, value):
                continue
            with pytest.raises(CineAlignError) as caught:
                pytest.fail(f"{argument.name} took {label}: {call(**{**right, argument.name: value})!r}")
            assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000, label


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    distances = np.array([[0.4, 0.3, 0.9], [0.8, 0.2, 0.7], [0.9, 0.6, 0.1]])
    for ratio in (np.float32(0.34), torch.tensor(0.34), np.array(0.34)):
        assert get_acc(distances, ratio, np.int64(0)) == 1.0
    with pytest.raises(CineAlignError, match=r"ratio must be a number, got '0\.5'"):
        get_acc(distances, ratio="0.5")  # type: ignore[arg-type]
    with pytest.raises(CineAlignError, match="must be a number, got True"):
        as_number(np.bool_(True), "x")


def test_reversed_rows_of_an_array_are_vectors(finished: Run) -> None:
    poster, _ = finished.vectors
    assert np.allclose(finished.score(poster[::-1]), finished.score()[::-1], atol=1e-6)


def test_vectors_of_another_width_are_refused(finished: Run) -> None:
    wide = np.ones((2, finished.width + 1), dtype=np.float32)
    with pytest.raises(CineAlignError, match=f"poster vectors must have {finished.width} columns"):
        finished.distances(poster=wide)
    assert finished.distances(intro=wide[:0, 1:]).shape == (240, 0)


def test_a_path_may_be_one_that_nobody_has_made(tmp_path: Path) -> None:
    assert as_path(str(tmp_path / "new" / "er"), "out") == tmp_path / "new" / "er"
    (tmp_path / "file").touch()
    assert as_path(tmp_path / "file" / "in", "out") == tmp_path / "file" / "in"
    with pytest.raises(CineAlignError, match=r"out must be a path, got 'a\\x00b': embedded null byte"):
        as_path("a\0b", "out")


def test_a_choice_is_given_back_as_its_own_kind() -> None:
    assert one_of("poster", "side", SIDES) == "poster"
    with pytest.raises(CineAlignError, match="side must be one of: poster, intro, got 'mug'"):
        one_of("mug", "side", SIDES)


def test_a_filter_takes_numbers_of_numpy_and_says_what_it_does_not_take(sample_index: Index) -> None:  # noqa: F811
    year = sample_index.search("a ship", limit=1)[0].item.year
    hits = sample_index.search("a ship", where={"year": np.int64(year)}, limit=5)
    assert hits and {hit.item.year for hit in hits} == {year}
    for where in ("mug", {"title": 3}, {"genre": None}, {"genre": [object()]}, {"year": 10**30}, {3: "x"}):
        with pytest.raises(CineAlignError, match=r"where must|title must|genre must|year must|no item has a column 3"):
            sample_index.search("a ship", where=where)  # type: ignore[arg-type]
    assert not sample_index.search("a ship", offset=10**30), "a page far behind the last one"


def test_places_may_be_texts(finished: Run, sample: Catalogue, tmp_path: Path) -> None:
    _, files = cinealign.explain(finished, sample, 1, out=str(tmp_path / "explained"))
    assert files and all(file.parent == tmp_path / "explained" for file in files)
    assert os.fspath(finished.folder) == os.fspath(Run(str(finished.folder)).folder)
    assert shown("x" * 100).endswith("(102 characters)")
