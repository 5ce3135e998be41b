"""Sessions: what one visitor has brought and made, in a private folder that goes with the session."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realedit.errors import RealEditError, Sentence
from realedit.ui.jobs import Job
from realedit.ui.limits import Limits

_UNSAFE = re.compile(r"[^\w.\- ()'\",;&+!#$%@=\[\]{}~^`]+")
"""What a file's name may not hold: separators of paths, line breaks, and what leads text another way.
Quotes stay, so that the command to copy names the visitor's own file. Set by definition."""
_EMPTY_SECONDS = 60.0
"""After which a session without photos is ended: a request that failed has begun it. Not measured."""
_MOST_NAME = 80
"""Letters of a file's name that are kept; what is longer is cut. Set by eye."""


class NoSuchThingError(RealEditError):
    """A session, photo or job that does not exist, or that is somebody else's."""

    exit_code = 2


@dataclass(frozen=True)
class Made:
    """How a photo was made of another one.

    Args:
        parent: the other photo's id.
        request: what was asked for, as JSON has it; the same again gives the same photo.
        recipe: the edit's recipe.
    """

    parent: str
    request: Mapping[str, Any]
    recipe: Mapping[str, Any]


@dataclass(frozen=True)
class StoredPhoto:
    """A photo of a session.

    Args:
        id: its name in the API; nobody can guess it.
        name: the file's name as the visitor has it, with nothing of a path in it. Never opened.
        file: where its content lies: the file that was brought, or the edited photo's.
        size: (width, height).
        made: how it was made; None if it was brought.
    """

    id: str
    name: str
    file: Path
    size: tuple[int, int]
    made: Made | None = None


@dataclass(eq=False)
class Session:
    """One visitor.

    Args:
        id: the visitor's secret.
        folder: where its files lie; nobody else on the machine can read it.
    """

    id: str
    folder: Path
    photos: dict[str, StoredPhoto] = field(default_factory=dict[str, StoredPhoto])
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    seen: float = field(default_factory=time.monotonic)

    def photo(self, name: str) -> StoredPhoto:
        """Returns a photo by its id.

        Raises:
            NoSuchThingError: this session has none of that id.
        """
        if name not in self.photos:
            raise NoSuchThingError("no such photo", "bring it again; a session ends when it is not used")
        return self.photos[name]

    def job(self, name: str) -> Job:
        """Returns a job by its id.

        Raises:
            NoSuchThingError: this session has none of that id.
        """
        if name not in self.jobs:
            raise NoSuchThingError("no such job", "start it again; a session ends when it is not used")
        return self.jobs[name]

    def keep(self, content: bytes, name: str, size: tuple[int, int], made: Made | None = None) -> StoredPhoto:
        """Writes a photo's file into the folder, and returns the photo.

        Args:
            content: the file.
            name: as the visitor has it.
            size: (width, height).
            made: how it was made; None if it was brought.
        """
        own = secrets.token_urlsafe(16)
        file = self.folder / f"photo-{own}"
        file.write_bytes(content)
        photo = StoredPhoto(own, plain_name(name), file, size, made)
        self.photos[own] = photo
        return photo

    def drop(self, photo: StoredPhoto) -> None:
        """Removes a photo and its file."""
        self.photos.pop(photo.id, None)
        photo.file.unlink(missing_ok=True)

    @property
    def busy(self) -> bool:
        """Whether a job of it has not ended."""
        return any(not job.ended for job in self.jobs.values())

    def end(self) -> None:
        """Cancels its jobs and removes its files."""
        for job in self.jobs.values():
            job.cancel()
        self.photos.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """All visitors, in one folder that goes when the server stops.

    Args:
        limits: how many there are at most, and when one is ended.
        clock: seconds that only grow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._root = Path(tempfile.mkdtemp(prefix="realedit-ui-"))  # mkdtemp's are for the owner alone

    def new(self) -> Session:
        """Begins a session.

        Raises:
            RealEditError: there are too many.
        """
        self.end_idle()
        with self._lock:
            if len(self._sessions) >= self._limits.sessions:
                told = Sentence("too many people are here at once", "too_many_people")
                raise RealEditError(told, "come back in a few minutes")
            own = secrets.token_urlsafe(32)
            folder = Path(tempfile.mkdtemp(dir=self._root))
            session = Session(own, folder, seen=self._clock())
            self._sessions[own] = session
            return session

    def get(self, name: str | None) -> Session | None:
        """Returns a session by its secret, and notes that it is used; None if there is none."""
        with self._lock:
            session = self._sessions.get(name or "")
            if session is not None:
                session.seen = self._clock()
            return session

    def end(self, session: Session) -> None:
        """Ends a session."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.end()

    def end_idle(self) -> list[Session]:
        """Ends the sessions that nobody has asked about for long, and returns them."""
        now = self._clock()
        with self._lock:
            idle = [
                session for session in self._sessions.values() if now - session.seen > self._patience(session)
            ]
        for session in idle:
            self.end(session)
        return idle

    def _patience(self, session: Session) -> float:
        if session.busy:
            return float("inf")
        return self._limits.idle_seconds if session.photos else min(_EMPTY_SECONDS, self._limits.idle_seconds)

    def close(self) -> None:
        """Ends all sessions and removes the folder."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.end()
        shutil.rmtree(self._root, ignore_errors=True)

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def folder(self) -> Path:
        """Where the sessions' folders lie."""
        return self._root


def plain_name(name: str) -> str:
    """Returns a file's name without what could mislead a path or a page; "photo" if nothing is left."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = _UNSAFE.sub("_", last).strip(" .")
    if len(plain) > _MOST_NAME:
        stem, dot, suffix = plain.rpartition(".")
        plain = f"{stem[: _MOST_NAME - len(suffix) - 1]}{dot}{suffix}" if dot else plain[:_MOST_NAME]
    return plain or "photo"
