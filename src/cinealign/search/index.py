"""The index as a reader sees it: open it, ask it, page through the answers."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import as_path, as_texts, as_whole, one_of
from cinealign.data.scripts import script_of
from cinealign.errors import ConfigError, DataError, as_argument, damage_refused
from cinealign.plain_yaml import read_yaml
from cinealign.search import query as asking
from cinealign.search.answer import Answer, Hit
from cinealign.search.calibration import Calibration, expected_rank, mass
from cinealign.search.engines import NOBODY, Engine, Found, Keys, Rows, engine_kind
from cinealign.search.folder import SIDES, Manifest, Side, read_manifest
from cinealign.search.items import Item, Items, letters_in
from cinealign.search.query import Direction, Encodes, Looked, Part, Target
from cinealign.search.space import Space

LIMIT, MOST = 10, 10_000
BACKGROUND = 4096
"""Items whose scores stand for those of all others."""
REMEMBERED = 20_000
LONGEST = 1.01
"""A vector is of length 1, but for rounding in storage."""
"""Texts whose vectors an opened index keeps."""
NEAR = 100
"""Nearest items that count one by one when a chance is computed."""
_SCRIPTS = {"Han": "Chinese", "Kana": "Japanese", "Hangul": "Korean"}
DIRECTIONS: dict[Side, str] = {"intro": "poster_to_intro", "poster": "intro_to_poster"}
"""Target side -> name of the direction."""


class Index:
    """An opened index: one generation, however the folder changes meanwhile. Any number of threads may search it.

    It is pickled as its folder: where it arrives, the generation that is current there is opened, with an encoder of its own.

    Examples:
        >>> from cinealign import Index
        >>> index = Index.open("runs/default/index")  # doctest: +SKIP
        >>> for hit in index.search(text="a shark attacks a beach town", limit=5):  # doctest: +SKIP
        ...     print(hit.title, hit.chance)
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        space: Space,
        items: Items,
        engines: Mapping[Side, Engine],
        calibrations: Mapping[Side, Calibration],
        card: Mapping[str, Any],
        encoder: Encodes | None = None,
        make_encoder: Callable[[], Encodes] | None = None,
    ) -> None:
        """Use `open`."""
        self.folder, self.manifest, self.space, self.items = folder, manifest, space, items
        self.engines, self.calibrations, self.card = engines, calibrations, card
        self._encoder, self._making = encoder, Lock()
        self._make_encoder = make_encoder or self._load_encoder
        self._backgrounds: dict[Side, Rows] = {}
        self._texts: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._remembering = Lock()

    @classmethod
    def open(cls, folder: Path | str, *, encoder: Encodes | None = None) -> Index:
        """Open the current generation.

        Args:
            folder: the index folder.
            encoder: of the same model, to share one that is warm; else one is made when a text or picture is first asked.
        Raises:
            DataError, ModelError: no index, a damaged one, or one of another format.
            ConfigError: no path, or no encoder.
        """
        folder = as_path(folder, "folder")
        if encoder is not None and not callable(getattr(encoder, "encode_intros", None)):
            raise ConfigError(f"encoder must be an Encoder, got {type(encoder).__name__}; Run(FOLDER).encoder() is one")
        for last in (False, True):  # a writer may sweep files away between the two reads
            manifest = read_manifest(folder)
            try:
                with damage_refused(DataError, folder, "make the index again: cinealign index RUN --force"):
                    return cls._open(folder, manifest, encoder)
            except (DataError, OSError):
                if last or read_manifest(folder).generation == manifest.generation:
                    raise
        raise AssertionError("not reached")

    @classmethod
    def _open(cls, folder: Path, manifest: Manifest, encoder: Encodes | None) -> Index:
        kind, base = engine_kind(manifest.engine), folder / manifest.base
        engines = {side: kind.open(folder / "vectors" / side, manifest.vectors[side]) for side in SIDES}
        removed = (
            np.load(folder / manifest.removed, allow_pickle=False) if manifest.removed else np.zeros(0, dtype=np.int64)
        )
        items = Items([folder / name for name in manifest.items], removed)
        calibrations = {side: Calibration.from_json(given) for side, given in _json(base / "calibration.json").items()}
        space = Space.load(folder / manifest.space)
        return cls(folder, manifest, space, items, engines, calibrations, _json(base / "card.json"), encoder)

    def __reduce__(self) -> tuple[Callable[[Path], Index], tuple[Path]]:
        if not self.manifest.base:
            raise DataError(
                f"the vectors of {self.folder} in memory cannot be pickled; make an index: "
                f"cinealign index {as_argument(self.folder)}"
            )
        return type(self).open, (self.folder.absolute(),)

    def __len__(self) -> int:
        return self.manifest.counts["items"]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """metrics.json of the run; empty where the index does not have it."""
        path = self._base / "metrics.json"
        return _json(path) if path.is_file() else {}

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain values; empty where the index does not have it."""
        path = self._base / "model" / "recipe.yaml"
        found: dict[str, Any] = read_yaml(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found

    @property
    def _base(self) -> Path:
        return self.folder / self.manifest.base

    @property
    def encoder(self) -> Encodes:
        """The model that texts and pictures are encoded with; loaded when first asked for."""
        with self._making:
            if self._encoder is None:
                self._encoder = self._make_encoder()
            return self._encoder

    def _load_encoder(self) -> Encodes:
        from cinealign.encoder import Encoder

        return Encoder(self.folder / self.manifest.base / "model")

    def search(
        self,
        text: str | Sequence[str] | None = None,
        image: Any = None,
        like: str | int | Sequence[str | int] | None = None,
        plus: Any = (),
        minus: Any = (),
        *,
        side: Target | None = None,
        where: Mapping[str, Any] | None = None,
        limit: int = LIMIT,
        offset: int = 0,
    ) -> Answer:
        """The items that fit best.

        Args:
            text, image, like: what to look for: texts; pictures (paths, bytes, PIL, arrays); ids of items of the index, with
                ":poster" or ":intro" behind an id where one side of it is meant. Several are added up.
            plus, minus: more of the same, added and subtracted: texts, "image:FILE", "id:ID", paths or pictures.
            side: poster, intro, or both in one list; where absent intros for pictures and posters for anything else.
            where: filters, see `Items.matching`: `{"genre": "Drama", "year": (1990, 1999)}`.
            limit, offset: the page.
        Returns:
            At most `limit` hits. The same question to the same generation gives the same order, so that pages fit together.
        Raises:
            ConfigError: nothing asked, or an option out of range.
            DataError: an unknown item or column, or a picture that cannot be read.
        """
        parts = asking.parts_of(text, image, like, plus, minus)
        return self.search_many([parts], side=side, where=where, limit=limit, offset=offset)[0]

    def search_many(
        self,
        questions: Sequence[Sequence[Part] | str],
        *,
        side: Target | None = None,
        where: Mapping[str, Any] | None = None,
        limit: int = LIMIT,
        offset: int = 0,
    ) -> list[Answer]:
        """As `search`, for many questions at once: all their texts and pictures are encoded together.

        Args:
            questions: a list of texts, or of parts as `query.parts_of` gives them.
            side, where, limit, offset: of every question.
        """
        asked = asking.questions_of(questions)
        limit, offset = as_whole(limit, "limit"), as_whole(offset, "offset")
        if not 1 <= limit <= MOST or offset < 0:
            raise ConfigError(
                f"limit must be between 1 and {MOST:,} and offset at least 0, got {limit!r} and {offset!r}"
            )
        if side is not None:
            one_of(side, "side", asking.TARGETS)
        among = None if where is None else self.items.matching(where)
        looked = asking.look(self, [part for parts in asked for part in parts])
        answers, at = [], 0
        for parts in asked:
            mine = looked[at : at + len(parts)]
            at += len(parts)
            target = side or asking.default_target(parts)
            answers.append(self._answer(parts, mine, target, among, limit, offset))
        return answers

    def text_rows(self, texts: Sequence[str]) -> Rows:
        """(N, W) compact rows of texts. The last twenty thousand are remembered: another page, or a line of lettering that many
        posters have, is not encoded again."""
        texts = as_texts(texts, "texts")
        with self._remembering:
            known = {text: self._texts[text] for text in texts if text in self._texts}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            fresh = self.space.compact("intro", self.encoder.encode_intros(new))
            known |= dict(zip(new, fresh, strict=True))
        with self._remembering:
            for text in known:
                self._texts[text] = known[text]
                self._texts.move_to_end(text)
            while len(self._texts) > REMEMBERED:
                self._texts.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, self.space.width), np.float32)

    def lettering(self, posters: Sequence[Any]) -> list[tuple[str, ...]] | None:
        """The lines that the model reads on posters; None where it reads none."""
        reads = getattr(self.encoder, "lettering", None)
        return None if reads is None else reads(posters)

    def background(self, side: Side) -> Rows:
        """(B, W) compact rows of at most 4,096 items of a side, drawn at random once."""
        one_of(side, "side", SIDES)
        if side not in self._backgrounds:
            keys = self.engines[side].keys()
            if len(keys) > BACKGROUND:
                keys = np.sort(np.random.default_rng(0).choice(keys, BACKGROUND, replace=False))
            self._backgrounds[side] = self.space.unstored(side, self.engines[side].take(keys))
        return self._backgrounds[side]

    def _answer(
        self, parts: tuple[Part, ...], looked: list[Looked], target: Target, among: Keys | None, limit: int, offset: int
    ) -> Answer:
        sides = list(SIDES) if target == "both" else [target]
        directions = {side: asking.direction(self, looked, side) for side in sides}
        found = {side: self._nearest(directions[side], looked, among, limit + offset) for side in sides}
        order = _merged(self, directions, found)[offset : offset + limit]
        items = self.items.of_keys(key for _, key, _ in order)
        answer = Answer(
            Hit(items[key].item_id, side, items[key].title, score, None, None, items[key], offset + at)
            for at, (side, key, score) in enumerate(order, start=1)
        )
        answer.parts, answer.target = parts, target
        answer.total = sum(self._total(side, among, looked) for side in sides)
        answer.notes = tuple(_notes(self, parts))
        for side in sides:
            if directions[side].partner:
                self.judge(answer, directions[side], looked[0])
        return answer

    def _nearest(self, direction: Direction, looked: list[Looked], among: Keys | None, k: int) -> Found:
        """The k best of a side, without the items that were named."""
        named = {each.item.key for each in looked if each.item is not None}
        engine = self.engines[direction.target]
        found = engine.search(direction.query, min(k + len(named), engine.count()), among)
        longest = float(np.linalg.norm(direction.query))  # vectors are of length 1
        if found.scores.size and not (np.abs(found.scores[found.keys != NOBODY]) <= longest * LONGEST).all():
            raise DataError(
                f"{self.folder} holds a {direction.target} vector that is too long; "
                "`cinealign index check` says which file was changed"
            )
        kept = np.array([key != NOBODY and key not in named for key in found.keys[0].tolist()], dtype=bool)
        return Found(found.keys[0][kept][:k], found.scores[0][kept][:k] + direction.constant)

    def _total(self, side: Side, among: Keys | None, looked: list[Looked]) -> int:
        keys = self.engines[side].keys()
        keys = keys if among is None else np.intersect1d(keys, among, assume_unique=True)
        return len(keys) - int(np.isin([e.item.key for e in looked if e.item is not None], keys).sum())

    def judge(self, answer: Answer, direction: Direction, looked: Looked) -> None:
        """Give every hit of a side its chance and its shares, and the answer what it says as a whole."""
        assert direction.crossed is not None
        side, vector = direction.target, direction.crossed
        hits = [at for at, hit in enumerate(answer) if hit.side == side]
        rows = self.space.unstored(
            side, self.engines[side].take(np.array([answer[at].item.key for at in hits], np.int64))
        )
        shares = self.space.shares(rows, np.broadcast_to(vector, rows.shape))
        names = [block.name for block in self.space.blocks]
        chances: Sequence[float | None] = [None] * len(hits)
        if (calibration := self.calibrations.get(side)) is not None and self.engines[side].count() > 1:
            best, chances = self._chances(direction, calibration, looked, [answer[at] for at in hits], answer)
            answer.best_chance = best
            answer.no_good_match = best < calibration.limit
        for at, parts, chance in zip(hits, shares, chances, strict=True):
            told = {name: float(part) for name, part in zip(names, parts, strict=True)}
            answer[at] = _with(answer[at], chance, told)

    def _chances(
        self, direction: Direction, calibration: Calibration, looked: Looked, hits: Sequence[Hit], answer: Answer
    ) -> tuple[float, list[float]]:
        """The best chance of the whole index, and those of the hits."""
        side, count = direction.target, self.engines[direction.target].count()
        found = self.engines[side].search(direction.query, min(NEAR, count))
        near = found.scores[0][found.keys[0] != NOBODY]
        assert direction.crossed is not None
        background = (self.background(side) @ direction.crossed).astype(np.float64)
        amount = self._amount(looked)
        slope = calibration.slope(amount)
        answer.expected_rank = expected_rank(slope, near, background, count)
        first = self.items.of_keys(found.keys[0][:1].tolist())[int(found.keys[0][0])]
        scores = np.array([near[0], *(hit.score for hit in hits)])
        others = mass(slope, near, background, count)
        total = np.logaddexp(others[0], slope * near[0])
        beside = np.array([_but(total, slope * score, others[0], near[0] == score) for score in scores])
        margins = slope * np.array([score - (near[1] if score == near[0] else near[0]) for score in scores])
        amounts = [_said_by(item, side) for item in (first, *(hit.item for hit in hits))]
        chances = calibration.chances(calibration.odds(scores, beside, amount), margins, amount, amounts)
        return float(chances[0]), [float(chance) for chance in chances[1:]]

    def _amount(self, looked: Looked) -> float | None:
        """How much a query says: words of a text, letters on a poster."""
        if looked.part.kind == "text":
            return float(words_in(str(looked.part.value)))
        if looked.part.kind == "image":
            read = self.lettering([looked.part.value])
            return None if read is None else float(letters_in(read[0]))
        assert looked.item is not None
        return _said_by(looked.item, "poster" if "poster" in looked.vectors else "intro")


def _but(total: float, one: float, others: float, is_best: bool) -> float:
    """ln of the sum of all terms but one."""
    if is_best:
        return others
    return float(total + np.log(max(1e-12, -np.expm1(one - total))))


def _merged(
    index: Index, directions: Mapping[Side, Direction], found: Mapping[Side, Found]
) -> list[tuple[Side, int, float]]:
    """Side, key and score of what was found, the best first; two sides are compared by how far each stands out on its own."""
    if len(found) == 1:
        ((side, (keys, scores)),) = found.items()
        return [(side, int(key), float(score)) for key, score in zip(keys, scores, strict=True)]
    every = []
    for side, (keys, scores) in found.items():
        direction = directions[side]
        usual = (
            index.engines[side].take(index.engines[side].keys()[:BACKGROUND]) @ direction.query[0] + direction.constant
        )
        out = (scores - float(usual.mean())) / (float(usual.std()) or 1.0)
        every += [(-far, side, int(key), float(score)) for far, key, score in zip(out, keys, scores, strict=True)]
    return [(side, key, score) for _, side, key, score in sorted(every)]


def _said_by(item: Item, side: Side) -> float | None:
    if side == "poster":
        return None if item.letters is None else float(item.letters)
    return None if item.intro is None else float(words_in(item.intro))


def words_in(text: str) -> int:
    """Words of a text; letters of scripts that put no blank between words count as half a word each."""
    from cinealign.data.intros import run_letters, unspaced_runs

    runs, rest = unspaced_runs(text)
    return len(rest.split()) + sum(len(run_letters(run)) for run in runs) // 2


def _with(hit: Hit, chance: float | None, shares: Mapping[str, float]) -> Hit:
    from dataclasses import replace

    return replace(hit, chance=chance, shares=shares)


def _notes(index: Index, parts: Sequence[Part]) -> list[str]:
    """What a reader should know about the question."""
    known = index.card.get("scripts")
    texts = [str(part.value) for part in parts if part.kind == "text"]
    if not known or not texts:
        return []
    usual = next(iter(known))
    strange = {script_of(text) for text in texts} - {*known, "none"}
    return [
        f"the query is in {_SCRIPTS.get(script, script)} script, but this index and its model know {usual} texts only; "
        "the hits may mean little"
        for script in sorted(strange)
    ]


def _json(path: Path) -> dict[str, Any]:
    try:
        given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the index again") from None
    if not isinstance(given, dict):
        raise DataError(f"{path} is damaged: expected names and values; make the index again")
    return given
