"""What it takes to make an edit again, as data for the file beside the edited photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from realedit.edit_entries import entries
from realedit.edits import Edit
from realedit.inverted import Inversion
from realedit.settings import Settings


def recipe(
    edits: Edit | Sequence[Edit], inversion: Inversion, settings: Settings, seed: int, model: str
) -> dict[str, Any]:
    """The edit, the inversion it started from, every setting, and the versions of what computed it."""
    return {
        "edits": entries(edits),
        "prompt": inversion.prompt,
        "model": model,
        "inversion": inversion.result.method,
        "steps": inversion.result.schedule.steps,
        "seed": seed,
        "settings": asdict(settings),
        "versions": {name: _version(name) for name in ("realedit", "torch", "diffusers", "transformers")},
    }


def _version(name: str) -> str:
    """A distribution's version; "source" where it runs from a checkout that is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "source"
