"""`-` in the place of a file."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from realedit import Move, RealEditPipeline
from realedit.cli.pipes import STANDARD, goes_out, plan_out, read, write_out
from realedit.errors import PhotoError, UsageError
from realedit.photo import load_photo
from realedit.photo.encode import Compression


def _stdin(monkeypatch: pytest.MonkeyPatch, data: bytes, *, terminal: bool = False) -> None:
    given = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: terminal)
    monkeypatch.setattr("sys.stdin", given)


def test_a_photo_comes_from_standard_input_and_goes_to_standard_output(
    pipeline: RealEditPipeline, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(sample) as image:
        small = image.convert("RGB").resize((144, 96))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=90)
    _stdin(monkeypatch, file.getvalue())
    photo = read(STANDARD)
    assert photo.metadata.format == "JPEG"
    mask = np.zeros((96, 144), bool)
    mask[40:67, 34:60] = True
    result = pipeline.edit(photo, Move(None, dx=0.3), mask=mask, strength=0)
    out = SimpleNamespace(buffer=io.BytesIO())
    monkeypatch.setattr("sys.stdout", out)
    write_out(result, Compression(), quiet=False)
    monkeypatch.undo()
    edited = load_photo(out.buffer.getvalue())
    assert edited.metadata.format == "JPEG"
    assert edited.size == photo.size
    changed = (edited.rgb != photo.rgb).any(-1)
    assert changed[45:62, 80:97].mean() > 0.5
    assert not changed[:, 120:].any()


def test_what_goes_to_standard_output_is_decided_before_the_work(sample: Path) -> None:
    assert goes_out(STANDARD, None)
    assert goes_out(Path("a.jpg"), STANDARD)
    assert not goes_out(STANDARD, Path("a.jpg"))
    assert not goes_out(Path("a.jpg"), None)
    photo = load_photo(sample)
    assert plan_out(photo, Compression(), json=False, files=False, server=False).image == STANDARD
    asked = {"--json": (True, False), "--report or --preview": (False, True)}
    for named, (json, files) in asked.items():
        with pytest.raises(UsageError, match=f"{named} does not go with a photo on standard output"):
            plan_out(photo, Compression(), json=json, files=files, server=False)
    with pytest.raises(UsageError, match="JPEG files are not written without loss"):
        plan_out(photo, Compression(lossless=True), json=False, files=False, server=False)


def test_standard_input_without_a_photo_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, b"", terminal=True)
    with pytest.raises(PhotoError, match="no photo comes from standard input; pipe one in, or name a file"):
        read(STANDARD)
    _stdin(monkeypatch, b"")
    with pytest.raises(PhotoError, match="standard input is empty"):
        read(STANDARD)
    _stdin(monkeypatch, b"nothing of the kind")
    with pytest.raises(PhotoError, match="standard input is not an image that realedit reads"):
        read(STANDARD)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end")
def test_no_more_is_read_than_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in ("realedit.photo.formats", "realedit.photo.photo", "realedit.photo.in_memory"):
        monkeypatch.setattr(f"{module}.MOST_FILE_BYTES", 10_000)
    with open("/dev/zero", "rb") as endless:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=endless, isatty=lambda: False))
        with pytest.raises(PhotoError, match="standard input holds more than"):
            read(STANDARD)
        with pytest.raises(PhotoError, match="the picture in memory holds more than"):
            load_photo(endless)
    with pytest.raises(PhotoError, match="cannot be read"):
        load_photo("/dev/zero")
