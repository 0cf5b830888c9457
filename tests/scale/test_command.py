"""The command: its errors in one line, and nothing of Ray on the screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cinealign.cli.app import main
from cinealign.run import Run


def test_a_missing_package_is_said_in_one_line(
    finished: Run,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = [
        "scale",
        "encode",
        str(finished.folder),
        "--source",
        str(sample_folder),
        "--out",
        str(tmp_path / "out"),
    ]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "ConfigError: scale needs ray, which is missing; pip install 'cinealign[scale]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["encode", "RUN", "--source", "nowhere", "--out", "OUT"], "nowhere does not exist; give a folder of pictures"),
        (["encode", "RUN", "--source", "SAMPLE", "--out", "SAMPLE"], "is not empty and no encoding was begun there"),
        (["encode", "RUN", "--source", "SAMPLE", "--out", "OUT", "--text", "plot"], "--text names a column of a table"),
        (["evaluate", "nowhere"], "holds no table of vectors"),
        (["index", "nowhere", "--out", "OUT"], "holds no table of vectors"),
        (["encode", "nowhere", "--source", "SAMPLE", "--out", "OUT"], "nowhere is not a run directory"),
    ],
)
def test_mistakes_end_in_one_line(
    ray: object,
    finished: Run,
    sample_folder: Path,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"RUN": str(finished.folder), "SAMPLE": str(sample_folder), "OUT": str(tmp_path / "out")}
    with pytest.raises(SystemExit) as ended:
        main(["scale", *(places.get(each, each) for each in arguments)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


@pytest.mark.slow
def test_nothing_of_ray_is_on_the_screen(finished: Run, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from cinealign.cli.app import main; main()", "scale"]

    def run(*arguments: str) -> tuple[str, str]:
        done = subprocess.run([*command, *arguments, "--address", "local"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    said, noise = run(
        "encode", str(finished.folder), "--source", str(sample_folder), "--out", str(out), "--workers", "1"
    )
    assert "ids compared with the source: 0 missing, 0 twice, 0 not in the source" in said
    assert all(line.startswith("encode ") for line in noise.splitlines()), noise
    said, noise = run("index", str(out), "--out", str(tmp_path / "index"), "--workers", "1")
    assert "poster to intro: recall@10 1.000" in said
    assert all(line.startswith("index: ") for line in noise.splitlines()), noise
    said, noise = run("evaluate", str(out), "--workers", "1", "--queries", "50")
    assert "each query searches all of them" in said
    assert all(line.startswith("ranks ") for line in noise.splitlines()), noise
