"""`cinealign recipes`: what can be run."""

from __future__ import annotations

from typing import Annotated

import typer

from cinealign.phrases import word


def recipes(
    name: Annotated[str | None, typer.Argument(help="A recipe to print resolved, with every default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the packaged recipes, one line each; or print one with all its settings."""
    import json

    from cinealign.recipe import Recipe
    from cinealign.recipe_files import known_recipes

    if name is not None:
        recipe = Recipe.load(name)
        typer.echo(json.dumps(recipe.model_dump(mode="json"), indent=1) if as_json else recipe.to_yaml(), nl=as_json)
        return
    known = known_recipes()
    if as_json:
        typer.echo(json.dumps(known, indent=1, ensure_ascii=False))
        return
    width = max(map(len, known))
    for each, description in known.items():
        typer.echo(f"{each:<{width}}  {word(description)}")
