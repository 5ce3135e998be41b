"""A running `realedit ui`, asked over HTTP: photos and requests go there, what its jobs tell comes back."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from realedit import errors
from realedit.errors import RealEditError, Sentence, UsageError
from realedit.system.outside_json import parse_json
from realedit.system.progress import Progress

_SESSION = "X-Realedit-Session"
_PATIENCE_SECONDS = 600.0
"""How long a server may say nothing: it says every ten seconds that it is alive. Not measured."""
_ERRORS = {
    kind.__name__.removesuffix("Error"): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RealEditError)
}


_STRANGE = (OSError, HTTPException, LookupError, ValueError, TypeError, AttributeError)
"""What is raised where nothing answers, or something that is not realedit's own. Set by definition."""


class ServerError(RealEditError):
    """The server cannot be reached, or does not answer as realedit's own does."""


class Server:
    """A running `realedit ui`; a session there, which ends with the ``with`` block.

    Args:
        address: as it has printed it, with its token where it has one.

    Raises:
        UsageError: it is no address.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address if "//" in address else f"http://{address}")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{address} is no server's address", "such as --server http://127.0.0.1:7860")
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        token = parse_qs(parts.query).get("token", [""])[0]
        self._headers = {"X-Realedit": "1", **({"Authorization": f"Bearer {token}"} if token else {})}

    def __enter__(self) -> Server:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the session, which removes its files; the server does it by itself where this fails.

        Raises:
            ServerError: in the place of an error that says that nothing, or something else, answers there.
        """
        if _SESSION in self._headers:
            with suppress(OSError, HTTPException, RealEditError):
                self._call("DELETE", "/api/session").close()
        if isinstance(error, _STRANGE):
            raise ServerError(
                f"the server {self._base} does not answer as realedit does ({error})",
                "start one with: realedit ui",
            ) from error

    def done(
        self, what: str, request: Mapping[str, Any], files: Mapping[str, Path], progress: Progress
    ) -> Mapping[str, Any]:
        """Lets the server do a job, and returns what the job told at its end, with its id as ``job``.

        Args:
            what: "edit", "locate" or "cutout".
            request: what is asked for.
            files: what goes along, by the parts' names.
            progress: told of each stage.

        Raises:
            RealEditError: what the server says is wrong, as the command itself would say it.
        """
        job = self._json("POST", f"/api/{what}", *_form(request, files))
        self._headers[_SESSION] = str(job["session"])
        return {**self._followed(str(job["id"]), progress), "job": job["id"]}

    def photo(self, name: str) -> bytes:
        """Returns the file of a photo of this session."""
        return self._call("GET", f"/api/photos/{name}/file").read()

    def file(self, job: str, name: str) -> bytes:
        """Returns a file that a job has made."""
        return self._call("GET", f"/api/jobs/{job}/files/{name}").read()

    def _followed(self, job: str, progress: Progress) -> Mapping[str, Any]:
        """Returns what a job came to; an interrupt cancels it."""
        try:
            with self._call("GET", f"/api/jobs/{job}/events") as stream:
                for name, data in _events(stream):
                    if name == "stage":
                        progress(str(data["stage"]), int(data["step"]), int(data["total"]))
                    elif name == "done":
                        return data
                    elif name == "failed":
                        raise _error(data)
                    elif name == "cancelled":
                        raise RealEditError("the server has cancelled the job", "try again")
        except KeyboardInterrupt:
            self._call("DELETE", f"/api/jobs/{job}").close()
            raise
        raise ServerError("the server has ended before the job was done", "try again")

    def _json(self, method: str, path: str, content: bytes, kind: str) -> Mapping[str, Any]:
        with self._call(method, path, content, kind) as answer:
            return _object(answer.read())

    def _call(self, method: str, path: str, content: bytes | None = None, kind: str = "") -> HTTPResponse:
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self._base + path, content, headers, method=method)
        try:
            return cast("HTTPResponse", urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS))
        except urllib.error.HTTPError as error:
            raise _refused(error) from error


def _form(request: Mapping[str, Any], files: Mapping[str, Path]) -> tuple[bytes, str]:
    """Returns a form as multipart/form-data (RFC 7578), and its media type."""
    mark = secrets.token_hex(16)
    parts: list[bytes] = []

    def add(name: str, content: bytes, more: str) -> None:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")

    add("request", json.dumps(request).encode(), "")
    for name, path in files.items():
        safe = path.name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
        add(name, path.read_bytes(), f'; filename="{safe}"\r\nContent-Type: application/octet-stream')
    return b"".join(parts) + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def _events(stream: HTTPResponse) -> Generator[tuple[str, Mapping[str, Any]]]:
    """Yields the events of a stream as they come."""
    name = ""
    for line in stream:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text[7:]
        elif text.startswith("data: "):
            yield name, _object(text[6:])


def _object(text: str | bytes) -> Mapping[str, Any]:
    """Returns a JSON object that a server sent.

    Raises:
        ServerError: it sent something else.
    """
    try:
        found = parse_json(text)
    except ValueError as error:
        raise ServerError(f"the server's answer cannot be read ({error})", "is it a realedit ui?") from error
    if not isinstance(found, dict):
        raise ServerError("the server's answer cannot be read", "is it a realedit ui?")
    return cast("dict[str, Any]", found)


def _refused(error: urllib.error.HTTPError) -> RealEditError:
    """Returns a refusal as the error that the command itself would have raised."""
    content = error.read()
    try:
        return _error(_object(content)["error"])
    except (ServerError, ValueError, LookupError, TypeError, AttributeError):
        lines: Sequence[str] = content.decode(errors="replace").strip().splitlines()
        return ServerError(lines[0].removeprefix("realedit: ") if lines else str(error))


def _error(told: Mapping[str, Any]) -> RealEditError:
    kind = _ERRORS.get(str(told.get("kind")), RealEditError)
    message = Sentence(str(told["message"]), str(told.get("key") or ""))
    hint: object = told.get("hint")
    return kind(message, None if hint is None else str(hint), detail=str(told.get("detail") or ""))
