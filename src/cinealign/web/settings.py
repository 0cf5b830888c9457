"""What a server is started with, and the limits that keep it answering."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address

from cinealign.errors import ConfigError
from cinealign.figures import Language

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
MAX_BODY = 10 * 2**20
"""Bytes of a request."""
BODY_SECONDS = 30.0
"""A body that takes longer to arrive is refused."""
MAX_PIXELS = 25_000_000
"""Of a picture that is sent; 25 million take 75 MB when decoded."""
WAITING = 128
"""Requests that may wait for the model."""
PATIENCE = 30.0
"""Seconds after which a request that waits for the model is sent away."""
COVERING = 180.0
"""The same where the model looks at a poster some twenty times."""
PAGE, MOST = 24, 100
"""Hits a page, and at most."""


@dataclass(frozen=True)
class Settings:
    """How the server listens and whom it answers.

    Attributes:
        host, port: where it listens.
        token: what a browser or program must show; None on a loopback address.
        names: further values of Host that are answered.
        lang: of pages, where a browser has chosen none.
        key: stands in the address of forms, as a browser that hides where a form comes from sends no Origin.
    """

    host: str = "127.0.0.1"
    port: int = 8421
    token: str | None = None
    names: tuple[str, ...] = ()
    lang: Language | None = None
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    @classmethod
    def listening(
        cls,
        host: str,
        port: int,
        *,
        token: str | None = None,
        names: tuple[str, ...] = (),
        lang: Language | None = None,
    ) -> Settings:
        """Settings that are safe: an address that others can reach gets a token, a fresh one where none is given.

        Raises:
            ConfigError: a port or token that cannot be.
        """
        if not 0 <= port <= 65535:
            raise ConfigError(f"--port must be between 0 (any free one) and 65535, got {port}")
        if token is not None and len(token) < 16:
            raise ConfigError(f"a token has 16 letters at least, got {len(token)}")
        if token is None and not is_loopback(host):
            token = secrets.token_urlsafe(24)
        if not is_loopback(host):
            names = (*names, socket.gethostname().lower())
        return cls(host, port, token, names, lang)

    def answers_to(self, host: str) -> bool:
        """Whether a request with this Host is for us: a name of this machine or an address, never somebody's domain.

        A page of another site that gets its own name to point here (DNS rebinding) sends that name.
        """
        name = host.lower()
        name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
        if is_loopback(self.host):
            return name in LOOPBACK_NAMES or name in self.names
        return name in (*LOOPBACK_NAMES, *self.names, self.host.lower()) or _is_address(name.strip("[]"))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    if host == "localhost":
        return True
    return _is_address(host.strip("[]")) and ip_address(host.strip("[]")).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
