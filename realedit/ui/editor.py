"""What can be done to the photos of all sessions, on one pipeline: questions are answered, jobs are made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from realedit.errors import RealEditError, Sentence, UsageError
from realedit.photo import Photo
from realedit.photo.formats import format_for
from realedit.pipeline import RealEditPipeline
from realedit.system.progress import Progress
from realedit.ui.editing import Editing
from realedit.ui.finding import Finding, file_of
from realedit.ui.jobs import Job, JobQueue, Work
from realedit.ui.limits import Limits
from realedit.ui.photos import Photos
from realedit.ui.pointer import Pointer
from realedit.ui.requests import CutoutRequest, EditRequest, LocateRequest, OutlineRequest
from realedit.ui.sessions import Session, StoredPhoto


class Editor:
    """What can be done to the photos of a session.

    Args:
        pipeline: the loaded model.
        limits: what is refused.
    """

    def __init__(self, pipeline: RealEditPipeline, limits: Limits) -> None:
        self.pipeline = pipeline
        self.limits = limits
        self.queue = JobQueue(str(pipeline.backbone.device))
        self.pointer = Pointer(pipeline)
        self.photos = Photos(limits, self._again, self.pointer.forget)
        self.finding = Finding(pipeline, self.photos)
        self.editing = Editing(pipeline, self.photos)

    def make_ready(self, session: Session, name: str) -> None:
        """Prepares a photo for the pointer; what comes later is then answered at once.

        Raises:
            NoSuchThingError: the photo is none of the session's.
        """
        stored = session.photo(name)
        self.pointer.make_ready(stored.id, partial(self.photos.photo, session, name))

    def outline(self, session: Session, name: str, request: OutlineRequest) -> dict[str, Any]:
        """Returns what is under the pointer, roughly: its lines, and how sure they are, in [0, 1].

        Raises:
            NoSuchThingError: the photo is none of the session's.
            UsageError: a point is not in the photo.
        """
        stored = session.photo(name)
        return self.pointer.outline(stored.id, partial(self.photos.photo, session, name), request)

    def locate(self, session: Session, request: LocateRequest) -> Job:
        """Starts to look for an object.

        Raises:
            NoSuchThingError: the photo is none of the session's.
            RealEditError: too many jobs wait.
        """
        return self._start(session, "locate", request.photo, partial(self.finding.locate, session, request))

    def cutout(self, session: Session, request: CutoutRequest) -> Job:
        """Starts to cut an object out; errors as of :meth:`locate`."""
        if request.mask_only and request.background is not None:
            raise UsageError("a mask has no background", "leave one of them out")
        return self._start(session, "cutout", request.photo, partial(self.finding.cut_out, session, request))

    def edit(self, session: Session, request: EditRequest) -> Job:
        """Starts to edit a photo.

        Raises:
            NoSuchThingError: the photo is none of the session's.
            UsageError: the request contradicts itself.
            RealEditError: too many jobs wait.
        """
        request.planned()
        request.options()
        request.compression()
        if request.format is not None:
            format_for(request.format)
        return self._start(session, "edit", request.photo, partial(self.editing.edit, session, request))

    def file(self, session: Session, job: str, name: str) -> Path:
        """Returns where a file lies that a job has made.

        Raises:
            NoSuchThingError: the session has no such job.
        """
        return file_of(session, session.job(job), name)

    def warm_up(self) -> Job:
        """Starts to load what edits need, so that the first one does not wait for it."""
        return self.queue.add(Job("", "warm-up", self._warm))

    def forget(self, session: Session) -> None:
        """Lets go what is kept of a session that has ended."""
        for name in list(session.photos):
            self.photos.let_go(name)
            self.pointer.forget(name)

    def close(self) -> None:
        """Cancels all jobs."""
        self.queue.close()

    def _warm(self, job: Job, progress: Progress) -> Mapping[str, Any]:
        engine = self.pipeline.engine
        for load in (
            lambda: engine.cutter.cutout,
            lambda: self.pointer.network,
            lambda: engine.cutter.names,
            lambda: self.pipeline.backbone.pipeline,
        ):
            progress("loading the model", 0, 0)
            load()
        return {}

    def _again(self, session: Session, stored: StoredPhoto) -> Photo:
        return self.editing.again(session, stored)

    def _start(self, session: Session, kind: str, photo: str | None, work: Work) -> Job:
        session.photo(photo or "")
        waiting = [job for job in session.jobs.values() if not job.ended]
        if len(waiting) >= self.limits.waiting:
            told = Sentence("too many jobs wait already", "too_many_jobs")
            raise RealEditError(told, "wait for one, or cancel one")
        job = Job(session.id, kind, work)
        self._forget_old_jobs(session)
        session.jobs[job.id] = job
        return self.queue.add(job)

    def _forget_old_jobs(self, session: Session) -> None:
        ended = [job for job in session.jobs.values() if job.ended]
        for job in ended[: -self.limits.photos]:
            del session.jobs[job.id]
            for file in session.folder.glob(f"job-{job.id}-*"):
                file.unlink(missing_ok=True)
