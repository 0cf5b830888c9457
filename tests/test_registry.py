from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from cinealign.errors import ConfigError
from cinealign.registry import PartOptions, Registry


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = 1


class Options(PartOptions):
    box: str = ""
    size: int = Field(3, ge=1, lt=10)
    mode: Literal["soft", "hard"] = "soft"
    inner: Inner | None = None
    even: int = 2

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"must be even, got {value}")
        return value


class Box:
    Options = Options

    def __init__(self, options: Options) -> None:
        self.options = options


@pytest.fixture
def boxes() -> Registry[Box, Options]:
    return Registry("box", {"plain": f"{__name__}:Box"})


def test_builds_with_defaults_and_options(boxes: Registry[Box, Options]) -> None:
    assert boxes.build("plain").options.size == 3
    assert boxes.build("plain", {"size": 4, "inner": {"depth": 2}}).options.size == 4
    assert boxes.kind("plain") is Box


def test_options_are_also_found_by_name(boxes: Registry[Box, Options]) -> None:
    options = boxes.parse({"box": "plain", "size": 4})
    assert options["size"] == 4 and options["mode"] == "soft"
    for name in ("sise", "model_dump"):
        with pytest.raises(KeyError, match=f"no option '{name}'; choose one of: box, size, mode"):
            options[name]


def test_own_kinds(boxes: Registry[Box, Options]) -> None:
    boxes.register("mine", Box)
    assert boxes.names() == ["mine", "plain"]
    for taken in ("mine", "plain"):
        with pytest.raises(ConfigError, match=f"box '{taken}' is registered already"):
            boxes.register(taken, Box)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"sise": 1},
            r"unknown key 'sise' in boxes\[0\]; did you mean 'size'\? choose one of: box, even, inner, mode, size",
        ),
        (
            {"inner": {"deep": 1}},
            r"unknown key 'deep' in boxes\[0\]\.inner; did you mean 'depth'\? choose one of: depth",
        ),
        ({"size": 0}, r"boxes\[0\]\.size must be >= 1, got 0"),
        ({"size": 10}, r"boxes\[0\]\.size must be < 10, got 10"),
        ({"size": "many"}, r"boxes\[0\]\.size: .*integer.*got 'many'"),
        ({"mode": "odd"}, r"boxes\[0\]\.mode must be one of 'soft' or 'hard', got 'odd'"),
        ({"even": 3}, r"boxes\[0\]\.even: must be even, got 3"),
    ],
)
def test_refused_options(boxes: Registry[Box, Options], given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        boxes.parse({"box": "plain", **given}, "boxes[0]")


def test_unknown_kind(boxes: Registry[Box, Options]) -> None:
    with pytest.raises(ConfigError, match=r"^unknown box 'round'; choose one of: plain$"):
        boxes.kind("round")
    with pytest.raises(ConfigError, match=r"^boxes\[0\]: unknown box 'round'"):
        boxes.build("round", {}, "boxes[0]")


def test_a_name_alone_or_checked_options_will_do(boxes: Registry[Box, Options]) -> None:
    options = boxes.parse("plain")
    assert options == boxes.parse({"box": "plain"}) == Options(box="plain") and boxes.parse(options) is options
    assert boxes.make(options).options is options
    for given, message in (
        (3, r"^boxes: expected a box with its options, got 3"),
        ({}, r"^boxes\.box is missing; choose"),
    ):
        with pytest.raises(ConfigError, match=message):
            boxes.parse(given, "boxes")
