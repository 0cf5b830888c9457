"""Labels of figures in both languages."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

import cinealign
from cinealign import figures
from cinealign.analysis import marks
from cinealign.analysis.downstream import figures as downstream
from cinealign.analysis.explain.figure import _draw_words
from cinealign.analysis.explain.numbers import WordDrop
from cinealign.analysis.neighbours import figures as neighbours
from cinealign.analysis.references import ReferenceWithIntro
from cinealign.analysis.relation import figures as relation
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError
from cinealign.report.gallery import poster_gallery
from cinealign.studies import curves

PLACES = re.compile(r"\{(\w+)")


def asked() -> set[str]:
    """Every text that code asks `label` for by a literal, and those that it keeps in tables."""
    found: set[str] = set()
    for file in Path(cinealign.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "label":
                found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    assert len(found) > 25
    kept = [neighbours.TITLES.values(), relation.LEFT_LABELS.values(), curves.PANELS.values(), neighbours.KINDS]
    kept += [marks.DIRECTION_LABELS.values(), downstream.KIND_STYLES, downstream.SHOWN]
    kept += [[told for told, *_ in neighbours.SPACE_STYLES.values()]]
    return found.union(*kept)


def test_every_label_has_a_chinese_text_with_the_same_places() -> None:
    for text in asked():
        told = figures.label_of(text, "zh")
        assert told != text or text == "macro AUC", text
        assert set(PLACES.findall(told)) == set(PLACES.findall(text)), text


def test_labels_speak_the_language_of_the_drawing() -> None:
    said = [figures.label("mean {mean:.2f}, p = {p:.3g}", mean=0.5, p=0.01)]
    with figures.drawing("zh"):
        said.append(figures.label("mean {mean:.2f}, p = {p:.3g}", mean=0.5, p=0.01))
        assert figures.label("Film-Noir") == "Film-Noir"
    said.append(figures.label("chance"))
    assert said == ["mean 0.50, p = 0.01", "平均 0.50，p = 0.01", "chance"]


@pytest.mark.parametrize("lang", figures.LANGUAGES)
def test_no_letter_is_missing_in_a_title_of_another_script(lang: figures.Language, tmp_path: Path) -> None:
    with warnings.catch_warnings(), figures.drawing(lang):
        warnings.simplefilter("error")
        figure = Figure()
        figure.subplots().set_title(f"{figures.label('held-out')} 千与千寻")
        files = figures.save_figure(figure, tmp_path / "figure")
    assert b"NotoSansCJK" in files[0].read_bytes()


def test_no_letter_is_missing_below_a_poster_or_in_an_intro(sample: Catalogue, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gallery = poster_gallery(sample.movies[:2], ["千与千寻", "x"], title="最近的电影")
        gallery.savefig(tmp_path / "gallery.pdf")
        words = [WordDrop(word="千寻", start=0, end=2, drop=0.5), WordDrop(word="回家", start=2, end=4, drop=-0.1)]
        intro = ReferenceWithIntro(row=0, id=1, title="千与千寻", intro="千寻回家")
        figure = Figure()
        with figures.drawing():
            _draw_words(figure.subplots(), intro, "train", words)
            figures.save_figure(figure, tmp_path / "words", (".pdf",))
    assert b"NotoSansCJK" in (tmp_path / "gallery.pdf").read_bytes()
    assert b"NotoSansCJK" in (tmp_path / "words.pdf").read_bytes()


def test_another_suffix_is_refused_and_a_number_in_a_name_is_none(tmp_path: Path) -> None:
    for name in ("curves.svg", "curves.xyz", "curves.PDF"):
        with pytest.raises(ConfigError, match=r"figures are written as \.pdf and \.png, got \.(svg|xyz|PDF)"):
            figures.figure_base(tmp_path / name)
    assert figures.figure_base(tmp_path / "ridge-0.5") == tmp_path / "ridge-0.5"
    assert figures.figure_base(tmp_path / "ridge-0.5.pdf") == tmp_path / "ridge-0.5"


def test_chinese_needs_its_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "cjk_font", lambda: None)
    with pytest.raises(ConfigError, match=r"need the font 'Noto Sans CJK SC'; install .*cinealign\[report\]"), \
            figures.drawing("zh"):  # fmt: skip
        pass
    assert (figures.spoken("zh"), figures.spoken("en")) == ("en", "en")
    with figures.drawing():
        assert figures.CJK_FONT not in matplotlib.rcParams["font.family"]
