"""The story of a download: licence, facts, posters, tables, split; each part is kept and a killed run goes on from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from cinealign.data.download import metadata
from cinealign.data.download.archive import ARCHIVE, MOST_ARCHIVE_BYTES, MovieLens, read_archive
from cinealign.data.download.facts import Facts
from cinealign.data.download.files import DownloadFolder
from cinealign.data.download.keyed import NAMES, VARIABLES, KeyedSource, fetch_facts
from cinealign.data.download.posters import fetch_posters, present_posters
from cinealign.data.download.queue import BackOff
from cinealign.data.download.single import fetch_file
from cinealign.data.download.split import write_split
from cinealign.data.download.tables import Missing, write_missing, write_tables
from cinealign.data.download.web import Patience, RateLimit, RefusedError, Web, base_address, host_of
from cinealign.data.split.train_file import TrainIds, read_train_file
from cinealign.errors import ConfigError

GROUPLENS = "https://files.grouplens.org/datasets/movielens"
METADATA = "https://raw.githubusercontent.com/vectorsss/movielens_100k_1m_extension/main/data/ml-1m"
OMDB = "https://www.omdbapi.com"
TMDB = "https://api.themoviedb.org/3"
TMDB_PICTURES = "https://image.tmdb.org/t/p/w342"
POSTER_HOSTS = ("m.media-amazon.com",)
"""Where the poster addresses of OMDb and of the public metadata lead."""
Read = TypeVar("Read")
_MOST_WORKERS = 32
_MOST_RATE = 1000.0


@dataclass(frozen=True)
class Sources:
    """Where everything comes from.

    Args:
        grouplens: base address of ml-1m.zip.
        metadata: base address of the public metadata.
        keyed: a service that gives the facts instead, with the user's key.
        poster_hosts: hosts that posters may come from.
    """

    grouplens: str = GROUPLENS
    metadata: str = METADATA
    keyed: KeyedSource | None = None
    poster_hosts: tuple[str, ...] = POSTER_HOSTS

    def __post_init__(self) -> None:
        object.__setattr__(self, "grouplens", base_address("--grouplens", self.grouplens))
        object.__setattr__(self, "metadata", base_address("--metadata", self.metadata))
        if keyed := self.keyed:
            key = keyed.key.strip()
            remedy = f"pass --{keyed.service}-key or set {VARIABLES[keyed.service]}"
            if not key:
                raise ConfigError(f"{NAMES[keyed.service]} needs a key; {remedy}")
            if len(key) < 6 or not all("!" <= letter <= "~" for letter in key):
                raise ConfigError(f"the key for {NAMES[keyed.service]} is too short or holds odd characters; {remedy}")
            address = base_address(f"--{keyed.service}", keyed.address)
            pictures = base_address("--tmdb-pictures", keyed.pictures) if keyed.service == "tmdb" else ""
            object.__setattr__(self, "keyed", replace(keyed, key=key, address=address, pictures=pictures))
        object.__setattr__(self, "poster_hosts", tuple(map(_checked_host, self.poster_hosts)))

    def hosts(self) -> dict[str, tuple[str, ...]]:
        """The hosts of each kind of request, all of which must be confirmed before the first leaves."""
        hosts: dict[str, tuple[str, ...]] = {
            "MovieLens": (host_of(self.grouplens),),
            "metadata": (host_of(self.metadata),),
        }
        posters = self.poster_hosts
        if keyed := self.keyed:
            hosts[keyed.service] = (host_of(keyed.address),)
            if keyed.service == "tmdb":
                posters = (host_of(keyed.pictures), *posters)
        hosts["posters"] = tuple(dict.fromkeys(posters))
        return hosts


@dataclass(frozen=True)
class Consent:
    """What the user is asked; each gives True for yes.

    `hosts` sees the hosts of each kind before anything leaves; `licence` sees MovieLens' licence; `more_hosts` sees
    poster hosts that the metadata names and nobody has confirmed, each with its number of posters.
    """

    hosts: Callable[[Mapping[str, Sequence[str]]], bool]
    licence: Callable[[str], bool]
    more_hosts: Callable[[Mapping[str, int]], bool] = lambda _: False


@dataclass(frozen=True)
class Manners:
    """How the servers are treated: requests a second over all workers, workers, tries and waits."""

    rate: float = 5.0
    workers: int = 8
    back_off: BackOff = field(default_factory=BackOff)
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if not 0 < self.rate <= _MOST_RATE:
            raise ConfigError(f"--rate must be above 0 and at most {_MOST_RATE:g} requests a second, got {self.rate:g}")
        if not 1 <= self.workers <= _MOST_WORKERS:
            raise ConfigError(f"--workers must be between 1 and {_MOST_WORKERS}, got {self.workers}")
        if self.back_off.tries < 1:
            raise ConfigError(f"--tries must be at least 1, got {self.back_off.tries}")


@dataclass(frozen=True)
class DownloadReport:
    """What a finished download has: movies in the list, intros, posters, ratings, what is missing, and the split."""

    folder: Path
    movies: int
    intros: int
    posters: int
    ratings: int
    missing: tuple[Missing, ...]
    split: str


def download_movielens(
    folder: Path,
    sources: Sources,
    consent: Consent,
    manners: Manners,
    *,
    train: Path | None = None,
    train_ids: TrainIds = "auto",
    seed: int = 0,
) -> DownloadReport:
    """Make a catalogue folder of MovieLens-1M, or go on with one that was begun.

    Nothing leaves for a host that was not confirmed. A poster that is there is kept and not asked for again; what
    earlier runs could not have is tried again.

    Args:
        folder: new, empty, or begun by an earlier download.
        sources: where everything comes from.
        consent: what the user is asked.
        manners: how the servers are treated.
        train: the user's own train.txt; None splits 60 / 40 at random.
        train_ids: what `train` holds.
        seed: of the random split.
    Raises:
        ConfigError: consent was not given, or an argument makes no sense.
        DataError: a part that all the others need cannot be had, or the folder cannot be used.
    """
    if train is not None:
        read_train_file(train)  # a mistake in it is better known before hours of asking
    hosts = {kind: set(names) for kind, names in sources.hosts().items()}
    if not consent.hosts({kind: sorted(names) for kind, names in hosts.items()}):
        raise ConfigError("the hosts were not confirmed, so nothing was asked for; pass --yes to confirm them")
    secrets = (sources.keyed.key,) if sources.keyed else ()
    web = Web(hosts, RateLimit(manners.rate), manners.patience, secrets)
    with DownloadFolder.claim(folder) as target:
        movielens, facts, missing = _fetch(web, target, hosts["posters"], sources, consent, manners)
        return _write(target, movielens, facts, missing, train, train_ids, seed)


def _fetch(
    web: Web, target: DownloadFolder, poster_hosts: set[str], sources: Sources, consent: Consent, manners: Manners
) -> tuple[MovieLens, dict[int, Facts], list[Missing]]:
    """Everything that comes over the network; the posters lie in the folder then."""
    movielens = fetch_file(
        web,
        target,
        f"{sources.grouplens}/{ARCHIVE}",
        "MovieLens",
        read_archive,
        most_bytes=MOST_ARCHIVE_BYTES,
        back_off=manners.back_off,
    )
    if not consent.licence(movielens.licence):
        raise ConfigError("MovieLens' licence was not accepted; read it and pass --accept-licence to accept it")
    facts, reasons = _facts(web, target, sources, manners, movielens)
    wanted = {
        movie.movie_id: facts[movie.movie_id].posters
        for movie in movielens.movies
        if movie.movie_id in facts and facts[movie.movie_id].intro and facts[movie.movie_id].posters
    }
    _ask_for_more(poster_hosts, wanted, consent)
    lost = fetch_posters(web, target, wanted, workers=manners.workers, back_off=manners.back_off)
    titles = {movie.movie_id: movie.title for movie in movielens.movies}
    missing = [
        *_missing_facts(titles, facts, reasons),
        *(Missing(one.movie_id, titles[one.movie_id], "poster", one.reason, one.address) for one in lost),
    ]
    missing.sort(key=lambda entry: entry.movie_id)
    return movielens, facts, missing


def _write(
    target: DownloadFolder,
    movielens: MovieLens,
    facts: Mapping[int, Facts],
    missing: Sequence[Missing],
    train: Path | None,
    train_ids: TrainIds,
    seed: int,
) -> DownloadReport:
    """Put the tables and the split beside the posters."""
    known = [movie.movie_id for movie in movielens.movies]
    present = present_posters(target)
    ids = [movie_id for movie_id in known if movie_id in present]
    write_tables(target, movielens, facts)
    write_missing(target, missing)
    split = write_split(target, ids, known, train=train, train_ids=train_ids, seed=seed)
    return DownloadReport(
        folder=target.path,
        movies=len(known),
        intros=sum(bool(facts[movie_id].intro) for movie_id in known if movie_id in facts),
        posters=len(ids),
        ratings=len(movielens.ratings),
        missing=tuple(missing),
        split=split,
    )


def _checked_host(host: str) -> str:
    """A host as `host_of` writes it."""
    try:
        written = host_of(f"http://{host}/")
    except RefusedError:
        written = ""
    if not written or "/" in host or "@" in host:
        raise ConfigError(f"--poster-host {host}: expected a host as in m.media-amazon.com or example.org:8080")
    return written


def _facts(
    web: Web, target: DownloadFolder, sources: Sources, manners: Manners, movielens: MovieLens
) -> tuple[dict[int, Facts], dict[int, str]]:
    """Facts by movie id, and the reason for each movie that was asked for and has none."""

    def table(name: str, read: Callable[[bytes], Read], most_bytes: int) -> Read:
        address = f"{sources.metadata}/{name}"
        return fetch_file(web, target, address, "metadata", read, most_bytes=most_bytes, back_off=manners.back_off)

    if sources.keyed is not None:
        links = table(metadata.LINKS, metadata.read_links, metadata.MOST_TABLE_BYTES)
        ids = [movie.movie_id for movie in movielens.movies]
        return fetch_facts(sources.keyed, web, target, ids, links, workers=manners.workers, back_off=manners.back_off)
    facts = table(metadata.RECORDS, metadata.read_records, metadata.MOST_RECORDS_BYTES)
    addresses = table(metadata.POSTERS, metadata.read_poster_addresses, metadata.MOST_TABLE_BYTES)
    for movie_id, known in facts.items():
        other = addresses.get(movie_id)
        if other and other not in known.posters:
            facts[movie_id] = replace(known, posters=(*known.posters, other))
    return facts, {}


def _ask_for_more(confirmed: set[str], wanted: Mapping[int, Sequence[str]], consent: Consent) -> None:
    """Ask about the poster hosts that the metadata names and nobody has confirmed; refused ones stay out."""
    named: Counter[str] = Counter()
    for addresses in wanted.values():
        for address in addresses:
            try:
                named[host_of(address)] += 1
            except RefusedError:
                continue  # such an address is refused, with its reason, when its turn comes
    more = {host: count for host, count in sorted(named.items()) if host not in confirmed}
    if more and consent.more_hosts(more):
        confirmed |= set(more)


def _missing_facts(titles: Mapping[int, str], facts: Mapping[int, Facts], reasons: Mapping[int, str]) -> list[Missing]:
    missing = []
    for movie_id, title in titles.items():
        known = facts.get(movie_id)
        if known is None:
            reason = reasons.get(movie_id, "the metadata has no record of it")
            missing.append(Missing(movie_id, title, "facts", reason))
        elif not known.intro:
            missing.append(Missing(movie_id, title, "intro", "the source has none, so its poster is left out too"))
        elif not known.posters:
            missing.append(Missing(movie_id, title, "poster", "the source has no address for it"))
    return missing
