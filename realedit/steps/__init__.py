"""The steps of an edit: each finds its objects, changes them, and hands the photo on to the next."""

from __future__ import annotations

from realedit.steps import by_text, geometric, looks
from realedit.steps.dispatch import do

__all__ = ["by_text", "do", "geometric", "looks"]
