"""The sample catalogue: movies that the program draws itself, for tests and for a machine without data.

It is laid out as the assignment's files are, with their rough edges: movies without a poster, one of them without an
intro, a writer named twice, a latin-1 movies.csv with a stray index column.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cinealign.data.catalogue import SAMPLE_MARK, Catalogue
from cinealign.data.drawn.stories import Story, tell_story
from cinealign.data.new_folder import new_folder
from cinealign.errors import ConfigError, DataError
from cinealign.threads import on_threads

if TYPE_CHECKING:
    from PIL.Image import Image

SAMPLE_VERSION = 1
"""Counted up when the same seed draws other movies, so that a cached sample of old is not taken for a new one."""
POSTER_SIZE = (182, 268)
FEWEST, MOST = 10, 5000
UNLETTERED = 0.15
CREDITED = 0.4
TRAIN_SHARE = 0.6
_FILES = {"info.csv", "movies.csv", "train.txt", "poster", SAMPLE_MARK}
_INFO_COLUMNS = ("id", "name", "imdb_id", "genre", "release_time", "intro", "directors", "writers", "starts")


def draw_sample(folder: Path, *, movies: int = 240, seed: int = 0, force: bool = False) -> None:
    """Write a drawn catalogue to `folder`: info.csv, movies.csv, poster/ID.jpg, train.txt and sample.json.

    The folder appears whole or not at all. The same seed writes the same bytes on one machine.

    Args:
        folder: must not exist, or be empty.
        movies: how many have a poster; a few more have none.
        seed: any whole number.
        force: True replaces a sample that was drawn in `folder` before, and nothing else.
    Raises:
        ConfigError: `movies` is out of range.
        DataError: `folder` holds something, or cannot be written.
    """
    if not FEWEST <= movies <= MOST:
        raise ConfigError(f"movies must be between {FEWEST} and {MOST}, got {movies}")
    folder = Path(folder)
    with new_folder(folder, mark=SAMPLE_MARK, files=_FILES, what="a sample drawn", force=force) as made:
        _write_sample(made, movies, seed)


def sample_catalogue(cache_dir: Path, *, movies: int = 240, seed: int = 0) -> Catalogue:
    """The sample as a catalogue, drawn into `cache_dir` the first time (a few seconds) and read from there later.

    Raises:
        DataError: `cache_dir` cannot be written, or what lies there has been changed.
    """
    folder = Path(cache_dir) / f"sample-{SAMPLE_VERSION}-{movies}-{seed}"
    if not folder.exists():
        try:
            draw_sample(folder, movies=movies, seed=seed)
        except DataError:
            if not (folder / SAMPLE_MARK).is_file():  # else another process was faster, which is as good
                raise
    return Catalogue.load(folder)


def draw_poster(story: Story, seed: int, *, lettered: bool = True) -> Image:
    """The poster of `story`, 182 x 268, RGB; without `lettered` it shows no word at all."""
    from PIL import Image

    from cinealign.data.drawn.lettering import STYLES, letter_title, small_line
    from cinealign.data.drawn.scenes import HEIGHT, PALETTES, WIDTH, grain, paint

    dice = random.Random(f"poster {seed}")
    genre = story.palette_of
    palette = dice.choice(PALETTES[genre])
    picture = paint(story.scene, palette, seed)
    if lettered:
        style = dice.choice(STYLES[genre])
        title = letter_title(
            story.lettering, style, (WIDTH - 34, 150), (palette.title, palette.rim, palette.shine), dice
        )
        at_top = dice.random() < 0.6
        top = dice.randint(26, 44) if at_top else HEIGHT - title.height - dice.randint(30, 46)
        left = (WIDTH - title.width) // 2
        if not at_top:
            _shade(picture, top - 24, palette.rim)
        picture.paste(title, (left, max(0, top)), title)
        if dice.random() < CREDITED:
            credit = small_line(f"{story.cast[0]}".upper(), 17, palette.title)
            picture.paste(credit, ((WIDTH - credit.width) // 2, 5 if at_top else HEIGHT - credit.height - 6), credit)
    return grain(picture.resize(POSTER_SIZE, Image.Resampling.LANCZOS), seed)


def _shade(picture: Image, top: int, colour: tuple[int, int, int]) -> None:
    """Lay the rim's colour over the foot of the picture, so that a title stands out from the shapes there."""
    from PIL import Image

    height = picture.height - top
    veil = Image.linear_gradient("L").resize((picture.width, height)).point(lambda level: min(255, level * 3) * 0.75)
    picture.paste(Image.new("RGB", veil.size, colour), (0, top), veil)


def _write_sample(folder: Path, movies: int, seed: int) -> None:
    dice = random.Random(f"sample {SAMPLE_VERSION} {seed}")
    without_poster = max(3, movies // 20)
    total = movies + without_poster
    ids = sorted(dice.sample(range(1, round(total * 1.15) + 2), total))  # gaps, as in the assignment's files
    stories = _stories(dice, total)
    bare = set(dice.sample(range(total), without_poster))
    silent = min(bare)  # one of those without a poster has no intro either
    rows = [place for place in range(total) if place not in bare]
    unlettered = set(dice.sample(rows, round(UNLETTERED * movies)))
    # Row 0 is always a train row: no movie has the id 0, so the file can only be read as row numbers.
    train = [0, *dice.sample(range(1, movies), round(TRAIN_SHARE * movies) - 1)]
    dice.shuffle(train)

    (folder / "poster").mkdir(parents=True)

    def draw(place: int) -> None:
        poster = draw_poster(stories[place], seed * 1_000_003 + place, lettered=place not in unlettered)
        poster.save(folder / "poster" / f"{ids[place]}.jpg", quality=90)

    list(on_threads(draw, rows))
    info = [
        _info_row(movie_id, story, intro="" if place == silent else story.intro, repeat_writer=place == rows[0])
        for place, (movie_id, story) in enumerate(zip(ids, stories, strict=True))
    ]
    movie_rows = [
        (place, movie_id, story.title, "|".join(story.genres))
        for place, (movie_id, story) in enumerate(zip(ids, stories, strict=True))
    ]
    (folder / "info.csv").write_bytes(_csv([_INFO_COLUMNS, *info]).encode("utf-8"))
    (folder / "movies.csv").write_bytes(_csv([("", "movie_id", "title", "genres"), *movie_rows]).encode("latin-1"))
    (folder / "train.txt").write_bytes("".join(f"{row}\n" for row in train).encode())
    mark = {"drawn_by": "cinealign data sample", "version": SAMPLE_VERSION, "movies": movies, "seed": seed}
    (folder / SAMPLE_MARK).write_bytes((json.dumps(mark) + "\n").encode())


def _stories(dice: random.Random, count: int) -> list[Story]:
    """`count` stories, no two with the same title or intro."""
    stories: dict[str, Story] = {}
    intros: set[str] = set()
    while len(stories) < count:
        story = tell_story(dice)
        if story.title not in stories and story.intro not in intros:
            stories[story.title] = story
            intros.add(story.intro)
    return list(stories.values())


def _info_row(movie_id: int, story: Story, *, intro: str, repeat_writer: bool) -> Sequence[object]:
    writers = (*story.writers, story.writers[0]) if repeat_writer else story.writers
    return (
        movie_id,
        story.title,
        f"tt{9_000_000 + movie_id}",
        "|".join(story.genres),
        story.release,
        intro,
        "|".join(story.directors),
        "|".join(writers),
        "|".join(story.cast),
    )


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
