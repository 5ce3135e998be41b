"""An edit that differs by region, against closed forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from guidance import Capture, ClassifierFree, LayerSelection
from guidance.layers import EVERYWHERE
from inversion import Conditioning, Guidance, Schedule
from realedit.compose.anchor import Anchor
from realedit.models.backbone import Prompt
from realedit.models.profile import Profile, general, named
from realedit.sample.by_region import Steps, guidance_of, painted_hole, pinned, seen_keys, starts
from realedit.settings import FullSettings, Settings
from small_sdxl import small_sdxl

SDXL = named("sdxl")


def _full(profile: Profile = SDXL, **said: Any) -> FullSettings:
    return profile.filled(Settings(**said), by_model=False)


@pytest.fixture
def schedule(make_schedule: Any) -> Schedule:
    """SDXL's eighteen levels but the first, which is at t = 1."""
    whole: Schedule = make_schedule(18)
    assert whole.timesteps[0] == 1
    return Schedule(whole.timesteps[1:], (whole.alphas_cumprod[0], *whole.alphas_cumprod[2:]))


def test_the_hole_starts_at_the_top_and_all_else_at_the_objects_strength(schedule: Schedule) -> None:
    steps = Steps.of(_full(), schedule, hole=True)
    assert (steps.top, steps.own, steps.apart) == (17, 7, True)
    assert Steps.of(_full(), schedule, hole=False) == Steps(7, 7)
    # a strength of 0 that the user gives leaves the object alone, and the hole to the model if it is told to
    assert Steps.of(_full(strength=0, hole_strength=1.0), schedule, hole=True) == Steps(17, 0)
    assert not Steps.of(_full(general()), schedule, hole=True).apart
    hole, target = torch.zeros(1, 1, 4, 6), torch.zeros(1, 1, 4, 6)
    hole[..., :2], hole[..., 2], target[..., 4:] = 1, 0.3, 1
    found = starts(hole, target, steps)
    assert found[0, 0, 0].tolist() == [17, 17, 17, 7, 7, 7]


def test_terms_of_the_object_act_where_the_object_is_sampled(schedule: Schedule) -> None:
    steps = Steps(17, 7)
    first, own = steps.window(SDXL.window), steps.own_window(SDXL.window)
    assert first is not None
    assert own is not None
    assert [done for done in range(17) if first.contains(done, 17)] == [0, 1, 2]
    assert [done for done in range(17) if own.contains(done, 17)] == [10]  # the step from level 7
    assert Steps(17, 0).own_window(0.2) is None
    assert Steps(7, 7).own_window(0.4) == Steps(7, 7).window(0.4)


def test_a_pin_of_one_strength_is_a_mean() -> None:
    x_0, z, core = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8), torch.ones(1, 1, 8, 8)
    assert torch.equal(pinned(x_0, z, core, pin=0.8, low=0.8, blur=1.0), torch.lerp(x_0, z, 0.8 * core))


