"""Vectors saved for other programs: .npz, .parquet or .safetensors, with the name of every row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.errors import ConfigError, DataError
from cinealign.experts.base import Vectors
from cinealign.out import whole_file

SUFFIXES = (".npz", ".parquet", ".safetensors")


@dataclass(frozen=True)
class Named:
    """(N, D) vectors of one side and the N names of their rows."""

    names: Sequence[str]
    vectors: Vectors


def check_vector_file(path: Path) -> None:
    """Refuse a file that `save_vectors` could not write, before hours of work.

    Raises:
        ConfigError: another suffix, or no such folder.
        DataError: .parquet without the package that writes it.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--out {path}: vectors can be saved as {', '.join(SUFFIXES)}; choose one of these")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: no folder {path.parent}; make it first")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def save_vectors(path: Path | str, sides: Mapping[str, Named], facts: Mapping[str, Any] | None = None) -> None:
    """Write the vectors of one side or both; see docs/encode.md. A file that is there is replaced once all is written.

    Args:
        path: .npz, .parquet or .safetensors.
        sides: "poster" or "intro" -> its vectors.
        facts: JSON values that are kept with them.
    Raises:
        ConfigError, DataError: as `check_vector_file`.
    """
    path = Path(path)
    check_vector_file(path)
    writers = {".npz": _save_npz, ".parquet": _save_parquet, ".safetensors": _save_safetensors}
    with whole_file(path) as beside:
        writers[path.suffix.lower()](beside, sides, json.dumps(dict(facts or {}), ensure_ascii=False))


def _save_npz(path: Path, sides: Mapping[str, Named], facts: str) -> None:
    arrays: dict[str, Any] = {side: named.vectors for side, named in sides.items()}
    arrays |= {f"{side}_names": np.array(list(named.names), dtype=np.str_) for side, named in sides.items()}
    np.savez(path, facts=np.array(facts), **arrays)


def _save_safetensors(path: Path, sides: Mapping[str, Named], facts: str) -> None:
    from safetensors.numpy import save_file

    names = {f"{side}_names": json.dumps(list(named.names), ensure_ascii=False) for side, named in sides.items()}
    arrays = {side: np.ascontiguousarray(named.vectors) for side, named in sides.items()}
    save_file(arrays, path, metadata={"facts": facts, **names})


def _save_parquet(path: Path, sides: Mapping[str, Named], facts: str) -> None:
    """Columns side, name and vector, a list of D float32 a row."""
    pa, parquet = _pyarrow()
    names = [name for named in sides.values() for name in named.names]
    labels = [side for side, named in sides.items() for _ in named.names]
    rows = np.concatenate([named.vectors for named in sides.values()])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), rows.shape[1])
    table = pa.table({"side": labels, "name": names, "vector": vectors})
    parquet.write_table(table.replace_schema_metadata({"cinealign": facts}), path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            ".parquet needs pyarrow; pip install 'cinealign[data]', or choose .npz or .safetensors"
        ) from None
    return pa, parquet
