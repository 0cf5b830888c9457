from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinealign.data.posters import MAX_PIXELS, Poster, check_poster, find_posters, open_poster
from cinealign.errors import DataError

RED = (200, 30, 40)


def saved(tmp_path: Path, picture: Image.Image, name: str = "7.png", **how: object) -> Path:
    picture.save(tmp_path / name, **how)  # type: ignore[arg-type]
    return tmp_path / name


def noisy(width: int = 64, height: int = 96) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises width x height pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", ["7.jpg", "7.jpeg", "7.png", "7.webp", "7.JPG"])
def test_every_format_opens(tmp_path: Path, name: str) -> None:
    picture = open_poster(saved(tmp_path, Image.new("RGB", (18, 26), RED), name))
    assert picture.mode == "RGB" and picture.size == (18, 26)
    assert np.allclose(picture.getpixel((9, 13)), RED, atol=6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        source = Image.fromarray(np.full((26, 18), 128 * 257, dtype=np.uint16))
    else:
        source = Image.new("RGB", (18, 26), "white").convert(mode)
    name = "7.jpg" if mode in ("CMYK", "YCbCr") else "7.png"
    picture = open_poster(saved(tmp_path, source, name))
    expected = 128 if mode == "I;16" else 255
    assert picture.mode == "RGB" and picture.getpixel((5, 5)) == (expected,) * 3


def test_cmyk_colour_is_right(tmp_path: Path) -> None:
    picture = open_poster(saved(tmp_path, Image.new("RGB", (16, 16), RED).convert("CMYK"), "7.jpg", quality=95))
    assert np.allclose(picture.getpixel((8, 8)), RED, atol=8)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    half.putpixel((1, 1), (0, 0, 0, 255))
    picture = open_poster(saved(tmp_path, half))
    assert picture.getpixel((0, 0)) == (255, 255, 255) and picture.getpixel((1, 1)) == (0, 0, 0)
    palette = Image.new("RGB", (4, 4), RED).quantize(4)
    assert open_poster(saved(tmp_path, palette, "8.png", transparency=palette.getpixel((0, 0)))).getpixel((0, 0)) == (
        255,
        255,
        255,
    )


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    source = Image.new("RGB", (40, 20), "white")
    source.paste((0, 0, 0), (0, 0, 10, 20))  # black at the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    picture = open_poster(saved(tmp_path, source, "7.jpg", exif=exif, quality=95))
    assert picture.size == (20, 40)
    assert max(picture.getpixel((10, 2))) < 40 and min(picture.getpixel((10, 35))) > 215  # type: ignore[type-var,arg-type]


def test_damaged_metadata_is_no_matter_and_no_warning(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture with a long description"
    whole = saved(tmp_path, noisy(), "7.jpg", exif=exif).read_bytes()
    payload = exif.tobytes()
    at = whole.index(payload)
    for left in range(8, len(payload), 4):
        cut = payload[:left]
        length = struct.pack(">H", len(cut) + 2)
        (tmp_path / "8.jpg").write_bytes(whole[: at - 2] + length + cut + whole[at + len(payload) :])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            picture = open_poster(tmp_path / "8.jpg")
        assert sorted(picture.size) == [64, 96] and not said


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    assert open_poster(saved(tmp_path, Image.new("L", (1, 1), 7))).getpixel((0, 0)) == (7, 7, 7)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [30_000, 12_000, 8_100])
def test_bomb_is_refused_from_its_header(tmp_path: Path, side: int) -> None:
    path = tmp_path / "7.png"
    path.write_bytes(bomb(side, side))
    with pytest.raises(DataError, match=rf"poster 7\.png .*more than {MAX_PIXELS:,} pixels; give a smaller picture"):
        open_poster(path)


@pytest.mark.parametrize("name", ["7.jpg", "7.png", "7.webp"])
@pytest.mark.parametrize("left", [0.2, 0.6, 0.98])
def test_cut_file_is_refused(tmp_path: Path, name: str, left: float) -> None:
    buffer = io.BytesIO()
    noisy().save(buffer, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name[2:]])
    path = tmp_path / name
    path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * left)])
    with pytest.raises(DataError, match=rf"poster {name} is (damaged|not a JPEG)") as caught:
        check_poster(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"just some words", b"<html></html>", b"GIF89a"])
