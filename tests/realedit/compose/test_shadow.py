from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.compose.shadow import Shadow, find_shadow
from realedit.pixels.masks import grow, shrink

SIDE = 256
LOSS = 0.5


def _surface(texture: str) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    base = np.full((SIDE, SIDE, 3), (180.0, 150.0, 120.0))
    if texture == "ramp":
        base *= (0.85 + 0.3 * columns / SIDE)[..., None]
    if texture == "grain":
        base += 6 * np.sin(2 * np.pi * rows / 7)[..., None]
    return base + np.random.default_rng(0).normal(0, 2, base.shape)


def _disc(x: float, y: float, rx: float, ry: float | None = None) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return ((columns - x) / rx) ** 2 + ((rows - y) / (ry or rx)) ** 2 < 1


def _scene(texture: str, loss: float = LOSS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo, a disc in it, and the shadow beside the disc's lower half."""
    disc = _disc(110, 120, 28)
    shade = _disc(138, 140, 34, 11) & ~disc
    light = np.exp(-loss * cv2.GaussianBlur(shade.astype(float), (0, 0), 1))
    rgb = _surface(texture) * light[..., None]
    rgb[disc] = (200, 30, 30)
    return rgb.clip(0, 255).round().astype(np.uint8), disc, shade


@pytest.mark.parametrize("texture", ["flat", "ramp", "grain"])
def test_a_known_shadow_is_found(texture: str) -> None:
    rgb, disc, shade = _scene(texture)
    found = find_shadow(rgb, disc)
    apart = ~grow(disc, 2)  # at the object's own edge its blur decides
    overlap = (found.mask & shade & apart).sum() / ((found.mask | shade) & apart).sum()
    assert overlap > 0.7
    assert not (found.mask & disc).any()


@pytest.mark.parametrize("texture", ["flat", "ramp", "grain"])
@pytest.mark.parametrize("loss", [0.3, 0.6])
def test_its_depth_is_the_light_that_was_taken(texture: str, loss: float) -> None:
    rgb, disc, shade = _scene(texture, loss)
    found = find_shadow(rgb, disc)
    core = cv2.erode(shade.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert found.loss[core].mean() == pytest.approx(loss, rel=0.25)
    assert found.loss.min() >= 0


def test_where_there_is_none_none_is_found() -> None:
    for texture in ("flat", "ramp", "grain"):
        rgb, disc, _ = _scene(texture, 0.0)
        found = find_shadow(rgb, disc)
        assert not found.mask.any()
        assert not found.loss.any()


def test_a_coloured_thing_beside_the_object_is_no_shadow() -> None:
    rgb, disc, shade = _scene("flat", 0.0)
    rgb[shade] = (40, 60, 160)
    assert not find_shadow(rgb, disc).mask.any()


def test_nothing_is_looked_for_on_other_objects() -> None:
    rgb, disc, shade = _scene("flat")
    found = find_shadow(rgb, disc, forbidden=grow(shade, 4) & ~disc)
    assert (found.mask & shade).sum() < 0.2 * shade.sum()


def test_casting_takes_the_light_from_a_picture() -> None:
    rgb = np.full((4, 4, 3), 100, np.uint8)
    loss = np.zeros((4, 4, 3), np.float32)
    loss[:2] = 0.7
    shadow = Shadow(loss[..., 0] > 0, loss, loss)
    cast = shadow.cast(rgb)
    np.testing.assert_allclose(cast[2:], 100, atol=1e-4)
    np.testing.assert_allclose(cast[:2], (100 + 8) * np.exp(-0.7) - 8, rtol=1e-5)
    np.testing.assert_allclose(shadow.lift(cast), rgb, rtol=1e-5)


def test_what_is_lifted_stays_a_colour() -> None:
    deep = np.full((4, 4, 3), 3.0, np.float32)
    assert Shadow(deep[..., 0] > 0, deep, deep).lift(np.full((4, 4, 3), 200, np.uint8)).max() == 255


@pytest.mark.parametrize("softness", [4, 8])
def test_a_penumbra_is_lifted_and_goes_along(softness: float) -> None:
    disc = _disc(110, 120, 28)
    light = np.exp(-LOSS * cv2.GaussianBlur(_disc(145, 136, 34, 16).astype(float), (0, 0), softness))
    surface = _surface("flat")
    rgb = (surface * light[..., None]).round().clip(0, 255)
    rgb[disc] = (200, 30, 30)
    found = find_shadow(rgb.astype(np.uint8), disc)
    # between a tenth and a third of its depth: outside the umbra
    fading = (light < np.exp(-0.1 * LOSS)) & (light > np.exp(-0.3 * LOSS)) & ~grow(disc, 3)
    assert not found.mask[fading].all()
    dark = (surface - rgb)[fading].mean()
    left = (surface - found.lift(rgb))[fading].mean()
    assert abs(left) < 0.5 * dark
    assert found.loss[fading].mean() > 0.4 * -np.log(light[fading]).mean()


def test_what_is_lifted_is_what_is_seen() -> None:
    rgb, disc, _ = _scene("flat")
    found = find_shadow(rgb, disc)
    assert found.loss[disc].max() > 0  # under the object it goes on
    np.testing.assert_array_equal(found.lift(rgb)[disc], rgb[disc])


def test_an_uneven_surface_is_no_shadow() -> None:
    """Grain as strong as a faint shadow, coarser than the smoothing."""
    disc = _disc(110, 120, 28)
    grain = cv2.GaussianBlur(np.random.default_rng(3).normal(size=(SIDE, SIDE)), (0, 0), 5)
    rgb = 150 * np.exp(0.1 * grain / grain.std())[..., None] * np.ones(3)
    rgb[disc] = (200, 30, 30)
    found = find_shadow(rgb.clip(0, 255).round().astype(np.uint8), disc)
    assert found.mask.sum() < 0.1 * disc.sum()


def test_growing_is_by_a_disk() -> None:
    point = np.zeros((31, 31), bool)
    point[15, 15] = True
    rows, columns = np.mgrid[:31, :31]
    distance = np.hypot(rows - 15, columns - 15)
    grown = grow(point, 6)
    assert grown[distance <= 5].all()
    assert not grown[distance > 7].any()


@pytest.mark.parametrize("radius", [0.3, 1, 2.5, 7, 31])
def test_growing_and_shrinking_are_dilation_and_erosion_by_a_disk(radius: float) -> None:
    mask = _disc(90, 100, 40, 25) | _disc(180, 60, 3)
    reach = round(radius)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    round_one = (rows**2 + columns**2 <= reach**2).astype(np.uint8)
    assert (grow(mask, radius) == (cv2.dilate(mask.astype(np.uint8), round_one) > 0)).all()
    assert (shrink(mask, radius) == (cv2.erode(mask.astype(np.uint8), round_one) > 0)).all()


def test_of_nothing_nothing_grows() -> None:
    nothing = np.zeros((9, 9), bool)
    assert not grow(nothing, 4).any()
    assert shrink(~nothing, 4).all()


@pytest.mark.parametrize("texture", ["flat", "ramp", "grain"])
@pytest.mark.parametrize("shade", [_disc(122, 146, 42, 9), _disc(125, 150, 40, 12)], ids=["flat", "high"])
def test_a_long_shadow_is_followed_to_its_end(texture: str, shade: np.ndarray) -> None:
    disc = _disc(90, 120, 28)
    shade = shade & ~disc
    surface = _surface(texture)
    rgb = surface * np.exp(-0.4 * cv2.GaussianBlur(shade.astype(float), (0, 0), 1))[..., None]
    rgb[disc] = (200, 30, 30)
    rgb = rgb.clip(0, 255).round().astype(np.uint8)
    found = find_shadow(rgb, disc)
    apart = ~grow(disc, 2)
    assert (found.mask & shade & apart).sum() > 0.85 * (shade & apart).sum()
    assert (found.mask & shade & apart).sum() > 0.85 * (found.mask & apart).sum()
    lit = found.lift(rgb.astype(np.float32))
    assert np.abs(lit - surface)[shade & apart].mean() < 11  # 48 grey levels were lost
