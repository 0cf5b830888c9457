"""Groups of commands: `--help` by subject, with whole summaries; a name that is nearly one is told from a mistake."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup

from cinealign.errors import meant
from cinealign.phrases import word

LONGEST = 400
"""Characters of a summary: the first sentence of a command's help, whole."""


class Commands(TyperGroup):
    """Lists its commands under the panels that they were added with, in that order."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one list a panel."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            summary = word(command.get_short_help_str(LONGEST))
            panels.setdefault(command.rich_help_panel or "Commands", []).append((name, summary))
        widest = max(len(name) for rows in panels.values() for name, _ in rows)
        for panel, rows in panels.items():
            with formatter.section(word(panel)):
                formatter.write_dl([(name.ljust(widest), summary) for name, summary in rows])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names; where none does, the message says which may have been meant."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            choices = meant(args[0], known) or f"; choose one of: {', '.join(known)}"
            ctx.fail(f"no command {args[0]!r} in `{ctx.command_path}`{choices}")
        return super().resolve_command(ctx, args)


class MakeByDefault(Commands):
    """`index RUN` is `index make RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where the first argument names none, and none that it may have been meant for."""
        from cinealign.cli.folders import found_run

        first = args[0] if args else "--help"
        named = first in self.commands or first in ("-h", "--help")
        if not named and (first.startswith("-") or found_run(first) or not get_close_matches(first, self.commands)):
            args = ["make", *args]
        return super().parse_args(ctx, args)
