"""Which column of a source is what: by the name that was given, else by a usual name, else by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cinealign.data.cells import is_nothing, separator_of
from cinealign.data.importing.source import PICTURE_SUFFIXES, Source, cell_text
from cinealign.data.intros import clean_text
from cinealign.data.scripts import letters_of, reads_without_blanks
from cinealign.data.split.new_split import says_train
from cinealign.data.tables import listed, whole_number
from cinealign.errors import ConfigError, DataError

SAMPLE_ROWS = 200
"""Rows that are looked at to tell what a column holds."""
ROLES = ("id", "image", "text", "title", "genre", "split", "release", "directors", "writers", "cast")
SEVERAL = ("genre", "directors", "writers", "cast")
"""Roles whose cells may hold several parts."""
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": (
        *("image", "img", "picture", "photo", "poster", "cover", "jpg", "png", "image_path", "img_path", "file_name"),
        *(
            "filename",
            "file",
            "path",
            "image_file",
            "photo_path",
            "thumbnail",
            "poster_path",
            "cover_path",
            "image_url",
        ),
        *("img_url", "url", "poster_url", "cover_url", "图片", "图像", "照片", "海报", "封面"),
    ),
    "id": (
        *("id", "movie_id", "movieid", "item_id", "product_id", "image_id", "sample_id", "uid", "uuid", "key", "sku"),
        *("asin", "isbn", "code", "identifier", "编号", "货号"),
    ),
    "text": (
        *("intro", "introduction", "text", "caption", "captions", "description", "plot", "overview", "summary"),
        *("synopsis", "blurb", "abstract", "body", "content", "简介", "描述", "说明", "剧情", "文本", "内容"),
    ),
    "title": ("title", "name", "movie_title", "product_name", "heading", "标题", "名称", "片名", "书名", "品名"),
    "genre": ("genre", "genres", "category", "categories", "class", "label", "labels", "tags", "类型", "类别", "分类"),
    "split": ("split", "subset", "partition", "fold", "is_train", "划分"),
    "release": ("release_time", "release_date", "released", "release", "year", "date", "年份", "上映日期"),
    "directors": ("directors", "director", "导演"),
    "writers": ("writers", "writer", "编剧"),
    "cast": ("starts", "stars", "cast", "actors", "主演", "演员"),
}
"""Names that a column of each role often has, in any case, blanks and hyphens as underscores; the first found counts."""
_TRIED = 20
_MOST = 0.8  # the share of a column's values that must look like a picture


@dataclass(frozen=True)
class Columns:
    """What is in which column.

    Attributes:
        names: role -> column; roles that no column has are absent.
        why: role -> how that was found: "as asked", "by its name", "by what it holds".
        separators: role of several parts -> what stands between them in one cell.
        embedded: the rows hold pictures, not paths.
        kept: columns of texts and numbers with no role, which the catalogue keeps as they are.
        passed_over: columns that cannot be kept.
        notes: what else the user should know.
    """

    names: dict[str, str]
    why: dict[str, str]
    separators: Mapping[str, str] = field(default_factory=dict)
    embedded: bool = False
    kept: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def find_columns(
    source: Source,
    asked: Mapping[str, str],
    *,
    train_value: str | None,
    picture_folder: bool,
    names_file: Callable[[str], bool] = lambda _: False,
    one_side: bool = False,
) -> Columns:
    """What the columns of `source` are.

    Args:
        source: the table; its first `SAMPLE_ROWS` rows are read.
        asked: role -> column, as the user named them.
        train_value: what a column for the split says of a train item; None accepts the usual words.
        picture_folder: pictures may come from a folder, named by id, so that no column need hold them.
        names_file: whether a text names a picture file that is there.
        one_side: pictures alone or texts alone will do.
    Raises:
        ConfigError: a role that is not known.
        DataError: no such column, a column named twice, or no column for pictures or texts.
    """
    if unknown := [role for role in asked if role not in ROLES]:
        raise ConfigError(f"no role {unknown[0]!r}; the roles are: {', '.join(ROLES)}")
    sample = _sample(source)
    if not sample[source.columns[0]]:
        raise DataError(f"{source.path.name} has columns but no rows; expected one row an item")
    names, why = _asked(source, asked)
    notes: list[str] = []

    def take(role: str, column: str | None, reason: str) -> None:
        if column is not None and role not in names and column not in names.values():
            names[role], why[role] = column, reason

    for role in ("image", "id", "text", "title", "split", "genre", "release", "directors", "writers", "cast"):
        free = [column for column in source.columns if column not in names.values()]
        if role == "text" and role not in names:  # before the title: a lone "name" column is no description
            named = _by_name(role, free, sample, train_value, notes)
            take(role, named, "by its name")
            if named is None:
                take(role, _longest_text(free, sample), "by what it holds")
            continue
        usable = [c for c in free if _shows_pictures(sample[c], names_file)] if role == "image" else free
        take(role, _by_name(role, usable, sample, train_value, notes), "by its name")
        if role == "image" and role not in names:
            take(role, next((c for c in free if _mostly(sample[c], _is_picture)), None), "by what it holds")
        if role == "id" and role not in names:
            take(role, next((c for c in free if _counts(sample[c])), None), "by what it holds")
    if not one_side or not ("text" in names or "image" in names or picture_folder):
        _refuse_incomplete(source, names, picture_folder)
    rest = [column for column in source.columns if column not in names.values()]
    kept = tuple(column for column in rest if all(_is_plain(value) for value in sample[column]))
    return Columns(
        names=names,
        why=why,
        separators={
            role: separator_of(map(cell_text, filter(_is_text, sample[names[role]])), people=role != "genre")
            for role in SEVERAL
            if role in names
        },
        embedded="image" in names and _mostly(sample[names["image"]], _holds_picture),
        kept=kept,
        passed_over=tuple(column for column in rest if column not in kept),
        notes=notes,
    )


def _asked(source: Source, asked: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    names: dict[str, str] = {}
    for role, column in asked.items():
        exact = [each for each in source.columns if each == column] or [
            each for each in source.columns if plain_name(each) == plain_name(column)
        ]
        if not exact:
            raise DataError(f"{source.path.name} has no column {column!r}; it has: {listed(source.columns, 20)}")
        if exact[0] in names.values():
            other = next(each for each, taken in names.items() if taken == exact[0])
            raise DataError(
                f"column {exact[0]!r} is asked for as {other} and as {role}; name another one for one of them"
            )
        names[role] = exact[0]
    return names, dict.fromkeys(names, "as asked")


def plain_name(title: str) -> str:
    """A column's title in lower case, with underscores for blanks and hyphens."""
    return title.strip().lower().replace(" ", "_").replace("-", "_")


