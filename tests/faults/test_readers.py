"""Whatever bytes a reader is given, it ends in a result or in one line, leaves other files alone and says nothing but ours."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cinealign.errors import CineAlignError
from cinealign.run import Run
from tests.faults.damage import damaged, damages
from tests.faults.readers import READERS, told

QUICK = settings.get_current_profile_name() == "quick"
LONGEST_S = 30.0
fuzzed = settings(
    max_examples=12 if QUICK else settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=READERS)
def place(request: pytest.FixtureRequest, tmp_path: Path, finished: Run) -> Iterator[tuple[str, Path]]:
    """A reader, and a folder with files that it likes."""
    home = tmp_path / "around" / "home"
    home.mkdir(parents=True)
    READERS[request.param].make(home, finished.folder)
    yield request.param, home


@fuzzed
@given(which=st.integers(0, 1 << 20), changes=damages)
def test_any_bytes_end_in_a_result_or_in_one_line(
    place: tuple[str, Path], which: int, changes: list[tuple[str, int, Any]]
) -> None:
    name, home = place
    reader = READERS[name]
    every = sorted(path for path in home.glob(reader.files) if path.is_file())
    file = every[which % len(every)]
    sound = file.read_bytes()
    file.write_bytes(damaged(sound, changes))
    others = {path: path.stat().st_mtime_ns for path in home.parent.rglob("*") if path.is_file() and path != file}
    began = time.monotonic()
    try:
        reader.read(home, file)
    except CineAlignError as error:
        told(error)
    finally:
        file.write_bytes(sound)
    assert time.monotonic() - began < LONGEST_S
    after = {path: path.stat().st_mtime_ns for path in home.parent.rglob("*") if path.is_file() and path != file}
    if name == "feature store":  # writes beside, in its own folder
        others, after = ({path for path in found if path.suffix != ".sqlite"} for found in (others, after))
        assert {path for path in after if path.parent != home} == {path for path in others if path.parent != home}
    else:
        assert after == others, "a reader has written"


def test_sound_files_are_read(place: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """What the test above begins with is no refusal already."""
    name, home = place
    refused = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.faults.readers.told", lambda error: refused.append(str(error)))
        for file in filter(Path.is_file, home.glob(READERS[name].files)):
            READERS[name].read(home, file)
    assert not refused
    shutil.rmtree(home)
