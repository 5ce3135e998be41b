"""Keeps others out: by hosts, tokens, who makes a request, and sizes; and sets the headers of answers.

**What is trusted.** By default the server listens on this machine alone, and everybody on it may use it. A
page of another site that runs in the same browser may not: it cannot read an answer (no CORS), cannot ask
under another name for this machine (the Host header is checked), and cannot change anything (requests that do
must carry a header that only a page of ours, or a program, can set). On another address a token is asked for
besides.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_HEADER = "x-realedit"
"""A header that every request which changes something must carry; a foreign page cannot set it."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SAFE = ("GET", "HEAD")
_OPEN = re.compile(
    r"/(?:$|assets/|static/|theme\.css$|favicon\.ico$|config/?$|ui/|api/|gradio_api/(?:startup-events|heartbeat/))"
)
"""Paths that are served. Gradio's own ways to bring, fetch and run things are not among them: the page needs
none, and no path from a browser is to be opened."""
_SCRIPT = re.compile(rb"<script(?=[\s>])")


@dataclass(frozen=True)
class GuardRules:
    """Who may ask for what.

    Args:
        hosts: names in the Host header that are answered; empty for any.
        token: what must be told; None where nothing must.
        cookie: the token's cookie.
        body_bytes: of a request; larger ones are refused while they arrive.
    """

    hosts: frozenset[str] = frozenset(_LOOPBACK)
    token: str | None = None
    cookie: str = "realedit-token"
    body_bytes: int = 256 * 2**20


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    return host in _LOOPBACK or host.startswith("127.")


class Guard:
    """The outermost layer of the server.

    Args:
        app: what is guarded.
        rules: who may ask for what.
    """

    def __init__(self, app: ASGIApp, rules: GuardRules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or refuses it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        nonce = secrets.token_urlsafe(16)
        answer = _Answer(send, nonce, is_api=str(scope["path"]).startswith("/api/"))
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, answer.send)
            return
        too_large = partial(self._too_large, scope, receive, answer)
        body = _Body(receive, self.rules.body_bytes, too_large)
        try:
            await self.app(scope, body.receive, answer.send)
        except _TooLargeError:
            if not answer.is_refused:
                raise

    async def _too_large(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if answer.started:
            return
        message = f"the request is larger than {self.rules.body_bytes // 2**20} MB"
        await _refusal(message, 413)(scope, receive, answer.send)
        answer.is_refused = True

    def _refused(self, scope: Scope) -> Response | None:
        """Returns what is answered instead; None where the request is let through."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.rules.hosts and _name_of(host) not in self.rules.hosts:
            return _refusal("this server is asked under a name that is not its own", 421)
        if not _OPEN.match(scope["path"]):
            return _refusal("there is nothing here", 404)
        refused = self._without_token(scope, headers)
        if refused is not None:
            return refused
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or site not in ("same-origin", "none") or OWN_HEADER not in headers:
            return _refusal(f"a request that changes something needs the header {OWN_HEADER}: 1", 403)
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.rules.body_bytes:
            return _refusal(f"the request is larger than {self.rules.body_bytes // 2**20} MB", 413)
        return None

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = self.rules.token
        if token is None:
            return None
        given = [_bearer(headers), cookie_of(headers, self.rules.cookie)]
        if any(_same(token, one) for one in given):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and _same(token, query.pop("token", [""])[0]):
            rest = urlencode(query, doseq=True)
            found = RedirectResponse(f"/?{rest}" if rest else "/", 303)
            found.set_cookie(self.rules.cookie, token, httponly=True, samesite="lax")
            return found
        return _refusal("a token is needed: open the address that the server has printed", 401)


class _Answer:
    """Sets the headers of an answer, and the nonce of a page's scripts."""

    def __init__(self, send: Send, nonce: str, *, is_api: bool) -> None:
        self._send = send
        self._nonce = nonce
        self._is_api = is_api
        self._page: Message | None = None
        self._body = b""
        self.started = False
        self.is_refused = False

    async def send(self, message: Message) -> None:
        """Sends one message of the answer; a page is held until it is whole."""
        if self.is_refused:  # what the app says of a request that was refused in its middle
            return
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _headers(self._nonce, is_api=self._is_api):
                headers[name] = value
            if headers.get("content-type", "").startswith("text/html"):
                self._page = message
                return
        elif self._page is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            page, self._page = self._page, None
            body = _SCRIPT.sub(b'<script nonce="' + self._nonce.encode() + b'"', self._body)
            MutableHeaders(scope=page)["content-length"] = str(len(body))
            await self._send(page)
            await self._send({"type": "http.response.body", "body": body})
            return
        await self._send(message)


class _TooLargeError(Exception):
    """A body is larger than it may be."""


class _Body:
    """Counts what arrives."""

    def __init__(self, receive: Receive, most: int, too_large: Callable[[], Awaitable[None]]) -> None:
        self._receive = receive
        self._left = most
        self._too_large = too_large

    async def receive(self) -> Message:
        """Returns the next message.

        Raises:
            _TooLargeError: more has arrived than may.
        """
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            await self._too_large()
            raise _TooLargeError
        return message


def cookie_of(headers: Headers, name: str) -> str | None:
    """Returns a cookie's value, or None."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


def _headers(nonce: str, *, is_api: bool) -> Iterable[tuple[str, str]]:
    """Returns the headers of every answer.

    ``unsafe-eval`` is Gradio's need: it makes a component's script from its text. Styles are set on elements.
    Nothing of another host is allowed in any case.
    """
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'nonce-{nonce}' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' blob: data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    yield "content-security-policy", "; ".join(f"{name} {value}" for name, value in policy.items())
    yield "x-content-type-options", "nosniff"
    yield "referrer-policy", "no-referrer"
    yield "cross-origin-opener-policy", "same-origin"
    yield "cross-origin-resource-policy", "same-origin"
    yield "permissions-policy", "camera=(), microphone=(), geolocation=()"
    if is_api:
        yield "cache-control", "no-store"


def _refusal(message: str, status: int) -> Response:
    return PlainTextResponse(f"realedit: {message}\n", status)


def _name_of(host: str) -> str:
    """Returns the name in a Host header, without its port and brackets."""
    return (urlsplit(f"//{host}").hostname or "") if host else ""


def _bearer(headers: Headers) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _same(token: str, given: str | None) -> bool:
    return given is not None and secrets.compare_digest(token.encode(), given.encode())
