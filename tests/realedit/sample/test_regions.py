"""Who may look at whom in the resampling's self-attention, and what noise it starts from; on whole cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from guidance import Observation, Transform
from inversion import InversionResult, Schedule
from realedit import RealEditPipeline
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.models.profile import general
from realedit.sample.by_region import Steps
from realedit.sample.regions import Lender, Regions, Subject
from realedit.sample.repaint import _around, _begun, _leak_proof
from realedit.sample.resample import _carried, _lent, _terms
from realedit.settings import FullSettings, Settings

H, W = 64, 96
CELLS = (16, 24)
"""Of the latent: four pixels a cell."""
COARSE = (4, 6)
"""Of the attention: sixteen pixels a cell."""


def _full(**said: Any) -> FullSettings:
    return general().filled(Settings(**said), by_model=False)


def _block(rows: slice, columns: slice) -> np.ndarray:
    """Whole coarse cells, bool ``[H, W]``."""
    mask = np.zeros((H, W), bool)
    mask[16 * rows.start : 16 * rows.stop, 16 * columns.start : 16 * columns.stop] = True
    return mask


def _coarse(mask: np.ndarray) -> Tensor:
    """A block's coarse cells, bool ``[L]``."""
    return torch.from_numpy(mask[8::16, 8::16].copy()).flatten()


OLD, NEW = _block(slice(1, 3), slice(0, 2)), _block(slice(1, 3), slice(3, 5))
NOTHING = np.zeros((H, W), bool)


def _regions(old: np.ndarray | None, new: np.ndarray, hole: np.ndarray) -> Regions:
    matte = new.astype(np.float32)
    anchor = Anchor(np.zeros((H, W, 3), np.float32), (matte,), hole, NOTHING, NOTHING)
    subject = Subject((2,), Transform(dx=0.5), old, matte)
    return Regions.of(anchor, [subject], torch.zeros(1, 4, *CELLS))


def test_the_hole_sees_background_alone_and_the_object_itself() -> None:
    mask = _regions(OLD, NEW, OLD).attention_mask(COARSE)
    own, source = mask.chunk(2, 1)
    # the old place with a margin of a pixel, which is not 0.15 of a cell
    old, new = _coarse(OLD), _coarse(NEW)
    rest = ~old & ~new
    assert mask.dtype == torch.bool
    assert tuple(mask.shape) == (24, 48)
    # the hole: neither at itself nor at the object, new or old
    assert own[old].eq(rest).all()
    assert source[old].eq(~old).all()
    # the object at its new place: at everything there is now, and of the source at its old place
    assert own[new].all()
    assert source[new].eq(old).all()
    # everything else at itself alone
    assert own[rest].all()
    assert not source[rest].any()


def test_a_removed_object_is_seen_by_nobody() -> None:
    _, source = _regions(OLD, NOTHING, OLD).attention_mask(COARSE).chunk(2, 1)
    assert not source[:, _coarse(OLD)].any()


def test_a_pasted_object_is_nowhere_in_the_source() -> None:
    own, source = _regions(None, NEW, NOTHING).attention_mask(COARSE).chunk(2, 1)
    assert not source.any()
    assert own.all()


def test_the_region_holds_what_changes_and_the_core_what_is_the_objects() -> None:
    maps = _regions(OLD, NEW, OLD)

    def fine(mask: np.ndarray) -> Tensor:
        return torch.from_numpy(mask[2::4, 2::4].copy())[None, None]

    assert (maps.region[fine(OLD | NEW)] == 1).all()
    assert set(maps.region.unique().tolist()) == {0, 1}
    assert maps.region.mean() < 0.7
    assert ((maps.core == 1) <= fine(NEW)).all()
    assert maps.core.sum() == (8 - 2) * (8 - 2)
    assert torch.equal(maps.hole, fine(OLD).float())
    assert torch.equal(maps.target, fine(NEW).float())
    assert not (maps.around * (maps.target + maps.hole)).any()


