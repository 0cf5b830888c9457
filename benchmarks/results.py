"""The tables of recipes' results in README.md, README.zh.md, docs/results.md and docs/network.md, written from finished runs.

python benchmarks/results.py record RUN...        keep the numbers of finished runs in docs/measured/runs.json
python benchmarks/results.py compared DIR         keep sizes and differences of a `cinealign compare` in the same folder
python benchmarks/results.py write                write every table between its markers
python benchmarks/results.py check                exit 1 where a table, or a number beside it, has no run behind it

A table stands between `<!-- results: NAME -->` and `<!-- end -->`. A number with three decimals anywhere else in these files
must be a value of a recorded run, or stand in docs/measured/stated.yaml under its page and section, with where it comes from.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "docs" / "measured"
RUNS, COMPARED, STATED = MEASURED / "runs.json", MEASURED / "compared.json", MEASURED / "stated.yaml"
PAGES = ("README.md", "README.zh.md", "docs/results.md", "docs/network.md")
DIRECTIONS = ("poster_to_intro", "intro_to_poster")
SPLITS = ("held_out", "train", "all")
HEADLINE = ("default", "best", "closed-forms", "baseline")
OWN_WEIGHTS = ("best-gemma",)
"""Measured recipes whose weights come in no wheel."""
_BLOCK = re.compile(r"(<!-- results: (?P<name>[a-z-]+) -->\n)(?P<table>.*?)(<!-- end -->)", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.,-])\d\.\d{3}(?!\d|\.\d)")

Record = dict[str, Any]


# --- keeping -----------------------------------------------------------------------------------------------------------


def record(folders: Sequence[Path]) -> None:
    """Keep the headline numbers of finished runs; a run of the same recipe, seed and processor is replaced."""
    kept = {_key(entry): entry for entry in _read(RUNS)}
    for folder in folders:
        entry = _recorded(folder)
        kept[_key(entry)] = entry
        print(f"{folder}: recorded as {' '.join(map(str, _key(entry)))}")
    _write(RUNS, [kept[key] for key in sorted(kept)])


def compared(folder: Path) -> None:
    """Keep what a comparison measured: learned numbers of each recipe, and differences of pairs."""
    found = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    pairs = [{"first": p["first"], "second": p["second"], **p["sum"]} for p in found["differences"]]
    recipes = {
        entry["recipe"]: {"numbers": entry["parameters"], "seeds": len(entry["seeds"])} for entry in found["recipes"]
    }
    before = (
        json.loads(COMPARED.read_text(encoding="utf-8")) if COMPARED.is_file() else {"recipes": {}, "differences": []}
    )
    mine = set(recipes)
    others = [p for p in before["differences"] if not {p["first"], p["second"]} <= mine]
    _write(COMPARED, {"recipes": {**before["recipes"], **recipes}, "differences": others + pairs})


def _recorded(folder: Path) -> Record:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    fields = ("n", "k", "chance", "acc_sum", "course_score")
    entry = {"recipe": metrics["recipe"], "seed": environment["seed"], "processor": _processor(environment)}
    entry |= {field: metrics[field] for field in fields}
    entry["digest"] = metrics["data"]["digest"]
    entry["queries"] = {split: metrics["ranks"][DIRECTIONS[0]][split]["queries"] for split in SPLITS}
    for direction in DIRECTIONS:
        entry[direction] = {
            split: [metrics[direction][split], *metrics["intervals"][direction][split]] for split in SPLITS
        }
    entry["sum_interval"] = metrics["intervals"]["acc_sum"]
    entry["transductive"] = {
        name: {d: [each[d]["held_out"], *each["intervals"][d]["held_out"]] for d in DIRECTIONS}
        | {"acc_sum": each["acc_sum"]}
        for name, each in metrics.get("transductive", {}).items()
    }
    entry["width"] = _width(folder)
    return entry


def _processor(environment: Record) -> str:
    """Whether the run's processor multiplies in bfloat16, which moves accuracies by up to a point."""
    known = environment.get("bfloat16")
    if known is None:
        from cinealign.views.precision import resolve_precision

        known = resolve_precision("auto") == "bfloat16"
    return "bfloat16" if known else "float32"


def _width(folder: Path) -> int:
    from safetensors import safe_open

    with safe_open(folder / "vectors.safetensors", framework="numpy") as vectors:
        return int(vectors.get_slice("poster").get_shape()[1])


def _key(entry: Record) -> tuple[str, int, str]:
    return entry["recipe"], entry["seed"], entry["processor"]


# --- tables ------------------------------------------------------------------------------------------------------------


