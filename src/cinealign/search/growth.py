"""How an index changes: items added, updated and removed in batches, each of which happens at once or not at all.

A batch is encoded, written beside what is there, and committed; only then is it reported. So whoever kills the process loses
at most the batch that was under way, and giving the same command again goes on from there, as what is in the index already,
by id and by the digest of its content, is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.tables import listed
from cinealign.errors import DataError, ModelError
from cinealign.search.engines import Engine, Keys, Rows, engine_kind
from cinealign.search.folder import (
    SIDES,
    Side,
    commit,
    merge_from,
    read_manifest,
    sum_of,
    sweep,
    write_array,
    writing,
)
from cinealign.search.index import Index
from cinealign.search.items import ADDED, SPLIT, Item, Items, write_items
from cinealign.search.query import Encodes

BATCH = 64
SETTLE = 0.25
"""Share of items changed since all files were written anew, above which they are written anew again."""
LEAST = 32
"""Changes for which that is not worth while."""
Acknowledge = Callable[[Sequence[str]], None]
"""Called with the ids of a batch once it is safe."""


@dataclass(frozen=True)
class NewItem:
    """One item to put into an index: either side may be missing, not both.

    Attributes:
        item_id, title, year, facets: as in `Item`.
        intro: the cleaned text.
        picture: a path, a file's bytes, or whatever the encoder opens as a poster.
        picture_digest: sha256 of the picture's bytes.
        path: where the picture lies, for showing it.
    """

    item_id: str
    title: str = ""
    year: int | None = None
    intro: str | None = None
    picture: Any = None
    picture_digest: str | None = None
    path: str | None = None
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def intro_digest(self) -> str | None:
        """Of the text."""
        return None if self.intro is None else text_digest(self.intro)


@dataclass
class Growth:
    """What became of the items that were given: ids by outcome."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For the user."""
        said = {
            "added": self.added,
            "updated": self.updated,
            "in the index already": self.same,
            "not added: the index holds another item of that id (cinealign index update replaces it)": self.differing,
            "not usable": self.unusable,
        }
        return [f"{what}: {len(ids):,} ({listed(ids)})" for what, ids in said.items() if ids]


