"""What the guard lets through, what it refuses, and what every answer carries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cinealign.errors import ConfigError
from cinealign.web import safety
from cinealign.web.app import create_app
from cinealign.web.safety import HEADERS, POLICY, counted
from cinealign.web.settings import MAX_BODY, Settings
from cinealign.web.shelf import Shelf
from tests.web.conftest import BASE
from tests.web.loops import run

TOKEN = "a-token-of-more-than-16-letters"
PAGES = (
    "/",
    "/?text=shark",
    "/item?id=..",
    "/item?id=nobody",
    "/pair",
    "/run",
    "/compare",
    "/about",
    "/nowhere",
    "/static/style.css",
)


@pytest.fixture
def guarded(hostile_shelf: Shelf) -> Iterator[TestClient]:
    """Reachable by others, so with a token."""
    settings = Settings.listening("0.0.0.0", 8421, token=TOKEN, names=("box.local",))
    with TestClient(create_app(hostile_shelf, settings), base_url="http://192.168.1.7:8421") as client:
        yield client


@pytest.mark.parametrize("page", PAGES)
def test_every_answer_tells_the_browser_what_it_may_do(page: str, hostile: TestClient) -> None:
    headers = hostile.get(page).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in POLICY and "unsafe" not in POLICY and "http" not in POLICY
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["127.0.0.1:8421", "localhost:8421", "[::1]:8421", "127.0.0.1", "LOCALHOST"])
def test_names_of_this_machine_are_answered(host: str, hostile: TestClient) -> None:
    assert hostile.get("/api/v1/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8421", "", "192.168.1.7", "[::2]", "localhost.", "x@127.0.0.1"]
)
def test_another_name_is_not_answered(host: str, hostile: TestClient) -> None:
    answer = hostile.get("/api/v1/health", headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["error"]["status"] == 421


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:9999", "null", "http://127.0.0.1:8421.evil.example", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_origins_are_refused(origin: str, method: str, hostile: TestClient) -> None:
    assert hostile.request(method, "/api/v1/search?text=shark", headers={"origin": origin}).status_code == 403


def test_our_own_origin_passes(hostile: TestClient) -> None:
    answer = hostile.post("/api/v1/search", json={"text": "shark"}, headers={"origin": BASE})
    assert answer.status_code == 200


def test_a_form_without_origin_needs_the_key_of_its_page(hostile_shelf: Shelf) -> None:
    settings = Settings()
    with TestClient(create_app(hostile_shelf, settings), base_url=BASE) as client:
        sent: dict[str, Any] = {"files": {"picture": ("", b"")}, "data": {"text": "shark"}, "follow_redirects": False}
        assert client.post("/?key=wrong", headers={"origin": "null"}, **sent).status_code == 403
        assert client.post(f"/?key={settings.key}", headers={"origin": "null"}, **sent).status_code == 303


def test_a_request_that_another_site_starts_changes_nothing(hostile: TestClient) -> None:
    answer = hostile.post("/api/v1/search", json={"text": "shark"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert hostile.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200  # a link to us is welcome


def test_a_long_body_is_refused_by_its_length(hostile: TestClient) -> None:
    answer = hostile.post("/api/v1/search/picture", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413


def test_a_long_body_without_a_length_is_refused_while_it_arrives(hostile: TestClient) -> None:
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 2**20
            yield b"x" * 2**20

    answer = hostile.post("/api/v1/search/picture", content=parts())
    assert answer.status_code == 413
    assert answer.json()["error"]["message"].startswith("a request holds at most 10,485,760 bytes")


def test_counting_stops_at_the_limit() -> None:
    given = 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += 1
        return {"type": "http.request", "body": b"x" * 2**20, "more_body": True}

    async def read() -> None:
        receives = counted(receive)
        while True:
            await receives()

    with pytest.raises(safety.HTTPException, match="at most"):
        run(read())
    assert given == MAX_BODY // 2**20 + 1


def test_a_slow_body_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "BODY_SECONDS", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read() -> None:
        receives = counted(receive)
        while True:
            await receives()

    with pytest.raises(safety.HTTPException, match="longer than"):
        run(read())


@pytest.mark.parametrize("length", ["-1", "ten", "9" * 30])
def test_a_length_that_is_none_is_refused(length: str, hostile: TestClient) -> None:
    assert hostile.get("/", headers={"content-length": length}).status_code == 413


def test_others_need_the_token(guarded: TestClient) -> None:
    for path in ("/", "/api/v1/health", "/poster?id=..", "/static/style.css"):
        assert guarded.get(path).status_code == 401
    assert guarded.get("/?token=wrong").status_code == 401
    assert guarded.get("/", headers={"authorization": f"Bearer {TOKEN}x"}).status_code == 401
    assert guarded.get("/", headers={"cookie": "cinealign_token=wrong"}).status_code == 401
    assert guarded.get("/api/v1/health", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_token_moves_from_the_address_into_a_cookie(guarded: TestClient) -> None:
    answer = guarded.get(f"/?token={TOKEN}&text=shark", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?text=shark"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert guarded.get("/").status_code == 200


def test_a_redirect_never_leaves_the_server(guarded: TestClient) -> None:
    answer = guarded.get(f"http://192.168.1.7:8421//evil.example/?token={TOKEN}", follow_redirects=False)
    assert answer.headers["location"].startswith("/") and not answer.headers["location"].startswith("//")


@pytest.mark.parametrize(
    ("host", "status"), [("192.168.1.9", 401), ("box.local:8421", 401), ("evil.example", 421), ("[fe80::1]", 401)]
)
def test_addresses_and_given_names_are_answered_by_a_server_for_others(
    host: str, status: int, guarded: TestClient
) -> None:
    assert guarded.get("/", headers={"host": host}).status_code == status


def test_settings_that_are_not_safe_are_refused() -> None:
    assert Settings.listening("127.0.0.1", 1).token is None
    assert Settings.listening("::1", 1).token is None
    assert len(Settings.listening("0.0.0.0", 1).token or "") >= 32
    with pytest.raises(ConfigError, match="16 letters"):
        Settings.listening("0.0.0.0", 1, token="short")
    with pytest.raises(ConfigError, match="65535"):
        Settings.listening("127.0.0.1", 70000)
