"""SDXL's profile on a small random model of SDXL's shape: what it costs, and what it leaves alone.

What a random model paints means nothing; where it paints, what it reads and how often it is asked does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from realedit import Move, RealEditPipeline, Remove, Settings
from realedit.bench.counting import counted
from realedit.compose.anchor import build_anchor
from realedit.compose.piece import Piece
from realedit.engine import Engine
from realedit.find.by_hand import from_mask
from realedit.inverted.cache import Cache
from realedit.inverted.inversion import Inversion
from realedit.inverted.levels import Reads
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.profile import named
from realedit.photo.inputs import as_photo
from realedit.sample.regions import CLOSED_SHARE, Regions, Subject
from realedit.sample.resample import resample
from small_sdxl import SIDE, small_sdxl

MOST_INVERT_AND_MOVE, MOST_SECOND_EDIT = 64, 40
"""What design section 9 allows of evaluations, a backward pass counted as two."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("small")
    small_sdxl().save_pretrained(made)
    return made


@pytest.fixture
def pipeline(folder: Path, tmp_path: Path) -> RealEditPipeline:
    ref = resolve_model(str(folder))
    engine = Engine(Backbone(small_sdxl()), ref, cache=Cache(tmp_path / "cache"), profile=named("sdxl"))
    return RealEditPipeline(engine)


def _scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A grained table with a red disc of 20 pixels, and the disc's mask."""
    rng = np.random.default_rng(0)
    rgb = np.clip(120 + 10 * rng.standard_normal((height, width, 3)), 0, 255)
    rows, columns = np.mgrid[:height, :width]
    mask = (rows - height // 2) ** 2 + (columns - width // 3) ** 2 < 20**2
    rgb[mask] = (200, 40, 30)
    return rgb.round().astype(np.uint8), mask


def test_a_large_photo_is_edited_in_a_window_and_all_else_keeps_its_bytes(pipeline: RealEditPipeline) -> None:
    """And the evaluations that are told are those that the UNet made."""
    rgb, mask = _scene(320, 480)
    disc = mask.astype(np.float32)
    with counted(pipeline.backbone.unet) as count:
        first = pipeline.edit(rgb, Move("disc", dx=0.08), mask=disc)
    with counted(pipeline.backbone.unet) as again:
        second = pipeline.edit(rgb, Move("disc", dx=0.09), mask=disc)
    told = [result.metrics["model_evaluations"] for result in (first, second)]
    assert told == [count.evaluations, again.evaluations]
    # 17 levels up; 17 down, of them 13 under both branches; three guided steps of the hole, and one of the
    # object with two kinds of energies; the second has the first one's inversion
    assert (count.forwards, count.backwards) == (17 + 17 + 13, 3 + 2)
    assert (again.forwards, again.backwards) == (17 + 13, 3 + 2)
    assert told[0] <= MOST_INVERT_AND_MOVE
    assert told[1] <= MOST_SECOND_EDIT
    assert first.before_composite is not None
    assert first.before_composite.shape == (SIDE, SIDE, 3)
    changed = (first.photo.rgb != rgb).any(-1)
    assert not changed[~first.region].any()
    assert first.metrics["changed_outside_region"] == 0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) < SIDE
    assert changed[mask].mean() > 0.9


def test_without_guidance_there_is_no_backward_pass_and_with_no_strength_no_model(
    pipeline: RealEditPipeline,
) -> None:
    rgb, mask = _scene(SIDE, SIDE)
    disc = mask.astype(np.float32)
    with counted(pipeline.backbone.unet) as count:
        pipeline.edit(rgb, Remove("disc"), mask=disc, settings=Settings(self_guidance=0))
    assert count.backwards == 0
    assert count.forwards == 17 + 17 + 13
    with counted(pipeline.backbone.unet) as none:
        pipeline.edit(rgb, Remove("disc"), mask=disc, strength=0)
    assert none.evaluations == 0


def test_what_a_smaller_strength_does_not_read_is_not_inverted(pipeline: RealEditPipeline) -> None:
    rgb, mask = _scene(SIDE, SIDE)
    disc = mask.astype(np.float32)
    few = Settings(strength=0.2, hole_strength=0.4, self_guidance=0)
    with counted(pipeline.backbone.unet) as count:
        result = pipeline.edit(rgb, Move("disc", dx=0.1), mask=disc, settings=few)
    assert count.forwards == 7 + 7 + 6  # of seventeen levels; at six of seven the scale acts
    assert result.metrics["model_evaluations"] == count.forwards


