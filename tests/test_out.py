"""Whole or not at all: folders and files that take their place when all of them is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinealign.errors import ConfigError
from cinealign.out import Draft, changing, forget_halves, locked, whole_file, write_whole


def nothing() -> None:
    """Refuses no place."""


def test_the_old_folder_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    for number in ("first", "second"):
        with Draft.open(out, nothing) as draft:
            (draft.folder / number).write_text("x")
            assert not out.exists() or [path.name for path in out.iterdir()] == ["first"]
            draft.finish()
    assert [path.name for path in out.iterdir()] == ["second"]
    with pytest.raises(KeyError), Draft.open(out, nothing) as draft:
        (draft.folder / "third").write_text("x")
        raise KeyError
    assert [path.name for path in out.iterdir()] == ["second"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["out", "out.partial"]
    with Draft.open(out, nothing) as draft:
        assert (draft.folder / "third").is_file(), "what was made before the interruption is gone"
        (draft.folder / "sub").mkdir()
        draft.clear()
        assert not list(draft.folder.iterdir())


def test_a_move_that_was_interrupted_is_undone(tmp_path: Path) -> None:
    (tmp_path / "out.old").mkdir()
    seen: list[bool] = []
    with Draft.open(tmp_path / "out", lambda: seen.append((tmp_path / "out").exists())):
        pass
    assert seen == [False, True], "refused before and after the previous one was put back"


def test_a_place_is_refused_again_under_the_lock(tmp_path: Path) -> None:
    calls: list[int] = []

    def refuse() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ConfigError("finished meanwhile")

    with pytest.raises(ConfigError, match="finished meanwhile"), Draft.open(tmp_path / "out", refuse):
        pass
    assert not list(tmp_path.iterdir()), "a lock or an empty draft was left"


KILLED = """
import sys, time
from pathlib import Path
from cinealign.out import locked
with locked(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "in\n"
    with pytest.raises(ConfigError, match="x is being made by another process"), locked(tmp_path / "x"):
        pass
    assert (tmp_path / "x.lock").is_file(), "whoever was refused has removed the lock of another"
    process.kill()
    process.wait()
    process.stdout.close()
    with locked(tmp_path / "x"), pytest.raises(ConfigError, match="being made"), locked(tmp_path / "x"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(KeyError), whole_file(path) as beside:
        beside.write_text("half")
        raise KeyError
    assert path.read_text() == "old" and [each.name for each in tmp_path.iterdir()] == ["a.json"]
    with whole_file(path) as beside:
        assert beside.suffix == ".json"
        beside.write_text("new")
    assert path.read_text() == "new" and [each.name for each in tmp_path.iterdir()] == ["a.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask, "others could not read what we leave behind"
    with (
        pytest.raises(ConfigError, match=r"^--out .*b\.json cannot be written: Not a directory; choose another place"),
        whole_file(path / "b.json", "--out"),
    ):
        pass


def test_halves_that_a_kill_has_left_are_forgotten_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with whole_file(tmp_path / "deep" / "a.json") as beside:
        left = [beside.with_name(name) for name in (beside.name, ".notes.part", "0123456789ab.part")]
        for path in left[1:]:
            path.touch()
        forget_halves(tmp_path)
        assert [path.exists() for path in left] == [False, True, True]
        beside.touch()
    with Draft.open(tmp_path / "out", nothing) as draft:
        (draft.folder / f".{'0f' * 6}.part.npz").touch()
        write_whole(draft.folder / "b.txt", b"all of it", durable=True)
        draft.finish()
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "out").iterdir()] == [("b.txt", b"all of it")]


def test_one_process_at_a_time_changes_a_folder(tmp_path: Path) -> None:
    busy = pytest.raises(ConfigError, match="somebody else is at it")
    with changing(tmp_path, "lock", "mine"), busy, changing(tmp_path, "lock", "somebody else is at it"):
        pass
    with changing(tmp_path, "lock", "mine"):
        pass
    refused = pytest.raises(
        ConfigError, match="none cannot be written: No such file or directory; choose another folder"
    )
    with refused, changing(tmp_path / "none", "lock", "mine"):
        pass
