"""What machines read: values as JSON on stdout."""

from __future__ import annotations

import json

import typer

from cinealign.plain_json import to_json


def print_json(value: object) -> None:
    """One JSON document, letters of any script as they are."""
    typer.echo(json.dumps(to_json(value), indent=1, ensure_ascii=False))
