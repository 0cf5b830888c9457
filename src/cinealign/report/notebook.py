"""The notebook that tells a run's story, made from a text template and executed with its outputs kept.

The template (templates/notebook.py, jupytext's percent format) holds Markdown cells in both languages and the code cells
that they share. The one cell tagged `parameters` says where data, run and recipe are.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from cinealign import errors
from cinealign.errors import CineAlignError, ConfigError
from cinealign.figures import Language
from cinealign.out import write_whole
from cinealign.progress import progress
from cinealign.recipe import Recipe
from cinealign.report.extras import extra
from cinealign.report.own_words import TAG as OWN_WORDS
from cinealign.report.own_words import with_own_words
from cinealign.report.texts import speaking_of
from cinealign.report.training_story import has_network
from cinealign.run import Run
from cinealign.run_draft import refuse_finished

CELL_TIMEOUT_S = 4 * 3600
"""Of one cell: training from a cold store on a slow machine may take hours, a cell that hangs must not take for ever."""
START_TIMEOUT_S = 600
"""Of a kernel: on a machine that is busy with other work a minute is not enough."""

Notebook = Any
"""nbformat's NotebookNode."""


def notebook_of_run(
    run: Run, data: Path, out: Path, lang: Language, *, noun: str = "movie", own: Mapping[str, str] | None = None
) -> Notebook:
    """The executed notebook that loads the model of a finished run; `out` is where it is going to lie.

    Args:
        run: a finished run.
        data: the folder that it was made from.
        out: the notebook's file; paths in the cells start from its folder.
        lang: of the text.
        noun, own: as in `make_notebook`.
    Raises:
        CineAlignError: as `execute_notebook`.
    """
    folder = _made(out)
    notebook = make_notebook(
        lang,
        {
            **reading_of(run),
            "DATA": _from(folder, data),
            "RUN": _from(folder, run.folder),
            "RECIPE": _from(folder, run.folder / "recipe.yaml"),
            "TRAINED": Path(f"{out.stem}-run"),
        },
        noun=noun,
        own=own,
        network=has_network(run.recipe),
    )
    execute_notebook(notebook, folder)
    return notebook


def notebook_of_recipe(
    recipe: str, data: Path, out: Path, lang: Language, *, noun: str = "movie", force: bool = False
) -> Notebook:
    """The executed notebook that trains by a recipe, into a run directory beside it.

    Args:
        recipe: a name or a YAML file.
        data: the data folder.
        out: the notebook's file; NAME.ipynb trains into NAME-run beside it.
        lang: of the text.
        noun: what one thing of the data is called.
        force: replace a finished run there.
    Raises:
        CineAlignError: no such recipe, a run that is there already, or as `execute_notebook`.
    """
    loaded = Recipe.load(recipe)  # a typing error is said before a kernel starts
    folder, trained = _made(out), Path(f"{out.stem}-run")
    refuse_finished(out.parent / trained, force)
    notebook = make_notebook(
        lang,
        {
            "DATA": _from(folder, data),
            "RUN": trained,
            "RECIPE": _from(folder, Path(recipe)) if Path(recipe).is_file() else recipe,
            "TRAINED": trained,
            "TRAIN": True,
        },
        noun=noun,
        network=has_network(loaded),
    )
    execute_notebook(notebook, folder)
    return notebook


def reading_of(run: Run) -> dict[str, str]:
    """Parameters that make a notebook read the data as `run` did."""
    report = run.catalogue["report"]
    return {"TRAIN_IDS": report["train_ids_asked"], "MISSING_INTRO": report.get("missing_intro_asked", "drop")}


def check_target(out: Path, suffix: str, force: bool) -> None:
    """Refuse a file of another kind, or one that exists and may not be replaced.

    Raises:
        ConfigError: so it is.
    """
    if out.suffix != suffix:
        raise ConfigError(f"--out {out}: expected a file whose name ends in {suffix}")
    if out.is_dir() or (out.exists() and not force):
        raise ConfigError(f"{out} exists already; pass --force to replace it, or --out for another place")


def make_notebook(
    lang: Language,
    parameters: Mapping[str, Path | str | bool],
    header: str = "",
    *,
    noun: str = "movie",
    own: Mapping[str, str] | None = None,
    own_source: bool = False,
    network: bool = False,
) -> Notebook:
    """The notebook, not yet executed.

    Args:
        lang: of the text between the cells, and of the labels in figures.
        parameters: new values for names of the parameters cell; all other lines stay as the template has them.
        header: Markdown put below the title, such as whose work it is; "" for none.
        noun: what one thing of the data is called.
        own: question -> what the student wrote on it, for the cells that are his.
        own_source: whether the notebook imports the package from `src` beside itself.
        network: whether it shows how the recipe's two-tower network is built and trained.
    Raises:
        ConfigError: jupytext or nbformat is missing.
    """
    jupytext, nbformat = extra("jupytext", "a notebook"), extra("nbformat", "a notebook")
    source = files("cinealign.report").joinpath("templates", "notebook.py").read_text(encoding="utf-8")
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        tags = list(cell.metadata.get("tags", []))
        if cell.metadata.get("lang", lang) != lang or ("own-source" in tags and not own_source):
            continue
        if "network" in tags and not network:
            continue
        text = _with_parameters(cell.source, {"LANGUAGE": lang, **parameters}) if "parameters" in tags else cell.source
        metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "markdown":
            text = speaking_of(noun, text, lang)
        if OWN_WORDS in tags:
            metadata["question"] = cell.metadata["question"]
            text = with_own_words(text, cell.metadata["question"], own or {})
        new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        name = f"cell-{len(notebook.cells) + 1:02d}"
        notebook.cells.append(new(text, id=name, metadata=metadata))
        if header and len(notebook.cells) == 1:
            notebook.cells.append(nbformat.v4.new_markdown_cell(header, id="whose"))
    return notebook


