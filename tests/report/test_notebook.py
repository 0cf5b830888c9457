from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cinealign.analysis.analyse import Analysis
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.accuracy import get_acc
from cinealign.figures import LANGUAGES, label_of
from cinealign.report.answers import Answers
from cinealign.report.extras import extra
from cinealign.report.notebook import (
    append_cell,
    check_target,
    execute_notebook,
    make_notebook,
    notebook_of_recipe,
    notebook_of_run,
    read_notebook,
    texts_of,
    write_notebook,
)
from cinealign.run import Run
from tests.cli.test_app import call


def said(notebook: Any) -> str:
    return "\n".join(text for cell in notebook.cells for out in cell.get("outputs", []) for text in texts_of(out))


def small(code: str) -> Any:
    """A notebook of one cell."""
    notebook = make_notebook("en", {})
    notebook.cells = []
    append_cell(notebook, code)
    return notebook


def test_of_a_run_on_the_sample(
    lettered: Run,
    analysed: Analysis,
    rated: Catalogue,
    kernel_store: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Executed from the top by the command: every code cell ran, the accuracies are the run's, pictures are kept."""
    run = tmp_path / "run"
    shutil.copytree(lettered.folder, run)
    shutil.copytree(analysed.folder, run / "analysis")
    out = tmp_path / "deep" / "story.ipynb"
    code, shown, err = call(capsys, "notebook", run, "--data", rated.folder, "--out", out, "--lang", "zh")
    assert code == 0 and shown.startswith(f"wrote {out}: "), err
    assert list(out.parent.iterdir()) == [out]
    notebook = read_notebook(out)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code_cells] == list(range(1, len(code_cells) + 1))
    text = said(notebook)
    poster, intro = lettered.vectors
    D = 1 - poster @ intro.T
    first, second = get_acc(D, 0.05, 1), get_acc(D, 0.05, 0)
    assert f"海报到简介 {first:.4f}，简介到海报 {second:.4f}，全部 240 项" in text
    assert f"运行时测得：{first:.4f}，{second:.4f}" in text and "课程得分：" in text
    streams = {out.get("name") for cell in code_cells for out in cell.outputs if out.output_type == "stream"}
    assert streams == {"stdout"}  # progress was shown, and is not kept
    assert "因没有海报舍去 12 " in text and "N = 240，训练行 144 行" in text
    pictures = [out for cell in code_cells for out in cell.outputs if "image/png" in out.get("data", {})]
    assert len(pictures) == 18 and "not measured" not in text
    assert str(tmp_path) not in out.read_text(encoding="utf-8")


def test_figures_speak_the_notebooks_language(analysed: Analysis, rated: Catalogue) -> None:
    for lang, said_first in (("en", "held-out top-p accuracy"), ("zh", "留出 top-p 准确率")):
        figure = Answers(analysed, rated.posters, lang).figure("relation-curve")
        assert figure.axes[0].get_ylabel() == said_first


@pytest.mark.slow
def test_of_a_recipe_trains_beside_itself(
    sample_folder: Path, kernel_store: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "quick.yaml"
    recipe.write_text(
        "name: quick\nviews: {appearance: {view: appearance, width: 96, height: 128}, words: {view: tfidf}}\n"
        "align: [{expert: cca, poster: appearance, intro: words}]\nevaluation: {bootstrap: 100}\n"
    )
    out = Path("story.ipynb")
    notebook = notebook_of_recipe("quick.yaml", sample_folder, out, "en")
    run = Run(tmp_path / "story-run")
    assert f"poster to intro {run.metrics['poster_to_intro']['all']:.4f}" in said(notebook)
    with pytest.raises(ConfigError, match="story-run exists already; pass --force"):
        notebook_of_recipe("quick.yaml", sample_folder, out, "en")


def test_languages_share_code_and_differ_in_text() -> None:
    notebooks = {lang: make_notebook(lang, {}, network=True) for lang in LANGUAGES}
    kinds = {lang: [cell.cell_type for cell in notebook.cells] for lang, notebook in notebooks.items()}
    assert kinds["en"] == kinds["zh"]
    for chinese, english in zip(notebooks["zh"].cells, notebooks["en"].cells, strict=True):
        same = chinese.source.replace('LANGUAGE = "zh"', 'LANGUAGE = "en"') == english.source
        assert same == (chinese.cell_type == "code"), english.source
        if chinese.cell_type == "markdown":
            assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.source)
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in english.source)


def test_parameters_and_header() -> None:
    notebook = make_notebook("en", {"DATA": Path('a "b"\\ 数据'), "TRAIN": True, "TRAIN_IDS": "ids"}, "**Me**")
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    values: dict[str, Any] = {}
    exec(cell.source, values)
    assert values["LANGUAGE"] == "en"
    assert (values["DATA"], values["TRAIN"], values["TRAIN_IDS"]) == (Path('a "b"\\ 数据'), True, "ids")
    assert values["MISSING_INTRO"] == "error" and notebook.cells[1].source == "**Me**"


def test_errors_of_a_cell(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^no posters here$"):
        execute_notebook(small("from cinealign.errors import DataError\nraise DataError('no posters here')"), tmp_path)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        execute_notebook(small("1 / 0"), tmp_path)


def test_kernel_is_this_python_in_the_given_folder(tmp_path: Path) -> None:
    import sys

    notebook = small("import os, sys\nprint(sys.executable, os.getcwd(), os.environ['MARK'])")
    execute_notebook(notebook, tmp_path, environ={"MARK": "here", "PATH": "/usr/bin"})
    assert said(notebook).split() == [sys.executable, str(tmp_path.resolve()), "here"]


def test_refused_places(tmp_path: Path, finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "there.ipynb"
    taken.write_text("mine")
    with pytest.raises(ConfigError, match=r"there\.ipynb exists already; pass --force"):
        check_target(taken, ".ipynb", force=False)
    check_target(taken, ".ipynb", force=True)
    code, _, err = call(capsys, "notebook", finished.folder, "--out", tmp_path / "x.txt")
    assert code == 2 and "expected a file whose name ends in .ipynb" in err
    with pytest.raises(ConfigError, match=r"cannot be written: (Not a directory|File exists)"):
        write_notebook(small("1"), taken / "x.ipynb")
    with pytest.raises(ConfigError, match=r"cannot be written: (Not a directory|File exists)"):
        notebook_of_run(finished, tmp_path, taken / "x.ipynb", "en")
    code, _, err = call(capsys, "notebook", "no-recipe", "--out", tmp_path / "x.ipynb")
    assert code == 2 and "unknown recipe 'no-recipe'" in err
    assert taken.read_text() == "mine"


def test_a_missing_extra_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"a notebook needs 'no_such_library'.*pip install 'cinealign\[report\]'"):
        extra("no_such_library", "a notebook")


def test_everything_that_the_notebook_says_has_a_chinese_wording() -> None:
    code = "\n".join(cell.source for cell in make_notebook("en", {}, network=True).cells if cell.cell_type == "code")
    said = re.findall(r'\b(?:say|word)\("([^"]+)"', code)
    assert len(said) > 20
    same = [text for text in said if label_of(text, "zh") == text and not text.startswith("cinealign")]
    assert same == []