def text_digest(text: str) -> str:
    """sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Writer:
    """Changes an index; made by `open_writer`, which holds the lock."""

    def __init__(self, folder: Path, encoder: Encodes | None = None) -> None:
        self.folder = folder
        self._index = Index.open(folder, encoder=encoder)
        self._manifest = self._index.manifest
        self._engines: dict[Side, Engine] = dict(self._index.engines)
        self._space, self._items = self._index.space, self._index.items
        removed = self._manifest.removed
        self._removed: Keys = np.load(folder / removed, allow_pickle=False) if removed else np.zeros(0, dtype=np.int64)
        sweep(folder, self._manifest)

    def ids(self) -> set[str]:
        """Of all items."""
        return set(self._items.digests())

    def add(self, items: Iterable[NewItem], *, update: bool = False, acknowledge: Acknowledge | None = None) -> Growth:
        """Put items into the index, `BATCH` at a time.

        Args:
            items: in any order; of items with one id the first counts. Where an import numbered the items of the index, an id
                of the imported table means the item of that number.
            update: replace an item whose content differs; a side that the new one lacks stays as it is.
            acknowledge: called after each batch, when it is safe.
        """
        known, growth, seen = self._items.digests(), Growth(), set[str]()
        numbers = self._items.numbered()
        items = (replace(item, item_id=numbers.get(item.item_id, item.item_id)) for item in items)
        for batch in _batches(self._to_do(items, known, update, growth, seen)):
            done = self._put(batch, known, growth)
            growth.added += [item.item_id for item in done if item.item_id not in known]
            growth.updated += [item.item_id for item in done if item.item_id in known]
            if done and acknowledge is not None:
                acknowledge([item.item_id for item in done])
        own = {number: name for name, number in numbers.items()}
        for ids in (growth.added, growth.updated, growth.same, growth.differing):
            ids[:] = [own.get(item_id, item_id) for item_id in ids]
        self._settle()
        return growth

    def remove(self, ids: Iterable[str], *, acknowledge: Acknowledge | None = None) -> list[str]:
        """Take items out, all at once; returns the ids that were there.

        Raises:
            DataError: none of them is in the index.
        """
        known, wanted, numbers = self._items.digests(), list(dict.fromkeys(ids)), self._items.numbered()
        there = [item_id for item_id in wanted if numbers.get(item_id, item_id) in known]
        if not there:
            raise DataError(f"{self.folder} has none of the items {listed(wanted)}")
        keys = np.unique(np.array([known[numbers.get(item_id, item_id)][0] for item_id in there], dtype=np.int64))
        name = self._manifest.following().name
        self._commit(name, {side: self._engines[side].remove(name, keys) for side in SIDES}, (), keys)
        if acknowledge is not None:
            acknowledge(there)
        self._settle()
        return there

    def compact(self) -> None:
        """Write all files anew, without what was removed."""
        name = self._manifest.following().name
        engines = {side: self._engines[side].compact(name) for side in SIDES}
        file = f"items/{name}-all.sqlite"
        write_items(self.folder / file, self._items.all())
        self._finish(name, engines, (file,), np.zeros(0, dtype=np.int64), settled=True)

    def _to_do(
        self, items: Iterable[NewItem], known: Mapping[str, Any], update: bool, growth: Growth, seen: set[str]
    ) -> Iterator[NewItem]:
        """The items that are new or differ, each id once."""
        for item in items:
            if item.item_id in seen:
                continue
            seen.add(item.item_id)
            if item.picture_digest is None and item.intro is None:
                growth.unusable.append(item.item_id)
                continue
            if item.item_id not in known:
                yield item
                continue
            _, *there = known[item.item_id]
            given = (item.picture_digest, item.intro_digest)
            if all(new is None or new == old for new, old in zip(given, there, strict=True)):
                growth.same.append(item.item_id)
            elif update:
                yield item
            else:
                growth.differing.append(item.item_id)

    def _put(self, batch: list[NewItem], known: Mapping[str, Any], growth: Growth) -> list[NewItem]:
        """Encode and commit one batch; returns the items that could be used."""
        batch, vectors, lettering = self._encoded(batch, growth)
        if not batch:
            return []
        keys = np.arange(self._manifest.next_key, self._manifest.next_key + len(batch), dtype=np.int64)
        replaced = np.sort(
            np.array([known[item.item_id][0] for item in batch if item.item_id in known], dtype=np.int64)
        )
        earlier = self._items.of_keys(replaced.tolist())
        held = {side: np.zeros(len(batch), dtype=bool) for side in SIDES}
        rows = {side: self._rows(side, batch, vectors[side], known, held[side]) for side in SIDES}
        name = self._manifest.following().name  # not before: scaling rows anew is a change of its own
        engines = {side: self._engines[side].add(name, keys[held[side]], rows[side][held[side]]) for side in SIDES}
        engines = {side: engines[side].remove(name, replaced) if len(replaced) else engines[side] for side in SIDES}
        items = [
            _item(
                int(key), new, earlier.get(known[new.item_id][0]) if new.item_id in known else None, lettering.get(row)
            )
            for row, (key, new) in enumerate(zip(keys, batch, strict=True))
        ]
        self._commit(name, engines, items, replaced)
        return batch

    def _encoded(
        self, batch: list[NewItem], growth: Growth
    ) -> tuple[list[NewItem], dict[Side, dict[int, NDArray[np.float32]]], dict[int, tuple[str, ...]]]:
        """The usable items of a batch, the compact vectors of their sides by row, and what is read on their posters."""
        encoder, space = self._index.encoder, self._index.space
        pictured = [row for row, item in enumerate(batch) if item.picture_digest is not None]
        posters: dict[int, NDArray[np.float32]] = {}
        bad: set[int] = set()
        if pictured:
            try:
                rows = encoder.encode_posters([batch[row].picture for row in pictured])
                posters = dict(zip(pictured, space.compact("poster", rows), strict=True))
            except DataError:  # one of them cannot be read: find out which
                for row in pictured:
                    try:
                        posters[row] = space.compact("poster", encoder.encode_posters([batch[row].picture]))[0]
                    except DataError as error:
                        growth.unusable.append(f"{batch[row].item_id}: {error}")
                        bad.add(row)
        kept = [row for row in range(len(batch)) if row not in bad]
        place = {row: at for at, row in enumerate(kept)}
        texts = [row for row in kept if batch[row].intro is not None]
        intros: Sequence[NDArray[np.float32]] = []
        if texts:
            intros = list(space.compact("intro", encoder.encode_intros([batch[row].intro for row in texts])))
        vectors: dict[Side, dict[int, NDArray[np.float32]]] = {
            "poster": {place[row]: vector for row, vector in posters.items()},
            "intro": {place[row]: vector for row, vector in zip(texts, intros, strict=True)},
        }
        read = self._index.lettering([batch[row].picture for row in posters]) if posters else None
        lettering = {} if read is None else {place[row]: tuple(lines) for row, lines in zip(posters, read, strict=True)}
        return [batch[row] for row in kept], vectors, lettering

    def _rows(
        self,
        side: Side,
        batch: Sequence[NewItem],
        vectors: Mapping[int, NDArray[np.float32]],
        known: Mapping[str, Any],
        held: NDArray[np.bool_],
    ) -> Rows:
        """(B, stored width) rows of a side; `held` says which items have it. An updated item may keep its old vector."""
        compact = np.zeros((len(batch), self._space.width), dtype=np.float32)
        for row, vector in vectors.items():
            compact[row], held[row] = vector, True
        longest = float(np.linalg.norm(compact, axis=1).max(initial=0.0))
        if longest > self._space.lengths[side] * (1.0 if self._space.extra else 1.001):
            self._lengthen(side, longest)
        rows = self._space.stored(side, compact)
        at = 1 if side == "poster" else 2
        for row, item in enumerate(batch):
            if not held[row] and item.item_id in known and known[item.item_id][at] is not None:
                rows[row] = self._engines[side].take(np.array([known[item.item_id][0]], dtype=np.int64))[0]
                held[row] = True
        return rows

    def _lengthen(self, side: Side, longest: float) -> None:
        """Scale all rows of an index anew, as a new one is longer than there was room for."""
        if not self._space.extra:
            raise ModelError(
                f"the model gave a {side} vector of length {longest:.3f} and all vectors of {self.folder} have length 1; "
                "is it another model? make the index again from its run"
            )
        before, after = self._space, self._space.longer(side, longest)
        name = self._manifest.following().name
        engine = self._engines[side]
        keys = engine.keys()
        file = f"{self._manifest.base}/space-{name}.safetensors"
        after.save(self.folder / file)
        options = {**self._manifest.options}
        home = self.folder / "vectors" / side
        fresh = engine_kind(self._manifest.engine).new(home, after.stored_width, options)
        for start in range(0, len(keys), 65_536):
            part = keys[start : start + 65_536]
            fresh = fresh.add(f"{name}-{start}", part, after.stored(side, before.unstored(side, engine.take(part))))
        self._space = after
        self._finish(name, {**self._engines, side: fresh}, self._manifest.items, self._removed, space=file)

    def _commit(self, name: str, engines: Mapping[Side, Engine], items: Sequence[Item], gone: Keys) -> None:
        """Write the items, then make the change happen."""
        files = list(self._manifest.items)
        if items:
            first = merge_from(self._items.sizes, len(items))
            older = Items([self.folder / file for file in files[first:]], np.zeros(0, dtype=np.int64)).all()
            file = f"items/{name}.sqlite"
            write_items(self.folder / file, (*older, *items))
            files = [*files[:first], file]
        self._finish(name, engines, tuple(files), np.union1d(self._removed, gone))

    def _finish(
        self,
        name: str,
        engines: Mapping[Side, Engine],
        files: Sequence[str],
        removed: Keys,
        *,
        space: str | None = None,
        settled: bool = False,
    ) -> None:
        before, gone = self._manifest, None
        if len(removed):
            (self.folder / "removed").mkdir(exist_ok=True)
            gone = f"removed/{name}.npy"
            write_array(self.folder / gone, removed)
        counts = {side: engines[side].count() for side in SIDES}
        items = Items([self.folder / file for file in files], removed)
        counts["items"] = sum(items.sizes) - len(removed)
        listed_files = [*files, *([gone] if gone else []), *([space] if space else [])]
        listed_files += [f"vectors/{side}/{file}" for side in SIDES for file in engines[side].files]
        listed_files += [file for file in before.sums if file.startswith(f"{before.base}/")]
        sums = {file: before.sums.get(file) or sum_of(self.folder / file) for file in listed_files}
        self._manifest = commit(
            self.folder,
            before.following(
                vectors={side: dict(engines[side].state) for side in SIDES},
                items=tuple(files),
                removed=gone,
                space=space or before.space,
                next_key=max(before.next_key, items.highest() + 1),
                settled=counts["items"] if settled else before.settled,
                counts=counts,
                sums=sums,
            ),
        )
        self._engines, self._removed, self._items = dict(engines), removed, items
        sweep(self.folder, self._manifest)

    def _settle(self) -> None:
        """Write all files anew where much has changed since."""
        changed = self._manifest.counts["items"] - self._manifest.settled + 2 * len(self._removed)
        if changed > SETTLE * max(1, self._manifest.settled) and changed > LEAST:
            self.compact()


@contextmanager
def open_writer(folder: Path | str, *, encoder: Encodes | None = None) -> Iterator[Writer]:
    """The one writer of an index.

    Raises:
        DataError: no index.
        ConfigError: another process is changing it.
    """
    folder = Path(folder)
    read_manifest(folder)
    with writing(folder):
        yield Writer(folder, encoder)


def _item(key: int, new: NewItem, earlier: Item | None, lettering: tuple[str, ...] | None) -> Item:
    """What is known of an item now; what an update does not say stays."""
    facets = {**(earlier.facets if earlier else {}), **new.facets}
    pictured = new.picture_digest is not None
    fresh = Item(
        item_id=new.item_id,
        title=new.title or (earlier.title if earlier else "") or new.item_id,
        year=new.year,
        intro=new.intro,
        picture=new.path,
        poster_digest=new.picture_digest,
        intro_digest=new.intro_digest,
        lettering=lettering,
        facets={**facets, SPLIT: (ADDED,)},
        key=key,
    )
    if earlier is None:
        return fresh
    return replace(
        fresh,
        year=earlier.year if new.year is None else new.year,
        intro=earlier.intro if new.intro is None else new.intro,
        intro_digest=fresh.intro_digest or earlier.intro_digest,
        picture=new.path if pictured else earlier.picture,
        poster_digest=fresh.poster_digest or earlier.poster_digest,
        lettering=lettering if pictured else earlier.lettering,
    )


def _batches(items: Iterator[NewItem]) -> Iterator[list[NewItem]]:
    batch: list[NewItem] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
