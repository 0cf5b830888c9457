"""Pictures that are sent: forty kinds of bad file are each refused in one line, good ones are looked at and forgotten."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from cinealign.errors import DataError
from cinealign.web.pictures import WIDTHS, PosterShelf, jpeg, sent_poster
from cinealign.web.shelf import Shelf
from tests.web.bad_files import bad_files

BAD = bad_files()


def test_there_are_forty_kinds() -> None:
    assert len(BAD) >= 40


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_line(name: str, hostile: TestClient) -> None:
    answer = hostile.post("/api/v1/search/picture", content=BAD[name], headers={"content-type": "image/jpeg"})
    assert answer.status_code == 422, answer.text
    message = answer.json()["error"]["message"]
    assert "picture" in message and "\n" not in message and len(message) < 300
    assert hostile.post("/api/v1/encode/picture", content=BAD[name]).status_code == 422


def test_a_bad_file_in_the_form_gives_a_page(hostile: TestClient) -> None:
    answer = hostile.post("/", files={"picture": ("a.jpg", BAD["html"], "image/jpeg")})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text and "JPEG, PNG or WebP" in answer.text


def _sent(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 60), (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_good_pictures_are_taken_whatever_they_are_called(kind: str, hostile: TestClient) -> None:
    answer = hostile.post("/", files={"picture": ("<b>evil</b>.svg", _sent(kind), "text/html")})
    assert answer.status_code == 200
    assert "data:image/jpeg;base64," in answer.text and "evil" not in answer.text


def test_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert sent_poster(out.getvalue()).opener().getpixel((4, 4)) == (255, 0, 0)


def test_what_is_sent_touches_no_disk(hostile: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three megabytes: a form's parser writes parts of more than one to a file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))  # whoever makes a file there fails
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    assert len(out.getvalue()) > 2.5 * 2**20
    assert hostile.post("/", files={"picture": ("a.png", out.getvalue(), "image/png")}).status_code == 200


def test_forms_that_are_damaged_are_refused(hostile: TestClient) -> None:
    kind = "multipart/form-data; boundary=x"
    for body, told in (
        (b"", kind),
        (b"--x\r\n", kind),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n", kind),
        (b"\xff" * 100, kind),
        (b"--x", "multipart/form-data"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b'--x\r\nContent-Disposition: form-data; name="p"; filename="a"\r\n\r\n1\r\n' * 3 + b"--x--\r\n", kind),
    ):
        answer = hostile.post("/", content=body, headers={"content-type": told})
        assert answer.status_code in (200, 400, 415, 422), body
        assert "Traceback" not in answer.text


def test_posters_are_kept_within_a_limit_and_never_wider_than_said(hostile_shelf: Shelf) -> None:
    kept = PosterShelf(memory=2000)
    items = hostile_shelf.all_items
    first = kept.get(items[0], "small")
    for item in items:
        kept.get(item, "small")
    assert kept._bytes <= 2000 + max(len(kept.get(item, "small")) for item in items)
    assert kept.get(items[0], "small") == first
    assert Image.open(io.BytesIO(jpeg(Image.new("RGB", (4000, 10)), WIDTHS["small"]))).size == (320, 1)


def test_a_poster_that_was_replaced_is_not_sent(hostile_shelf: Shelf, tmp_path: Path) -> None:
    from dataclasses import replace

    other = tmp_path / "other.png"
    Image.new("RGB", (5, 5)).save(other)
    with pytest.raises(DataError, match="another one"):
        PosterShelf().get(replace(hostile_shelf.all_items[0], picture=str(other), poster_digest="0" * 64), "small")
