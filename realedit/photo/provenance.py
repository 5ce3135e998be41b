"""Marks an edited photo: by IPTC's digital source type, and by the recipe of the edit.

The source type is IPTC's `Iptc4xmpExt:DigitalSourceType` (IPTC Photo Metadata Standard), the field that
search engines and photo tools read to label pictures made or changed with generative models.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast

import numpy as np

from realedit.photo import xmp
from realedit.system.outside_json import parse_json

COMPOSITE_WITH_TRAINED_MEDIA = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
DIGITAL_SOURCE_TYPE = xmp.Name(
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt", "DigitalSourceType"
)
RECIPE = xmp.Name("urn:realedit:recipe#", "realedit", "Recipe")


def sidecar_path(output: Path) -> Path:
    """Returns the path of a file's recipe: `photo.png` -> `photo.png.realedit.json`."""
    return output.with_name(f"{output.name}.realedit.json")


def mark_packet(packet: bytes, recipe: Mapping[str, Any] | None = None) -> bytes:
    """Returns the XMP packet of an edited photo: its own, with the source type and, if given, the recipe.

    Without a recipe it removes the one that an earlier edit has embedded: that is no longer the whole story.

    Raises:
        ValueError: the recipe holds values other than strings, finite numbers, and lists and dicts of them.
    """
    packet = xmp.set_property(packet, DIGITAL_SOURCE_TYPE, COMPOSITE_WITH_TRAINED_MEDIA)
    if recipe is None:
        return xmp.drop_property(packet, RECIPE)
    return xmp.set_property(packet, RECIPE, json.dumps(_clean(recipe), ensure_ascii=False))


def recipe_json(recipe: Mapping[str, Any]) -> bytes:
    """Returns the sidecar's content: UTF-8 JSON with the recipe and the digital source type.

    Raises:
        ValueError: the recipe holds values other than strings, finite numbers, and lists and dicts of them.
    """
    content = {"digital_source_type": COMPOSITE_WITH_TRAINED_MEDIA, "recipe": _clean(recipe)}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def read_source_type(packet: bytes) -> str | None:
    """Returns the digital source type that an XMP packet states, or None."""
    return xmp.get_property(packet, DIGITAL_SOURCE_TYPE)


def read_recipe(packet: bytes) -> dict[str, Any] | None:
    """Returns the recipe that an XMP packet embeds, or None if there is none that can be read."""
    text = xmp.get_property(packet, RECIPE)
    try:
        recipe = None if text is None else parse_json(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", recipe) if isinstance(recipe, dict) else None


def _clean(value: object) -> object:
    """Copies a JSON-like value with paths cut to their last part: a photo must not tell who made it where."""
    kind = type(value).__name__
    match value:
        case None | bool():
            return value
        case np.bool_():
            return bool(value)
        case Integral():
            return int(value)
        case Real() if math.isfinite(value):
            return float(value)
        case Path():
            return value.name
        case str():
            return _without_folders(value)
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            if all(isinstance(key, str) for key in fields):
                return {key: _clean(item) for key, item in fields.items()}
        case list() | tuple():
            return [_clean(item) for item in cast("Sequence[object]", value)]
        case _:
            pass
    raise ValueError(f"a recipe holds strings and finite numbers only, not {kind}: {value!r:.60}")


def _without_folders(text: str) -> str:
    path = text.removeprefix("file://")
    if PurePosixPath(path).is_absolute() or path.startswith("~"):
        path = PurePosixPath(path).name
    elif PureWindowsPath(path).is_absolute():
        path = PureWindowsPath(path).name
    home = str(Path.home())
    return path if home == "/" else path.replace(home, "~")