def execute_notebook(notebook: Notebook, folder: Path, *, environ: Mapping[str, str] | None = None) -> None:
    """Run all cells in order on a fresh kernel of this very Python; outputs stay in `notebook`.

    Args:
        notebook: changed in place.
        folder: the kernel's working directory, which relative paths in cells start from.
        environ: of the kernel; this process's own where None.
    Raises:
        CineAlignError: a cell ended in one, which is passed on as it is.
        ConfigError: nbclient or ipykernel is missing, or a cell took longer than four hours.
        RuntimeError: a cell ended in any other error, which is a bug in the notebook.
    """
    nbclient = extra("nbclient", "executing a notebook")
    extra("ipykernel", "executing a notebook")
    exceptions = extra("nbclient.exceptions", "executing a notebook")
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    with progress("notebook cells", total) as bar:
        client = _quiet_client(nbclient)(
            notebook,
            kernel_manager_class=_this_python(),
            kernel_name="python3",
            timeout=CELL_TIMEOUT_S,
            startup_timeout=START_TIMEOUT_S,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            on_cell_executed=lambda cell, cell_index, execute_reply: bar.advance(),
        )
        try:
            client.execute(env=dict(os.environ if environ is None else environ))
        except exceptions.CellExecutionError as error:
            raise _as_ours(error) from None
        except exceptions.CellTimeoutError:
            raise ConfigError(
                f"a cell of the notebook took longer than {CELL_TIMEOUT_S // 3600} hours; make the run first "
                "(`cinealign run`) and give its folder"
            ) from None
    notebook.metadata.language_info.pop("version", None)


def _quiet_client(nbclient: Any) -> Any:
    """A client that shows what cells write to stderr, such as progress, on ours, and keeps it out of the notebook."""

    class QuietClient(nbclient.NotebookClient):  # type: ignore[misc]
        def output(self, outs: Any, msg: Any, display_id: str, cell_index: int) -> Any:
            if msg["msg_type"] == "stream" and msg["content"].get("name") == "stderr":
                sys.stderr.write(msg["content"]["text"])
                sys.stderr.flush()
                return None
            return super().output(outs, msg, display_id, cell_index)

    return QuietClient


def append_cell(notebook: Notebook, code: str) -> None:
    """Add a code cell at the end."""
    notebook.cells.append(extra("nbformat", "a notebook").v4.new_code_cell(code, id="added"))


def read_notebook(file: Path) -> Notebook:
    """The notebook in `file`."""
    return extra("nbformat", "a notebook").read(file, as_version=4)


def write_notebook(notebook: Notebook, out: Path) -> None:
    """Write `notebook` whole or not at all.

    Raises:
        ConfigError: `out` cannot be written.
    """
    nbformat = extra("nbformat", "a notebook")
    write_whole(out, (nbformat.writes(notebook) + "\n").encode(), "--out")


def texts_of(output: Mapping[str, Any]) -> Sequence[str]:
    """What an output of a cell says in plain text; nothing for pictures."""
    if output["output_type"] == "stream":
        return [output["text"]]
    return [text for kind, text in output.get("data", {}).items() if kind == "text/plain"]


def _made(out: Path) -> Path:
    """The folder of `out`, there from now on: the kernel starts in it."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
    return out.parent


def _from(folder: Path, path: Path) -> Path:
    """`path` as seen from `folder`, so that both can be moved together."""
    return Path(os.path.relpath(path.resolve(), folder.resolve()))


def _with_parameters(source: str, parameters: Mapping[str, Path | str | bool]) -> str:
    lines, left = source.splitlines(), dict(parameters)
    for at, line in enumerate(lines):
        name, equals, _ = line.partition(" = ")
        if equals and name in left:
            lines[at] = f"{name} = {_literal(left.pop(name))}"
    assert not left, f"the parameters cell has no {sorted(left)}"
    return "\n".join(lines)


def _literal(value: Path | str | bool) -> str:
    if isinstance(value, bool):
        return str(value)
    text = json.dumps(value.as_posix() if isinstance(value, Path) else value, ensure_ascii=False)
    return f"Path({text})" if isinstance(value, Path) else text


def _this_python() -> Any:
    """The kind of kernel that starts this interpreter, whatever is installed under the name python3."""
    jupyter_client = extra("jupyter_client", "executing a notebook")
    kernelspec = extra("jupyter_client.kernelspec", "executing a notebook")

    class OnlyThisPython(kernelspec.KernelSpecManager):  # type: ignore[misc, name-defined]
        def get_kernel_spec(self, kernel_name: str) -> Any:
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            encryption = {"supported_encryption": "curve"}
            return kernelspec.KernelSpec(argv=command, display_name="Python 3", language="python", metadata=encryption)

    class ThisPython(jupyter_client.AsyncKernelManager):  # type: ignore[misc, name-defined]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.kernel_spec_manager = OnlyThisPython()
            self.transport_encryption = "auto"

    return ThisPython


def _as_ours(error: Any) -> Exception:
    """The error of a cell: one of ours where it was one, so that the user reads its line and no traceback."""
    kind = getattr(errors, str(error.ename), None)
    if isinstance(kind, type) and issubclass(kind, CineAlignError):
        return kind(str(error.evalue))
    return RuntimeError(f"a cell of the notebook failed:\n{error}")
