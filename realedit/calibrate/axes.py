"""What is tried: ways of finding words, and settings of edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from realedit.calibrate.descent import Axis, Values
from realedit.models.profile import Layers, Profile

ALL = Layers(("down", "mid", "up"))
FINDING: Sequence[Axis] = (
    Axis("find", ("attention", "goca")),
    Axis("find_layers", (ALL, Layers(("up",)), Layers(("up",), (0,))), lambda at: at["find"] == "goca"),
    Axis("find_affinity", (0, 1, 2, 3), lambda at: at["find"] == "goca"),
    Axis("find_noise", (0.05, 0.1, 0.2, 0.3), lambda at: at["find"] == "goca"),
)
"""The layers, the noise and the affinity of words' attention."""


def _samples(at: Values) -> bool:
    return at["strength"] > 0 or (at["hole_strength"] or 0) > 0


PIXELS: Sequence[Axis] = (
    Axis("strength", (0.0, 0.2, 0.4)),
    Axis("hole_strength", (None, 0.4, 0.7, 1.0)),
    Axis("smooth", (0.0, 1.0), _samples),
    Axis("pin", (0.5, 0.8, 1.0), _samples),
    Axis("pin_low", (None, 0.4), _samples),
    Axis("guidance_scale", (1.0, 2.0, 5.0), _samples),
    Axis("steps", (10, 20, 50), _samples),
)
"""Settings of edits in pixels: those that keep an object or take it away."""
TEXT: Sequence[Axis] = (
    Axis("repaint", (0.6, 0.8, 1.0)),
    Axis("repaint_scale", (5.0, 8.0, 12.0)),
)
"""Settings of edits by text."""
BY_TEXT = ("replace", "recolour", "text")
"""Kinds of cases that are edits by text."""


def values_of(profile: Profile, axes: Sequence[Axis]) -> dict[str, Any]:
    """Returns a profile's values for some axes."""
    return {axis.name: getattr(profile, axis.name) for axis in axes}


def profile_of(base: Profile, values: Values) -> Profile:
    """Returns a profile with other values; a way of finding that another threshold suits has none."""
    changed = dict(values)
    if changed.get("find", base.find) != base.find:
        changed |= {"found": 0.0, "found_spelt": None}
    return replace(base, **changed)
