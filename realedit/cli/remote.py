"""An edit that a running server does (`--server`): its model is loaded, its answer is the same bytes."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel

from realedit import errors
from realedit.errors import RealEditError, UsageError
from realedit.location import Box
from realedit.system.outside_json import parse_json
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.cli.request import EditCommand
    from realedit.edits.prepared import Prepared
    from realedit.photo.encode import Compression

_SESSION = "X-Realedit-Session"
_PATIENCE_SECONDS = 600.0
"""How long a server may say nothing: it says every ten seconds that it is alive. Not measured."""
_ERRORS = {
    kind.__name__.removesuffix("Error"): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RealEditError)
}


class ServerError(RealEditError):
    """The server cannot be reached, or does not answer as realedit's own does."""


class _ChangeTold(BaseModel):
    edit: str
    word: str | None
    source: str | None
    score: float | None
    box_before: Box | None
    box_after: Box | None
    perspective: float | None = None


class _Told(BaseModel):
    """What a server tells of an edit, as far as it is used; it may tell more."""

    recipe: dict[str, Any]
    changes: list[_ChangeTold]
    warnings: list[str]
    timings: dict[str, float]
    metrics: dict[str, Any]
    seed: int
    box_before: Box | None
    box_after: Box | None
    object: dict[str, Any] | None


@dataclass(frozen=True)
class RemoteEdit:
    """What a server's edit came to.

    Args:
        photo: the edited photo's file.
        told: the job's result: recipe, changes, warnings, figures.
    """

    photo: bytes
    told: Mapping[str, Any]


class Server:
    """A running `realedit ui`.

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

    def edit(
        self,
        command: EditCommand,
        prepared: Prepared,
        photo: Path,
        suffix: str,
        compression: Compression,
        progress: Progress,
    ) -> RemoteEdit:
        """Lets the server do an edit.

        Args:
            command: what is asked for.
            prepared: the same, checked, for this photo.
            photo: the photo's file.
            suffix: of the edited photo's file.
            compression: what the user wants of that file.
            progress: told of each stage.

        Raises:
            RealEditError: what the server says is wrong, as the command itself would say it.
        """
        progress("asking the server", 0, 0)
        try:
            first = _asked(command, prepared, suffix, compression)
            result = self._done(*first, {"photo": photo}, progress)
            for later in command.then:
                request, files = _asked(later, None, suffix, compression)
                request["photo"] = result["photo"]["id"]
                result = _followed_by(result, self._done(request, files, {}, progress))
            edited = self._call("GET", f"/api/photos/{result['photo']['id']}/file").read()
            checked_result(result)
        except (OSError, HTTPException, LookupError, ValueError, TypeError, AttributeError) as error:
            raise ServerError(
                f"the server {self._base} does not answer as realedit does ({error})",
                "start one with: realedit ui",
            ) from error
        finally:
            self._leave()
        return RemoteEdit(edited, result)

    def _leave(self) -> None:
        """Ends the session, which removes its files; the server does it by itself where this fails."""
        if _SESSION in self._headers:
            with suppress(OSError, HTTPException, RealEditError):
                self._call("DELETE", "/api/session").close()

    def _done(
        self,
        request: Mapping[str, Any],
        files: Mapping[str, Path],
        photo: Mapping[str, Path],
        progress: Progress,
    ) -> Mapping[str, Any]:
        """Returns what one edit came to, of a photo that goes along or of one that is there."""
        job = self._json("POST", "/api/edit", *_form(request, {**photo, **files}))
        self._headers[_SESSION] = str(job["session"])
        return self._followed(str(job["id"]), progress)

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
                        raise RealEditError("the server has cancelled the edit", "try again")
        except KeyboardInterrupt:
            self._call("DELETE", f"/api/jobs/{job}").close()
            raise
        raise ServerError("the server has ended before the edit was done", "try again")

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


def checked_result(told: Mapping[str, Any]) -> None:
    """Makes sure that what a server tells of an edit has the fields that are used, each of its type.

    Raises:
        ValueError: it has not.
    """
    recipe = _Told.model_validate(told).recipe
    later: object = recipe.get("then", [])
    if not isinstance(later, list) or not all(isinstance(one, dict) for one in cast("list[object]", later)):
        raise ValueError("a recipe that is none")


def _followed_by(first: Mapping[str, Any], later: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns what two edits came to, as :meth:`realedit.result.EditResult.followed_by`."""
    recipe = {**first["recipe"], "then": [*first["recipe"].get("then", []), later["recipe"]]}
    times = {name: first["timings"].get(name, 0.0) + took for name, took in later["timings"].items()}
    return {
        **later,
        **{name: first[name] for name in ("object", "box_before", "seed")},
        "recipe": recipe,
        "timings": {**first["timings"], **times},
        "changes": [*first["changes"], *later["changes"]],
        "warnings": list(dict.fromkeys([*first["warnings"], *later["warnings"]])),
    }


def _asked(
    command: EditCommand, prepared: Prepared | None, suffix: str, compression: Compression
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Returns a request as the server reads it, and the files that go with it by their parts' names."""
    from realedit.edits.edit import givens
    from realedit.edits.entries import entries

    files: dict[str, Path] = {}

    def part(path: Path) -> str:
        name = f"file{len(files) + 1}"
        files[name] = path
        return name

    edits = (command if prepared is None else prepared).plan.edits
    listed = entries(list(edits))
    for edit, entry in zip(edits, listed, strict=True):
        for about in givens(type(edit)).values():
            if about.picture and entry.get(about.name) is not None:
                entry[about.name] = part(Path(str(entry[about.name])))
    where, how = command.where, command.how
    shown = None if prepared is None else prepared.shown
    box, points, beside = (
        (where.box, where.point, where.not_point)
        if shown is None
        else (shown.box, shown.points, shown.not_points)
    )
    said = {
        "edits": listed,
        "mask": None if where.mask is None else part(where.mask),
        "box": box,
        "point": list(points),
        "not_point": list(beside),
        "refine": where.refine,
        "prompt": where.prompt,
        "min_confidence": where.min_confidence,
        "allow_crop": command.allow_crop,
        "seed": command.sampling.seed,
        "strength": command.sampling.strength,
        "settings": None if command.settings is None else asdict(command.settings),
        "inversion": how.get("method"),
        "format": suffix,
        "quality": compression.quality,
        "lossless": compression.lossless or None,
        **{name: how[name] for name in ("steps", "guidance_scale", "inversion_scale") if name in how},
    }
    return {name: value for name, value in said.items() if value is not None}, files


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
    hint: object = told.get("hint")
    return kind(
        str(told["message"]), None if hint is None else str(hint), detail=str(told.get("detail") or "")
    )
