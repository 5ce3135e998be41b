"""What is known about objects and edits, as JSON has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.location import Location


def location_fields(location: Location) -> dict[str, Any]:
    """Returns what is known about an object, for JSON."""
    return {
        "word": location.word,
        "box": [float(value) for value in location.box],
        "centroid": [float(value) for value in location.centroid],
        "score": float(location.score),
        "source": location.source,
        "confidence": float(location.confidence),
    }


def change_fields(change: Change) -> dict[str, Any]:
    """Returns what was, or would be, done to an object, for JSON."""
    return {
        "edit": change.edit,
        "word": change.word,
        "source": change.source,
        "score": None if change.score is None else float(change.score),
        "box_before": change.before,
        "box_after": change.after,
        "perspective": change.perspective,
    }


def finite(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a JSON object with null for the numbers that JSON lacks (infinity, NaN)."""
    return {str(key): _finite(item) for key, item in fields.items()}


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return finite(cast("Mapping[str, Any]", value))
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("Sequence[object]", value)]
    return str(value) if isinstance(value, Path) else value
