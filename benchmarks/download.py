"""How near a download comes to the rate it was given: posters from a misbehaving local server, with two kills in between.

    python benchmarks/download.py [--movies 3000] [--rate 20] [--workers 8]

The real command runs in a process of its own and is killed when a third and two thirds of the posters are there. Every
tenth poster misbehaves. In the end every obtainable poster must be there byte for byte and every other must be listed;
at each kill every visible poster must be whole. Measured is, from the first poster request of each run to its last, how many
requests came against how many the limit allows.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.data.download.server import NEVER, SOMETIMES, MovieSite  # noqa: E402

FAULTS = (
    *("404", "500", "html", "gif", "cut", "redirect loop", "redirect file"),
    *(fault for fault in SOMETIMES if fault != "429 once"),
)
"""Those that a big site shows; the absurdly large ones are left to the tests."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--workers", type=int, default=8)
    arguments = parser.parse_args()
    faults = {
        movie_id: FAULTS[movie_id // 10 % len(FAULTS)]
        for movie_id in range(1, arguments.movies + 1)
        if movie_id % 10 == 5
    }
    faults[arguments.movies // 2] = "429 once"  # with Retry-After: 1, which holds everything for a second
    with tempfile.TemporaryDirectory() as scratch, MovieSite(arguments.movies, faults, slow_s=1.0) as site:
        folder = Path(scratch) / "ml"
        allowed = spent = 0.0
        print(f"{'run':<12} {'posters':>8} {'requests':>9} {'seconds':>8} {'rate / limit':>13}")
        for name, stop_at in (
            ("killed", arguments.movies // 3),
            ("killed", arguments.movies * 2 // 3),
            ("finished", None),
        ):
            site.poster_times.clear()
            run(site, folder, arguments.rate, arguments.workers, stop_at)
            times = sorted(site.poster_times)
            took = times[-1] - times[0]
            allowed += (len(times) - 1) / arguments.rate
            spent += took
            had = {int(path.stem): path.read_bytes() for path in (folder / "poster").iterdir()}
            assert had.items() <= site.truth.items(), "a poster is half written or not the server's"
            ratio = (len(times) - 1) / arguments.rate / took
            print(f"{name:<12} {len(had):>8} {len(times):>9} {took:>8.1f} {ratio:>13.3f}", flush=True)
        with (folder / "missing.csv").open(encoding="utf-8", newline="") as file:
            listed = {int(row["movie_id"]) for row in csv.DictReader(file)}
        lost = {movie_id for movie_id, fault in faults.items() if fault in NEVER}
        assert had == site.truth and listed == lost
        print(
            f"all {len(had)} obtainable posters are there byte for byte; {len(listed)} others are listed in missing.csv"
        )
        print(
            f"limit {arguments.rate:g} requests a second, {arguments.workers} workers: rate / limit {allowed / spent:.3f}"
        )


def run(site: MovieSite, folder: Path, rate: float, workers: int, stop_at: int | None) -> None:
    """Run the command to its end, or kill it once `stop_at` posters are there."""
    options = ["--grouplens", f"{site.base}/datasets", "--metadata", f"{site.base}/meta", "--poster-host", site.host]
    options += ["--rate", str(rate), "--workers", str(workers), "--yes", "--accept-licence"]
    command = [sys.executable, "-c", "from cinealign.cli.app import main; main()", "data", "download", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    while process.poll() is None:
        if stop_at is not None and folder.is_dir() and len(list((folder / "poster").glob("*"))) >= stop_at:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.05)
    assert stop_at is None and process.returncode == 1, f"exit code {process.returncode}"


if __name__ == "__main__":
    main()
