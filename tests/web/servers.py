"""A server in a thread of the tests, on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from cinealign.web.app import create_app
from cinealign.web.server import bound
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf


@contextmanager
def running(shelf: Shelf, settings: Settings | None = None) -> Iterator[str]:
    """The address of a server that ends with the block."""
    settings = settings or Settings(port=0)
    listening = bound(settings)
    server = uvicorn.Server(uvicorn.Config(create_app(shelf, settings), log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(10)
    assert not thread.is_alive()