def test_what_is_kept_is_in_half_precision_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    """Only what an edit reads is kept; an edit from the cache has the bytes of one that is new."""
    rgb, mask = _scene(SIDE, SIDE)
    pictures: list[np.ndarray] = []
    cache = Cache(tmp_path / "kept")
    for _ in range(2):
        pipe = RealEditPipeline.from_pretrained(
            folder, device="cpu", dtype="bfloat16", cache=cache, profile="sdxl"
        )
        how: Any = {"mask": mask.astype(np.float32), "refine": False, "steps": 6}
        pictures.append(pipe.edit(rgb, Remove("disc"), **how).photo.rgb)
    assert (pictures[1] == pictures[0]).all()
    (entry,) = cache.entries()
    held = cache.get(entry.key)
    assert held is not None
    tensors = held[0]
    seen = [name for name in tensors if name.startswith(("key/", "value/", "features/"))]
    assert {tensors[name].dtype for name in seen} == {torch.float16}
    levels = {int(name.split("/")[1]) for name in seen if name.startswith("key/")}
    assert levels == {1, 2, 3, 4}  # of five, the noisiest step reads none


def _removed(
    pipeline: RealEditPipeline, inversion: Inversion, rgb: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    engine = pipeline.engine
    location = from_mask(rgb, mask.astype(np.float32), None)
    anchor = build_anchor(rgb, [Piece(location, None)])
    subject = Subject((), None, mask, np.zeros(mask.shape, np.float32))
    with engine.capture:
        found = resample(
            engine.backbone,
            engine.capture,
            inversion,
            engine.backbone.prompt("a photo", inversion.size),
            anchor=anchor,
            subjects=[subject],
            settings=engine.profile.filled(Settings(), by_model=False),
            seed=0,
            profile=engine.profile,
        )
    return found.picture


def _maps(inversion: Inversion, rgb: np.ndarray, mask: np.ndarray) -> Regions:
    location = from_mask(rgb, mask.astype(np.float32), None)
    subject = Subject((), None, mask, np.zeros(mask.shape, np.float32))
    return Regions.of(build_anchor(rgb, [Piece(location, None)]), [subject], inversion.result.x_0)


def _altered(inversion: Inversion, where: Tensor, share: float) -> Inversion:
    """Other keys and values in the cells of which more than a share lies ``where``, and other states."""

    def other(x: Tensor) -> Tensor:
        side = round(x.shape[1] ** 0.5)
        cells = adaptive_avg_pool2d(where, (side, side)).flatten() > share
        return torch.where(cells[None, :, None], 30 * torch.randn_like(x), x)

    seen = {
        level: replace(one, memory={name: (other(k), other(v)) for name, (k, v) in one.memory.items()})
        for level, one in inversion.observations.items()
    }
    return replace(inversion, observations=seen)


def test_nothing_of_the_object_that_was_there_leaks_into_the_hole(pipeline: RealEditPipeline) -> None:
    """Its keys, values and states in the photo may be any: the picture stays the same to the bit."""
    rgb, mask = _scene(SIDE, SIDE)
    engine = pipeline.engine
    settings = engine.profile.filled(Settings(), by_model=False)
    reads = Reads.of(settings, engine.profile, paints=False, hole=True, words=False)
    inversion = engine.inverter.to_invert(as_photo(rgb), "a photo", reads=reads).inversion
    assert all(one.memory for level, one in inversion.observations.items() if level <= 15)
    plain = _removed(pipeline, inversion, rgb, mask)
    maps = _maps(inversion, rgb, mask)
    hole = (maps.hole > 0.5).float()
    other = _altered(inversion, maps.old, CLOSED_SHARE)
    states = torch.where(hole > 0, torch.randn_like(inversion.result.trajectory), other.result.trajectory)
    other = replace(other, result=replace(other.result, trajectory=states))
    assert (_removed(pipeline, other, rgb, mask) == plain).all()
    background = _altered(inversion, 1 - maps.old, 0.5)
    assert (_removed(pipeline, background, rgb, mask) != plain).any()
