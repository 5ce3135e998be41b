from __future__ import annotations

import numpy as np
import pytest

from examples.tabletop.noise import SIZE, blurred, cells, noise, pixels, relief, sample


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_noise_is_normal_and_of_its_spectrum() -> None:
    field = noise(rng(), 20, falloff=4)
    assert (field.dtype, field.shape) == (np.float32, (SIZE, SIZE))
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-4)
    power = np.abs(np.fft.fft2(field)) ** 2
    k = np.fft.fftfreq(SIZE, 1 / SIZE)
    radius = np.hypot(k[:, None], k[None])

    def at(low: float, high: float) -> float:
        return float(power[(radius >= low) & (radius < high)].mean())

    def expected(frequency: float) -> float:
        return (1 + frequency**2 / 20**2) ** -4.0

    assert at(39.5, 40.5) / at(9, 11) == pytest.approx(expected(40) / expected(10), rel=0.25)


def test_stretched_noise_is_longer_along_x() -> None:
    field = noise(rng(), 30, stretch=6)
    across, along = (np.diff(field, axis=axis).std() for axis in (0, 1))
    assert across / along == pytest.approx(6, rel=0.2)


@pytest.mark.parametrize("field", [noise(rng(), 30), blurred(noise(rng(), 100, falloff=1), 3.0)])
def test_fields_wrap(field: np.ndarray) -> None:
    for axis in (0, 1):
        first, last = np.take(field, 0, axis), np.take(field, -1, axis)
        inner = np.abs(np.diff(field, axis=axis)).mean(1 - axis)
        assert np.abs(first - last).mean() < inner.max()


def test_blur_on_the_torus_is_the_gaussian_filter_of_the_spectrum() -> None:
    field = noise(rng(), 60, falloff=2)
    k = np.fft.fftfreq(SIZE)
    response = np.exp(-2 * np.pi**2 * 4.0**2 * (k[:, None] ** 2 + k[None] ** 2))
    expected = np.fft.ifft2(np.fft.fft2(field) * response).real
    assert np.abs(blurred(field, 4.0) - expected).max() < 0.01 * expected.std()


def test_sampling_is_bilinear_and_wraps() -> None:
    field, (x, y) = noise(rng(), 40), pixels()
    np.testing.assert_allclose(sample(field, x + SIZE, y - SIZE), field, atol=1e-6)
    np.testing.assert_allclose(sample(field, x + 3, y - 5), np.roll(field, (5, -3), (0, 1)), atol=1e-6)
    between = (field + np.roll(field, -1, 1)) / 2
    np.testing.assert_allclose(sample(field, x + 0.5, y), between, atol=0.02)
    image = np.stack([field] * 3, -1)
    np.testing.assert_allclose(sample(image, x + 3, y), np.roll(image, -3, 1), atol=1e-6)


def test_relief_is_brighter_on_slopes_towards_the_upper_left() -> None:
    x, y = pixels()
    hill = np.exp(-((x - 256) ** 2 + (y - 256) ** 2) / 2000)
    shade = relief(hill, 5.0)
    assert shade[230, 230] > 1 > shade[282, 282]
    assert shade[100, 100] == pytest.approx(1, abs=1e-3)
    assert (relief(10 * hill, 100.0) >= 0.4).all()


@pytest.mark.parametrize("jitter", [None, 0.3])
def test_cells_fill_the_torus(jitter: float | None) -> None:
    found = cells(rng(), 400, jitter=jitter)
    areas = np.bincount(found.ident.ravel(), minlength=found.count)
    assert found.ident.min() >= 0
    assert found.ident.max() < found.count == len(areas)
    assert (areas > 0).mean() > 0.98
    assert areas.mean() == pytest.approx(SIZE**2 / 400, rel=0.02)
    # Neighbours across the seam belong together as often as anywhere.
    for axis in (0, 1):
        same = (np.take(found.ident, 0, axis) == np.take(found.ident, -1, axis)).mean()
        inner = (np.diff(found.ident, axis=axis) == 0).mean()
        assert same == pytest.approx(inner, abs=0.06)


def test_cells_are_convex_about_their_middle_and_edges_are_distances() -> None:
    found = cells(rng(), 256, jitter=0.2)
    borders = np.zeros(found.ident.shape, bool)
    for axis in (0, 1):
        step = np.roll(found.ident, 1, axis) != found.ident
        borders |= step | np.roll(step, -1, axis)
    assert found.edge[borders].max() <= 1.5
    assert found.edge[~borders].min() >= 0.9
    # A distance grows by at most one a pixel.
    assert np.abs(np.diff(found.edge, axis=0)).max() < 1.1
    assert found.edge.max() == pytest.approx(SIZE / 16 / 2, rel=0.35)
