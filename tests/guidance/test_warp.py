from __future__ import annotations

import numpy as np
import pytest
import skimage.transform
import torch
from torch import Tensor

from guidance.properties import centroid, size
from guidance.warp import Transform, warp

FRAMES = [(32, 32), (24, 40), (48, 30)]
TRANSFORMS = [
    Transform(dx=0.25, dy=-0.125),
    Transform(dx=0.13, dy=0.07),
    Transform(scale=1.6),
    Transform(scale=0.7, centre=(0.3, 0.6)),
    Transform(angle=30.0),
    Transform(angle=-75.0, centre=(0.4, 0.55)),
    Transform(dx=-0.1, dy=0.15, scale=1.25, angle=20.0, centre=(0.35, 0.5)),
    Transform(mirrored=True, centre=(0.45, 0.5)),
    Transform(dx=0.1, dy=0.15, scale=1.25, angle=20.0, centre=(0.35, 0.5), mirrored=True),
]


def _blob(h: int, w: int, x: float, y: float, spread: float = 0.06) -> Tensor:
    """A round Gaussian, its spread in units of the height; [1, h, w] in float64."""
    rows = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    columns = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    distance = ((columns[None] - x) * w / h) ** 2 + (rows[:, None] - y) ** 2
    return torch.exp(-distance / (2 * spread**2))[None]


def _pixel_affine(transform: Transform, h: int, w: int) -> skimage.transform.ProjectiveTransform:
    """The same move made of scikit-image's own pieces, on pixel indices (x, y)."""
    affine = skimage.transform.AffineTransform
    centre = np.array(transform.centre or (0.5, 0.5)) * (w, h) - 0.5
    mirror = affine(scale=(-1.0 if transform.mirrored else 1.0, 1.0))
    turn = affine(scale=(transform.scale,) * 2, rotation=np.deg2rad(transform.angle))
    back = affine(translation=centre + np.array([transform.dx * w, transform.dy * h]))
    return affine(translation=-centre) + mirror + turn + back


