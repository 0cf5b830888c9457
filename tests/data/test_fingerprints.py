from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cinealign.data import fingerprints
from cinealign.data.fingerprints import HASH_DISTANCE, difference_hash, is_plain, near_equal_pairs


def slow_pairs(hashes: np.ndarray, distance: int) -> list[tuple[int, int]]:
    """Every pair, bit by bit."""
    plain = [sum(row) < 0.1 * len(row) for row in hashes.tolist()]
    return [
        (one, other)
        for one in range(len(hashes))
        for other in range(one + 1, len(hashes))
        if not plain[one] and not plain[other]
        if sum(a != b for a, b in zip(hashes[one].tolist(), hashes[other].tolist(), strict=True)) <= distance
    ]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_pairs_equal_the_slow_way_for_any_block(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(fingerprints, "_BLOCK", block)
    dice = np.random.default_rng(0)
    hashes = dice.random((40, 144)) < 0.5
    for copy, of, bits in ((3, 17, HASH_DISTANCE), (8, 30, 2), (9, 31, HASH_DISTANCE + 1), (12, 13, 0)):
        hashes[copy] = hashes[of]
        hashes[copy, dice.permutation(144)[:bits]] ^= True
    hashes[20:23] = False  # plain posters, which are all alike
    expected = slow_pairs(hashes, HASH_DISTANCE)
    assert sorted(map(tuple, near_equal_pairs(hashes).tolist())) == expected
    assert {(3, 17), (8, 30), (12, 13)} <= set(expected) and (9, 31) not in expected


def test_no_posters() -> None:
    assert near_equal_pairs(np.zeros((0, 144), dtype=bool)).shape == (0, 2)


def test_hash_survives_size_and_compression_but_not_another_picture() -> None:
    dice = np.random.default_rng(1)
    picture, other = (
        Image.fromarray(dice.integers(0, 255, (9, 6, 3), dtype=np.uint8)).resize((182, 268), Image.Resampling.BICUBIC)
        for _ in range(2)
    )
    content = io.BytesIO()
    picture.resize((300, 440)).save(content, "JPEG", quality=40)
    again = Image.open(content)
    assert (difference_hash(picture) != difference_hash(again)).sum() <= HASH_DISTANCE
    assert (difference_hash(picture) != difference_hash(other)).sum() > 2 * HASH_DISTANCE


def test_plain_posters() -> None:
    white, striped = Image.new("RGB", (90, 130), "white"), Image.linear_gradient("L").rotate(90)
    assert is_plain(np.stack([difference_hash(white), difference_hash(striped)])).tolist() == [True, False]
