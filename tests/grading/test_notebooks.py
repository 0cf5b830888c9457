"""Notebooks in other words: shared passages are shown through renaming and order, what everyone has is left aside."""

from importlib.resources import files

from cinealign.grading.judging import Judged
from cinealign.grading.notebooks import compare, of_cells, statements
from cinealign.grading.table import write_grades

FIRST = [
    (
        "code",
        "import numpy as np\nfor epoch in range(12):\n    total = sum(step(batch, rate=0.01) for batch in loader)  # train",
    ),
    ("code", "weights = np.linalg.solve(left.T @ left + 0.3 * np.eye(len(left)), left.T @ right)"),
    ("markdown", "The projection keeps forty dimensions because more of them overfit."),
]
RENAMED = [
    ("code", "%matplotlib inline\nW = np.linalg.solve(A.T @ A + 0.3 * np.eye(len(A)), A.T @ B)"),
    ("markdown", "the projection keeps **forty dimensions** because more of them overfit."),
    ("code", "for e in range(12):\n    s = sum(step(b, rate=0.01)\n            for b in dl)\n"),
]
OTHER = [
    ("code", "model = make_classifier(hidden=256, dropout=0.2, layers=['poster', 'intro', 'fused'])"),
    ("code", "D = np.concatenate([distance(block, table, metric='angle') for block in blocks], axis=0)"),
    ("markdown", "A second reader of the posters would help with dark pictures."),
]


def test_a_renamed_and_reordered_copy_is_shown_with_both_texts(tmp_path):
    books = [[of_cells(f"{name}.ipynb", cells)] for name, cells in (("a", FIRST), ("b", RENAMED), ("c", OTHER))]
    found = compare(books)
    assert [(one, other) for one, other, _ in found] == [(0, 1)]
    shared = found[0][2]
    assert (shared.count, shared.part, shared.files) == (3, 1.0, ("a.ipynb", "b.ipynb"))
    assert any("left.T" in mine and "A.T" in theirs for mine, theirs in shared.passages)
    rows = [Judged("a"), Judged("b"), Judged("c")]
    write_grades(rows, [], tmp_path, "zh", [(rows[0], rows[1], shared)])
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "有 3 处相同，占较短者的 100%" in index and "left.T" in index and "A.T" in index
    sheet = (tmp_path / "sheets" / "b.html").read_text(encoding="utf-8")
    assert "本提交与另一份提交相似" in sheet and "a.ipynb" not in sheet


def test_what_everyone_has_and_what_the_program_writes_is_left_aside():
    assert compare([[of_cells("n", FIRST)] for _ in range(4)]) == []
    template = files("cinealign.report").joinpath("templates", "notebook.py").read_text(encoding="utf-8")
    cells = [("code", part.partition("\n")[2]) for part in template.split("# %%") if not part.startswith(" [")]
    book = of_cells("ours", cells)
    assert len(book.code) > 5
    assert compare([[book], [book]]) == []


def test_code_that_cannot_be_parsed_has_no_statements():
    assert statements("def (") == {} and statements("(" * 5000) == {} and statements("x = '\0'") == {}