def _sample(source: Source) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {column: [] for column in source.columns}
    rows = source.rows()
    for _, record in zip(range(SAMPLE_ROWS), rows, strict=False):
        for column in source.columns:
            values[column].append(record.values[column])
    return values


def _by_name(
    role: str, free: Sequence[str], sample: Mapping[str, list[Any]], train_value: str | None, notes: list[str]
) -> str | None:
    """The free column with the first usual name of `role` whose values can be what the name says."""
    known = {plain_name(column): column for column in reversed(free)}
    for name in USUAL_NAMES[role]:
        column = known.get(name)
        if column is None:
            continue
        values = sample[column]
        if role == "id" and not any(cell_text(value).strip() for value in values):
            continue
        if role in ("text", "title", "genre") and not any(clean_text(cell_text(value)) for value in values):
            continue
        if role == "split" and not any(says_train(cell_text(value), train_value, column) for value in values):
            said = listed(dict.fromkeys(cell_text(value) for value in values), 3)
            notes.append(
                f"column {column!r} does not say which items are train ({said}); "
                f"--split {column} --train-value tells, several values with commas between"
            )
            continue
        return column
    return None


def _refuse_incomplete(source: Source, names: Mapping[str, str], picture_folder: bool) -> None:
    there = f"its columns are: {listed(source.columns, 20)}"
    if "image" not in names and not picture_folder:
        raise DataError(
            f"{source.path.name} has no column that holds pictures; name it with --image, or give the folder of "
            f"pictures named by id with --images; {there}"
        )
    if "text" not in names:
        raise DataError(f"{source.path.name} has no column that holds texts; name it with --text; {there}")


def _mostly(values: Sequence[Any], test: Any) -> bool:
    present = [value for value in values if not (value is None or (isinstance(value, str) and is_nothing(value)))]
    return bool(present) and sum(bool(test(value)) for value in present) >= _MOST * len(present)


def _shows_pictures(values: Sequence[Any], names_file: Callable[[str], bool]) -> bool:
    """Pictures, their paths, or texts without a suffix that name files; "Hardcover" in a column "cover" names none."""
    if _mostly(values, _is_picture):
        return True
    texts = [text for value in values if 0 < len(text := cell_text(value).strip()) < 256 and not is_nothing(text)]
    return any(map(names_file, texts[:_TRIED]))


def _is_picture(value: Any) -> bool:
    if isinstance(value, dict):
        return "bytes" in value or "path" in value
    if isinstance(value, str):
        text = value.strip().lower()
        return text.startswith(("data:image/", "http://", "https://")) or text.endswith(PICTURE_SUFFIXES)
    return isinstance(value, (bytes, bytearray)) and not ((text := cell_text(value)) and text.isprintable())


def _holds_picture(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("bytes"))
    if isinstance(value, (bytes, bytearray)):
        return _is_picture(value)
    return not isinstance(value, str) or value.lstrip().lower().startswith("data:image/")


def _counts(values: Sequence[Any]) -> bool:
    """Whether the values are whole numbers, one for each row."""
    numbers = [whole_number(cell_text(value)) for value in values]
    return None not in numbers and len(set(numbers)) == len(numbers)


def _is_plain(value: Any) -> bool:
    """Not a picture: bytes that are no text. Structures are kept as JSON."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return not isinstance(value, (bytes, bytearray)) or not value or bool(cell_text(value))


def _longest_text(free: Sequence[str], sample: Mapping[str, list[Any]]) -> str | None:
    """The column of the longest texts; of a script without blanks a letter counts as three."""

    def length(column: str) -> float:
        values = sample[column]
        if _mostly(values, _is_picture) or _mostly(values, lambda value: whole_number(cell_text(value)) is not None):
            return 0
        texts = [clean_text(cell_text(value)) for value in values]
        weights = [len(text) + 2 * sum(map(reads_without_blanks, letters_of(text))) for text in texts]
        return sum(weights) / len(weights)

    best = max(free, key=length, default=None)
    return best if best is not None and length(best) >= 12 else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
