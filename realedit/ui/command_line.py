"""The command line that makes the same edit."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from realedit.edits.edit import Edit, flag_of, givens
from realedit.ui.requests import EditRequest

_KNOBS = {"shadow", "reflection"}
"""Knobs of an edit that have a flag of the same meaning; the others are the recipe's. Set by definition."""


def command_line(
    photo: str, request: EditRequest, edits: Sequence[Edit], *, mask: str | None, made: str
) -> str:
    """Returns an edit as a command to copy; where flags do not say all of it, by the edited photo's recipe.

    Args:
        photo: the photo's name.
        request: what was asked for.
        edits: the edits, with pictures by their files' names.
        mask: the mask's name.
        made: the edited photo's name.
    """
    if _beyond_flags(request):
        return by_recipe(photo, made, mask=mask, more=_file_flags(request, made))
    words = ["realedit", _as_file(photo)]
    for edit in edits:
        for field, about in givens(type(edit)).items():
            value = getattr(edit, field.name)
            # an object that is shown has no name, and its flag is implied
            if value is None or (about.name != edit.key and value == field.default):
                continue
            words += [about.flag, _plain(value)]
    words += [] if mask is None else ["--mask", mask]
    words += [] if request.refine is None else [f"--{'' if request.refine else 'no-'}refine"]
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
    return shlex.join([*words, *_file_flags(request, made)])


def by_recipe(photo: str, made: str, *, mask: str | None, more: Sequence[str] = ()) -> str:
    """Returns an edit as a command that reads it from the recipe beside the edited photo.

    Args:
        photo: the photo's name.
        made: the edited photo's name.
        mask: the mask's name, which no recipe holds.
        more: further flags.
    """
    shown = [] if mask is None else ["--mask", mask]
    return shlex.join(["realedit", _as_file(photo), "--edits", f"{made}.realedit.json", *shown, *more])


def _beyond_flags(request: EditRequest) -> bool:
    """Whether it says something that has no flag, or whose flag says more."""
    scales = (request.guidance_scale, request.inversion_scale)
    return any(scale is not None for scale in scales) or bool(set(request.settings or {}) - _KNOBS)


def _file_flags(request: EditRequest, made: str) -> list[str]:
    words = [] if request.quality is None else ["--quality", str(request.quality)]
    words += ["--lossless"] if request.lossless else []
    return words + ([] if request.format is None else ["-o", _as_file(made)])


def _as_file(name: str) -> str:
    """Returns a file's name as a command takes it: one that begins with "-" is no flag."""
    return f"./{name}" if name.startswith("-") else name


def _plain(value: object) -> str:
    """Returns a value as a flag takes it; a number without zeros that say nothing."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
