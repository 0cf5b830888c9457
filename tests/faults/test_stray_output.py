"""The screen belongs to us: no library's warning, log line or bar reaches a user's stderr, whatever command is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from cinealign.cli.app import app
from cinealign.data.drawn.movies import draw_sample
from tests.data.download.server import MovieSite
from tests.faults.screen import MARK

ROOT = Path(__file__).parents[2]
OFFLINE: dict[str, Any] = {
    "name": "offline",
    "views": {
        "appearance": {"view": "appearance", "width": 96, "height": 128},
        "lettering": {"view": "lettering"},
        "letters": {"view": "lettering", "encoder": {"view": "text"}},
        "intro": {"view": "language_model"},
        "words": {"view": "tfidf", "min_df": 1},
        "known": {"view": "word_vectors"},
        "plain": {"view": "text"},
    },
    "align": [
        {"expert": "shared_space", "poster": "lettering", "intro": "intro"},
        {"expert": "cca", "poster": "appearance", "intro": ["words", "known"], "dimensions": 8, "ridge": 3},
        {"expert": "lexical", "poster": "letters", "intro": "plain"},
        {
            "expert": "contrastive",
            "poster": "appearance",
            "intro": "intro",
            "dimensions": 8,
            "training": {"epochs": 2, "batch_size": 8},
        },
    ],
    "fusion": {"folds": 2, "steps": 5},
    "evaluation": {"bootstrap": 100},
}
"""Every package whose weights come along is loaded: OCR, language model, word vectors, image network."""
SMALL: dict[str, Any] = {
    **OFFLINE,
    "name": "small",
    "views": {name: OFFLINE["views"][name] for name in ("appearance", "words", "intro")},
    "align": [
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 8, "ridge": 3},
        OFFLINE["align"][-1],
    ],
}
"""With the package that speaks most; seconds instead of a minute."""
COURSE = ("analyse", "explain", "notebook", "report", "submit")
"""Longer ones; `test_of_the_longer_commands` runs them."""
ELSEWHERE = {"serve", "scale"}
"""A server that does not end, and work on other machines, whose packages speak in processes of their own: not tried here."""


def folder_with(home: Path) -> Path:
    """A drawn data set, recipes, new pictures and texts, a table to import, and a folder of submissions."""
    draw_sample(home / "data", movies=60, seed=2)
    for recipe in (OFFLINE, SMALL):
        (home / f"{recipe['name']}.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    (home / "new").mkdir()
    Image.linear_gradient("L").resize((60, 90)).save(home / "new" / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0")
    Image.new("P", (60, 90), 7).save(home / "new" / "b.png", transparency=7)
    (home / "texts.txt").write_text("A sailor finds a letter.\nTwo thieves and a train.\n", encoding="utf-8")
    lines = ["id,image,text", "7,a.jpg,A sailor finds a letter", "8,b.png,Two thieves and a train"]
    (home / "new" / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return home


def spoken(home: Path, commands: list[list[str]]) -> list[dict[str, Any]]:
    """What each command ended with, what it said itself, and what others said meanwhile."""
    (home / "commands.json").write_text(json.dumps(commands), encoding="utf-8")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "CINEALIGN_CACHE": str(home / "store"), "NO_COLOR": "1"}
    environment.pop("PYTHONWARNINGS", None)
    with (home / "stray.txt").open("wb") as stray:
        subprocess.run(
            [sys.executable, "-m", "tests.faults.screen", "commands.json", "own.json"],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=stray,
            env=environment,
            check=True,
        )
    heard = (home / "stray.txt").read_text(encoding="utf-8", errors="replace").split(MARK)
    told = json.loads((home / "own.json").read_text(encoding="utf-8"))
    assert heard[0] == "" and len(told) == len(heard) - 1
    return [{**one, "stray": text.partition("\n")[2]} for one, text in zip(told, heard[1:], strict=True)]


def check(found: list[dict[str, Any]]) -> None:
    faults = [f"{' '.join(one['command'])}: not ours: {one['stray'][:2000]}" for one in found if one["stray"]]
    faults += [
        f"{' '.join(one['command'])}: {one['code']}: {one['own'][-500:]}" for one in found if not ended_well(one)
    ]
    assert not faults, "\n".join(faults)


def ended_well(one: dict[str, Any]) -> bool:
    right = {"nothing": (2,), "audit": (0, 1, 3)}.get(
        one["command"][-1] if one["command"][0] == "show" else one["command"][0]
    )
    return one["code"] in (right or (0,)) and "Traceback" not in one["own"]


@pytest.mark.parametrize("recipe", ["small", pytest.param("offline", marks=pytest.mark.slow)])
def test_the_screen_is_ours(tmp_path: Path, recipe: str) -> None:
    home = folder_with(tmp_path)
    with MovieSite(6) as site:
        public = ["--grouplens", f"{site.base}/datasets", "--metadata", f"{site.base}/meta", "--poster-host", site.host]
        commands = [
            ["data", "sample", "drawn", "--movies", "72"],
            ["data", "check", "data"],
            ["data", "describe", "data"],
            ["data", "import", "new/table.csv", "--images", "new", "--out", "imported", "--look", "0"],
            ["data", "split", "imported", "--by", "random", "--force"],
            ["data", "download", "downloaded", *public, "--rate", "200", "--yes", "--accept-licence"],
            ["run", "--recipe", f"{recipe}.yaml", "--data", "data", "--out", "run"],
            ["run", "--recipe", "small.yaml", "--data", "data", "--out", "other"],
            ["show", "run"],
            ["runs", "."],
            ["evaluate", "run", "--permutation-test"],
            ["distances", "run", "--out", "D.npy"],
            ["evaluate", "D.npy", "--data", "data"],
            ["audit", "run", "--data", "data"],
            ["slices", "run", "--data", "data"],
            ["geometry", "run"],
            ["diff", "run", "other"],
            ["plot", "run", "--out", "curves.pdf"],
            ["encode", "run", "--out", "new.npz", "--images", "new", "--texts", "texts.txt"],
            ["index", "make", "run", "--data", "data", "--no-chances"],
            ["index", "add", "run/index", "new/table.csv", "--images", "new"],
            ["index", "check", "run/index"],
            ["search", "run/index", "a letter", "--why"],
            ["search", "run/index", "--image", "new/a.jpg", "--why"],
            ["export", "run", "--out", "vectors.parquet"],
            ["compare", "small.yaml", "--seeds", "2", "--data", "data", "--out", "compared"],
            ["tune", "small.yaml", "--trials", "2", "--data", "drawn", "--out", "tuned"],
            ["cache", "info"],
            ["recipes"],
            ["runs", "."],
            ["show", "nothing"],
        ]
        found = spoken(home, commands)
    check(found)
    tried = {command[0] for command in commands} | set(COURSE) | {"grade"} | ELSEWHERE
    assert tried == {each.name or each.callback.__name__ for each in app.registered_commands} | {  # type: ignore[union-attr]
        each.name for each in app.registered_groups
    }


@pytest.mark.slow
def test_of_the_longer_commands(tmp_path: Path) -> None:
    home = folder_with(tmp_path)
    made = [
        ["run", "--recipe", "offline.yaml", "--data", "data", "--out", "run"],
        ["distances", "run", "--out", "given/ann/D.npy"],
        ["analyse", "run", "--data", "data"],
        ["explain", "run", "--movie", "1", "--data", "data"],
        ["report", "run", "--out", "r.pdf", "--data", "data"],
        ["notebook", "run", "--out", "n.ipynb", "--data", "data"],
        ["submit", "run", "--student-id", "42", "--data", "data", "--out", "handed"],
        ["grade", "given", "--data", "data", "--out", "graded"],
    ]
    (home / "given" / "ann").mkdir(parents=True)
    check(spoken(home, made))


@pytest.mark.parametrize(
    "statement",
    [
        "import warnings; warnings.warn('w')",
        "import logging; logging.getLogger('x').warning('w')",
        "import os; os.write(2, b'w')",
        "import sys; print('w', file=sys.stderr)",
    ],
)
def test_other_voices_are_heard(statement: str) -> None:
    """The test above can fail: each way in which a library speaks is told from ours."""
    code = f"import sys; from tests.faults.screen import Screen; screen = sys.stderr = Screen()\n{statement}\n"
    code += "from cinealign.progress import say; say('ours'); assert screen.own == 'ours\\n', screen.own"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert "w" in done.stderr and "ours" not in done.stderr
