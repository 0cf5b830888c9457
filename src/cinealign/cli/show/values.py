"""What machines read: values as JSON on stdout."""

from __future__ import annotations

import json

import typer


def print_json(value: object) -> None:
    """One JSON document, letters of any script as they are."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))