@pytest.mark.parametrize(("h", "w"), FRAMES)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_warp_is_that_of_scikit_image(h: int, w: int, transform: Transform) -> None:
    image = torch.rand(1, h, w, dtype=torch.float64)
    inverse = _pixel_affine(transform, h, w).inverse
    expected = skimage.transform.warp(image[0].numpy(), inverse, order=1, mode="constant", cval=0.0)
    np.testing.assert_allclose(warp(image, transform)[0].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize(("h", "w"), FRAMES)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_warp_takes_a_blob_where_apply_takes_its_centre(h: int, w: int, transform: Transform) -> None:
    centre = torch.tensor([0.45, 0.5], dtype=torch.float64)
    moved = warp(_blob(h, w, *centre.tolist(), spread=0.05), transform)
    torch.testing.assert_close(centroid(moved)[0], transform.apply(centre, aspect=w / h), rtol=0, atol=4e-3)


@pytest.mark.parametrize(("h", "w"), FRAMES)
def test_a_translation_moves_the_centroid_by_itself(h: int, w: int) -> None:
    a = _blob(h, w, 0.4, 0.5, spread=0.04)
    shift = centroid(warp(a, Transform(dx=0.2, dy=-0.15))) - centroid(a)
    torch.testing.assert_close(shift[0], torch.tensor([0.2, -0.15]).double(), rtol=0, atol=1e-4)


def test_a_whole_number_of_cells_is_moved_exactly_and_nothing_comes_round_the_border() -> None:
    a = 1 + torch.rand(1, 6, 8, dtype=torch.float64)
    moved = warp(a, Transform(dx=3 / 8, dy=-2 / 6))
    torch.testing.assert_close(moved[:, :4, 3:], a[:, 2:, :5])
    assert moved[:, 4:].abs().max() < 1e-12
    assert moved[:, :, :3].abs().max() < 1e-12


@pytest.mark.parametrize("shift", [(1.1, 0.0), (0.0, -1.1), (-2.3, 2.3)])
def test_what_leaves_the_frame_is_gone(shift: tuple[float, float]) -> None:
    assert warp(torch.ones(1, 8, 12), Transform(*shift)).abs().max() == 0


@pytest.mark.parametrize("scale", [0.6, 1.5])
def test_scaling_multiplies_the_size_by_its_square_and_keeps_the_centre(scale: float) -> None:
    a = _blob(120, 180, 0.4, 0.55, spread=0.08)
    scaled = warp(a, Transform(scale=scale, centre=(0.4, 0.55)))
    assert (size(scaled) / size(a)).item() == pytest.approx(scale**2, rel=0.02)
    torch.testing.assert_close(centroid(scaled), centroid(a), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("h", "w"), [(40, 40), (30, 60)])
def test_a_quarter_turn_is_clockwise_and_round_on_screen(h: int, w: int) -> None:
    # from the centre to the right by a fifth of the height, then a quarter clockwise: as far below the centre
    transform = Transform(angle=90.0)
    point = transform.apply(torch.tensor([0.5 + 0.2 * h / w, 0.5], dtype=torch.float64), aspect=w / h)
    torch.testing.assert_close(point, torch.tensor([0.5, 0.7], dtype=torch.float64))
    moved = centroid(warp(_blob(h, w, 0.5 + 0.2 * h / w, 0.5, spread=0.05), transform))[0]
    torch.testing.assert_close(moved, torch.tensor([0.5, 0.7], dtype=torch.float64), rtol=0, atol=1e-3)


def test_a_quarter_turn_of_a_square_map_is_an_exact_rotation() -> None:
    a = torch.rand(2, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(warp(a, Transform(angle=90.0)), torch.rot90(a, -1, (1, 2)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_doing_nothing_changes_nothing_and_keeps_the_precision(dtype: torch.dtype) -> None:
    a = torch.rand(2, 7, 12, 3).to(dtype)
    still = warp(a, Transform())
    assert still.dtype == dtype
    torch.testing.assert_close(still, a, rtol=2 * torch.finfo(dtype).eps, atol=1e-5)


def test_half_precision_maps_are_sampled_at_full_precision() -> None:
    a = torch.rand(1, 96, 96).bfloat16()
    transform = Transform(dx=0.111, scale=1.1)
    expected = warp(a.float(), transform)
    torch.testing.assert_close(warp(a, transform).float(), expected, rtol=2**-8, atol=1e-6)


def test_features_are_warped_channel_by_channel() -> None:
    features = torch.rand(2, 10, 14, 3)
    transform = Transform(dx=0.1, scale=0.8, angle=15.0)
    moved = warp(features, transform)
    assert moved.shape == features.shape
    for i in range(3):
        torch.testing.assert_close(moved[..., i], warp(features[..., i], transform))


@pytest.mark.parametrize("transform", [TRANSFORMS[1], TRANSFORMS[3], TRANSFORMS[6]])
def test_gradcheck(transform: Transform) -> None:
    maps = torch.rand(1, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: warp(m, transform), (maps,))
    features = torch.rand(1, 3, 5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: warp(m, transform), (features,))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match=f"^scale must be positive, got {scale}$"):
        Transform(scale=scale)


@pytest.mark.parametrize("transform", [Transform(dx=0.21), Transform(dx=0.1, dy=0.053), Transform(scale=1.3)])
def test_noise_warped_by_the_nearest_cell_is_noise(transform: Transform) -> None:
    noise = torch.randn(1, 64, 64, 16, generator=torch.Generator().manual_seed(0))
    moved = warp(noise, transform, mode="nearest")
    landed = moved[moved != 0]
    assert landed.std().item() == pytest.approx(1, abs=0.02)
    assert warp(noise, transform)[moved != 0].std().item() < 0.9
