"""The teacher's own columns stay, whichever of the two tables he fills in; formulas, further sheets and line breaks too."""

import csv
import io
import json

import openpyxl
import pytest

from cinealign.errors import DataError
from cinealign.grading.judging import Judged
from cinealign.grading.table import write_grades
from cinealign.grading.teachers import Teachers, plain


@pytest.fixture
def out(tmp_path):
    write_grades([Judged("001"), Judged("=1+1"), Judged("li")], [], tmp_path)
    return tmp_path


def in_csv(out):
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {line["submission"]: line for line in csv.DictReader(file)}


def in_xlsx(out):
    rows = list(openpyxl.load_workbook(out / "grades.xlsx")["grades"].iter_rows(values_only=True))
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


def write_csv(out, submission, **cells):
    lines = in_csv(out)
    names = list(dict.fromkeys([*next(iter(lines.values())), *cells]))
    lines[submission] |= cells
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(lines.values())
    (out / "grades.csv").write_text(text.getvalue(), encoding="utf-8", newline="")


def write_xlsx(out, submission, **cells):
    book = openpyxl.load_workbook(out / "grades.xlsx")
    page = book["grades"]
    titles = [cell.value for cell in page[1]]
    for name, value in cells.items():
        if name not in titles:
            titles.append(name)
            page.cell(1, len(titles), name)
        row = next(row for row in range(2, page.max_row + 1) if page.cell(row, 1).value == submission)
        page.cell(row, titles.index(name) + 1).value = value
    book.save(out / "grades.xlsx")
    book.close()


def test_what_is_written_into_either_table_stands_in_both_afterwards(out):
    write_csv(out, "001", points_solution="55.0", oral="good,\nbut late")
    write_xlsx(out, "li", points_analysis=20.5, comment="说明清楚")
    write_grades([Judged("001"), Judged("=1+1"), Judged("li")], [], out)
    for table in (in_csv(out), in_xlsx(out)):
        assert str(table["001"]["points_solution"]) == "55"
        assert table["001"]["oral"] == "good,\nbut late"
        assert str(table["li"]["points_analysis"]) == "20.5" and table["li"]["comment"] == "说明清楚"
    assert isinstance(in_xlsx(out)["001"]["points_solution"], int) and "=1+1" in in_xlsx(out)
    write_csv(out, "001", points_solution="58")
    write_xlsx(out, "001", oral="better")
    write_grades([Judged("001")], [], out)
    assert in_csv(out)["001"]["points_solution"] == "58" and in_csv(out)["001"]["oral"] == "better"
    assert in_xlsx(out)["li"]["comment"] == "说明清楚"  # gone from the folder, kept in the table


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_saved_keeps_points(out, mark):
    """With a byte order mark, lines of Windows, semicolons and decimal commas, and 001 read as the number 1."""
    lines = in_csv(out)
    lines["001"] |= {"submission": "1", "points_solution": "55,5" if mark == ";" else "55.5", "comment": "gut, 谢谢"}
    lines["li"]["points_analysis"] = "20"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines["li"]), delimiter=mark, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines.values())
    (out / "grades.csv").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    write_xlsx(out, "=1+1", points_total=3.25)
    assert write_grades([Judged("001"), Judged("new"), Judged("li")], [], out) == ["=1+1"]
    for table in (in_csv(out), in_xlsx(out)):
        assert list(table) in (["001", "new", "li", "'=1+1"], ["001", "new", "li", "=1+1"])
        assert str(table["001"]["points_solution"]) == "55.5" and table["001"]["comment"] == "gut, 谢谢"
        assert str(table["li"]["points_analysis"]) == "20" and not table["new"]["points_analysis"]
        gone = table.get("=1+1") or table["'=1+1"]
        assert str(gone["points_total"]) == "3.25" and gone["remarks"] == "no longer in the folder"


def test_cells_that_were_changed_twice_and_differ_are_asked_about(out):
    write_csv(out, "001", points_solution="55")
    write_xlsx(out, "001", points_solution=57)
    with pytest.raises(DataError, match=r"'55' and .*'57' as points_solution of 001; make them equal"):
        write_grades([Judged("001")], [], out)
    write_xlsx(out, "001", points_solution=55)
    write_grades([Judged("001")], [], out)
    assert in_csv(out)["001"]["points_solution"] == "55"


def test_a_cell_that_is_emptied_stays_empty(out):
    write_csv(out, "001", comment="ask him")
    write_grades([Judged("001")], [], out)
    write_xlsx(out, "001", comment=None)
    write_grades([Judged("001")], [], out)
    assert in_csv(out)["001"]["comment"] == "" and in_xlsx(out)["001"]["comment"] is None


def test_formulas_and_further_sheets_of_the_workbook_stay(out):
    book = openpyxl.load_workbook(out / "grades.xlsx")
    page = book["grades"]
    titles = [cell.value for cell in page[1]]
    first, second, total = (titles.index(name) + 1 for name in ("points_solution", "points_analysis", "points_total"))
    letter = openpyxl.utils.get_column_letter
    row = next(row for row in range(2, 5) if page.cell(row, 1).value == "li")
    page.cell(row, first, 50), page.cell(row, second, 20)
    page.cell(row, total, f"={letter(first)}{row}+{letter(second)}{row}")
    book.create_sheet("rooms")["A1"] = "B 204"
    book.save(out / "grades.xlsx")
    write_grades([Judged("li")], [], out)  # it moves up to the second row
    book = openpyxl.load_workbook(out / "grades.xlsx")
    assert book["rooms"]["A1"].value == "B 204"
    assert book["grades"].cell(2, total).value == f"={letter(first)}2+{letter(second)}2"
    assert in_csv(out)["li"]["points_analysis"] == "20"


@pytest.mark.parametrize("name", ["grades.xlsx", "grades.csv", "teachers.json"])
def test_tables_that_cannot_be_read_are_not_overwritten(out, name):
    (out / name).write_bytes(b"\xff\xfe\x00broken")
    before = (out / name).read_bytes()
    with pytest.raises(DataError, match=r"cannot be read|no column 'submission'"):
        write_grades([Judged("001")], [], out)
    assert (out / name).read_bytes() == before


def test_an_older_folder_without_a_workbook_is_taken_over(out):
    write_csv(out, "001", points_solution="55")
    (out / "grades.xlsx").unlink()
    (out / "teachers.json").unlink()
    assert Teachers.read(out).cells["001"]["points_solution"] == "55"
    write_grades([Judged("001")], [], out)
    assert in_xlsx(out)["001"]["points_solution"] == 55
    assert json.loads((out / "teachers.json").read_text())["001"]["points_solution"] == "55"


def test_cells_of_either_table_compare_as_text():
    assert [plain(value) for value in (55, 55.0, "55", "55.00", 0.5, ".5", "007", None, " a\r\nb ", "'=x", "-3")] == [
        *(["55"] * 4),
        "0.5",
        ".5",
        "007",
        "",
        "a\nb",
        "=x",
        "-3",
    ]


def test_numbers_are_numbers_and_what_looks_like_a_formula_is_text(tmp_path):
    row = Judged("=cmd()", remarks=["=1+1", "\x07 bell"])
    write_grades([row], [], tmp_path)
    page = openpyxl.load_workbook(tmp_path / "grades.xlsx")["grades"]
    assert [cell.data_type for cell in page[2] if cell.value is not None] == ["s"] * 4
    assert page["A2"].hyperlink.target == "sheets/%3Dcmd__.html"
