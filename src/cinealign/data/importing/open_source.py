"""Which reader a file or folder wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cinealign.data.importing.joined import PARTS, JoinedTable
from cinealign.data.importing.paired_files import PairedFiles, named_alike
from cinealign.data.importing.source import Source
from cinealign.data.one_side import files_by_name, side_line
from cinealign.data.system_files import left_by_a_system
from cinealign.data.tables import listed
from cinealign.errors import DataError

TEXT = (".csv", ".tsv", ".tab", ".txt")
JSON = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
EXCEL = (".xlsx", ".xlsm")
SQLITE = (".sqlite", ".sqlite3", ".db")
TABLES = (*TEXT, *JSON, *PARQUET, *EXCEL, *SQLITE)


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    quoting: str | None = None,
    header: bool | None = None,
) -> Source:
    """The table at `path`: a file, a data set saved by `datasets`, or a folder that holds one table.

    Args:
        path: .csv, .tsv, .jsonl, .json, .parquet, .xlsx, .sqlite, or a folder.
        encoding: of a text file, by Python's name; None finds it.
        sheet: of a workbook, None takes the first one that is not hidden; or table of a SQLite file, None takes the only one.
        quoting: of a delimited text, one of `dialect.QUOTINGS`; None finds it.
        header: whether the first row of a text or sheet names the columns; None decides.
    Raises:
        DataError: no such file, another format, a damaged file, or a folder with no table or several.
    """
    if path.is_dir():
        options = {"encoding": encoding, "sheet": sheet, "quoting": quoting, "header": header}
        return _of_folder(path, options)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder; give a table ({', '.join(TABLES)}) or a data set folder")
    suffix = path.suffix.lower()
    if suffix in EXCEL:
        from cinealign.data.importing.excel import ExcelTable

        return ExcelTable(path, sheet, header=header)
    if suffix in SQLITE:
        from cinealign.data.importing.sqlite_tables import SqliteTable

        return SqliteTable(path, sheet)
    if suffix in PARQUET:
        from cinealign.data.importing.arrow_tables import parquet_table

        return parquet_table(path)
    if suffix in (*TEXT, *JSON):
        from cinealign.data.importing.json_tables import JsonTable
        from cinealign.data.importing.text_tables import DelimitedTable

        if suffix in JSON:
            return JsonTable(path, encoding)
        return DelimitedTable(path, encoding, quoting=quoting, header=header)
    remedy = "save it as .xlsx" if suffix == ".xls" else f"expected one of {', '.join(TABLES)}, or a data set folder"
    raise DataError(f"{path.name} has a format that cannot be imported; {remedy}")


def _of_folder(folder: Path, options: dict[str, Any]) -> Source:
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        from cinealign.data.importing.arrow_tables import saved_dataset

        return saved_dataset(folder)
    homes = (folder, folder / "data")
    if not any(
        _metadata_below(home) or any(path.suffix.lower() != ".txt" for path in _tables_in(home)) for home in homes
    ):
        if named_alike(folder):
            return PairedFiles(folder)
        _refuse_one_side(folder)
    for home in homes:
        tables = _tables_in(home)
        if len(tables) == 1:
            return open_source(tables[0], **options)
        if tables and all(path.suffix.lower() == ".parquet" for path in tables):
            from cinealign.data.importing.arrow_tables import parquet_table

            return parquet_table(home)
        if tables and all(path.stem.lower() in PARTS for path in tables):
            return JoinedTable(home, {path.stem.lower(): open_source(path, **options) for path in tables})
        if tables:
            raise DataError(f"{folder} holds several tables ({listed(path.name for path in tables)}); name one of them")
        if parts := _metadata_below(home):
            return JoinedTable(home, {name: open_source(path, **options) for name, path in parts.items()})
    raise DataError(f"{folder} holds no table; give a file ({', '.join(TABLES)}) or a folder saved by save_to_disk")


def _refuse_one_side(folder: Path) -> None:
    """Pictures alone, or several texts alone; a single .txt may be a table."""
    found = files_by_name(folder)
    if found.side == "poster" or (found.side == "intro" and len(found.texts) > 1):
        raise DataError(f"nothing to import: {side_line(folder, found)}")


def _tables_in(home: Path) -> list[Path]:
    tables = sorted(
        path
        for path in (home.iterdir() if home.is_dir() else ())
        if path.suffix.lower() in TABLES and path.is_file() and not left_by_a_system(path.name)
    )
    # Beside a table, JSON files and texts tend to say something about it.
    return [path for path in tables if path.suffix.lower() not in (".json", ".txt")] or tables


def _metadata_below(home: Path) -> dict[str, Path]:
    """Tables called metadata in the folders below, as Hugging Face's imagefolder has them, by the folders' names."""
    if not home.is_dir():
        return {}
    folders = sorted(path for path in home.iterdir() if path.is_dir() and not left_by_a_system(path.name))
    found = {}
    for folder in folders:
        tables = [path for suffix in TABLES if (path := folder / f"metadata{suffix}").is_file()]
        if len(tables) > 1:
            raise DataError(f"{folder} holds both {tables[0].name} and {tables[1].name}; keep one of them")
        if tables:
            found[folder.name] = tables[0]
    return found
