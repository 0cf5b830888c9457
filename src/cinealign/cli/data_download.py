"""`cinealign data download`: MovieLens from public sources."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cinealign.cli.data import TrainIdsChoice

if TYPE_CHECKING:
    from cinealign.data.download.keyed import KeyedSource
    from cinealign.data.download.movielens import DownloadReport

SOMETHING_MISSING = 1


class SourceChoice(StrEnum):
    """Where intros and poster addresses come from."""

    public = "public"
    omdb = "omdb"
    tmdb = "tmdb"


def download(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make, or to resume.")],
    source: Annotated[
        SourceChoice | None,
        typer.Option(help="Source of intros and poster addresses; a key chooses its service.", show_default="public"),
    ] = None,
    omdb_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Your key for OMDb; else the variable OMDB_API_KEY.")
    ] = None,
    tmdb_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Your key for TMDB; else the variable TMDB_API_KEY.")
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept MovieLens' licence; it is shown anyway.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm the hosts that are listed; do not ask.")] = False,
    poster_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A host that posters may come from; may be repeated.",
            show_default="m.media-amazon.com",
        ),
    ] = None,
    rate: Annotated[float, typer.Option(help="Most requests per second, over all workers.")] = 5.0,
    workers: Annotated[int, typer.Option(help="Most requests at the same time.")] = 8,
    tries: Annotated[int, typer.Option(help="Attempts per request.")] = 5,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own train.txt; without it 60 % are drawn at random.")
    ] = None,
    train_ids: Annotated[TrainIdsChoice, typer.Option(help="What --train holds.")] = TrainIdsChoice.auto,
    seed: Annotated[int, typer.Option(help="Seed of the random split.")] = 0,
    grouplens: Annotated[str | None, typer.Option(metavar="URL", help="Base address of ml-1m.zip.")] = None,
    metadata: Annotated[str | None, typer.Option(metavar="URL", help="Base address of the public metadata.")] = None,
    omdb: Annotated[str | None, typer.Option(metavar="URL", help="Base address of OMDb.")] = None,
    tmdb: Annotated[str | None, typer.Option(metavar="URL", help="Base address of TMDB.")] = None,
    tmdb_pictures: Annotated[str | None, typer.Option(metavar="URL", help="Base address of TMDB's posters.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, with all that is missing.")
    ] = False,
) -> None:
    """Make a catalogue of MovieLens-1M from public sources: GroupLens, public metadata or your own key, poster hosts.

    Lists the hosts first and asks; shows the licence and asks. Run it again to resume, or to retry what
    is missing. Exits with 0 if nothing is missing, 1 if something is (missing.csv says what and why), 2 on an error.
    """
    from cinealign.data.download import movielens
    from cinealign.data.download.queue import BackOff

    keyed = _keyed(source, omdb_key, tmdb_key, omdb or movielens.OMDB, tmdb or movielens.TMDB, tmdb_pictures)
    sources = movielens.Sources(
        grouplens=grouplens or movielens.GROUPLENS,
        metadata=metadata or movielens.METADATA,
        keyed=keyed,
        poster_hosts=tuple(poster_host or (() if keyed and keyed.service == "tmdb" else movielens.POSTER_HOSTS)),
    )
    report = movielens.download_movielens(
        folder,
        sources,
        movielens.Consent(
            hosts=lambda hosts: _confirm_hosts(hosts, yes),
            licence=lambda text: _accept_licence(text, accept_licence),
            more_hosts=_confirm_more,
        ),
        movielens.Manners(rate=rate, workers=workers, back_off=BackOff(tries=tries)),
        train=train,
        train_ids=train_ids.value,
        seed=seed,
    )
    _print(report, as_json)
    if report.missing:
        raise typer.Exit(SOMETHING_MISSING)


def _keyed(
    source: SourceChoice | None,
    omdb_key: str | None,
    tmdb_key: str | None,
    omdb: str,
    tmdb: str,
    tmdb_pictures: str | None,
) -> KeyedSource | None:
    from cinealign.data.download import keyed, movielens
    from cinealign.errors import ConfigError

    if source is None and omdb_key and tmdb_key:
        raise ConfigError("both --omdb-key and --tmdb-key are given; choose with --source omdb|tmdb")
    name = source.value if source else "omdb" if omdb_key else "tmdb" if tmdb_key else "public"
    if name == "public":
        return None
    service: Literal["omdb", "tmdb"] = "omdb" if name == "omdb" else "tmdb"
    key = (omdb_key if service == "omdb" else tmdb_key) or os.environ.get(keyed.VARIABLES[service], "")
    address = omdb if service == "omdb" else tmdb
    return keyed.KeyedSource(service, address, key, tmdb_pictures or movielens.TMDB_PICTURES)


def _confirm_hosts(hosts: Mapping[str, Sequence[str]], yes: bool) -> bool:
    _say("requests will go to these hosts and to no other:")
    for kind, names in hosts.items():
        _say(f"  {kind}: {', '.join(names)}")
    return yes or _asked("go on?")


def _accept_licence(text: str, accepted: bool) -> bool:
    _say(f"\nMovieLens' licence\n{text}\n")
    return accepted or _asked("do you accept this licence?")


def _confirm_more(hosts: Mapping[str, int]) -> bool:
    _say("the metadata names poster hosts that were not listed:")
    for host, count in hosts.items():
        _say(f"  {host}: {count:,} addresses")
    if _asked("ask them too?"):
        return True
    _say("they are left out; --poster-host HOST confirms one")
    return False


def _asked(question: str) -> bool:
    """The user's answer; no where nobody sits at a terminal."""
    return sys.stdin.isatty() and typer.confirm(question, err=True)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _print(report: DownloadReport, as_json: bool) -> None:
    import json
    from collections import Counter
    from dataclasses import asdict

    if as_json:
        content = {**asdict(report), "folder": str(report.folder)}
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    typer.echo(
        f"{report.folder}: {report.movies:,} movies, {report.intros:,} intros, {report.posters:,} posters, "
        f"{report.ratings:,} ratings"
    )
    typer.echo(report.split)
    if not report.missing:
        typer.echo("nothing is missing")
        return
    typer.echo(f"missing: {len(report.missing):,} (missing.csv names each)")
    for (what, reason), count in Counter((one.what, one.reason) for one in report.missing).most_common(8):
        typer.echo(f"  {count:,} x {what}: {reason}")
    typer.echo("the same command tries again")