def _inversion(value: float, size: tuple[int, int]) -> Inversion:
    """One whose keys are all ``value``, and whose values are their cells' numbers."""
    cells = (size[0] // 4) * (size[1] // 4)
    schedule = Schedule((1, 2), (0.9, 0.5, 0.1))
    keys = torch.full((1, cells, 3), value)
    numbers = torch.arange(cells, dtype=torch.float32)[None, :, None].expand(1, cells, 3)
    seen = Observation(memory={"layer": (keys, numbers)})
    result = InversionResult("direct", schedule, torch.zeros(3, 1, 4, *size))
    return Inversion("a photo", (4 * size[0], 4 * size[1]), result, {1: seen})


def test_each_subject_looks_at_its_own_lender_and_no_other(pipeline: RealEditPipeline) -> None:
    """The lenders' keys stand one behind the other, behind the subject's own."""
    capture = pipeline.engine.capture
    assert capture.levels == (2,)  # the embedded model's finest cross-attention: sixteen pixels a cell
    mug, bowl = OLD, NEW
    tall = np.zeros((128, 64), bool)  # a photo of another shape: 8 x 4 coarse cells
    tall[32:96, 16:48] = True
    lenders = [Lender(_inversion(0.25, CELLS), bowl), Lender(_inversion(0.75, (32, 16)), tall)]
    subjects = [Subject((), Transform(), m, m.astype(np.float32)) for m in (mug, bowl)]
    memory, masks = _lent(capture, lenders, subjects, level=1, z=torch.zeros(1, 4, *CELLS))
    keys, values = memory["layer"]
    assert keys[0, :, 0].tolist() == [0.25] * 24 + [0.75] * 32
    assert values[0, :, 0].tolist() == [*range(24), *range(32)]
    mask = masks[2]
    assert tuple(mask.shape) == (24, 24 + 24 + 32)
    own, first, second = mask.split([24, 24, 32], 1)
    assert own.all()
    assert first[_coarse(mug)].eq(_coarse(bowl)).all()
    assert second[_coarse(bowl)].eq(torch.from_numpy(tall[8::16, 8::16].copy()).flatten()).all()
    assert not first[~_coarse(mug)].any()
    assert not second[~_coarse(bowl)].any()


def test_a_repainted_region_is_seen_by_nobody_as_it_was() -> None:
    inside = torch.from_numpy(OLD.astype(np.float32))[None, None]
    own, source = _leak_proof(inside, COARSE).chunk(2, 1)
    assert own.all()
    assert source.eq(~_coarse(OLD)).all()


@pytest.mark.parametrize(("share", "seen"), [(0.1, True), (0.2, False)])
def test_a_cell_that_the_region_touches_enough_is_closed(share: float, seen: bool) -> None:
    inside = torch.zeros(1, 1, 10, 10)
    inside[..., : round(10 * share), :] = 1
    assert _leak_proof(inside, (1, 1)).tolist() == [[True, seen]]


def test_the_light_of_a_place_is_its_mean_without_the_region() -> None:
    x = torch.stack([torch.full((4, 6), 2.0), torch.full((4, 6), -1.0)])[None]
    where = torch.zeros(1, 1, 4, 6)
    where[..., 1:3, 2:4] = 1
    x = x + 100 * where
    assert _around(x, where).flatten().tolist() == pytest.approx([2.0, -1.0])
    assert torch.isfinite(_around(x, torch.ones_like(where))).all()


@pytest.mark.parametrize("seed", [0, None])
def test_a_region_begins_about_the_light_of_its_place(seed: int | None) -> None:
    alpha, sigma = 0.3, 0.9
    table = torch.tensor([1.4, -0.2, 0.6, -1.0])[None, :, None, None]
    where = torch.zeros(1, 1, 32, 32)
    where[..., 8:24, 8:24] = 1
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    x = alpha * torch.where(where > 0, -3.0, table) + sigma * noise
    begun = _begun(x, where, sigma, seed)
    assert torch.equal(begun[..., :8, :], x[..., :8, :])
    inside = begun[..., 8:24, 8:24]
    outside = (x * (1 - where)).sum((-2, -1)) / (1 - where).sum()
    chance = 1e-4 if seed is None else 4 * sigma / 16  # the mean of 256 cells of fresh noise
    assert inside.mean((-2, -1))[0].tolist() == pytest.approx(outside[0].tolist(), abs=chance)
    assert inside.std((-2, -1)).mean().item() == pytest.approx(sigma, rel=0.1)


def test_noise_goes_along_with_an_object_and_is_fresh_in_the_hole() -> None:
    noise = torch.randn(1, 4, *CELLS, generator=torch.Generator().manual_seed(7))
    maps = _regions(OLD, NEW, OLD)
    # half the frame to the right: three coarse cells of six
    subject = Subject((2,), Transform(dx=0.5), OLD, NEW.astype(np.float32))
    x = [_carried(noise, maps, [subject], seed) for seed in (0, 0, 1)]
    eps = x[0]
    old, new = (torch.from_numpy(m[2::4, 2::4].copy()) for m in (OLD, NEW))
    assert torch.allclose(eps[..., ~old & ~new], noise[..., ~old & ~new], atol=1e-5)
    assert torch.allclose(eps[..., 4:12, 12:20], noise[..., 4:12, 0:8], atol=1e-4)
    assert (eps[..., old] - noise[..., old]).abs().mean() > 0.3
    assert torch.equal(x[0], x[1])
    assert torch.equal(x[0][..., ~old], x[2][..., ~old])
    assert not torch.equal(x[0][..., old], x[2][..., old])


def test_of_what_goes_away_only_its_absence_is_asked_for() -> None:
    maps = _regions(OLD, NEW, OLD)
    matte = NEW.astype(np.float32)

    def names(*subjects: Subject) -> list[str]:
        return [type(term.energy).__name__ for term in _terms(subjects, maps, _full(), Steps(8, 8))]

    moved = Subject((2,), Transform(dx=0.5), OLD, matte)
    gone, pasted = Subject((3,), None, OLD, 0 * matte), Subject((4,), Transform(), None, matte)
    unnamed = Subject((), Transform(dx=0.5), OLD, matte)
    assert names(moved) == ["Features", "Shape", "Size", "Absence"]
    assert names(gone) == ["Absence"]
    assert names(pasted) == ["Features", "Absence"]
    assert names(unnamed) == ["Features"]
    # of several there is no one place that the surroundings come from
    assert names(moved, moved) == ["Shape", "Size", "Shape", "Size", "Absence", "Absence"]
    assert _terms([moved], maps, _full(self_guidance=0), Steps(8, 8)) == []
