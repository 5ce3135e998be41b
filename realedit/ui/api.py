"""The HTTP API: photos in, jobs and files out."""

# Annotations are not postponed here: FastAPI reads them, and some name what is known in a function alone.

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from realedit.edits.entries import first_error
from realedit.errors import RealEditError, UsageError
from realedit.ui.answers import JobTold, SessionTold
from realedit.ui.editor import Editor
from realedit.ui.finding import FILES
from realedit.ui.guard import cookie_of
from realedit.ui.jobs import Job, told
from realedit.ui.limits import Limits
from realedit.ui.photos import file_too_large, photo_fields
from realedit.ui.requests import CutoutRequest, EditRequest, LocateRequest, OutlineRequest
from realedit.ui.sessions import NoSuchThingError, Session, Sessions, StoredPhoto

SESSION_HEADER = "x-realedit-session"
"""A program's session; a browser has a cookie."""
_LOOK_SECONDS = 0.05
"""How often a stream looks for new events: more often tells earlier and takes more of the machine. Set by
eye."""
_ALIVE_SECONDS = 10.0
"""After which a stream without events says that it is alive: proxies close it after some tens of seconds. Not
measured."""
_MOST_FILES = 8
"""Files in one request; more are refused. Set by the edits, which name one or two each."""
_Asked = TypeVar("_Asked", LocateRequest, CutoutRequest, EditRequest)


@dataclass(frozen=True)
class Visitors:
    """Tells sessions by their requests.

    Args:
        sessions: all sessions.
        cookie: the name of the session's cookie.
    """

    sessions: Sessions
    cookie: str

    def known(self, request: Request) -> Session:
        """Returns the session of a request.

        Raises:
            NoSuchThingError: it has none.
        """
        session = self._found(request)
        if session is None:
            raise NoSuchThingError(
                "no such session", "bring a photo first; a session ends when it is not used"
            )
        return session

    def known_or_new(self, request: Request, response: Response) -> Session:
        """Returns the session of a request; a new one where it has none."""
        session = self._found(request)
        if session is None:
            session = self.sessions.new()
            response.set_cookie(self.cookie, session.id, httponly=True, samesite="strict")
        return session

    def _found(self, request: Request) -> Session | None:
        named = request.headers.get(SESSION_HEADER) or cookie_of(request.headers, self.cookie)
        return self.sessions.get(named)


def add_api(
    app: FastAPI,
    editor: Editor,
    visitors: Visitors,
    limits: Limits,
    *,
    opening: tuple[bytes, str] | None = None,
) -> None:
    """Adds the API to an app.

    Args:
        app: the app.
        editor: what does the work.
        visitors: tells sessions.
        limits: what is refused.
        opening: content and name of the photo that the page opens with.
    """
    app.include_router(_photos(editor, visitors, limits))
    if opening is not None:
        app.include_router(_opening(editor, visitors, *opening))
    app.include_router(_asking(editor, visitors, limits))
    app.include_router(_jobs(editor, visitors))
    app.add_exception_handler(RealEditError, _refused)


