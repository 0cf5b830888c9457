"""HTTP for a download: only http and https, only hosts that the user confirmed, at one rate, within limits of size and time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from cinealign.errors import ConfigError, DataError

if TYPE_CHECKING:
    import requests

MOST_REDIRECTS = 5
LONGEST_WAIT_S = 120.0
"""A server that asks for a longer pause is asked again by the next run of the command, not by this one."""
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another try may mend; every other status from 400 up is an answer."""
_BLOCK = 65_536
_PORTS = {"http": 80, "https": 443}


class RefusedError(Exception):
    """An answer that no further try will change: no such file, no picture, a host that nobody confirmed."""

    def __init__(self, reason: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.reason, self.status, self.body = reason, status, body


class UnavailableError(Exception):
    """No answer this time. `wait_s` is how long the server asks to be left alone, `unreachable` that there was none."""

    def __init__(self, reason: str, wait_s: float | None = None, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.wait_s, self.unreachable = reason, wait_s, unreachable


@dataclass(frozen=True)
class Reply:
    """A whole answer and the type that the server calls it, in lower case."""

    content: bytes
    content_type: str


@dataclass(frozen=True)
class Patience:
    """Seconds to wait: for a connection, for the next bytes, and for the whole of one answer."""

    connect_s: float = 10.0
    read_s: float = 20.0
    whole_s: float = 300.0


class RateLimit:
    """At most `per_second` requests a second, over all threads; never two at once to catch up."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.interval = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may leave."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._next)
            self._next = slot + self.interval
        if slot > now:
            self._sleep(slot - now)

    def hold(self, seconds: float) -> None:
        """Let nothing leave for `seconds`."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


def host_of(address: str) -> str:
    """Host of an http or https address in lower case, with its port where that is not the scheme's own.

    Raises:
        RefusedError: another scheme, no host, or a name and password in the address.
    """
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        parts = parse_url(address)
    except LocationParseError:
        raise RefusedError("the address cannot be read") from None
    scheme = (parts.scheme or "").lower()
    if scheme not in _PORTS:
        begins = f"begins with {scheme}:" if scheme else "has no scheme"
        raise RefusedError(f"the address {begins}, and only http and https are followed")
    if not parts.host:
        raise RefusedError("the address names no host")
    if parts.auth is not None:
        raise RefusedError("the address holds a name and password")
    port = "" if parts.port in (None, _PORTS[scheme]) else f":{parts.port}"
    return parts.host.lower() + port


@dataclass
class Web:
    """Fetches whole answers.

    Args:
        hosts: the confirmed hosts of each kind of request, as `host_of` writes them; may grow.
        rate: the limit, shared by everything that is fetched.
        patience: time limits.
        secrets: keys of the user; they are taken out of every message and out of other libraries' logs.
    """

    hosts: Mapping[str, Collection[str]]
    rate: RateLimit
    patience: Patience = field(default_factory=Patience)
    secrets: Collection[str] = ()

    def __post_init__(self) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        from cinealign.version import __version__

        self._session = requests.Session()
        self._session.headers.update({"User-Agent": f"cinealign/{__version__}", "Accept-Encoding": "identity"})
        self._session.cookies.set_policy(_NoCookies())
        for scheme in _PORTS:
            self._session.mount(f"{scheme}://", HTTPAdapter(pool_maxsize=64, max_retries=0))
        if self.secrets:
            _silence(self.secrets)

    def get(
        self,
        address: str,
        kind: str,
        *,
        most_bytes: int,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The whole answer from `address`, after at most `MOST_REDIRECTS` redirects within the hosts of `kind`.

        `headers` and `query` go to the first address alone.

        Raises:
            RefusedError: an answer that no further try will change.
            UnavailableError: no answer this time.
            DataError: the server has had too many requests and asks for a long pause.
        """
        import requests

        began = time.monotonic()
        secure = address.lower().startswith("https:")
        for hop in range(MOST_REDIRECTS + 1):
            try:
                request = self._session.prepare_request(
                    requests.Request("GET", address, params=dict(query or {}), headers=dict(headers or {}))
                )
            except (requests.RequestException, ValueError):
                raise RefusedError("the address cannot be read") from None
            try:
                self._check_host(request.url or "", kind)
            except RefusedError as error:
                raise RefusedError(f"a redirect: {error.reason}" if hop else error.reason) from None
            self.rate.wait()
            with self._send(request) as response:
                if response.status_code not in _REDIRECTS:
                    return self._read(response, most_bytes, began)
                address = self._target(response, request.url or "", secure)
                secure = secure or address.lower().startswith("https:")
                query = headers = None
        raise RefusedError(f"more than {MOST_REDIRECTS} redirects")

    def masked(self, text: str) -> str:
        """`text` without the user's keys."""
        for secret in self.secrets:
            for form in (secret, quote(secret, safe="")):
                text = text.replace(form, "***")
        return text

    def _check_host(self, address: str, kind: str) -> None:
        """Look at the address as it will be sent, read by the parser that the sender uses."""
        host = host_of(address)
        if host not in self.hosts.get(kind, ()):
            raise RefusedError(f"the host {host} was not confirmed")

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        import requests

        settings = self._session.merge_environment_settings(request.url or "", {}, True, None, None)
        timeout = (self.patience.connect_s, self.patience.read_s)
        try:
            return self._session.send(request, timeout=timeout, allow_redirects=False, **settings)
        except requests.exceptions.SSLError:
            raise UnavailableError("no secure connection (is a certificate wrong, or a proxy in between?)") from None
        except requests.exceptions.ReadTimeout:
            raise UnavailableError(f"no answer within {self.patience.read_s:g} s") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            raise UnavailableError("no connection", unreachable=True) from None
        except requests.RequestException as error:
            raise UnavailableError(f"the request failed ({type(error).__name__})") from None

    def _pause(self, host: str, wait_s: float) -> None:
        """Let nothing leave for as long as a server asks that has had too many requests."""
        if wait_s > LONGEST_WAIT_S:
            raise DataError(
                f"{host} asks for a pause of {wait_s / 60:.0f} minutes; the same command goes on from here, perhaps "
                "with a lower --rate"
            )
        self.rate.hold(wait_s)

    def _target(self, response: requests.Response, address: str, secure: bool) -> str:
        location = response.headers.get("Location")
        if not location:
            raise RefusedError("a redirect that leads nowhere", response.status_code)
        target = urljoin(address, location)
        if secure and target.lower().startswith("http:"):
            raise RefusedError("a redirect from https to http")
        return target

    def _read(self, response: requests.Response, most_bytes: int, began: float) -> Reply:
        from urllib3.exceptions import HTTPError

        status = response.status_code
        try:
            if status >= 400:
                wait_s = _retry_after(response.headers.get("Retry-After"))
                if status == 429 and wait_s is not None:
                    self._pause(host_of(response.url), wait_s)
                if status in _PASSING:
                    raise UnavailableError(f"HTTP {status}", wait_s)
                body = response.raw.read1(2000, decode_content=True) or b""
                raise RefusedError(f"HTTP {status}", status, body)
            if status != 200:
                raise RefusedError(f"HTTP {status}", status)
            said = response.headers.get("Content-Length", "")
            if said.isdigit() and int(said[:18]) > most_bytes:
                raise RefusedError(f"larger than {_megabytes(most_bytes)}")
            blocks = bytearray()
            while block := response.raw.read1(_BLOCK, decode_content=True):
                blocks += block
                if len(blocks) > most_bytes:
                    raise RefusedError(f"larger than {_megabytes(most_bytes)}")
                if time.monotonic() - began > self.patience.whole_s:
                    raise UnavailableError(f"not finished within {self.patience.whole_s:g} s")
        except (HTTPError, OSError, ValueError):
            raise UnavailableError("cut off in the middle") from None
        return Reply(bytes(blocks), response.headers.get("Content-Type", "").partition(";")[0].strip().lower())


def base_address(option: str, address: str) -> str:
    """`address` without a slash at its end.

    Raises:
        ConfigError: not an http or https address, or one with a query or a fragment.
    """
    try:
        host_of(address)
    except RefusedError as error:
        raise ConfigError(f"{option} {address}: {error.reason}; give it as in https://example.org/folder") from None
    if "?" in address or "#" in address:
        raise ConfigError(f"{option} {address}: a base address has no ? and no #; give it as in https://example.org/x")
    return address.rstrip("/")


def _retry_after(header: str | None) -> float | None:
    """Seconds that the header Retry-After asks for, written as a number or as a date."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:g} MB"


def _silence(secrets: Collection[str]) -> None:
    """Mask the keys in the debug log of the connection library, which writes down whole addresses."""

    def mask(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if any(form in text for secret in secrets for form in (secret, quote(secret, safe=""))):
            record.msg, record.args = "a request with a key", ()
        return True

    logging.getLogger("urllib3.connectionpool").addFilter(mask)


def _NoCookies() -> Any:  # noqa: N802
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
