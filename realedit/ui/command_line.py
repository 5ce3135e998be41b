"""The command line that makes the same edit."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from realedit.edits.edit import Edit, flag_of, givens
from realedit.ui.requests import EditRequest


def command_line(photo: str, request: EditRequest, edits: Sequence[Edit], *, mask: str | None) -> str:
    """Returns an edit as a command to copy.

    Args:
        photo: the photo's name.
        request: what was asked for.
        edits: the edits, with pictures by their files' names.
        mask: the mask's name.
    """
    words = ["realedit", photo]
    for edit in edits:
        for field, about in givens(type(edit)).items():
            value = getattr(edit, field.name)
            # an object that is shown has no name, and its flag is implied
            if value is None or (about.name != edit.key and value == field.default):
                continue
            words += [about.flag, _plain(value)]
    words += [] if mask is None else ["--mask", mask]
    words += [] if request.box is None else ["--box", ",".join(map(_plain, request.box))]
    for flag, points in (("--point", request.point), ("--not-point", request.not_point)):
        for point in points:
            words += [flag, ",".join(map(_plain, point))]
    said = {
        "prompt": request.prompt,
        "strength": request.strength,
        "steps": request.steps,
        "inversion": request.inversion,
        "seed": request.seed or None,
        "min_confidence": request.min_confidence or None,
    }
    for name, value in said.items():
        words += [] if value is None else [flag_of(name), _plain(value)]
    words += ["--allow-crop"] if request.allow_crop else []
    settings = request.settings or {}
    words += ["--no-shadow"] if settings.get("shadow") is False else []
    words += ["--reflection"] if settings.get("reflection") else []
    return shlex.join(words)


def _plain(value: object) -> str:
    """Returns a value as a flag takes it; a number without zeros that say nothing."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
