"""Tests of the measure of made holes, on surfaces whose filling is known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.completion.__main__ import MASKS, hole_in, main


def test_a_plain_surface_is_filled_as_it_was_and_a_thing_in_it_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = np.full((120, 160, 3), (150, 130, 110), np.uint8)
    Image.fromarray(plain).save(tmp_path / "plain.png")
    hole = hole_in(plain, sorted(MASKS.glob("*.png")), np.random.default_rng([0, *b"thing.png"]))
    assert 0.005 < hole.mean() < 0.2
    thing = np.where(hole[..., None], np.array((20, 40, 160)), plain).astype(np.uint8)
    Image.fromarray(thing).save(tmp_path / "thing.png")
    main(tmp_path / "plain.png", tmp_path / "thing.png", output=tmp_path / "out")
    told = capsys.readouterr().out
    plain_off, thing_off = (float(off) for off in re.findall(r'"lab": ([0-9.]+)', told))
    assert plain_off < 0.5
    assert thing_off > 20
    assert re.search(r"^lab: [0-9.]+ \+- [0-9.]+ \(2 photographs\)$", told, re.M)
    shown = np.asarray(Image.open(tmp_path / "out" / "thing.jpg"))
    assert shown.shape == (120, 480, 3)
    assert np.abs(shown[:, 160:320].astype(int) - plain)[hole].mean() < 6