def _photos(editor: Editor, visitors: Visitors, limits: Limits) -> APIRouter:
    """Returns what brings and shows photos."""
    routes = APIRouter(prefix="/api", tags=["photos"])

    @routes.get("/session", response_model=SessionTold)
    def session(session: Annotated[Session, Depends(visitors.known)]) -> dict[str, Any]:
        """Tell what this session holds."""
        photos = [photo_fields(photo) for photo in session.photos.values()]
        return {"photos": photos, "jobs": [_job_fields(job, editor) for job in session.jobs.values()]}

    @routes.delete("/session", status_code=204)
    def forget(session: Annotated[Session, Depends(visitors.known)], response: Response) -> None:
        """End this session: its photos and files are removed."""
        editor.forget(session)
        visitors.sessions.end(session)
        response.delete_cookie(visitors.cookie)

    @routes.post("/photos", openapi_extra=_multipart({"photo": _FILE}))
    async def bring(
        request: Request, session: Annotated[Session, Depends(visitors.known_or_new)]
    ) -> dict[str, Any]:
        """Bring a photo: a form with a part `photo`, the file."""
        async with request.form(max_files=1, max_fields=1) as form:
            photo = form.get("photo")
            if not isinstance(photo, UploadFile):
                raise UsageError("the form has no part 'photo'", "curl -F photo=@photo.jpg")
            stored = await _brought(editor, session, photo, limits)
        return {**photo_fields(stored), "session": session.id}

    @routes.get("/photos/{photo}/view", response_class=Response)
    def view(
        photo: str,
        session: Annotated[Session, Depends(visitors.known)],
        side: Annotated[int, Query(ge=1, le=10000)] = 1600,
    ) -> Response:
        """Show a photo as a browser does, its longer side at most `side` pixels."""
        content, kind = editor.photos.view(session, photo, side)
        return Response(content, media_type=kind, headers={"cache-control": "private, max-age=3600"})

    @routes.get("/photos/{photo}/file", response_class=FileResponse)
    def file(photo: str, session: Annotated[Session, Depends(visitors.known)]) -> FileResponse:
        """Download a photo: of an edited one, in the photo's own format with its metadata."""
        stored = session.photo(photo)
        return FileResponse(stored.file, filename=stored.name, media_type="application/octet-stream")

    @routes.get("/photos/{photo}/recipe")
    def recipe(photo: str, session: Annotated[Session, Depends(visitors.known)]) -> Response:
        """Download the recipe of an edited photo; `realedit --edits` reads it."""
        stored = session.photo(photo)
        content = json.dumps({"recipe": editor.editing.recipe(session, photo)}, indent=2, ensure_ascii=False)
        return Response(
            content, media_type="application/json", headers=_attached(f"{stored.name}.realedit.json")
        )

    @routes.post("/photos/{photo}/ready", status_code=204)
    def ready(photo: str, session: Annotated[Session, Depends(visitors.known)]) -> None:
        """Prepare a photo, so that outlines come at once."""
        editor.make_ready(session, photo)

    @routes.post("/photos/{photo}/outline")
    def outlined(
        photo: str, asked: OutlineRequest, session: Annotated[Session, Depends(visitors.known)]
    ) -> dict[str, Any]:
        """Tell roughly and at once what is under a point: closed lines in fractions of width and height."""
        return editor.outline(session, photo, asked)

    return routes


def _opening(editor: Editor, visitors: Visitors, content: bytes, name: str) -> APIRouter:
    """Returns what gives a visitor the photo that the server was started with."""
    routes = APIRouter(prefix="/api", tags=["photos"])

    @routes.post("/opening")
    def opening(session: Annotated[Session, Depends(visitors.known_or_new)]) -> dict[str, Any]:
        """Bring the photo that the server was started with."""
        return {**photo_fields(editor.photos.bring(session, content, name)), "session": session.id}

    return routes


def _asking(editor: Editor, visitors: Visitors, limits: Limits) -> APIRouter:
    """Returns what starts jobs."""
    routes = APIRouter(prefix="/api", tags=["jobs"])

    async def asked(kind: type[_Asked], request: Request, session: Session) -> _Asked:
        return await _read(kind, request, session, editor, limits)

    @routes.post("/locate", status_code=202, response_model=JobTold, openapi_extra=_body(LocateRequest))
    async def locate(
        request: Request, session: Annotated[Session, Depends(visitors.known_or_new)]
    ) -> dict[str, Any]:
        """Find an object by its word, or by points, a box or a mask: a job."""
        return _started(editor.locate(session, await asked(LocateRequest, request, session)), editor, session)

    @routes.post("/cutout", status_code=202, response_model=JobTold, openapi_extra=_body(CutoutRequest))
    async def cutout(
        request: Request, session: Annotated[Session, Depends(visitors.known_or_new)]
    ) -> dict[str, Any]:
        """Cut an object out: a job, whose file `cutout.png` it is."""
        return _started(editor.cutout(session, await asked(CutoutRequest, request, session)), editor, session)

    @routes.post("/edit", status_code=202, response_model=JobTold, openapi_extra=_body(EditRequest))
    async def edit(
        request: Request, session: Annotated[Session, Depends(visitors.known_or_new)]
    ) -> dict[str, Any]:
        """Edit a photo: a job, whose result names the edited photo, its recipe and its command line."""
        return _started(editor.edit(session, await asked(EditRequest, request, session)), editor, session)

    return routes


