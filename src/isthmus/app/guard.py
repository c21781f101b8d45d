"""Who may talk to the application, and what the browser may do with its answers.

The application listens on the loopback address, where every other program and every web page of this machine can knock. So, in order:

- the `Host` must be the address we listen on (a foreign name that was rebound to 127.0.0.1 is not);
- a request that a page of another origin caused is refused, whatever it carries;
- `/api/...` wants the token in the header `X-Isthmus-Token`. Browsers share cookies among all ports of a host, so a cookie would be handed
  to any other server on this machine; the page keeps the token in its own origin's storage instead. A ticket (`Tickets`) opens one
  address once where no header can be sent (a frame, a download);
- pages, scripts and styles want a cookie that `/?token=...` sets. It opens those only: they hold no patient's data;
- a body must be JSON or raw bytes (no form that another page could post), and is cut off at its largest size while it comes in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings

__all__ = ["HEADER", "Guard", "received", "too_large"]

HEADER = "X-Isthmus-Token"
READS = ("GET", "HEAD")
BODIES = ("application/json", "application/octet-stream")

SECURITY: Mapping[str, str] = {
    # machines in hospitals are offline, and nothing of a patient may leave them: no host but this one
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """The middleware in front of everything."""

    def __init__(self, app: ASGIApp, settings: AppSettings) -> None:
        self.app = app
        self.settings = settings
        self.hosts = {f"127.0.0.1:{settings.port}", f"localhost:{settings.port}"}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.cookie = f"isthmus-{settings.port}"
        self.page_key = hmac.new(settings.token.encode(), b"pages", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        counted = _Counted(receive, self.settings.largest_upload)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            answer = self._judge(scope)
            if answer is None:
                await self.app(scope, counted, sending)
                return
        except Refusal as refusal:
            if started:
                raise
            answer = JSONResponse(refusal.body(), refusal.status)
            if refusal.status == 413:
                answer.headers["Connection"] = "close"
        await answer(scope, receive, sending)

    def _judge(self, scope: Scope) -> Response | None:
        """Refuse, answer (the entrance), or let through."""
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        self._check_place(headers)
        if path == "/" and "token" in query and method in READS:
            return self._entrance(query["token"])
        if path.startswith("/api/"):
            shown = headers.get(HEADER, "")
            by_ticket = method in READS and self.settings.tickets.redeem(query.get("ticket", ""), path)
            if not (by_ticket or _same(shown, self.settings.token)):
                raise _stranger()
        elif not _same(self._cookie(headers), self.page_key):
            raise _stranger()
        if method not in READS:
            self._check_body(headers, method)
        return None

    def _check_place(self, headers: Headers) -> None:
        if headers.getlist("host") not in [[host] for host in self.hosts]:
            raise Refusal("a request for another host", f"http://127.0.0.1:{self.settings.port}", status=421)
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if (origin is not None and origin not in self.origins) or site not in ("same-origin", "none"):
            raise Refusal("a request that another page caused", "one of the application's own pages", status=403)

    def _entrance(self, token: str) -> Response:
        """The address that is printed at the start: the cookie for the pages, and the token where only our own scripts see it."""
        if not _same(token, self.settings.token):
            raise _stranger()
        answer = RedirectResponse(f"/#token={self.settings.token}", 303)
        answer.set_cookie(self.cookie, self.page_key, httponly=True, samesite="strict", path="/")
        return answer

    def _cookie(self, headers: Headers) -> str:
        try:
            held = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return held.value if held is not None else ""

    def _check_body(self, headers: Headers, method: str) -> None:
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in BODIES and not (method == "DELETE" and not kind):
            raise Refusal(f"a body of type {kind or '(none)'}", " or ".join(BODIES), status=415)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.settings.largest_upload:
            raise too_large(self.settings.largest_upload)


class _Counted:
    """A body, counted while it comes in."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.receive, self.left, self.most = receive, most, most

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.left -= len(message.get("body", b""))
            if self.left < 0:
                raise too_large(self.most)
        return message


def too_large(most: int) -> Refusal:
    """A body beyond the limit."""
    return Refusal("a body that is too large", f"at most {most} bytes", "send a smaller file", status=413)


def _stranger() -> Refusal:
    return Refusal(
        "no token, or a wrong one", "the token of this start of the application",
        "open the address that `isthmus app` printed when it started", status=401,
    )  # fmt: skip


def _same(shown: str, expected: str) -> bool:
    return secrets.compare_digest(shown.encode("utf-8", "surrogateescape"), expected.encode())


async def received(request: Any, most: int) -> bytes:
    """The raw bytes of a request (`application/octet-stream`), at most so many.

    Raises
    ------
    Refusal
        415: another type. 413: more bytes than that; the rest is not read.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/octet-stream":
        raise Refusal(f"a body of type {kind}", "application/octet-stream", status=415)
    if int(request.headers.get("content-length", "0")) > most:
        raise too_large(most)
    parts, left = [], most
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise too_large(most)
        parts.append(part)
    return b"".join(parts)
