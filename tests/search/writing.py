"""Changes an index for ever, in steps that say what they did: python -m tests.search.writing FOLDER SEED ENGINE.

Every line on stdout is a change that was acknowledged: "add 7 12 13", "update ...", "remove ...".
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from cinealign.search import growth
from cinealign.search.growth import open_writer
from tests.search.encoders import WordEncoder
from tests.search.folders import new_items


def told(what: str, ids: object) -> None:
    sys.stdout.write(f"{what} {' '.join(ids)}\n")  # type: ignore[arg-type]
    sys.stdout.flush()


def main(folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    growth.BATCH = 5
    growth.SETTLE = 0.5
    round_number = 0
    while True:
        round_number += 1
        with open_writer(folder, encoder=WordEncoder()) as writer:
            there = sorted(writer.ids())
            kind = dice.choice(("add", "add", "update", "remove"))
            if kind == "add" or len(there) < 20:
                numbers = dice.sample(range(1000), 12)
                writer.add(new_items(numbers), acknowledge=lambda ids: told("add", ids))
            elif kind == "update":
                numbers = [int(item_id) - 1 for item_id in dice.sample(there, 7)]
                words = f"shark version{seed}x{round_number}"
                writer.add(new_items(numbers, words=words), update=True, acknowledge=lambda ids: told("update", ids))
            else:
                writer.remove(dice.sample(there, 9), acknowledge=lambda ids: told("remove", ids))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
