"""The vectors of a run or an index for other programs, and a card that says what they are and what they are not.

Rows are of unit length, so that any database ranks by cosine as the model does: rows of another length get two more
coordinates, one for each side, that make them so without changing the order of any products of posters with intros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.data.importing.source import needed_package
from cinealign.errors import ConfigError
from cinealign.out import whole_file
from cinealign.plain_yaml import read_yaml_file
from cinealign.search.engines import Rows
from cinealign.search.folder import SIDES, Side
from cinealign.search.index import Index
from cinealign.search.items import Item
from cinealign.state import State

KINDS = (".parquet", ".safetensors", ".md")
AT_ONCE = 8192


def export(index: Index, path: Path | str) -> str:
    """Write what the suffix of `path` names: vectors as .parquet or .safetensors, or the model card as .md.

    Returns:
        What was written, for the user.
    Raises:
        ConfigError: another suffix, or a file that cannot be written.
        DataError: Parquet without pyarrow.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise ConfigError(
            f"--out {path}: unknown kind {suffix or 'without suffix'!r}; choose one of: {', '.join(KINDS)}"
        )
    with whole_file(path, "--out") as beside:
        if suffix == ".md":
            beside.write_text("\n".join(model_card(index)) + "\n", encoding="utf-8")
            said = "model card"
        else:
            rows = _write_parquet(index, beside) if suffix == ".parquet" else _write_safetensors(index, beside)
            said = f"{rows:,} unit vectors of {_width(index)} numbers"
    return said


def unit_rows(index: Index) -> Iterator[tuple[Side, list[Item], Rows]]:
    """Some thousand rows at a time: side, items, and (n, W) unit rows whose cosine across sides ranks as the model."""
    longest = _longest(index)
    for side in SIDES:
        keys = index.engines[side].keys()
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            known = index.items.of_keys(part.tolist())
            compact = index.space.unstored(side, index.engines[side].take(part))
            yield side, [known[int(key)] for key in part], _unit(compact, side, longest, index.space.extra)


def _longest(index: Index) -> float:
    lengths = [1.0]
    for side in SIDES:
        keys = index.engines[side].keys()
        for start in range(0, len(keys), AT_ONCE):
            compact = index.space.unstored(side, index.engines[side].take(keys[start : start + AT_ONCE]))
            lengths.append(float(np.linalg.norm(compact.astype(np.float64), axis=1).max(initial=0.0)))
    return max(lengths[1:], default=1.0) or 1.0


def _unit(compact: Rows, side: Side, longest: float, extra: bool) -> Rows:
    """Source: Bachrach et al. 2014 (Xbox recommender), with a coordinate for each side."""
    if not extra:
        return compact
    scaled = compact.astype(np.float64) / longest
    rest = np.sqrt(np.maximum(0.0, 1 - (scaled**2).sum(axis=1, keepdims=True)))
    empty = np.zeros_like(rest)
    pair = (rest, empty) if side == "poster" else (empty, rest)
    return np.concatenate([scaled, *pair], axis=1).astype(np.float32)


def _width(index: Index) -> int:
    return index.space.width + 2 * index.space.extra


def _write_parquet(index: Index, path: Path) -> int:
    pa = needed_package("pyarrow", "Parquet")
    pq = needed_package("pyarrow.parquet", "Parquet")
    width, count = _width(index), 0
    fields = [("id", pa.string()), ("side", pa.string()), ("title", pa.string()), ("year", pa.int32())]
    fields += [("split", pa.string()), ("vector", pa.list_(pa.float32(), width))]
    with pq.ParquetWriter(path, pa.schema(fields), compression="zstd") as writer:
        for side, items, rows in unit_rows(index):
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), width)
            columns = {
                "id": [item.item_id for item in items],
                "side": [side] * len(items),
                "title": [item.title for item in items],
                "year": pa.array([item.year for item in items], pa.int32()),
                "split": [item.split for item in items],
                "vector": vectors,
            }
            writer.write_table(pa.table(columns, schema=pa.schema(fields)))
            count += len(items)
    return count


