"""Edits as data: what can be done to a photo, and how a list of edits is planned, written and read."""

from __future__ import annotations

from realedit.edits import kinds
from realedit.edits.kinds import *  # noqa: F403 - every kind of edit is public, a new one too
from realedit.edits.plan import plan

__all__ = ["plan"]
__all__ += kinds.__all__
