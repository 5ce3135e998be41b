"""What has been measured, a line each; a later run of the same command goes on from it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import TypeAdapter

from realedit.system.json_lines import append_line, read_lines
from realedit.system.whole_files import write_files

FILE = "records.jsonl"
PICTURES = "pictures"
_QUALITY = 90
"""JPEG quality of the page's pictures: below it, blocks look like faults of the edit. Set by eye."""


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values as JSON has them."""
    return TypeAdapter(dict[str, Any]).dump_python(dict(values), mode="json")


@dataclass
class Records:
    """The lines of a folder's file, by a digest of all that decides them.

    Args:
        folder: where the file is.
        common: what decides every line: the model, the precision, the seed.
    """

    folder: Path
    common: Mapping[str, Any]
    _lines: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def read(self) -> Records:
        """Reads what there is; what other models left is kept in the file and not looked at.

        Raises:
            OutputExistsError: the file is no such record.
        """
        for _, line in read_lines(self.folder / FILE):
            self._lines[str(line.get("key"))] = line
        return self

    def key(self, what: str, case: str, values: Mapping[str, Any]) -> str:
        """Returns the key of a measurement.

        Args:
            what: is measured.
            case: the case's digest.
            values: the settings'.
        """
        said = [dict(self.common), what, case, plain(values)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> dict[str, Any] | None:
        """Returns a line; None if there is none."""
        return self._lines.get(key)

    def keep_picture(self, key: str, picture: Image.Image) -> str:
        """Writes a measurement's picture and returns its file's name in the folder."""
        name = f"{PICTURES}/{key[:16]}.jpg"
        (self.folder / PICTURES).mkdir(exist_ok=True)
        drawn = io.BytesIO()
        picture.convert("RGB").save(drawn, "JPEG", quality=_QUALITY)
        write_files({self.folder / name: drawn.getvalue()}, force=True)
        return name

    def put(self, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Adds a line and returns it."""
        line = {"key": key, **plain(fields)}
        append_line(self.folder / FILE, line)
        self._lines[key] = line
        return line