def headline(entries: list[Record], chinese: bool) -> str:
    """The few rows of the README."""
    head = (
        ["配方", "留出集，海报到简介", "留出集，简介到海报", "训练集，两个方向", "全体之和", "向量维数"]
        if chinese
        else [
            "recipe",
            "held-out, poster to intro",
            "held-out, intro to poster",
            "train, both",
            "sum over all",
            "vector width",
        ]
    )
    return _table(head, [_row(e) for name in HEADLINE if (e := _first(entries, name))])


def network(entries: list[Record], chinese: bool) -> str:
    """Recipes with the network, and the closed forms that they are compared with."""
    head = ["recipe", "poster to intro, held-out", "intro to poster, held-out", "train, both ways", "sum over all"]
    names = ("default", "closed-forms", "best", "closed-forms-best", "best-gemma")
    return _table([*head, "vector width"], [_row(e) for name in names if (e := _first(entries, name))])


def recipes(entries: list[Record], chinese: bool) -> str:
    """Every recipe at its first seed, the most accurate first."""
    costs = json.loads(COMPARED.read_text(encoding="utf-8"))["recipes"] if COMPARED.is_file() else {}
    head = ["recipe", "poster → intro, held-out", "intro → poster, held-out", "train, both ways", "sum over all"]
    head += ["vector width", "numbers"]
    firsts = [e for name in {e["recipe"] for e in entries} if (e := _first(entries, name))]
    firsts.sort(key=lambda e: (-sum(e[d]["held_out"][0] for d in DIRECTIONS), e["recipe"]))
    rows = []
    for entry in firsts:
        numbers = costs.get(entry["recipe"], {}).get("numbers")
        rows.append([*_row(entry), "-" if numbers is None else f"{numbers:,}"])
    return _table(head, rows)


def transductive(entries: list[Record], chinese: bool) -> str:
    """Rows that look at the other test items, apart from all others."""
    head = (
        ["配方", "校正", "留出集，海报到简介", "留出集，简介到海报", "全体之和"]
        if chinese
        else ["recipe", "correction", "held-out, poster to intro", "held-out, intro to poster", "sum over all"]
    )
    rows = [
        [f"`{e['recipe']}`", name, *(_cell(each[d]) for d in DIRECTIONS), f"{each['acc_sum']:.3f}"]
        for e in entries
        if e["seed"] == 0 and e is _first(entries, e["recipe"])
        for name, each in e["transductive"].items()
    ]
    return _table(head, rows)


def differences(entries: list[Record], chinese: bool) -> str:
    """Pairs of recipes that docs/measured/stated.yaml asks for."""
    if not COMPARED.is_file():
        return ""
    known = {(p["first"], p["second"]): p for p in json.loads(COMPARED.read_text(encoding="utf-8"))["differences"]}
    rows = []
    for first, second in _stated().get("pairs", []):
        pair = known.get((first, second))
        turned = known.get((second, first))
        if pair is None and turned is None:
            continue
        found = pair or turned
        assert found is not None
        sign = 1 if pair else -1
        low, high = sorted(sign * each for each in found["interval"])
        rows.append(
            [
                f"`{first}` → `{second}`",
                f"{sign * found['difference']:+.3f}",
                f"{low:+.3f} to {high:+.3f}",
                f"{found['p_holm']:.4f}",
                "yes" if found["real"] else "no",
            ]
        )
    return _table(["pair", "difference of held-out sums", "95 % interval", "p (Holm)", "real"], rows)


def seeds(entries: list[Record], chinese: bool) -> str:
    """Least and most over the seeds of a recipe, on one kind of processor, where there are three or more."""
    rows = []
    for recipe, processor in sorted({(e["recipe"], e["processor"]) for e in entries}):
        same = [e for e in entries if (e["recipe"], e["processor"]) == (recipe, processor)]
        if len(same) < 3:
            continue
        numbers = ", ".join(str(e["seed"]) for e in same)
        held_out = [_span([e[d]["held_out"][0] for e in same]) for d in DIRECTIONS]
        rows.append([f"`{recipe}`", processor, numbers, *held_out, _span([e["acc_sum"] for e in same])])
    head = ["recipe", "processor", "seeds", "poster to intro, held-out", "intro to poster, held-out", "sum over all"]
    return _table(head, rows)


