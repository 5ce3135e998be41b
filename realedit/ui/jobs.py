"""Jobs: work that takes a while, done one after the other by each device, and watched from elsewhere."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from realedit.errors import RealEditError, Sentence, key_of
from realedit.system.memory import out_of_memory
from realedit.system.progress import Progress

_LOG = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset((JobState.DONE, JobState.FAILED, JobState.CANCELLED))
"""States that a job stays in."""


class CancelledError(Exception):
    """Raised inside a job's work once the job is cancelled."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    Args:
        number: from 1, in their order.
        name: "queued", "stage", "done", "failed" or "cancelled".
        data: what is told of it, as JSON has it.
    """

    number: int
    name: str
    data: Mapping[str, Any]


Work = Callable[["Job", Progress], Mapping[str, Any]]
"""What a job does: given the job and what takes its progress, it returns what the job tells at its end."""


@dataclass(eq=False)
class Job:
    """One piece of work.

    Args:
        owner: whose it is.
        kind: what it is, such as "edit".
        work: what it does.
        id: its name; nobody can guess it.
    """

    owner: str
    kind: str
    work: Work
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: JobState = JobState.QUEUED
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    _events: list[Event] = field(default_factory=list[Event])
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ENDED

    def events(self, after: int = 0) -> tuple[Event, ...]:
        """Returns what happened since the event of a number."""
        with self._changed:
            return tuple(self._events[max(after, 0) :])

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it has ended; returns whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, seconds)

    def cancel(self) -> None:
        """Ends it, unless it has ended: it counts as cancelled at once; its work stops at its next stage."""
        self._end(JobState.CANCELLED, "cancelled", {})

    def tell(self, name: str, data: Mapping[str, Any]) -> None:
        """Notes an event."""
        with self._changed:
            if not self.ended:
                self._note(name, data)

    def run(self) -> None:
        """Does the work; what goes wrong is the job's end and is not raised."""
        with self._changed:
            if self.state is not JobState.QUEUED:
                return
            self.state = JobState.RUNNING
        try:
            result = self.work(self, self._progress)
        except CancelledError:
            self.cancel()
        except Exception as error:
            self._failed(error)
        else:
            self.result = result
            self._end(JobState.DONE, "done", result)

    def _progress(self, stage: str, step: int, total: int) -> None:
        if self.state is JobState.CANCELLED:
            raise CancelledError
        self.tell("stage", {"stage": stage, "step": step, "total": total})

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, RealEditError) else out_of_memory(error)
        if known is None:
            _LOG.error("a job failed", exc_info=error)
            happened = Sentence("something unexpected happened", "unexpected")
            known = RealEditError(happened, "the server's own output says what")
        self.error = told(known)
        self._end(JobState.FAILED, "failed", self.error)

    def _end(self, state: JobState, name: str, data: Mapping[str, Any]) -> None:
        with self._changed:
            if self.ended:
                return
            self._note(name, data)
            self.state = state
            self._changed.notify_all()

    def _note(self, name: str, data: Mapping[str, Any]) -> None:
        self._events.append(Event(len(self._events) + 1, name, data))


def told(error: RealEditError) -> dict[str, Any]:
    """Returns an error as JSON has it: its kind, key, and exit code, what is wrong, and the way out."""
    return {
        "kind": type(error).__name__.removesuffix("Error"),
        "key": key_of(error.message),
        "exit_code": error.exit_code,
        "message": error.message,
        "hint": error.hint,
        "detail": error.detail,
    }


class JobQueue:
    """Jobs in their order, with one thread that does them: one queue a device."""

    def __init__(self, name: str) -> None:
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._running: Job | None = None
        self._thread = threading.Thread(target=self._loop, name=f"jobs-{name}", daemon=True)
        self._thread.start()

    def add(self, job: Job) -> Job:
        """Puts a job at the end, and returns it.

        Raises:
            RealEditError: the queue is closed.
        """
        with self._changed:
            if self._closed:
                raise RealEditError(Sentence("the server is stopping", "stopping"))
            ahead = len(self._waiting) + (self._running is not None)
            job.tell("queued", {"ahead": ahead})
            self._waiting.append(job)
            self._changed.notify()
        return job

    def ahead_of(self, job: Job) -> int:
        """Returns how many jobs are done before one that waits; 0 if it does not wait."""
        with self._changed:
            waiting = [one for one in self._waiting if not one.ended or one is job]
            return waiting.index(job) + (self._running is not None) if job in waiting else 0

    def close(self, seconds: float = 10.0) -> None:
        """Cancels all jobs and waits for the one at work to notice it."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting, *([self._running] if self._running else [])):
                job.cancel()
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(seconds)

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
            job.run()
            # not held while the thread waits: what its work refers to is a photo
            job.work = _nothing
            with self._changed:
                self._running = None
            del job
            time.sleep(0)


def _nothing(job: Job, progress: Progress) -> Mapping[str, Any]:
    return {}
