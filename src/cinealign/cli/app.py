"""The `cinealign` command: one file a command group, and one place where errors become one line and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from enum import StrEnum
from typing import Annotated, Any

import typer

from cinealign.cli.analyse import analyse, explain
from cinealign.cli.audit import audit
from cinealign.cli.cache import cache_app
from cinealign.cli.commands import Commands
from cinealign.cli.data import data_app
from cinealign.cli.data_describe import describe
from cinealign.cli.data_download import download
from cinealign.cli.encode import encode
from cinealign.cli.grade import grade
from cinealign.cli.index import export, index_app
from cinealign.cli.measures import diff, geometry, slices
from cinealign.cli.recipes import recipes
from cinealign.cli.report import notebook, report, submit
from cinealign.cli.run_list import runs
from cinealign.cli.runs import distances, evaluate, run, show
from cinealign.cli.scale import scale_app
from cinealign.cli.search import search
from cinealign.cli.serve import serve
from cinealign.cli.speech import Screen
from cinealign.cli.studies import compare, plot, tune
from cinealign.errors import CineAlignError
from cinealign.phrases import LANGUAGES, locale_language, use_language
from cinealign.version import __version__

app = typer.Typer(
    name="cinealign",
    cls=Commands,
    help="Learns which poster belongs to which intro, measures it honestly and explains it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # else "D[i, j]" in a help text is taken for markup and loses its indices
    context_settings={"help_option_names": ["-h", "--help"]},
)
PANELS: dict[str, tuple[Callable[..., None] | tuple[typer.Typer, str], ...]] = {
    "Make and show runs": (run, show, runs, recipes),
    "Measure": (evaluate, distances, slices, geometry, audit),
    "Compare and choose": (diff, compare, tune, plot),
    "Explain": (analyse, explain),
    "Search and use": (search, serve, encode, export, (index_app, "index"), (scale_app, "scale")),
    "Hand in and grade": (notebook, report, submit, grade),
    "Data": ((data_app, "data"), (cache_app, "cache")),
}
"""Subject -> its commands, as `--help` lists them."""
data_app.command()(download)
data_app.command()(describe)
for panel, commands in PANELS.items():
    for each in commands:
        if isinstance(each, tuple):
            app.add_typer(each[0], name=each[1], rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(each)


class TerminalLanguage(StrEnum):
    """Languages of messages and tables."""

    en = "en"
    zh = "zh"


STOPPED = 130
OF_THE_MACHINE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ESTALE", "EMFILE", "ENFILE", "ENOMEM")
    if hasattr(errno, name)
}
"""What the system refuses whatever our code does: no room, no right, no memory. Where a command knows more it says more."""
NO_MEMORY = (
    *("can't allocate memory", "bad allocation", "std::bad_alloc", "Cannot allocate memory"),
    "failed to map segment from shared object",  # of the loader, where a library does not fit into `ulimit -v`
)
"""How libraries that are not Python say it, in a RuntimeError, and the loader, in an ImportError."""
_TOO_LITTLE = "Error: there is not enough memory; close programs, raise its limit or take fewer items"
UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What a wrong option raises: typer brings its own copy of click, older ones use the package."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cinealign {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    lang: Annotated[
        TerminalLanguage | None,
        typer.Option(help="Language of the terminal; CINEALIGN_LANG, else that of the locale, if absent."),
    ] = None,
) -> None:
    """Learns which poster belongs to which intro, measures it honestly and explains it."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point. The user's mistakes end in one line on stderr and exit code 2; a bug keeps its traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    lang = _language(arguments)
    use_language(lang)
    with ExitStack() as screen:
        if lang != "en" or sys.stderr.isatty():
            screen.enter_context(redirect_stderr(Screen(sys.stderr)))
        for_people = "--json" not in arguments and "--csv" not in arguments
        if for_people and (lang != "en" or sys.stdout.isatty()):
            screen.enter_context(redirect_stdout(Screen(sys.stdout)))
        _call(arguments)


def _call(arguments: list[str]) -> None:
    try:
        code = app(args=arguments or ["--help"], prog_name="cinealign", standalone_mode=False)
    except CineAlignError as error:
        _fail(f"{_public(error)}: {error}")
    except UsageError as error:
        _fail(f"Error: {_usage(error)}")
    except (typer.Abort, KeyboardInterrupt):
        code = STOPPED
    except MemoryError as error:
        _fail(
            f"Error: there is not enough memory ({str(error) or 'no more to be had'}); close programs or take fewer items"
        )
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough; typer mostly sees to it
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno is None and _lacks_memory(error):  # ctypes gives the loader's words and no number
            _fail(_TOO_LITTLE)
        if error.errno not in OF_THE_MACHINE:
            raise
        place = error.filename or "a file or connection"
        _fail(f"Error: {place}: {error.strerror}; once that is mended the same command starts again or goes on")
    except (RuntimeError, ImportError) as error:
        if not _lacks_memory(error):
            raise
        _fail(_TOO_LITTLE)
    if code == STOPPED:  # typer turns Ctrl-C into this exit code
        print("stopped; the same command goes on from here", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _lacks_memory(error: Exception) -> bool:
    return any(words in str(error) for words in NO_MEMORY)


def _language(arguments: list[str]) -> str:
    """What --lang before the command says, else the environment; a wrong one is left to the parser."""
    for at, given in enumerate(arguments):
        if not given.startswith("-"):
            break
        if given == "--lang" or given.startswith("--lang="):
            asked = given.partition("=")[2] or "".join(arguments[at + 1 : at + 2])
            return asked if asked in LANGUAGES else "en"
    return locale_language(os.environ)


def _usage(error: Any) -> str:
    """What was wrong with the options; of an unknown one also which was meant, in the words that we use everywhere."""
    option, near = getattr(error, "option_name", None), getattr(error, "possibilities", None)
    if option is not None and near is not None:
        command = error.ctx.command_path if error.ctx else "cinealign"
        meant = f"; did you mean {' or '.join(near[:2])}?" if near else f"; `{command} --help` lists them"
        return f"no option {option} in `{command}`{meant}"
    return str(error.format_message())


def _public(error: CineAlignError) -> str:
    """DataError, ConfigError or ModelError: what finer kinds of them are called helps nobody."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == CineAlignError.__module__)


def _fail(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr)
    sys.exit(2)
