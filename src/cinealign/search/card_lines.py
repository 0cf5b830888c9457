"""The card of an index on the terminal; needs neither the index nor its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def card_lines(card: Mapping[str, Any]) -> list[str]:
    """The card for the terminal, which folds lines that are longer than its own."""
    lines = [
        f"index of run {card['run']['folder']} (recipe {card['run']['recipe']}), engine {card['engine']['name']}",
        f"items: {card['items']:,} ({card['train']:,} train, {card['held_out']:,} held out)",
        f"vectors: {card['vectors']['width']} numbers of the model's {card['vectors']['model_width']:,}, "
        f"{card['vectors']['dtype']}; parts: {', '.join(card['vectors']['parts'])}",
    ]
    if card["vectors"]["left_out"]:
        lines.append(f"left out, as it only remembers train pairs: {', '.join(card['vectors']['left_out'])}")
    for direction, found in card["found"].items():
        told = f"{_said(direction)}, held out: {found['index']:.3f} find their partner in the nearest 5 %"
        lines.append(f"{told} (model {found['model']:.3f})")
    loss = max((found["model"] - found["index"] for found in card["found"].values()), default=0.0)
    if card["vectors"]["projected"] and loss > 0.005:
        lines.append(f"  shorter vectors cost up to {loss:.3f}; --width 0 keeps all numbers and loses nothing")
    for direction, recall in card["engine"].get("recall", {}).items():
        told = ", ".join(f"{name} {value:.3f}" for name, value in recall.items() if name.startswith("recall"))
        enough = "" if recall["enough"] else "; below 0.95, and more effort does not help"
        lines.append(f"{_said(direction)}: {told}{enough}")
    for direction, told in card["reliability"].items():
        lines += ["", *reliability_lines(direction, told)]
    if not card["reliability"]:
        lines.append("chances: none (no calibration)")
    return lines


def reliability_lines(direction: str, told: Mapping[str, Any]) -> list[str]:
    """The reliability of the best hit's chance as a figure of characters: one bar a bin, with its 95 % interval."""
    low, high = told["interval"]
    refused = told["no_good_match"]
    lines = [
        f"chance of the best hit, {_said(direction)}, {told['n']:,} held-out queries",
        f"  calibration error (ECE) {told['ece']:.3f}, 95 % interval {low:.3f} to {high:.3f}",
        "  chance said   queries   right   0 |----- share that is right, 95 % -----| 1",
    ]
    for each in told["bins"]:
        lines.append(
            f"  {each['from']:.1f} to {each['to']:.1f}    {each['n']:7,}   {each['right']:5.2f}   "
            f"  {_bar(each['interval'], each['right'], each['chance'])}"
        )
    lines.append("  (o: right, |: chance said, on average, -: interval)")
    lines.append(
        f"  no good match below {refused['limit']:.2f}: {refused['n']:,} answers, {refused['right']:.1%} of them right"
    )
    return lines


def _bar(interval: Sequence[float], right: float, chance: float, width: int = 38) -> str:
    cells = [" "] * (width + 1)
    for at in range(round(interval[0] * width), round(interval[1] * width) + 1):
        cells[at] = "-"
    cells[round(right * width)] = "o"
    cells[round(chance * width)] = "|" if cells[round(chance * width)] != "o" else "0"
    return "".join(cells).rstrip()


def _said(direction: str) -> str:
    return direction.replace("_", " ")
