"""`cinealign cache`: what the feature store holds, and deleting it."""

from __future__ import annotations

from typing import Annotated

import typer

from cinealign.cli.commands import Commands

cache_app = typer.Typer(cls=Commands, help="Show or delete features stored by earlier runs.")


@cache_app.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every setting.")] = False) -> None:
    """List the stored features: view, settings, items and size."""
    import json

    from cinealign.views.store import FeatureStore

    store = FeatureStore()
    entries = store.info()
    if as_json:
        listing = [
            {
                "view": entry.view,
                "fingerprint": entry.fingerprint,
                "file": str(entry.path),
                "items": entry.items,
                "bytes": entry.size,
                "settings": entry.settings,
            }
            for entry in entries
        ]
        typer.echo(json.dumps({"folder": str(store.folder), "entries": listing}, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{store.folder}: {_megabytes(sum(entry.size for entry in entries))}")
    for entry in entries:
        items = "damaged" if entry.items is None else f"{entry.items} items"
        typer.echo(f"  {entry.view} {entry.fingerprint}: {items}, {_megabytes(entry.size)}")


@cache_app.command()
def clear(
    view: Annotated[str | None, typer.Option("--view", metavar="NAME", help="Only the features of this view.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete stored features; the next run computes them again."""
    from cinealign.errors import ConfigError
    from cinealign.views.store import FeatureStore

    store = FeatureStore()
    views = sorted({entry.view for entry in store.info()})
    if view is not None and views and view not in views:
        raise ConfigError(f"--view: nothing is stored of a view {view!r}; choose one of: {', '.join(views)}")
    if not views:
        typer.echo(f"nothing to delete in {store.folder}")
        return
    if not yes:
        typer.confirm(f"Delete the stored features of {view or ', '.join(views)}?", abort=True, err=True)
    gone = store.clear(view)
    typer.echo(f"deleted {len(gone)} files, {_megabytes(sum(entry.size for entry in gone))}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