def _jobs(editor: Editor, visitors: Visitors) -> APIRouter:
    """Returns what tells of jobs."""
    routes = APIRouter(prefix="/api/jobs", tags=["jobs"])

    @routes.get("/{job}", response_model=JobTold)
    def state(job: str, session: Annotated[Session, Depends(visitors.known)]) -> dict[str, Any]:
        """Tell how a job stands."""
        return _job_fields(session.job(job), editor)

    @routes.delete("/{job}", status_code=204)
    def cancel(job: str, session: Annotated[Session, Depends(visitors.known)]) -> None:
        """Cancel a job."""
        session.job(job).cancel()

    @routes.get("/{job}/events", response_class=StreamingResponse)
    async def events(
        job: str, request: Request, session: Annotated[Session, Depends(visitors.known)]
    ) -> StreamingResponse:
        """Follow a job by server-sent events.

        They are `queued`, `stage`, `found` and `cleared` (of a preview), and last `done`, `failed` or
        `cancelled`.
        """
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isdigit() else 0
        return StreamingResponse(
            _stream(session.job(job), after),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    @routes.get("/{job}/files/{name}", response_class=FileResponse)
    def file(job: str, name: str, session: Annotated[Session, Depends(visitors.known)]) -> FileResponse:
        """Download a file that a job has made: `mask.png`, `cutout.png`, `overlay.png`, and of a preview.

        A preview's are `sprite.png`, the object's own pixels, `cleared.png`, what is behind it, and
        `shadow.png`, what its shadow multiplies a picture by.
        """
        if name not in FILES:
            raise NoSuchThingError("a job makes no such file")
        path = editor.file(session, job, name)
        if not path.is_file():
            raise NoSuchThingError("this job has made no such file")
        return FileResponse(path, media_type="image/png")

    return routes


async def _read(
    kind: type[_Asked], request: Request, session: Session, editor: Editor, limits: Limits
) -> _Asked:
    """Returns what a request asks for; files that come with it become pictures of the session."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _checked(kind, await request.body())
    async with request.form(max_files=_MOST_FILES, max_fields=2, max_part_size=2**20) as form:
        asked = _checked(kind, str(form.get("request") or "{}"))
        brought: dict[str, str] = {}
        for part, file in form.multi_items():
            if isinstance(file, UploadFile):
                brought[part] = (await _brought(editor, session, file, limits)).id
    fields = asked.model_dump()
    if "photo" in brought:
        fields["photo"] = brought.pop("photo")
    if fields.get("mask") in brought:
        fields["mask"] = brought[fields["mask"]]
    for entry in fields.get("edits", []):
        entry.update({name: brought[value] for name, value in entry.items() if _names(value, brought)})
    return kind.model_validate(fields)


def _names(value: object, brought: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in brought


def _checked(kind: type[_Asked], content: str | bytes) -> _Asked:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        field, said = first_error(error)
        raise UsageError(f"{field or 'the request'}: {said}", "see /api/docs") from error


async def _brought(editor: Editor, session: Session, file: UploadFile, limits: Limits) -> StoredPhoto:
    if (file.size or 0) > limits.file_bytes:
        raise file_too_large(limits)
    content = await file.read()
    return await run_in_threadpool(editor.photos.bring, session, content, file.filename or "photo")


async def _stream(job: Job, after: int) -> AsyncGenerator[str]:
    """Yields a job's events as a browser's EventSource reads them, until it has ended."""
    quiet = 0.0
    while True:
        ended = job.ended
        for event in job.events(after):
            after, quiet = event.number, 0.0
            yield f"id: {event.number}\nevent: {event.name}\ndata: {json.dumps(dict(event.data))}\n\n"
        if ended:
            return
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += _LOOK_SECONDS
        if quiet >= _ALIVE_SECONDS:
            quiet = 0.0
            yield ": alive\n\n"


def _started(job: Job, editor: Editor, session: Session) -> dict[str, Any]:
    return {**_job_fields(job, editor), "session": session.id}


def _job_fields(job: Job, editor: Editor) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "ahead": editor.queue.ahead_of(job),
        "result": job.result,
        "error": job.error,
    }


async def _refused(request: Request, error: Exception) -> JSONResponse:
    known = error if isinstance(error, RealEditError) else RealEditError(str(error))
    status = 404 if isinstance(known, NoSuchThingError) else 422
    return JSONResponse({"error": told(known)}, status)


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


_FILE = {"type": "string", "format": "binary"}


def _multipart(properties: Mapping[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": dict(properties)}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


def _body(kind: type[BaseModel]) -> dict[str, Any]:
    """Returns how a request's body is documented: JSON, or a form with it and the files that it names."""
    asked = kind.model_json_schema()
    form = {
        "type": "object",
        "properties": {"request": asked, "photo": _FILE},
        "additionalProperties": _FILE,
        "description": "the request as JSON, the photo, and every other file that the request names",
    }
    content = {"application/json": {"schema": asked}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}
