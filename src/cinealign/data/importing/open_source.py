"""Which reader a file or folder wants."""

from __future__ import annotations

from pathlib import Path

from cinealign.data.importing.source import Source
from cinealign.data.tables import listed
from cinealign.errors import DataError

TEXT = (".csv", ".tsv", ".tab")
JSON = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
EXCEL = (".xlsx", ".xlsm")
TABLES = (*TEXT, *JSON, *PARQUET, *EXCEL)


def open_source(path: Path, *, encoding: str | None = None, sheet: str | None = None) -> Source:
    """The table at `path`: a file, a data set saved by `datasets`, or a folder that holds one table.

    Args:
        path: .csv, .tsv, .jsonl, .json, .parquet, .xlsx, or a folder.
        encoding: of a text file, by Python's name; None finds it.
        sheet: of a workbook; None takes the first.
    Raises:
        DataError: no such file, another format, a damaged file, or a folder with no table or several.
    """
    if path.is_dir():
        return _of_folder(path, encoding, sheet)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder; give a table ({', '.join(TABLES)}) or a data set folder")
    suffix = path.suffix.lower()
    if suffix in EXCEL:
        from cinealign.data.importing.excel import ExcelTable

        return ExcelTable(path, sheet)
    if suffix in PARQUET:
        from cinealign.data.importing.arrow_tables import parquet_table

        return parquet_table(path)
    if suffix in (*TEXT, *JSON):
        from cinealign.data.importing.text_tables import DelimitedTable, JsonTable

        return DelimitedTable(path, encoding) if suffix in TEXT else JsonTable(path, encoding)
    remedy = "save it as .xlsx" if suffix == ".xls" else f"expected one of {', '.join(TABLES)}, or a data set folder"
    raise DataError(f"{path.name} has a format that cannot be imported; {remedy}")


def _of_folder(folder: Path, encoding: str | None, sheet: str | None) -> Source:
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        from cinealign.data.importing.arrow_tables import saved_dataset

        return saved_dataset(folder)
    for home in (folder, folder / "data"):
        tables = sorted(
            path
            for path in (home.iterdir() if home.is_dir() else ())
            if path.suffix.lower() in TABLES and path.is_file() and not path.name.startswith(".")
        )
        # Beside a table, JSON files tend to say something about it.
        tables = [path for path in tables if path.suffix.lower() != ".json"] or tables
        if len(tables) == 1:
            return open_source(tables[0], encoding=encoding, sheet=sheet)
        if tables and all(path.suffix.lower() == ".parquet" for path in tables):
            from cinealign.data.importing.arrow_tables import parquet_table

            return parquet_table(home)
        if tables:
            raise DataError(f"{folder} holds several tables ({listed(path.name for path in tables)}); name one of them")
    raise DataError(f"{folder} holds no table; give a file ({', '.join(TABLES)}) or a folder saved by save_to_disk")
