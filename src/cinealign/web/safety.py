"""What every request must pass and every answer carries: Host, Origin, token, size of the body, headers for the browser."""

from __future__ import annotations

import asyncio
import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cinealign.web.settings import BODY_SECONDS, MAX_BODY, Settings

COOKIE = "cinealign_token"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Guard:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on with its body counted."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        await self.app(scope, counted(receive), guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self.settings.answers_to(headers.get("host", "")):
            return refused(scope, 421, "this server answers to its own name only; pass --name for another one")
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, headers, asked):
            return refused(scope, 403, "requests of other sites are refused")
        if scope["method"] in CHANGING and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return refused(scope, 403, "requests of other sites are refused")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return refused(scope, 413, f"a request holds at most {MAX_BODY:,} bytes")
        return self._without_token(scope, headers, asked)

    def _is_ours(self, origin: str, headers: Headers, asked: dict[str, list[str]]) -> bool:
        if origin == "null":  # of a form on a page without a referrer
            return _same(asked.get("key", [""])[0], self.settings.key)
        return origin.lower() in (f"{scheme}://{headers.get('host', '').lower()}" for scheme in ("http", "https"))

    def _without_token(self, scope: Scope, headers: Headers, asked: dict[str, list[str]]) -> Response | None:
        token = self.settings.token
        if token is None:
            return None
        given = asked.pop("token", [""])[0]
        if _same(given, token):  # out of the address and into a cookie, so that it is not sent on with the address
            query = urlencode(asked, doseq=True)
            path = scope["path"] if not scope["path"].startswith("//") else "/"
            response = RedirectResponse(f"{path}?{query}" if query else path, 303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=30 * 86400)
            return response
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), token):
            return None
        if _same(_cookie(headers.get("cookie", "")), token):
            return None
        return refused(scope, 401, "a token is needed: open the address that `cinealign serve` printed")


def counted(receive: Receive) -> Receive:
    """`receive`, which stops a body that is too long or too slow while it arrives, whatever its length was said to be."""
    seen, until = 0, asyncio.get_running_loop().time() + BODY_SECONDS
    ended = False

    async def next_part() -> Message:
        nonlocal seen, ended
        if ended:
            return await receive()  # waits for the end of the connection
        try:
            message = await asyncio.wait_for(receive(), max(0.0, until - asyncio.get_running_loop().time()))
        except TimeoutError:
            raise HTTPException(408, f"the request took longer than {BODY_SECONDS:g} seconds to arrive") from None
        seen += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if seen > MAX_BODY:
            raise HTTPException(413, f"a request holds at most {MAX_BODY:,} bytes")
        return message

    return next_part


def refused(scope: Scope, status: int, message: str) -> Response:
    """A short answer: JSON to programs, plain text to browsers."""
    if scope["path"].startswith("/api/"):
        return JSONResponse(error_body(status, message), status)
    return PlainTextResponse(f"{message}\n", status)


def error_body(status: int, message: str, **more: Any) -> dict[str, Any]:
    """What the API says of every error."""
    return {"error": {"status": status, "message": message, **more}}


def _cookie(given: str) -> str:
    try:
        morsel = SimpleCookie(given).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
