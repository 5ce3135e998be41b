from __future__ import annotations

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from examples.tabletop.photographic import Look, photographed
from examples.tabletop.vocabulary import COLOURS

SEEDS = range(60)


def flat(value: float | tuple[int, ...], side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


def linear(display: np.ndarray | float) -> np.ndarray:
    v = np.asarray(display, float) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def display(light: np.ndarray) -> np.ndarray:
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def looks() -> list[Look]:
    return [Look.draw(np.random.default_rng(seed)) for seed in SEEDS]


def taken(look: Look, image: np.ndarray, seed: int = 0) -> np.ndarray:
    return look.apply(image, np.random.default_rng(seed))


def crossing(profile: np.ndarray) -> float:
    """Where a rising edge reaches half its height, between pixels."""
    half = (profile[:6].mean() + profile[-6:].mean()) / 2
    k = int(np.argmax(profile >= half))
    return k - 1 + (half - profile[k - 1]) / (profile[k] - profile[k - 1])


def test_a_camera_without_settings_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert np.abs(taken(Look(), image).astype(int) - image).max() <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sharp_edge_stays_where_it_is(seed: int) -> None:
    look = Look.draw(np.random.default_rng(seed))
    image = flat(60, 96)
    image[:, 41:] = 190
    for way in (image, image.transpose(1, 0, 2)):
        found = taken(look, np.ascontiguousarray(way), seed).astype(float).mean(2)
        profile = (found if way is image else found.T)[32:64].mean(0)
        # The tone curve is not a straight line, so a blurred edge's half height shifts a little with it.
        assert crossing(profile) == pytest.approx(40.5, abs=0.35)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_picture_of_a_mirror_image_is_the_mirror_image_of_the_picture(seed: int) -> None:
    look = replace(Look.draw(np.random.default_rng(seed)), shot=0.0, read=0.0, chroma=0.0, quality=0)
    image = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
    expected = taken(look, image).astype(int)
    for axis in (0, 1):
        found = np.flip(taken(look, np.ascontiguousarray(np.flip(image, axis))), axis).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_the_same_camera_and_noise_take_the_same_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    kept = image.copy()
    for seed, look in zip(SEEDS, looks(), strict=True):
        assert Look.draw(np.random.default_rng(seed)) == look
        assert np.array_equal(taken(look, image, seed), taken(look, image, seed))
        assert np.array_equal(
            photographed(image, np.random.default_rng(seed)), photographed(image, np.random.default_rng(seed))
        )
    assert np.array_equal(image, kept)
    noisy = next(look for look in looks() if look.read > 0.002)
    assert not np.array_equal(taken(noisy, image, 0), taken(noisy, image, 1))


@pytest.mark.parametrize("grey", [40, 128, 215])
def test_greys_stay_near_grey_and_brightness_in_bounds(grey: int) -> None:
    casts, levels = [], []
    for look in looks():
        mean = taken(look, flat(grey)).astype(float)[24:40, 24:40].mean((0, 1))
        casts.append(np.ptp(mean))
        levels.append(mean.mean())
    assert max(casts) < 28
    assert np.median(casts) < 12
    assert grey - 65 < min(levels) < grey < max(levels) < grey + 65


@pytest.mark.parametrize("word", ["red", "green", "blue", "yellow", "orange", "purple", "turquoise", "pink"])
def test_colours_keep_their_word(word: str) -> None:
    """The strongest and the weakest channel stay what they are."""
    for rgb in COLOURS[word]:
        patch = flat(tuple(round(255 * value) for value in rgb))
        for look in looks():
            mean = taken(look, patch).astype(float)[24:40, 24:40].mean((0, 1))
            assert mean[int(np.argmax(rgb))] >= mean.max() - 4
            assert mean[int(np.argmin(rgb))] <= mean.min() + 4


@pytest.mark.parametrize("ev", [-0.7, -0.3, 0.4, 0.7])
def test_exposure_is_a_factor_on_light_in_the_shadows_and_bends_at_white(ev: float) -> None:
    dark, mid, white, black = (float(taken(Look(ev=ev), flat(v)).mean()) for v in (30, 128, 255, 0))
    assert dark == pytest.approx(display(linear(30) * 2**ev), abs=1)
    gain, light = 2**ev, linear(128)
    bent = light * gain / (1 + (gain - 1) * light) if ev > 0 else light * gain + 0.5 * (1 - gain) * light**6
    assert mid == pytest.approx(display(bent), abs=1)
    assert black == 0
    assert white == 255 if ev > 0 else 128 < white < 255


def test_warmth_raises_red_and_lowers_blue_alike() -> None:
    r, g, b = taken(Look(warmth=0.15), flat(30)).astype(float).mean((0, 1))
    assert [r, g, b] == pytest.approx(
        [float(display(linear(30) * 2**gain)) for gain in (0.15, 0, -0.15)], abs=1
    )


def test_contrast_leaves_black_white_and_the_middle() -> None:
    for contrast in (-0.4, 0.4):
        values = [float(taken(Look(contrast=contrast), flat(v)).mean()) for v in (0, 64, 128, 191, 255)]
        assert [values[k] for k in (0, 2, 4)] == pytest.approx([0, 128, 255], abs=1)
        assert np.sign(values[3] - values[1] - 127) == np.sign(contrast)


def test_without_saturation_a_picture_is_its_luma() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    luma = image @ np.array([0.299, 0.587, 0.114])
    found = taken(Look(saturation=0.0), image)
    assert np.abs(found - luma[..., None]).max() <= 1.5


def test_the_vignette_takes_its_share_of_light_from_the_corners_alone() -> None:
    found = taken(Look(vignette=0.3), flat(150, 65)).astype(float)[..., 0]
    assert found[32, 32] == 150 or abs(found[32, 32] - 150) <= 1
    assert found[0, 0] == pytest.approx(float(display(0.7 * linear(150))), abs=1)
    assert found[0, 32] == pytest.approx(float(display((1 - 0.3 * 0.5**1.5) * linear(150))), abs=1)


def test_noise_has_the_variance_of_its_model() -> None:
    shot, read, grey = 0.0012, 0.008, 120
    light = float(linear(grey))
    slope = float(display(np.array(light + 1e-4)) - display(np.array(light - 1e-4))) / 2e-4
    found = taken(Look(shot=shot, read=read), flat(grey, 256)).astype(float)
    assert found.std() == pytest.approx(slope * np.sqrt(shot * light + read**2), rel=0.05)
    assert found.mean() == pytest.approx(grey, abs=1.5)
    neighbours = [np.corrcoef(found[:, 1:, 0].ravel(), found[:, :-1, 0].ravel())[0, 1]]
    assert abs(neighbours[0]) < 0.03


def test_blotches_are_coloured_and_not_bright() -> None:
    found = taken(Look(chroma=0.015), flat(128, 256)).astype(float)
    colour = found - found.mean(2, keepdims=True)
    assert colour.std() > 1
    assert found.mean(2).std() < 0.5


def test_blur_widens_and_sharpening_overshoots() -> None:
    image = flat(60, 256)
    image[:, 128:] = 190
    profile = {
        name: taken(look, image)[128, :, 0].astype(float)
        for name, look in {"plain": Look(), "blur": Look(blur=1.5), "sharp": Look(sharpen=0.6)}.items()
    }
    assert np.diff(profile["blur"]).max() < 0.5 * np.diff(profile["plain"]).max()
    assert profile["sharp"].max() > 200 > profile["plain"].max()
    assert profile["sharp"].min() < 50 < profile["plain"].min()


def test_cameras_differ_within_their_limits() -> None:
    drawn = [Look.draw(np.random.default_rng(seed)) for seed in range(600)]
    limits = {
        "warmth": (-0.17, 0.17),
        "tint": (-0.04, 0.04),
        "ev": (-0.7, 0.7),
        "contrast": (-0.4, 0.4),
        "saturation": (0.75, 1.25),
        "vignette": (0, 0.35),
        "blur": (0, 0.8),
        "sharpen": (0, 0.7),
        "shot": (0, 0.0012),
        "read": (0, 0.008),
        "chroma": (0, 0.015),
        "quality": (0, 95),
    }
    assert limits.keys() == {field.name for field in fields(Look)}
    for name, (low, high) in limits.items():
        values = [asdict(look)[name] for look in drawn]
        assert low <= min(values) < max(values) <= high
        assert max(values) - min(values) > 0.5 * (high - low)
    assert not any(look.blur and look.sharpen for look in drawn)
    assert min(look.quality for look in drawn if look.quality) >= 60
    compressed = np.mean([look.quality > 0 for look in drawn])
    assert compressed == pytest.approx(2 / 3 * 0.4, abs=0.06)


def test_pictures_of_any_shape_keep_it() -> None:
    image = np.random.default_rng(0).integers(0, 256, (33, 70, 3), np.uint8)
    for look in looks()[:20]:
        found = taken(look, image)
        assert (found.shape, found.dtype) == (image.shape, np.uint8)
