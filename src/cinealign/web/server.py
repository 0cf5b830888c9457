"""Start, say where, and stop at once: the server around the application."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import webbrowser
from urllib.parse import urlencode

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from cinealign.errors import ConfigError
from cinealign.progress import say
from cinealign.web.app import create_app
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf

GRACE = 0.2
"""Seconds that an answer on its way has when the server is stopped."""


def serve(shelf: Shelf, settings: Settings, *, open_browser: bool = False) -> None:
    """Serve until Ctrl-C, and then end the process: threads that still ask the model are not waited for.

    Args:
        shelf: what is served; it is warmed first.
        settings: where and for whom.
        open_browser: whether to open the page.
    Raises:
        ConfigError: the address cannot be listened on.
    """
    listening = bound(settings)  # before the model is loaded: a port that is taken should not cost ten seconds
    shelf.warm()
    where = address(settings, listening)
    config = uvicorn.Config(
        create_app(shelf, settings),
        log_level="warning",
        log_config=LOGGING_CONFIG,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
        limit_concurrency=1000,
        lifespan="on",
    )
    server = _Server(config)
    say(f"serving {len(shelf.index):,} items at {where} (Ctrl-C stops)")
    if settings.token is not None:
        say("others can reach this address; the token in it is the key, so give it to those only who may look")
    if open_browser:
        threading.Timer(0.3, webbrowser.open, [where]).start()
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once it has shut down
        server.run(sockets=[listening])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the model's threads cannot be interrupted, and nothing that they do is kept


class _Server(uvicorn.Server):
    """Connections that a browser keeps open do not hold up the end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").disabled = True  # answers that are cut off now are no news
        self.config.timeout_graceful_shutdown = GRACE  # type: ignore[assignment]
        await super().shutdown(sockets)


def bound(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say.

    Raises:
        ConfigError: the address is taken, or none of this machine's.
    """
    host = settings.host.strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(2048)  # from now on browsers may come; they wait until the model is loaded
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot listen on {settings.host} port {settings.port} ({reason}); choose another --port, 0 for any free one"
        ) from None
    return listening


def address(settings: Settings, listening: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listening.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    if name in ("0.0.0.0", "[::]"):
        name = socket.gethostname()
    query = f"?{urlencode({'token': settings.token})}" if settings.token is not None else ""
    return f"http://{name}:{port}/{query}"