def processors(entries: list[Record], chinese: bool) -> str:
    """Runs that were made on both kinds of processor."""
    made = {_key(entry): entry for entry in entries}
    rows = []
    for recipe, seed, processor in sorted(made):
        other = made.get((recipe, seed, "float32"))
        if processor == "bfloat16" and other is not None:
            both = [made[recipe, seed, processor], other]
            found = [" / ".join(f"{e[d]['held_out'][0]:.3f}" for d in DIRECTIONS) for e in both]
            rows.append([f"`{recipe}`", str(seed), *found, *(f"{e['acc_sum']:.3f}" for e in both)])
    head = ["recipe", "seed", "held-out, bfloat16", "held-out, float32", "sum over all, bfloat16", "float32"]
    return _table(head, rows)


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}"


TABLES: dict[str, Callable[[list[Record], bool], str]] = {
    "headline": headline,
    "network": network,
    "recipes": recipes,
    "transductive": transductive,
    "differences": differences,
    "seeds": seeds,
    "processors": processors,
}


def _row(entry: Record) -> list[str]:
    train = " / ".join(f"{entry[d]['train'][0]:.3f}" for d in DIRECTIONS)
    low, high = entry["sum_interval"]
    summed = f"{entry['acc_sum']:.3f} ({low:.3f} to {high:.3f})"
    held_out = [_cell(entry[d]["held_out"]) for d in DIRECTIONS]
    marked = " (float32)" * (entry["processor"] == "float32") + " (`--weights`)" * (entry["recipe"] in OWN_WEIGHTS)
    return [f"`{entry['recipe']}`{marked}", *held_out, train, summed, f"{entry['width']:,}"]


def _cell(measured: Sequence[float]) -> str:
    value, low, high = measured
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _first(entries: list[Record], recipe: str) -> Record | None:
    """The run of `recipe` with the lowest seed, on a processor with bfloat16 where there are both."""
    same = [entry for entry in entries if entry["recipe"] == recipe]
    return min(same, key=lambda e: (e["seed"], e["processor"]), default=None)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- pages -------------------------------------------------------------------------------------------------------------


def page(text: str, entries: list[Record], chinese: bool = False) -> str:
    """`text` with every marked table written anew.

    Raises:
        KeyError: a marker names no table.
    """
    return _BLOCK.sub(lambda m: m[1] + TABLES[m["name"]](entries, chinese) + m[4], text)


def unfounded(name: str, text: str, entries: list[Record]) -> list[str]:
    """Numbers with three decimals outside of marked tables that neither a recorded run nor docs/measured/stated.yaml gives.

    A stated number counts on its page and in its section only.

    Args:
        name: of the page, as in `PAGES`.
        text: the page.
        entries: recorded runs.
    """
    recorded = {f"{value:.3f}" for value in _values([*entries, *_compared()])}
    found = []
    for section in re.split(r"^(?=## )", _BLOCK.sub("", text), flags=re.MULTILINE):
        heading = section.partition("\n")[0].removeprefix("## ") if section.startswith("## ") else ""
        stated = {
            str(number)
            for group in _stated().get("numbers", [])
            if (group["page"], group.get("section", "")) == (name, heading)
            for number in group["numbers"]
        }
        found += [number for number in _NUMBER.findall(section) if number not in recorded | stated]
    return found


def pages() -> Iterator[tuple[str, str, bool]]:
    """Every page with tables: name, text, whether it is Chinese."""
    for name in PAGES:
        yield name, (ROOT / name).read_text(encoding="utf-8"), name.endswith(".zh.md")


def entries() -> list[Record]:
    """All recorded runs."""
    return _read(RUNS)


def _values(found: Any) -> Iterator[float]:
    if isinstance(found, dict):
        for each in found.values():
            yield from _values(each)
    elif isinstance(found, list):
        for each in found:
            yield from _values(each)
    elif isinstance(found, float):
        yield found
        yield abs(found)


def _compared() -> list[Any]:
    return list(json.loads(COMPARED.read_text(encoding="utf-8"))["differences"]) if COMPARED.is_file() else []


def _stated() -> Record:
    return (yaml.safe_load(STATED.read_text(encoding="utf-8")) or {}) if STATED.is_file() else {}


def _read(path: Path) -> list[Record]:
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "compared", "write", "check"))
    parser.add_argument("folders", nargs="*", type=Path)
    given = parser.parse_args()
    if given.what == "record":
        record(given.folders)
    elif given.what == "compared":
        for folder in given.folders:
            compared(folder)
    wrong = 0
    for name, text, chinese in pages():
        fresh = page(text, entries(), chinese)
        if given.what == "write" and fresh != text:
            (ROOT / name).write_text(fresh, encoding="utf-8")
            print(f"{name}: written")
        elif given.what == "check":
            stale = ["a table is not what its runs give"] if fresh != text else []
            for fault in [*stale, *(f"{number} has no run behind it" for number in unfounded(name, text, entries()))]:
                print(f"{name}: {fault}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
