"""Is an index whole, and does it hold what its model gives? Sums, counts, lengths, and a sample encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cinealign.data.posters import Poster
from cinealign.errors import DataError
from cinealign.search.folder import SIDES, Side, sum_of
from cinealign.search.index import Index
from cinealign.search.items import Item

SAMPLE = 20
NEAR = 0.02
"""Distance of an encoded vector from the stored one, as a share of its length: bfloat16 depends on what is read along."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    said: str


def check_index(index: Index, *, sample: int = SAMPLE, encode: bool = True) -> Iterator[Check]:
    """Look at everything, one thing after another.

    Args:
        index: an opened index.
        sample: items a side that are encoded again.
        encode: whether to encode at all; without it the model is not loaded.
    """
    yield _sums(index)
    yield _counts(index)
    yield _lengths(index)
    if encode:
        for side in SIDES:
            yield _encoded_again(index, side, sample)


def _sums(index: Index) -> Check:
    bad = []
    for file, (size, digest) in index.manifest.sums.items():
        path = index.folder / file
        if not path.is_file():
            bad.append(f"{file} is missing")
        elif path.stat().st_size != size or sum_of(path)[1] != digest:
            bad.append(f"{file} was changed")
    return Check("sums", not bad, "; ".join(bad[:3]) or f"{len(index.manifest.sums)} files are as they were written")


def _counts(index: Index) -> Check:
    keys = {side: index.engines[side].keys() for side in SIDES}
    items = {item.key: item for item in index.items.all()}
    digests = {
        "poster": {key for key, item in items.items() if item.poster_digest is not None},
        "intro": {key for key, item in items.items() if item.intro_digest is not None},
    }
    ids = {item.item_id for item in items.values()}
    faults = []
    for side in SIDES:
        if set(keys[side].tolist()) != digests[side]:
            faults.append(f"{len(keys[side]):,} {side} vectors for {len(digests[side]):,} items that have a {side}")
        if index.manifest.counts[side] != len(keys[side]):
            faults.append(f"the manifest counts {index.manifest.counts[side]:,} {side} vectors")
    if len(ids) != len(items) or len(items) != index.manifest.counts["items"]:
        faults.append(f"{len(items):,} items with {len(ids):,} ids, {index.manifest.counts['items']:,} in the manifest")
    told = f"{len(items):,} items, {len(keys['poster']):,} posters, {len(keys['intro']):,} intros"
    return Check("counts", not faults, "; ".join(faults) or told)


def _lengths(index: Index) -> Check:
    worst = 0.0
    for side in SIDES:
        keys = index.engines[side].keys()
        for start in range(0, len(keys), 16_384):
            rows = index.engines[side].take(keys[start : start + 16_384]).astype(np.float64)
            worst = max(worst, float(np.abs(np.linalg.norm(rows, axis=1) - 1).max(initial=0.0)))
            if not np.isfinite(rows).all():
                return Check("lengths", False, f"a {side} vector is not finite")
    return Check("lengths", worst < 5e-3, f"vectors are of length 1 within {worst:.1e}")


def _encoded_again(index: Index, side: Side, sample: int) -> Check:
    """A sample of a side through the model; pictures that are not where they were are passed over, and said."""
    items = [item for item in index.items.all() if (item.poster_digest if side == "poster" else item.intro_digest)]
    chosen = [items[at] for at in np.random.default_rng(0).permutation(len(items))]
    found: list[tuple[Item, object]] = []
    gone = 0
    for item in chosen:
        if len(found) == sample:
            break
        if side == "intro":
            found.append((item, item.intro))
            continue
        try:
            poster = Poster.of(Path(item.picture)) if item.picture else None
        except DataError:
            poster = None
        if poster is None or poster.digest != item.poster_digest:
            gone += 1
            if gone > 10 * sample:
                break
        else:
            found.append((item, poster))
    name = f"{side}s again"
    if not found:
        return Check(
            name, gone == 0, f"no picture is where it was ({gone:,} tried)" if gone else f"the index has no {side}"
        )
    sources = [source for _, source in found]
    encoder = index.encoder
    vectors = encoder.encode_posters(sources) if side == "poster" else encoder.encode_intros(sources)
    compact = index.space.compact(side, vectors)
    keys = np.array([item.key for item, _ in found], dtype=np.int64)
    stored = index.space.unstored(side, index.engines[side].take(keys))
    apart = np.linalg.norm(compact - stored, axis=1) / np.maximum(np.linalg.norm(stored, axis=1), 1e-9)
    worst = int(apart.argmax())
    said = f"{len(found)} encoded again, at most {apart[worst]:.4f} away"
    if apart[worst] > NEAR:
        said += f" (item {found[worst][0].item_id}: {found[worst][0].title})"
    if gone:
        said += f"; {gone:,} pictures are not where they were"
    return Check(name, bool(apart[worst] <= NEAR), said)
