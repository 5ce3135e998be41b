"""The window of a large photo in which the model works."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from guidance import Trace, Transform
from realedit.compose.anchor import Anchor
from realedit.models.profile import general
from realedit.sample.blend import blend
from realedit.sample.regions import Subject
from realedit.sample.resample import Resampled
from realedit.sample.window import Window, window_about
from realedit.settings import Settings

SIDE, MULTIPLE = 1024, 32


def _region(size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    region = np.zeros(size, bool)
    region[slice(*rows), slice(*columns)] = True
    return region


def test_a_region_that_fits_gets_the_models_own_square_about_it() -> None:
    region = _region((3000, 4000), (1300, 1700), (2000, 2500))
    window = window_about(region, SIDE, MULTIPLE)
    assert window is not None
    assert (window.height, window.width) == (SIDE, SIDE)
    assert window.of(region).sum() == region.sum()
    # centred, but for the grid that lets near edits share it
    assert abs(window.y + SIDE / 2 - 1500) <= SIDE / 16
    assert abs(window.x + SIDE / 2 - 2250) <= SIDE / 16
    nearby = window_about(_region((3000, 4000), (1300, 1700), (2010, 2520)), SIDE, MULTIPLE)
    assert nearby == window


def test_photos_of_about_the_models_size_are_worked_on_whole() -> None:
    assert window_about(_region((1024, 1024), (10, 20), (10, 20)), SIDE, MULTIPLE) is None
    assert window_about(_region((1152, 1280), (10, 20), (10, 20)), SIDE, MULTIPLE) is None
    assert window_about(np.zeros((3000, 4000), bool), SIDE, MULTIPLE) is None
    assert window_about(np.ones((3000, 4000), bool), SIDE, MULTIPLE) is None


@pytest.mark.parametrize(
    ("rows", "columns"),
    [((0, 90), (0, 90)), ((2900, 3000), (3900, 4000)), ((100, 400), (50, 2300)), ((900, 2400), (900, 2400))],
)
def test_the_region_lies_in_the_window_and_the_window_in_the_photo(
    rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    region = _region((3000, 4000), rows, columns)
    window = window_about(region, SIDE, MULTIPLE)
    assert window is not None
    assert window.of(region).shape == (window.height, window.width)
    assert window.of(region).sum() == region.sum()
    assert max(window.height, window.width) <= 2.2 * min(window.height, window.width)


def test_a_narrow_photo_gives_what_it_has_and_more_of_its_length() -> None:
    region = _region((700, 6000), (100, 500), (3000, 3300))
    window = window_about(region, SIDE, MULTIPLE)
    assert window is not None
    assert window.height == 672  # whole cells of the UNet's deepest level
    assert window.width % MULTIPLE == 0
    assert 0.9 < window.height * window.width / SIDE**2 < 1.1
    tall = window_about(_region((700, 6000), (0, 700), (3000, 3300)), SIDE, MULTIPLE)
    assert tall is not None
    assert (tall.y, tall.height) == (0, 700)  # not even its edge is left out


@pytest.mark.parametrize("centre", [(0.6, 0.4), None])
def test_a_transform_in_the_window_carries_a_pixel_to_the_same_place(
    centre: tuple[float, float] | None,
) -> None:
    shape, window = (600, 900), Window(100, 300, 240, 400)
    turned = {} if centre is None else {"scale": 1.3, "angle": 25.0, "mirrored": True}
    whole = Transform(dx=0.05, dy=-0.1, centre=centre, **turned)
    part = window.transform(whole, shape)
    pixel = torch.tensor([520.0, 260.0], dtype=torch.float64)  # (x, y)
    size, corner = torch.tensor([900.0, 600.0]), torch.tensor([300.0, 100.0])
    own = torch.tensor([400.0, 240.0])
    expected = whole.apply(pixel / size, 900 / 600) * size
    found = part.apply((pixel - corner) / own, 400 / 240) * own + corner
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_outside_the_window_the_edit_is_the_anchors_to_the_bit() -> None:
    """Whatever the model made inside."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (120, 160, 3), np.uint8)
    hole = _region((120, 160), (40, 60), (60, 90))
    far = _region((120, 160), (5, 10), (140, 150))
    picture = rgb.astype(np.float32)
    picture[hole | far] = 10
    nothing = np.zeros((120, 160), bool)
    anchor = Anchor(picture, (np.zeros((120, 160), np.float32),), hole | far, nothing, nothing)
    window = Window(30, 50, 48, 64)
    made = np.full((24, 32, 3), 200, np.float32)
    resampled = Resampled(made, made, Trace(), painted=made, hole=window.of(hole), window=window)
    settings = general().filled(Settings(), by_model=False)
    edited, alpha = blend(rgb, anchor, resampled, settings)
    outside = np.ones((120, 160), bool)
    window.of(outside)[...] = False
    assert (edited[outside & ~far] == rgb[outside & ~far]).all()
    assert (edited[far] == 10).all()
    assert (alpha[outside] == far[outside]).all()
    assert (edited[50, 75] == 200).all()  # the hole's middle is the model's own


def test_a_subject_is_cut_to_the_window() -> None:
    window = Window(10, 20, 30, 40)
    old = _region((60, 80), (15, 25), (30, 45))
    subject = Subject((3,), Transform(dx=0.25), old, old.astype(np.float32))
    part = window.subject(subject, old.shape)
    assert part.old is not None
    assert part.old.shape == part.matte.shape == (30, 40)
    assert part.old.sum() == old.sum()
    assert part.transform == Transform(dx=0.5)
