from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
import requests

from cinealign.data.download.web import (
    Patience,
    RateLimit,
    RefusedError,
    Reply,
    UnavailableError,
    Web,
    base_address,
    host_of,
)
from cinealign.errors import ConfigError, DataError
from tests.data.download.server import MovieSite, picture


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def web(site: MovieSite, **options: Any) -> Web:
    options.setdefault("patience", Patience(10, 30, 60))
    return Web({"posters": {site.host}}, RateLimit(1000), **options)


def get(site: MovieSite, movie_id: int, **options: Any) -> Reply:
    return web(site, **options).get(f"{site.base}/images/{movie_id}.jpg", "posters", most_bytes=1_000_000)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Example.ORG/a", "example.org"),
        ("https://example.org:443/a", "example.org"),
        ("http://example.org:80", "example.org"),
        ("https://example.org:80/a", "example.org:80"),
        ("http://127.0.0.1:8080/x?y", "127.0.0.1:8080"),
        ("http://a.org\\@evil.org/", "a.org"),
    ],
)
def test_host_of(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("file:///etc/passwd", "only http and https are followed"),
        ("ftp://example.org/a", "only http and https are followed"),
        ("//example.org/a", "only http and https are followed"),
        ("N/A", "only http and https are followed"),
        ("http://me:secret@example.org/", "name and password"),
        ("http:///a", "cannot be read|names no host"),
        ("http://example.org:99999/", "cannot be read"),
    ],
)
def test_addresses_that_are_refused(address: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        host_of(address)


@pytest.mark.parametrize("address", ["example.org", "file:///x", "https://example.org/?a=1", "https://example.org/#a"])
def test_base_address_must_be_plain(address: str) -> None:
    with pytest.raises(ConfigError, match="--grouplens"):
        base_address("--grouplens", address)


def test_rate_limit_spaces_requests_and_never_catches_up() -> None:
    clock = Clock()
    limit = RateLimit(4, clock, clock.sleep)
    left = []
    for idle in (0, 0, 0, 10, 0):
        clock.now += idle
        limit.wait()
        left.append(clock.now - 100)
    assert left == [0, 0.25, 0.5, 10.5, 10.75]


def test_rate_limit_holds_everything_back() -> None:
    clock = Clock()
    limit = RateLimit(10, clock, clock.sleep)
    limit.wait()
    limit.hold(7)
    limit.wait()
    assert clock.now - 100 == 7


def test_rate_limit_is_one_for_all_threads() -> None:
    clock, lock, slept = Clock(), threading.Lock(), []

    def sleep(seconds: float) -> None:
        with lock:
            slept.append(round(seconds, 6))

    limit = RateLimit(2, clock, sleep)
    threads = [threading.Thread(target=limit.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [at / 2 for at in range(1, 20)]


def test_whole_answer() -> None:
    with MovieSite(3) as site:
        assert get(site, 2) == Reply(picture(2), "image/jpeg")


def test_request_to_another_host_or_kind_never_leaves() -> None:
    with MovieSite(3) as site, MovieSite(3) as other:
        for address, kind in ((f"{other.base}/images/1.jpg", "posters"), (f"{site.base}/images/1.jpg", "metadata")):
            with pytest.raises(RefusedError, match="was not confirmed"):
                web(site).get(address, kind, most_bytes=100)
        assert not site.requests and not other.requests


def test_redirect_of_one_kind_does_not_reach_hosts_of_another() -> None:
    with MovieSite(3) as other, MovieSite(3, {1: "redirect elsewhere"}) as site:
        site.elsewhere = f"{other.base}/moved/"
        client = Web({"posters": {site.host}, "metadata": {other.host}}, RateLimit(1000), Patience(10, 30, 60))
        with pytest.raises(RefusedError, match=f"{other.host} was not confirmed"):
            client.get(f"{site.base}/images/1.jpg", "posters", most_bytes=100_000)
        assert not other.requests


@pytest.mark.parametrize("status", ["503 once", "429 once"])
def test_retry_after_is_handed_on(status: str) -> None:
    with MovieSite(3, {1: status}) as site, pytest.raises(UnavailableError, match=f"HTTP {status[:3]}") as caught:
        get(site, 1)
    assert caught.value.wait_s == 1


def test_429_holds_all_requests_back() -> None:
    with MovieSite(3, {1: "429 once"}) as site:
        clock = Clock()
        client = Web({"posters": {site.host}}, RateLimit(10, clock, clock.sleep), Patience(10, 30, 60))
        with pytest.raises(UnavailableError, match="429"):
            client.get(f"{site.base}/images/1.jpg", "posters", most_bytes=100_000)
        client.get(f"{site.base}/images/2.jpg", "posters", most_bytes=100_000)
    assert clock.now == 101


def test_429_that_asks_for_hours_ends_the_run() -> None:
    words = r"127.0.0.1:\d+ asks for a pause of 120 minutes; the same command goes on"
    with MovieSite(3, {1: "429 once"}, retry_after="7200") as site, pytest.raises(DataError, match=words):
        get(site, 1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", None), ("-3", None), ("99999999999999", 999999999)],
)
def test_odd_retry_after(header: str, seconds: float | None) -> None:
    with MovieSite(3, {1: "503 once"}, retry_after=header) as site, pytest.raises(UnavailableError) as caught:
        get(site, 1)
    assert caught.value.wait_s == seconds


def test_slow_server_is_given_up() -> None:
    with (
        MovieSite(3, {1: "slow"}, slow_s=0.6) as site,
        pytest.raises(UnavailableError, match=r"no answer within 0.2 s"),
    ):
        get(site, 1, patience=Patience(1, 0.2, 5))


def test_answer_that_never_ends_is_given_up_by_the_clock() -> None:
    with MovieSite(3, {1: "drip"}) as site, pytest.raises(UnavailableError, match=r"not finished within 0.5 s"):
        get(site, 1, patience=Patience(1, 1, 0.5))


def test_nobody_there() -> None:
    client = Web({"posters": {"127.0.0.1:9"}}, RateLimit(1000), Patience(1, 1, 1))
    with pytest.raises(UnavailableError, match="no connection") as caught:
        client.get("http://127.0.0.1:9/1.jpg", "posters", most_bytes=100)
    assert caught.value.unreachable


def test_key_is_neither_said_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "secret/key+1"
    with MovieSite(3) as site:
        client = web(site, secrets=(key,))
        client.get(f"{site.base}/images/1.jpg", "posters", most_bytes=100_000, query={"apikey": key})
    assert "a request with a key" in caplog.text and "/images/1.jpg" not in caplog.text
    assert "secret" not in caplog.text
    assert client.masked(f"{key} secret%2Fkey%2B1") == "*** ***"


def test_redirect_from_https_to_http_is_refused() -> None:
    response = requests.Response()
    response.headers["Location"] = "http://example.org/2.jpg"
    client = Web({"posters": {"example.org"}}, RateLimit(1000))
    with pytest.raises(RefusedError, match="from https to http"):
        client._target(response, "https://example.org/1.jpg", secure=True)
    assert client._target(response, "http://example.org/1.jpg", secure=False) == "http://example.org/2.jpg"
