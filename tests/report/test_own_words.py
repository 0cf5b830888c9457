from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cinealign.errors import ConfigError
from cinealign.figures import LANGUAGES, Language
from cinealign.report.document import compose
from cinealign.report.facts import plain
from cinealign.report.notebook import make_notebook, write_notebook
from cinealign.report.own_words import QUESTIONS, kept_words, read_own_words, unwritten, written
from cinealign.report.sources import Sources


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_written_below_the_prompt_survives_a_new_notebook(lang: Language, tmp_path: Path) -> None:
    notebook = make_notebook(lang, {})
    assert written(notebook) == {} and unwritten({}) == list(QUESTIONS)
    own = next(cell for cell in notebook.cells if cell.metadata.get("question") == "neighbours")
    own.source += "\n\nGenres are shared,\nmore than decades.\n\n我认为如此。"
    write_notebook(notebook, tmp_path / "mine.ipynb")
    kept = read_own_words(tmp_path / "mine.ipynb")
    assert kept == {"neighbours": "Genres are shared,\nmore than decades.\n\n我认为如此。"}
    assert written(make_notebook(lang, {}, own=kept)) == kept
    with zipfile.ZipFile(tmp_path / "7.zip", "w") as archive:
        archive.write(tmp_path / "mine.ipynb", "7/7.ipynb")
    assert read_own_words(tmp_path / "7.zip") == kept


def test_a_cell_whose_prompt_was_replaced_is_ones_own() -> None:
    notebook = make_notebook("en", {})
    own = next(cell for cell in notebook.cells if cell.metadata.get("question") == "relation")
    own.source = "They are related."
    assert written(notebook) == {"relation": "They are related."}


def test_files_that_hold_no_notebook(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("mine")
    (tmp_path / "x.zip").write_text("mine")
    for name in ("x.ipynb", "x.zip", "absent.ipynb"):
        with pytest.raises(ConfigError, match=r"cannot be read .*; give a notebook or a submission's zip"):
            read_own_words(tmp_path / name)
        assert kept_words(tmp_path / name) == {}


def test_the_report_prints_them_and_leaves_places(sources: Sources, curves: Path) -> None:
    def said(**options: object) -> str:
        return "\n".join(plain(text) for text in compose(sources, "en", curves, **options).texts())  # type: ignore[arg-type]

    assert "My analysis" not in said()
    text = said(whose="Me", own={"relation": "It is the lettering.\n\nI tried it."})
    assert text.count("My analysis\n") == 3 and text.count("Not written yet.") == 2
    assert "My analysis\nIt is the lettering.\nI tried it.\n" in text