def test_text_called_jpg_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "7.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"poster 7\.jpg is not a JPEG, PNG or WebP picture; replace or remove it"):
        open_poster(path)


def test_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"poster 9\.jpg cannot be read"):
        open_poster(tmp_path / "9.jpg")
    poster = Poster.of(saved(tmp_path, Image.new("RGB", (4, 4))))
    (tmp_path / "7.png").unlink()
    with pytest.raises(DataError, match=r"poster 7\.png cannot be read"):
        open_poster(poster)


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (4, 4)))
    assert check_poster(path) == Poster.of(path)
    assert Poster.of(path).digest != Poster.of(saved(tmp_path, Image.new("RGB", (4, 5)), "8.png")).digest


def test_two_posters_of_one_movie_are_refused(tmp_path: Path) -> None:
    (tmp_path / "poster").mkdir()
    for name in ("7.jpg", "0007.png"):
        (tmp_path / "poster" / name).write_bytes(b"x")
    with pytest.raises(DataError, match=r"item 7 has two posters, 0007\.png and 7\.jpg; remove one"):
        find_posters(tmp_path)


def test_a_poster_of_anything_is_the_same_picture(tmp_path: Path) -> None:
    picture = noisy()
    path = saved(tmp_path, picture)
    pixels = np.asarray(picture)
    for source in (path, str(path), path.read_bytes(), picture, pixels, Poster.of(path)):
        assert (np.asarray(open_poster(Poster.of(source))) == pixels).all()
    assert Poster.of(path) == Poster.of(path.read_bytes()) and Poster.of(path).path == path
    assert Poster.of(picture) == Poster.of(pixels), "equal pixels, equal features"
    assert Poster.of(pixels) != Poster.of(pixels.reshape(32, 192, 3)), "the shape belongs to the content"


def test_a_poster_does_not_change_with_its_source() -> None:
    picture = Image.new("RGB", (4, 4), RED)
    poster = Poster.of(picture)
    picture.paste((0, 0, 0), (0, 0, 4, 4))
    open_poster(poster).paste((1, 1, 1), (0, 0, 4, 4))
    assert open_poster(poster).getpixel((0, 0)) == RED
    assert picture.getpixel((0, 0)) == (0, 0, 0), "the caller's picture is still open"


def test_pixels_are_made_rgb_like_files() -> None:
    clear = np.zeros((3, 2, 4), dtype=np.uint8)
    assert open_poster(Poster.of(clear)).getpixel((0, 0)) == (255, 255, 255)
    assert open_poster(Poster.of(np.full((3, 2), 7, dtype=np.uint8))).getpixel((1, 2)) == (7, 7, 7)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (3.5, "a poster is a path, the bytes of a file, .* got float"),
        (np.zeros((2, 2, 3)), r"got float64 \(2, 2, 3\)"),
        (np.zeros((2, 2, 7), dtype=np.uint8), r"got uint8 \(2, 2, 7\)"),
        (np.zeros((0, 2, 3), dtype=np.uint8), "at least one pixel"),
        ("nowhere.jpg", r"poster nowhere\.jpg cannot be read"),
    ],
)
def test_what_is_no_poster(source: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Poster.of(source)  # type: ignore[arg-type]


def test_bytes_are_decoded_when_opened() -> None:
    poster = Poster.of(b"just some words")
    with pytest.raises(DataError, match="poster given as bytes is not a JPEG"):
        open_poster(poster)
    with pytest.raises(DataError, match="given as bytes is 8,100 x 8,100"):
        open_poster(Poster.of(bomb(8_100, 8_100)))
