"""Runs the page and the API."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from realedit.errors import UsageError
from realedit.system.installation import own_version
from realedit.ui import tunnel
from realedit.ui.api import Visitors, add_api
from realedit.ui.api_page import api_page
from realedit.ui.editor import Editor
from realedit.ui.guard import Guard, GuardRules, is_loopback
from realedit.ui.limits import Limits
from realedit.ui.sessions import Sessions

if TYPE_CHECKING:
    from realedit.pipeline import RealEditPipeline

_SWEEP_SECONDS = 30.0
"""How often idle sessions are looked for: more often frees the disk earlier. Not measured."""
_LAST_SECONDS = 2
"""How long a stop waits for answers that are still being sent. Not measured."""


@dataclass(frozen=True)
class Address:
    """Where a server listens.

    Args:
        host: the address.
        port: the port; 0 for a free one.
        token: what a visitor must tell; None where nobody else can reach the server.
        shared: whether it is to be reached through a tunnel.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    token: str | None = None
    shared: bool = False

    @classmethod
    def of(cls, host: str, port: int, *, share: bool = False) -> Address:
        """Returns an address, with a token where others can reach it."""
        open_to_others = share or not is_loopback(host)
        return cls(host, port, secrets.token_urlsafe(24) if open_to_others else None, share)

    def url(self, port: int) -> str:
        """Returns what is opened in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else host
        return f"http://{host}:{port}/" + (f"?token={self.token}" if self.token else "")

    def rules(self, port: int, limits: Limits) -> GuardRules:
        """Returns who may ask for what."""
        hosts: frozenset[str] = (
            frozenset() if self.token else frozenset(("127.0.0.1", "localhost", "::1", self.host))
        )
        return GuardRules(hosts, self.token, f"realedit-token-{port}", 2 * limits.file_bytes + 2**20)


@dataclass
class Service:
    """All that answers, and what is ended with it.

    Args:
        pipeline: the loaded model.
        limits: what is refused.
        opening: content and name of the photo that the page opens with; None for an empty page.
    """

    pipeline: RealEditPipeline
    limits: Limits = field(default_factory=Limits)
    opening: tuple[bytes, str] | None = None

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.limits)
        self.editor = Editor(self.pipeline, self.limits)

    def app(self, rules: GuardRules, cookie: str, *, with_page: bool = True) -> ASGIApp:
        """Returns the app, guarded.

        Args:
            rules: who may ask for what.
            cookie: the session's cookie.
            with_page: whether there is the page beside the API.
        """
        app = FastAPI(
            title="realedit",
            version=own_version(),
            description="Change one thing in a photo; the rest stays as it was, to the bit.",
            docs_url=None,
            redoc_url=None,
            openapi_url="/api/openapi.json",
            lifespan=self._lifespan,
        )
        visitors = Visitors(self.sessions, cookie)
        add_api(app, self.editor, visitors, self.limits, opening=self.opening)

        @app.get("/api/docs", response_class=HTMLResponse, include_in_schema=False)
        def docs(request: Request) -> str:
            return api_page(app.openapi(), str(request.base_url).rstrip("/"))

        if with_page:
            from realedit.ui.page import add_page

            facts = {
                "limits": {"bytes": self.limits.file_bytes},
                "local": rules.token is None,
                "opening": self.opening is not None,
            }
            app = add_page(app, facts)
        return Guard(app, rules)

    def close(self) -> None:
        """Cancels jobs and removes files."""
        self.editor.close()
        self.sessions.close()

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            for session in self.sessions.end_idle():
                self.editor.forget(session)


def listening(address: Address) -> socket.socket:
    """Returns a socket that listens.

    Raises:
        UsageError: the address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_STREAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((address.host, address.port))
    except OSError as error:
        own.close()
        raise UsageError(
            f"cannot listen on {address.host}:{address.port} ({error.strerror or error})",
            "choose another with --port, or end the server that is there",
        ) from error
    own.listen(128)
    return own


@contextlib.contextmanager
def in_background(service: Service, address: Address, *, with_page: bool = True) -> Generator[str]:
    """Serves in a thread of its own for as long as the block lasts; yields the address to open.

    Args:
        service: what answers; it is closed with the block.
        address: where.
        with_page: whether there is the page beside the API.

    Raises:
        UsageError: the address or port cannot be had.
    """
    own = listening(address)
    port = int(own.getsockname()[1])
    app = service.app(address.rules(port, service.limits), f"realedit-session-{port}", with_page=with_page)
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]}, name="realedit-ui", daemon=True)
    thread.start()
    try:
        yield address.url(port)
    finally:
        server.should_exit = True
        thread.join()
        service.close()
        own.close()


def serve(
    service: Service,
    address: Address,
    *,
    on_ready: Callable[[str], None],
) -> None:
    """Serves until it is interrupted; then cancels jobs and removes all files.

    Args:
        service: what answers.
        address: where.
        on_ready: told the address to open.

    Raises:
        UsageError: the address or port cannot be had.
    """
    own = listening(address)
    port = int(own.getsockname()[1])
    try:
        app = service.app(address.rules(port, service.limits), f"realedit-session-{port}")
        on_ready(address.url(port))
        if address.shared:
            on_ready(f"{tunnel.opened(address.host, port).rstrip('/')}/?token={address.token}")
        uvicorn.Server(_config(app)).run(sockets=[own])
    finally:
        service.close()
        own.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
        server_header=False,
    )
