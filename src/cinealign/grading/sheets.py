"""One HTML sheet a student: accuracies, what was found and how strong it is, and how to appeal."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.figures import Language
from cinealign.grading.judging import Judged
from cinealign.grading.pictures import diagonal_picture, partners_picture
from cinealign.grading.recognition import NO_D, SAVE_D
from cinealign.grading.words import said
from cinealign.out import write_whole

STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:56em;padding:0 1em}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
.strength{font-weight:600}.details{color:#555;font-size:13px}img{max-width:100%}"""
COLON, COMMA = {"en": ": ", "zh": "："}, {"en": ", ", "zh": "，"}
APPEAL = (
    "Nothing here is a verdict. Your teacher decides after hearing you.",
    "If you disagree, give your teacher the code that made D, both sets of vectors (posters and intros, one row an item "
    "in the order of the data) and the trained weights. A matrix that comes out of them again settles the question. "
    "A result of a note counts in full.",
)
BAND = (
    "Each point is an item: how far its own distance lies from what the other entries of D predict. Nearly all entries "
    "beside the diagonal lie within the grey band."
)
RANKS = (
    "How many partners stand at which rank, up to 2 k. The curve of an honest model falls gradually and has no step at k; "
    "train pairs may be remembered and stand at rank 1."
)


ADD_CELL = "Add this cell at the end of your notebook, run it, and hand in D.npy too:"
CLAIMED = "The notebook prints these accuracies, which nothing here confirms yet"


def write_sheets(
    rows: Sequence[Judged], pairs: Sequence[tuple[Judged, Judged, str]], out: Path, lang: Language = "en"
) -> list[str]:
    """Write `out`/sheets/NAME.html for every submission; a sheet never names another student.

    Returns:
        For each row, the address of its sheet from `out`.
    """
    folder = out / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    addresses = []
    for row in rows:
        name = base = re.sub(r"[^\w.=-]", "_", row.name)[:60] or "_"
        number = 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        resembles = [told for one, other, told in pairs if row is one or row is other]
        write_whole(folder / f"{name}.html", sheet(row, resembles, lang).encode())
        addresses.append(quote(f"sheets/{name}.html"))
    return addresses


def sheet(row: Judged, resembles: Sequence[str], lang: Language) -> str:
    """The page of one submission.

    Args:
        row: the judged submission.
        resembles: how it resembles others.
        lang: of the page.
    """

    def t(text: str) -> str:
        return html.escape(said(text, lang))

    form = "".join(f"<li>{t(line)}</li>" for line in row.remarks)
    form = f"<ul>{form}</ul>" if form else f"<p>{t('Nothing is missing.')}</p>"
    if NO_D in row.remarks:
        form += f"<p>{t(ADD_CELL)}</p><pre>{html.escape(SAVE_D)}</pre>"
    appeal = "".join(f"<p>{t(text)}</p>" for text in APPEAL)
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(row.name)}</title>
<style>{STYLE}</style></head><body>
<h1>{t("Submission")}{COLON[lang]}{html.escape(row.name)}</h1>
{_accuracies(row, lang)}
<h2>{t("What was found")}</h2>
{_found(row, resembles, lang)}
{_pictures(row, lang)}
<h2>{t("Form")}</h2>
{form}
<h2>{t("How to appeal")}</h2>
{appeal}
</body></html>
"""


def _accuracies(row: Judged, lang: Language) -> str:
    if not row.metrics:
        claims = ", ".join(f"{claim:.4f}" for claim in row.claims[-2:])
        return f"<p>{said(CLAIMED, lang)}{COLON[lang]}{claims}</p>" if claims else ""
    metrics, parts = row.metrics, ("all", "train", "held_out")
    head = "".join(f"<th>{said(part.replace('_', ' '), lang)}</th>" for part in parts)
    lines = ""
    for ratio, measured in (("0.05", metrics), ("0.5", metrics["ratio_0.5"])):
        for direction in DIRECTIONS:
            values = [measured[direction].get(part) for part in parts]
            cells = "".join(f"<td>{'-' if value is None else f'{value:.4f}'}</td>" for value in values)
            lines += f"<tr><td>{said(direction.replace('_', ' '), lang)}{COMMA[lang]}{ratio}</td>{cells}</tr>"
    low, high = metrics["intervals"]["acc_sum"]
    return (
        f"<table><tr><th>{said('Direction', lang)}</th>{head}</tr>{lines}</table>"
        f"<p>{said('sum', lang)}{COLON[lang]}{metrics['acc_sum']:.4f} ({said('95 % interval', lang)} {low:.4f} - {high:.4f}); "
        f"{said('course score', lang)}{COLON[lang]}{metrics['course_score']:.2f}</p>"
    )


def _found(row: Judged, resembles: Sequence[str], lang: Language) -> str:
    items = [
        f'<li><span class="strength">{said(one.strength, lang)}</span>{COLON[lang]}{html.escape(one.means(lang))}'
        f'<br><span class="details">{html.escape(said(one.check, lang) + COLON[lang] + said(one.said, lang))}</span></li>'
        for one in row.findings
    ]
    for told in resembles:
        if told.startswith("notebooks "):  # the line names the other's file
            told = "a notebook shares passages with it"
        line = f"This submission resembles another one ({told}). Your teacher will show you both."
        items.append(
            f'<li><span class="strength">{said("note", lang)}</span>{COLON[lang]}{html.escape(said(line, lang))}</li>'
        )
    return f"<ul>{''.join(items)}</ul>" if items else f"<p>{said('Nothing was found.', lang)}</p>"


def _pictures(row: Judged, lang: Language) -> str:
    parts = []
    if row.diagonal is not None:
        parts.append(("The diagonal against its prediction", BAND, diagonal_picture(row.diagonal, lang)))
    if row.partners is not None:
        parts.append(("Ranks of partners", RANKS, partners_picture(row.partners, lang)))
    return "".join(
        f'<h2>{said(title, lang)}</h2><img alt="{said(title, lang)}" src="{as_source(picture)}"><p>{said(text, lang)}</p>'
        for title, text, picture in parts
    )


def as_source(picture: bytes) -> str:
    """A PNG as the address of an image, so that a page is one file."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
