"""How long the front door takes: one text and one poster in a warm process, and a process from its start to its first vector.

    python benchmarks/encode.py runs/default [--data DIR] [--items 100] [--starts 3]

Texts and posters are the held-out ones of the run, each asked for once, so nothing is remembered. Beside it stands
sentence-transformers' own `encode` of the same texts by MiniLM (wheel), in the same process, in turns with ours. On a machine
that works on other things too, the last column is the one to read: time of the processor, over all threads. `vectors` says
how far what the encoder gives one by one lies from the vectors of the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.views.intro.encoders import MODELS
from cinealign.views.intro.language_model import load_encoder

FIRST = """
import sys, time
from cinealign import Run
encoder = Run(sys.argv[1]).encoder()
encoder.encode_intros(sys.argv[2]) if sys.argv[2] else encoder.encode_posters(sys.argv[3])
"""


Times = list[tuple[float, float]]
"""Milliseconds of the clock and of the processor, a call each."""


def timed(calls: Sequence[Callable[[], Any]]) -> tuple[Times, list[Any]]:
    """The times of every call, and what each gave."""
    times, found = [], []
    for call in calls:
        clock, processor = time.perf_counter(), time.process_time()
        found.append(call())
        times.append((1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)))
    return times, found


def said(name: str, times: Times) -> str:
    p50, p99 = np.percentile([clock for clock, _ in times], [50, 99])
    processor = np.median([processor for _, processor in times])
    return f"{name:<46} {len(times):>5} {p50:>9.1f} {p99:>9.1f} {processor:>9.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--starts", type=int, default=3)
    asked = parser.parse_args()
    run = Run(asked.run)
    catalogue = RunData.find(run, asked.data).catalogue
    rows = catalogue.held_out_rows[: asked.items].tolist()
    encoder = run.encoder()
    (took,), _ = timed([encoder.warm])
    print(f"warm() of both sides: {took[0] / 1000:.1f} s, of the processor {took[1] / 1000:.1f} s", flush=True)

    theirs: Any = load_encoder(MODELS["minilm"])
    theirs.encode("a text to warm it")
    ours_ms: Times = []
    theirs_ms: Times = []
    intros = []
    for row in rows:
        text = catalogue.intros[row]
        taken, found = timed([lambda text=text: encoder.encode_intros(text)])
        ours_ms += taken
        intros += found
        theirs_ms += timed([lambda text=text: theirs.encode(text, show_progress_bar=False)])[0]
    poster_ms, posters = timed([lambda row=row: encoder.encode_posters(catalogue.posters[row]) for row in rows])
    print(f"{'':<46} {'n':>5} {'p50 ms':>9} {'p99 ms':>9} {'CPU p50':>9}")
    print(said("one text, whole model", ours_ms))
    print(said("one text, sentence-transformers' MiniLM alone", theirs_ms))
    print(said("one poster, whole model", poster_ms))
    for side, vectors, own in (("intro", intros, run.vectors[1]), ("poster", posters, run.vectors[0])):
        apart = np.abs(np.concatenate(vectors) - own[rows]).max(axis=1)
        print(f"vectors, {side}: largest difference of a number, median {np.median(apart):.1e}, most {apart.max():.1e}")

    path = catalogue.posters[rows[0]].path
    for name, text in (("text", catalogue.intros[rows[0]]), ("poster", "")):
        starts = []
        for _ in range(asked.starts):
            clock, before = time.perf_counter(), os.times()
            subprocess.run([sys.executable, "-c", FIRST, str(run.folder), text, str(path)], check=True)
            after = os.times()
            processor = after.children_user + after.children_system - before.children_user - before.children_system
            starts.append((1000 * (time.perf_counter() - clock), 1000 * processor))
        print(said(f"process start to first vector of a {name}", starts))


if __name__ == "__main__":
    main()
