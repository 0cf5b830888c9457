"""A run analysed: three questions, numbers first, then tables and figures, in a folder that appears whole or not at all.

Finished parts survive an interruption: the same call goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinealign.analysis.downstream.tasks import downstream
from cinealign.analysis.drawing import draw
from cinealign.analysis.explain.pair import explain_pair
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours.galleries import galleries
from cinealign.analysis.neighbours.neighbours import neighbours
from cinealign.analysis.plans import draw_explanation, plans
from cinealign.analysis.relation.relation import relation
from cinealign.analysis.spreadsheets import spreadsheets, write_table
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.comparison import PERMUTATIONS
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.evaluation.statistics import LEVEL
from cinealign.figures import Language, cjk_font
from cinealign.out import Draft, refuse_taken
from cinealign.progress import progress, say
from cinealign.run import Run
from cinealign.version import __version__
from cinealign.views.store import FeatureStore

FORMAT = 1
FOLDER = "analysis"
EXPLANATIONS = "explain"
NUMBERS = "analysis.json"
FEWEST = 20
"""Held-out movies below which nothing can be said."""
PARTS: dict[str, Callable[[Material], dict[str, Any]]] = {
    "relation": relation,
    "neighbours": lambda material: {**neighbours(material), "galleries": galleries(material)},
    "downstream": downstream,
}
"""Question -> what answers it."""


@dataclass(frozen=True)
class Analysis:
    """A finished analysis: its folder and the numbers of analysis.json (docs/analysis.md says what each means)."""

    folder: Path
    numbers: dict[str, Any]

    @classmethod
    def load(cls, folder: Path | str) -> Analysis:
        """Read back what `analyse` wrote.

        Raises:
            DataError: there is no analysis, or of another version of this program.
        """
        path = Path(folder) / NUMBERS
        try:
            numbers = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path} cannot be read ({error}); run `cinealign analyse` first") from None
        if not isinstance(numbers, dict):
            raise DataError(f"{path} is damaged: expected names and values; run `cinealign analyse` again")
        if numbers.get("format") != FORMAT:
            raise DataError(f"{path} has the format {numbers.get('format')}, expected {FORMAT}; analyse the run again")
        return cls(Path(folder), numbers)

    def figure(self, name: str) -> dict[str, Any]:
        """`pdf` and `png` (paths), `caption`, `question` and `shows_posters` of a figure.

        Raises:
            DataError: this analysis has no such figure.
        """
        found = self.numbers["figures"].get(name)
        if found is None:
            raise DataError(f"{self.folder} has no figure {name!r}; it has: {', '.join(self.numbers['figures'])}")
        return {**found, "pdf": self.folder / found["pdf"], "png": self.folder / found["png"]}


def analyse(
    run: Run, catalogue: Catalogue, out: Path | None = None, *, store: FeatureStore | None = None, force: bool = False
) -> Analysis:
    """Answer the three questions for a finished run, and write numbers, tables, figures and two explanations.

    Args:
        run: a finished run.
        catalogue: the data that it was made from.
        out: folder to make; `analysis` in the run's folder where None.
        store: of features; the user's own store where None.
        force: replace an analysis at `out`.
    Raises:
        ConfigError: `out` exists and `force` is not given, or it is no analysis, or it cannot be written.
        DataError: other data than the run's, or fewer than 20 held-out movies.
    """
    out = run.folder / FOLDER if out is None else out

    def refuse() -> None:
        refuse_taken(out, force, mark=NUMBERS, one="an analysis", many="analyses")

    refuse()
    if len(catalogue.held_out_rows) < FEWEST:
        raise DataError(
            f"an analysis needs {FEWEST} held-out items at least, got {len(catalogue.held_out_rows)}; "
            "list fewer items in train.txt"
        )
    with Draft.open(out, refuse) as place:
        draft, about = place.folder, _about(run)
        _forget_another(place, about)
        material = Material.of(run, catalogue, store or FeatureStore())
        numbers = {"format": FORMAT, **about, **_data(material), **{n: _part(draft, n, material) for n in PARTS}}
        numbers["explained"] = _explained(draft, material, numbers)
        numbers["figures"] = _figures(draft, numbers, catalogue)
        numbers["tables"] = _tables(draft, numbers)
        _write_json(draft / NUMBERS, numbers)
        for left in ("parts", "identity.json"):
            _remove(draft / left)
        place.finish()
    return Analysis(out, numbers)


def finished_analysis(run: Run, out: Path | None = None) -> Analysis | None:
    """The analysis of this very run that lies at `out` already; None where there is none, or one of another run or version.

    Args:
        run: a finished run.
        out: its folder; `analysis` in the run's folder where None.
    """
    try:
        found = Analysis.load(run.folder / FOLDER if out is None else out)
    except DataError:
        return None
    return found if found.numbers.get("run") == _about(run)["run"] else None


def explain(
    run: Run,
    catalogue: Catalogue,
    movie_id: int,
    with_id: int | None = None,
    out: Path | None = None,
    *,
    store: FeatureStore | None = None,
    lang: Language = "en",
) -> tuple[dict[str, Any], list[Path]]:
    """Why this poster matches this intro: numbers, and the files they were written to (JSON, PDF, PNG).

    Args:
        run: a finished run.
        catalogue: the data that it was made from.
        movie_id: whose poster.
        with_id: whose intro; the same movie's where None.
        out: folder to write to; `explain` in the run's folder where None. Files of that name are replaced.
        store: of features; the user's own store where None.
        lang: of the figure's labels.
    Raises:
        DataError: other data than the run's, or no such movie.
        ConfigError: `out` cannot be written, or `lang` needs a font that is not installed.
    """
    out = run.folder / EXPLANATIONS if out is None else out
    material = Material.of(run, catalogue, store or FeatureStore())
    found = {**_about(run), **explain_pair(material, movie_id, with_id)}
    name = str(movie_id) if with_id is None else f"{movie_id}-with-{with_id}"
    return found, _write_explanation(out, name, found, material, lang)


def _about(run: Run) -> dict[str, Any]:
    vectors = hashlib.sha256((run.folder / "vectors.safetensors").read_bytes()).hexdigest()
    return {"run": {"recipe": run.recipe.name, "digest": run.catalogue["digest"], "vectors": vectors}}


def _data(material: Material) -> dict[str, Any]:
    n = len(material.catalogue)
    return {
        "data": {
            **{"source": material.catalogue.source, "n": n},
            **{"train": len(material.train), "held_out": len(material.held_out)},
        },
        "settings": {
            **{"ratio": TASK_RATIO, "k": material.k, "chance": material.k / n, "level": LEVEL},
            **{"samples": material.samples, "seed": material.seed, "permutations": PERMUTATIONS},
        },
    }


def _forget_another(place: Draft, about: dict[str, Any]) -> None:
    """Parts are only good for the same run and version."""
    identity = {**about, "version": __version__, "format": FORMAT}
    draft = place.folder
    path = draft / "identity.json"
    if path.is_file() and path.read_text(encoding="utf-8") == json.dumps(identity):
        say(f"going on with the interrupted analysis: {len(list((draft / 'parts').glob('*.json')))} parts are done")
        return
    place.clear()
    (draft / "parts").mkdir()
    path.write_text(json.dumps(identity), encoding="utf-8")


def _part(draft: Path, name: str, material: Material) -> dict[str, Any]:
    path = draft / "parts" / f"{name}.json"
    if not path.is_file():
        say(f"question: {name}")
        _write_json(path, PARTS[name](material))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _explained(draft: Path, material: Material, numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """The first good and the first bad case of the gallery of posters."""
    cases = numbers["neighbours"]["galleries"]["poster_to_intro"]
    found = []
    for kind in ("good", "bad"):
        query = next(case["query"] for case in cases if case["kind"] == kind)
        name = str(query["id"])
        told = {**_about(material.run), **explain_pair(material, query["id"])}
        _write_explanation(draft / EXPLANATIONS, name, told, material)
        movie = {key: query[key] for key in ("row", "id", "title")}
        files = {suffix: f"{EXPLANATIONS}/{name}.{suffix}" for suffix in ("json", "pdf", "png")}
        chinese = _chinese(EXPLANATIONS, name)
        if chinese:
            draw_explanation(told, material.catalogue.posters, draft / EXPLANATIONS / "zh" / name, "zh", (".pdf",))
        found.append({"movie": movie, "kind": kind, **files, **chinese})
    return found


def _write_explanation(
    out: Path, name: str, found: dict[str, Any], material: Material, lang: Language = "en"
) -> list[Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_json(out / f"{name}.json", found)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
    return [out / f"{name}.json", *draw_explanation(found, material.catalogue.posters, out / name, lang)]


def _chinese(folder: str, name: str) -> dict[str, Any]:
    """Where the same figure lies with Chinese labels, for analysis.json; nothing where their font is not installed."""
    if cjk_font() is None:
        return {}
    return {"zh": {"pdf": f"{folder}/zh/{name}.pdf"}}


def _figures(draft: Path, numbers: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    chosen = [plan for plan in plans(numbers, catalogue.posters) if plan.draw is not None]
    found: dict[str, Any] = {}
    with progress("figures", len(chosen)) as bar:
        for plan in chosen:
            assert plan.draw is not None
            draw(plan.draw, draft / "figures" / plan.name)
            files = {suffix: f"figures/{plan.name}.{suffix}" for suffix in ("pdf", "png")}
            more = {"question": plan.question, "shows_posters": plan.shows_posters}
            chinese = _chinese("figures", plan.name)
            if chinese:
                draw(plan.draw, draft / "figures" / "zh" / plan.name, "zh", (".pdf",))
            found[plan.name] = {**files, "caption": plan.caption, **more, **chinese}
            bar.advance()
    for entry in numbers["explained"]:
        files = {key: entry[key] for key in ("pdf", "png", "zh") if key in entry}
        caption = f"Why the poster of {entry['movie']['title']} is near its intro, or not: a {entry['kind']} case."
        found[f"explain-{entry['movie']['id']}"] = {
            **{**files, "caption": caption},
            **{"question": "explain", "shows_posters": True},
        }
    return found


def _tables(draft: Path, numbers: dict[str, Any]) -> dict[str, str]:
    (draft / "tables").mkdir(exist_ok=True)
    found = spreadsheets(numbers)
    for name, lines in found.items():
        write_table(lines, draft / "tables" / f"{name}.csv")
    return {name: f"tables/{name}.csv" for name in found}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write_json(path: Path, value: Any) -> None:
    """Beside its place first, so that a part that is half written is never taken for a finished one."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)