def test_low_frequencies_are_pinned_less_than_high_ones_and_never_by_what_lies_outside() -> None:
    x_0, core = torch.randn(1, 4, 32, 32), torch.zeros(1, 1, 32, 32)
    core[..., 6:26, 6:26] = 1
    light = torch.full((1, 4, 32, 32), 3.0)
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    detail = ((-1.0) ** (rows + columns)).expand(1, 4, 32, 32)
    inner = (..., slice(10, 22), slice(10, 22))

    def moved(d: Tensor) -> Tensor:
        return pinned(x_0, x_0 + d, core, pin=0.8, low=0.4, blur=1.5) - x_0

    torch.testing.assert_close(moved(light)[inner], 0.4 * light[inner], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(moved(detail)[inner], 0.8 * detail[inner], rtol=1e-2, atol=1e-2)
    assert (moved(light)[..., :6, :] == 0).all()
    outside = 100 * torch.randn(1, 4, 32, 32) * (1 - core)
    torch.testing.assert_close(moved(light + outside) * core, moved(light) * core)


def test_what_was_only_given_light_is_not_painted() -> None:
    size = (64, 96)
    old, lit, matte = np.zeros(size, bool), np.zeros(size, bool), np.zeros(size, np.float32)
    old[20:40, 10:30], lit[45:60, 10:30], matte[20:40, 28:48] = True, True, 1
    hole = lit | np.pad(np.ones((24, 24), bool), ((18, 22), (8, 64)))
    nothing = np.zeros(size, bool)
    shadow = nothing.copy()
    shadow[37:42, 10:30] = True  # of the object at its new place
    anchor = Anchor(np.zeros((*size, 3), np.float32), (matte,), hole, nothing, shadow)
    found = painted_hole(anchor, [old], 0.02)
    assert not found[shadow].any()
    assert not found[lit].any()
    assert not found[matte > 0].any()
    assert found[old & (matte == 0) & ~shadow].all()
    assert (found <= hole).all()
    assert found[19, 15]  # two pixels of margin
    assert not found[17, 15]


def test_every_self_attention_layer_hides_the_holes_keys_and_no_others() -> None:
    unet = small_sdxl().unet
    windows = Capture(unet, memory=LayerSelection(("up",), (0, 1)), hiding=EVERYWHERE)
    layers = [name for name, one in unet.named_modules() if name.endswith("attn1")]
    with windows:
        assert set(windows._self_windows) == set(layers)
    hole, target = torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    hole[..., 4:12, 0:8] = 1
    target[..., 4:8, 4:8] = 1
    found = seen_keys(windows, hole, target, (16, 16))
    assert sorted(found) == [1, 2]
    gone, stands = torch.zeros(8, 8, dtype=torch.bool), torch.zeros(8, 8, dtype=torch.bool)
    gone[2:6, 0:4], stands[2:4, 2:4] = True, True  # the object stands there now
    gone &= ~stands
    gone, stands = gone.flatten(), stands.flatten()
    assert not found[1][:, gone].any()  # nobody sees the hole, not even itself
    assert not found[1][gone][:, stands].any()  # nor does the hole see the object
    assert found[1][~gone][:, ~gone].all()
    assert found[1][gone][:, ~gone & ~stands].all()
    removed = seen_keys(windows, hole, torch.zeros_like(target), (16, 16))
    assert removed[1].shape == (1, 64)  # the same for every query
    # a hole that is everything hides nothing: there would be nothing to see
    assert seen_keys(windows, torch.ones_like(hole), torch.zeros_like(target), (16, 16)) == {}


def _prompt(value: float) -> Prompt:
    return Prompt(
        "a photo", Conditioning(torch.full((1, 3, 2), value)), Conditioning(torch.zeros(1, 3, 2)), 3
    )


def _shares(guidance: Guidance | ClassifierFree, steps: int) -> list[dict[float, float]]:
    """At each step the share of each conditioning, by its value."""
    assert isinstance(guidance, ClassifierFree)
    return [
        {float(told.embedding[0, 0, 0]): round(share, 6) for told, share in guidance.shares(done, steps)}
        for done in range(steps)
    ]


def test_the_hole_is_painted_without_the_objects_name_and_the_scale_acts_in_the_middle(
    schedule: Schedule,
) -> None:
    steps, settings = Steps(17, 7), _full(guidance_scale=5.0)
    named_, bare = _prompt(1.0), _prompt(2.0)
    told = guidance_of(named_, bare, steps, schedule=schedule, settings=settings, profile=SDXL)
    shares = _shares(told, 17)
    noise = [schedule.sigma(level) / schedule.alpha(level) for level in range(17, 0, -1)]
    middle = [0.28 < one <= 5.42 for one in noise]
    assert middle == [False] * 3 + [True] * 13 + [False]
    for done, both in enumerate(middle):
        value = 2.0 if 3 <= done < 10 else 1.0  # guided: named; then the hole alone; then the object too
        assert shares[done] == ({value: 5.0, 0.0: -4.0} if both else {value: 1.0})
    assert sum(map(len, shares)) == 17 + 13
    assert told.text is named_.conditioning


def test_without_an_interval_or_a_hole_it_is_plain_guidance(schedule: Schedule) -> None:
    plain = guidance_of(
        _prompt(1.0),
        _prompt(2.0),
        Steps(8, 8),
        schedule=schedule,
        settings=_full(general(), guidance_scale=2.0),
        profile=general(),
    )
    assert isinstance(plain, Guidance)
    assert plain.scale == 2
    unscaled = guidance_of(
        _prompt(1.0),
        None,
        Steps(17, 7),
        schedule=schedule,
        settings=_full(guidance_scale=1.0),
        profile=replace(SDXL, guidance_noise=(0.28, 5.42)),
    )
    assert all(share == {1.0: 1.0} for share in _shares(unscaled, 17))
