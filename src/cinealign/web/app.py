"""The application: routes, errors, and the guard around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cinealign.errors import CineAlignError
from cinealign.version import __version__
from cinealign.web.api import api
from cinealign.web.pages import error_page, pages
from cinealign.web.safety import Guard, error_body
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf
from cinealign.web.work import BusyError, WorkQueue

BUSY = "too much is being asked at once; ask again in a few seconds"
RETRY_AFTER = "5"


def create_app(shelf: Shelf, settings: Settings | None = None, queue: WorkQueue | None = None) -> ASGIApp:
    """The whole server as an ASGI application.

    Args:
        shelf: what is served.
        settings: on loopback and without a token where None.
        queue: for the model's work; one of its own where None.
    """
    settings = settings or Settings()
    work = queue or WorkQueue(shelf.index.text_rows)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        work.close()

    app = FastAPI(
        title="cinealign",
        version=__version__,
        summary="Which poster belongs to which intro: search, items, pairs, vectors, map and run.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages come from other hosts
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.shelf, app.state.settings, app.state.queue = shelf, settings, work
    app.include_router(api)
    app.include_router(pages)
    app.mount("/static", StaticFiles(directory=Path(str(files("cinealign").joinpath("web/static")))))
    app.add_exception_handler(CineAlignError, _user_error)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    return Guard(app, settings)


async def _user_error(request: Request, error: Exception) -> Response:
    return _told(request, 422, str(error))


async def _busy(request: Request, error: Exception) -> Response:
    return _told(request, 429, BUSY, {"Retry-After": RETRY_AFTER})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return _told(request, error.status_code, str(error.detail), headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [
        {"where": ".".join(str(step) for step in each["loc"]), "message": str(each["msg"])}
        for each in error.errors()[:10]
    ]
    first = found[0]
    return _told(request, 422, f"{first['where']}: {first['message']}", None, fields=found)


def _told(request: Request, status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse(error_body(status, message, **more), status, headers=headers)
    return error_page(request, status, message, headers)
