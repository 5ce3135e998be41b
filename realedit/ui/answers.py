"""What the server tells, as JSON has it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class ErrorTold(BaseModel):
    """What went wrong."""

    kind: str
    key: str = ""
    exit_code: int
    message: str
    hint: str | None
    detail: str = ""


class PhotoTold(BaseModel):
    """A photo of the session."""

    id: str
    name: str
    width: int
    height: int
    parent: str | None = None


class JobTold(BaseModel):
    """A job, and once it has ended, what came of it."""

    id: str
    kind: str
    state: str
    ahead: int = 0
    result: dict[str, Any] | None = None
    error: ErrorTold | None = None
    session: str | None = None


class SessionTold(BaseModel):
    """What a session holds."""

    photos: list[PhotoTold]
    jobs: list[JobTold]
