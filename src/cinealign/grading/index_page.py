"""index.html: the table of a graded folder to read, with a link to every sheet. It is for the teacher alone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from cinealign.figures import Language
from cinealign.grading.judging import Judged
from cinealign.grading.notebooks import Shared
from cinealign.grading.sheets import as_source
from cinealign.grading.words import said

OURS = (
    *(
        "submission",
        "kind",
        "audit",
        "poster_to_intro",
        "intro_to_poster",
        "sum",
        "sum_low",
        "sum_high",
        "course_score",
    ),
    *(
        "held_out_poster_to_intro",
        "held_out_intro_to_poster",
        "sum_at_0.5",
        "claimed",
        "findings",
        "remarks",
        "resembles",
    ),
)
"""Columns of the table that are written anew each time."""
LEAD = (
    "Accuracies are top 5 % of all items. An audit of PASS means that nothing was found, FAIL that an honest result cannot "
    "be so, NOTE that numbers alone cannot tell. A finding is a reason to talk with the student."
)
MODEST = "Two students who use one public model without training have the same matrix honestly. Look at both files."
FIGURE = (
    "Correlations of the entries of D, without the diagonal. A high one alone is no sign: a head on a public model was seen "
    "at 0.95 to the model itself. Marked are the pairs of the list, matrices above the diagonal and notebooks below it."
)


def index_page(
    table: Sequence[dict[str, Any]],
    pairs: Sequence[tuple[Judged, Judged, str]],
    sheets: Sequence[str],
    lang: Language = "en",
    notebooks: Sequence[tuple[Judged, Judged, Shared]] = (),
    picture: bytes = b"",
) -> str:
    """The page.

    Args:
        table: cells by column; rows of the folder first, then those that are kept from before.
        pairs: submissions that resemble each other.
        sheets: addresses of the sheets of the first rows.
        lang: of the page.
        notebooks: whose passages are shown side by side.
        picture: who resembles whom, as PNG; none where it is empty.
    """
    shown = [name for name in OURS if name != "resembles"]
    head = "".join(f"<th>{html.escape(said(name.replace('_', ' '), lang))}</th>" for name in shown)
    lines = []
    for number, cells in enumerate(table):
        texts = {name: html.escape(str(cells.get(name, ""))) for name in shown}
        texts |= {name: html.escape(said(str(cells.get(name, "")), lang)) for name in ("kind", "audit")}
        texts["findings"] = _folded(str(cells.get("findings", "")))
        if number < len(sheets):
            texts["submission"] = f'<a href="{html.escape(sheets[number])}">{texts["submission"]}</a>'
        lines.append("<tr>" + "".join(f"<td>{texts[name]}</td>" for name in shown) + "</tr>")
    resemble = "".join(
        f"<li>{html.escape(one.name)} - {html.escape(other.name)}: {html.escape(said(told, lang))}</li>"
        for one, other, told in pairs
    )
    title = said("Submissions", lang)
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.4 system-ui,sans-serif;margin:2em}}table{{border-collapse:collapse}}
summary{{white-space:nowrap}}img{{max-width:100%}}
td,th{{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}}</style></head><body>
<h1>{title}</h1>
<p>{said(LEAD, lang)}</p>
<table><thead><tr>{head}</tr></thead><tbody>
{chr(10).join(lines)}
</tbody></table>
<h2>{said("Submissions that resemble each other", lang)}</h2>
{_figure(picture, lang)}
<ul>{resemble or f"<li>{said('none', lang)}</li>"}</ul>
<p>{said(MODEST, lang)}</p>
{_passages(notebooks, lang)}
</body></html>
"""


def _folded(findings: str) -> str:
    """Each finding's strength and check, with the audit's line behind it."""
    parts = []
    for one in filter(None, findings.split(" | ")):
        strength, _, rest = one.partition(": ")
        check, _, told = rest.partition(": ")
        head = html.escape(f"{strength}: {check}")
        parts.append(f"<details><summary>{head}</summary>{html.escape(told)}</details>")
    return "".join(parts)


def _figure(picture: bytes, lang: Language) -> str:
    if not picture:
        return ""
    alt = html.escape(said("Submissions that resemble each other", lang))
    return f'<img alt="{alt}" src="{as_source(picture)}"><p>{html.escape(said(FIGURE, lang))}</p>'


def _passages(notebooks: Sequence[tuple[Judged, Judged, Shared]], lang: Language) -> str:
    """Both notebooks' own text of what they share, the longest passages first."""
    parts = []
    for one, other, shared in notebooks:
        head = f"<tr><th>{html.escape(f'{one.name}: {shared.files[0]}')}</th>"
        head += f"<th>{html.escape(f'{other.name}: {shared.files[1]}')}</th></tr>"
        lines = "".join(
            f"<tr><td><pre>{html.escape(mine)}</pre></td><td><pre>{html.escape(theirs)}</pre></td></tr>"
            for mine, theirs in shared.passages
        )
        parts.append(f"<h3>{html.escape(said(shared.line(), lang))}</h3><table>{head}{lines}</table>")
    return f"<h2>{said('Passages that notebooks share', lang)}</h2>{''.join(parts)}" if parts else ""
