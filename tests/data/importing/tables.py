"""One small data set in every format that can be imported."""

from __future__ import annotations

import base64
import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

Rows = list[dict[str, Any]]
LAYOUTS = ["border", "canton", "cross"]


def drawn_rows(flags: Path) -> Rows:
    """The rows of flags.csv in a folder that `draw_flags` made."""
    with (flags / "flags.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: Rows, separator: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        table.writeheader()
        table.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_xlsx(path: Path, rows: Rows, sheet: str = "data") -> Path:
    workbook = openpyxl.Workbook()
    workbook.active.title = sheet
    for cells in [list(rows[0]), *(list(row.values()) for row in rows)]:
        workbook.active.append(cells)
    workbook.create_sheet("notes").append(["nothing"])
    workbook.save(path)
    return path


def embedded(flags: Path, rows: Rows) -> Rows:
    """The rows with the bytes of their pictures in place of paths."""
    return [{**row, "picture": (flags / row["picture"]).read_bytes()} for row in rows]


def write_parquet(path: Path, rows: Rows) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    return path


def hugging_face(rows: Rows) -> tuple[pa.Table, dict[str, Any]]:
    """A table as `datasets` keeps it in memory, pictures as {bytes, path}, and the features that it writes beside."""
    layouts = sorted({row["layout"] for row in rows})
    table = pa.table(
        {
            "image": pa.array(
                [{"bytes": row["picture"], "path": f"{row['code']}.jpg"} for row in rows],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
            "caption": [row["description"] for row in rows],
            "label": pa.array([layouts.index(row["layout"]) for row in rows], pa.int64()),
        }
    )
    features = {
        "image": {"_type": "Image"},
        "caption": {"dtype": "string", "_type": "Value"},
        "label": {"names": layouts, "_type": "ClassLabel"},
    }
    return table, features


def save_dataset(folder: Path, rows: Rows, shards: int = 2) -> Path:
    """What `datasets` 5.2 writes with `save_to_disk`."""
    folder.mkdir(parents=True)
    table, features = hugging_face(rows)
    names = [f"data-{shard:05}-of-{shards:05}.arrow" for shard in range(shards)]
    for shard, name in enumerate(names):
        part = table.take(list(range(shard * len(rows) // shards, (shard + 1) * len(rows) // shards)))
        with (folder / name).open("wb") as sink, pa.ipc.new_stream(sink, part.schema) as writer:
            writer.write_table(part, max_chunksize=5)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"description": "", "features": features}))
    return folder


def save_dataset_dict(folder: Path, rows: Rows) -> Path:
    """The same with two splits: two thirds train, the rest test."""
    cut = len(rows) * 2 // 3
    save_dataset(folder / "train", rows[:cut])
    save_dataset(folder / "test", rows[cut:], shards=1)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    return folder


def _with_paths(write: Callable[[Path, Rows], Path], name: str) -> Callable[[Path, Path, Rows], Sequence[str]]:
    def make(home: Path, flags: Path, rows: Rows) -> Sequence[str]:
        shutil.copytree(flags / "pictures", home / "pictures")
        return [str(write(home / name, rows))]

    return make


def _csv_by_id(home: Path, flags: Path, rows: Rows) -> Sequence[str]:
    plain = [{"key": row["code"], "about": row["description"]} for row in rows]
    return [str(write_csv(home / "items.csv", plain)), "--images", str(flags / "pictures")]


def _shards(home: Path, flags: Path, rows: Rows) -> Sequence[str]:
    (home / "hub" / "data").mkdir(parents=True)
    cut = len(rows) * 2 // 3
    for name, part in (("train-00000-of-00001", rows[:cut]), ("test-00000-of-00001", rows[cut:])):
        table, features = hugging_face(embedded(flags, part))
        about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        pq.write_table(table.replace_schema_metadata(about), home / "hub" / "data" / f"{name}.parquet")
    return [str(home / "hub")]


def _data_addresses(home: Path, flags: Path, rows: Rows) -> Sequence[str]:
    coded = [
        {**row, "picture": "data:image/jpeg;base64," + base64.b64encode(row["picture"]).decode()}
        for row in embedded(flags, rows)
    ]
    (home / "items.json").write_text(json.dumps(coded, ensure_ascii=False), encoding="utf-8")
    return [str(home / "items.json")]


FORMATS: dict[str, Callable[[Path, Path, Rows], Sequence[str]]] = {
    "csv": _with_paths(write_csv, "items.csv"),
    "csv, semicolons": _with_paths(lambda path, rows: write_csv(path, rows, ";"), "items.csv"),
    "csv and pictures by id": _csv_by_id,
    "tsv": _with_paths(lambda path, rows: write_csv(path, rows, "\t"), "items.tsv"),
    "jsonl": _with_paths(write_jsonl, "items.jsonl"),
    "json with pictures inside": _data_addresses,
    "excel": _with_paths(write_xlsx, "items.xlsx"),
    "parquet": _with_paths(write_parquet, "items.parquet"),
    "parquet with pictures inside": lambda home, flags, rows: [
        str(write_parquet(home / "items.parquet", embedded(flags, rows)))
    ],
    "parquet shards of two splits": _shards,
    "saved data set": lambda home, flags, rows: [str(save_dataset(home / "saved", embedded(flags, rows)))],
    "saved data set with splits": lambda home, flags, rows: [
        str(save_dataset_dict(home / "saved", embedded(flags, rows)))
    ],
}
"""Name of a format -> writes the rows to a folder and gives the arguments of `data import`."""


def picture(colour: str, size: tuple[int, int] = (30, 20), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)