def _write_safetensors(index: Index, path: Path) -> int:
    parts: dict[Side, list[Rows]] = {side: [np.zeros((0, _width(index)), np.float32)] for side in SIDES}
    ids: dict[Side, list[str]] = {side: [] for side in SIDES}
    for side, items, rows in unit_rows(index):
        parts[side].append(rows)
        ids[side] += [item.item_id for item in items]
    State({side: np.concatenate(parts[side]) for side in SIDES}, {"ids": ids}).save(path)
    return sum(map(len, ids.values()))


def model_card(index: Index) -> list[str]:
    """Data, split, held-out numbers with their intervals, limits, licences: Markdown with the head that model hubs read."""
    card, metrics, recipe = index.card, index.metrics, index.recipe
    if not metrics or not recipe:
        raise ConfigError(f"{index.folder} holds no numbers of its run; export the card of the run itself")
    n, split = metrics["n"], card.get("train")
    lines = [
        *("---", "library_name: cinealign", "tags: [image-text-retrieval, posters]", "---", ""),
        *(f"# {recipe['name']}: posters and plot intros in one space", "", recipe.get("description", ""), ""),
        *("## Data", "", f"{n:,} items with a poster and an intro; digest `{card['run']['digest'][:16]}`."),
        f"Trained on {split:,} of them; {n - split:,} are held out." if split else "",
        *("", "## Held-out results", ""),
        f"Each held-out query searches all {n:,} items. Intervals are 95 % bootstrap intervals by item.",
        *(
            "",
            "| direction | in the nearest 5 % | interval | recall@1 | recall@10 | median rank |",
            "|---|---|---|---|---|---|",
        ),
    ]
    for direction in ("poster_to_intro", "intro_to_poster"):
        ranks = metrics["ranks"][direction]["held_out"]
        low, high = metrics["intervals"][direction]["held_out"]
        lines.append(
            f"| {direction.replace('_', ' ')} | {metrics[direction]['held_out']:.3f} | {low:.3f} to {high:.3f} "
            f"| {ranks['recall@1']:.3f} | {ranks['recall@10']:.3f} | {ranks['median']:.0f} |"
        )
    for direction, told in card.get("reliability", {}).items():
        low, high = told["interval"]
        lines += [
            "",
            f"Chances, {direction.replace('_', ' ')}: calibration error {told['ece']:.3f} ({low:.3f} to {high:.3f}).",
        ]
    return [*lines, *_vectors_said(index), *_limits(index), *_licences(recipe)]


def _vectors_said(index: Index) -> list[str]:
    vectors = index.card.get("vectors")
    if vectors is None:
        return []
    said = ["", "## Vectors", "", f"{vectors['width']} of the model's {vectors['model_width']:,} numbers."]
    for direction, found in index.card.get("found", {}).items():
        said.append(
            f"- {direction.replace('_', ' ')}: {found['index']:.3f} of the held-out queries find their partner in the nearest "
            f"5 % through the index, {found['model']:.3f} with the model's own vectors."
        )
    return said


def _limits(index: Index) -> list[str]:
    scripts = ", ".join(index.card.get("scripts", {})) or "the train intros' own"
    return [
        *("", "## Limits", ""),
        f"- It knows the kind of posters and texts that it was trained on (script of the texts: {scripts}).",
        "- Most of what it finds it finds by the lettering: posters without readable words are found much less often.",
        "- A chance holds for texts such as the train intros; for a few words it is a rough guide.",
        "- It says which poster and text look alike, not what is true of a film or a person.",
    ]


def _licences(recipe: Mapping[str, Any]) -> list[str]:
    known = read_yaml_file(Path(__file__).parent / "licences.yaml", "licences")
    parts = dict.fromkeys(said for view in recipe["views"].values() for said in _parts_of(view, known))
    data = "- Pictures and texts: as their source states; vectors of them may fall under it too."
    return ["", "## Licences of the parts", "", *(f"- {part}" for part in parts), data]


def _parts_of(view: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[str]:
    for one in (view, view.get("encoder") or {}):
        name = one.get("view")
        if name is None or name in ("text", "tfidf", "bm25", "tokens", "classical", "pixels", "visual_words"):
            continue
        model = one.get("model")
        yield (
            known.get(f"{name}:{model}")
            or known.get(str(name))
            or f"{name} ({model or 'own model'}): see its model folder"
        )
