from __future__ import annotations

import pytest
import torch
from torch import Tensor

from guidance import (
    Absence,
    Appearance,
    Centroid,
    Energy,
    Features,
    Observation,
    Shape,
    Size,
    State,
    Transform,
)
from guidance.properties import centroid, object_attention, shape, size
from guidance.warp import warp

TOKENS = (1, 2)
MOVE = Transform(dx=0.2, dy=-0.1)
OTHER = Transform(dx=-0.2, dy=0.1)
LEFT = torch.zeros(1, 1, 24, 32)
LEFT[..., :16] = 1


def _blob(h: int, w: int, x: float, y: float, spread: float = 0.09) -> Tensor:
    rows = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    columns = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    distance = ((columns[None] - x) * w / h) ** 2 + (rows[:, None] - y) ** 2
    return torch.exp(-distance / (2 * spread**2))[None]


def _seen(x: float, y: float, spread: float = 0.09, colour: float = 1.0) -> Observation:
    """Two layers that see a blob in tokens 1 and 2, and its colour in their activations."""
    attention, features = {}, {}
    for name, (h, w) in {"coarse": (12, 16), "fine": (24, 32)}.items():
        blob = _blob(h, w, x, y, spread)
        attention[name] = torch.stack([1 - blob, 0.9 * blob, 0.7 * blob], -1)
        features[f"{name}.block"] = torch.stack([1 + colour * blob, 2 - blob, blob], -1)
    return Observation(attention, features)


def _state(seen: Observation, reference: Observation | None) -> State:
    return State(torch.zeros(1, 4, 24, 32), 1, seen, reference)


REFERENCE = _seen(0.4, 0.5)
EVERYWHERE = torch.ones(1, 1, 24, 32)
RELATIVE: dict[str, Energy] = {
    "shape": Shape(TOKENS),
    "centroid": Centroid(TOKENS),
    "size": Size(TOKENS),
    "appearance": Appearance(TOKENS),
    "features": Features(EVERYWHERE),
}


@pytest.mark.parametrize("name", RELATIVE)
def test_an_energy_is_zero_at_its_own_target_and_nowhere_less(name: str) -> None:
    assert RELATIVE[name](_state(REFERENCE, REFERENCE)).item() == pytest.approx(0, abs=1e-6)
    assert RELATIVE[name](_state(_seen(0.6, 0.35, 0.14, 2.0), REFERENCE)).item() > 0.01


@pytest.mark.parametrize("energy", [Shape, Centroid])
def test_an_object_that_has_moved_as_asked_has_arrived(energy: type[Shape] | type[Centroid]) -> None:
    moved = _state(_seen(0.6, 0.4), REFERENCE)
    there, wrong, stay = (energy(TOKENS, t)(moved).item() for t in (MOVE, OTHER, Transform()))
    assert there < 0.01
    assert wrong > stay > 10 * there


def test_an_enlarged_object_has_the_asked_shape_and_size() -> None:
    about = Transform(scale=1.5, centre=(0.4, 0.5))
    enlarged = _state(_seen(0.4, 0.5, 0.135), REFERENCE)
    assert Shape(TOKENS, about)(enlarged) < 0.02 < Shape(TOKENS)(enlarged)
    assert Size(TOKENS, 1.5)(enlarged) < 0.05 < Size(TOKENS)(enlarged)


def test_shape_is_the_mean_absolute_difference_of_the_moved_reference() -> None:
    seen = _seen(0.5, 0.5, 0.12)
    expected = [
        (
            shape(object_attention(seen.attention[layer], TOKENS))
            - warp(shape(object_attention(REFERENCE.attention[layer], TOKENS)), MOVE)
        )
        .abs()
        .mean()
        for layer in ("coarse", "fine")
    ]
    torch.testing.assert_close(Shape(TOKENS, MOVE)(_state(seen, REFERENCE)), torch.stack(expected).mean())


def test_centroid_is_the_mean_distance_along_each_axis() -> None:
    seen = _seen(0.5, 0.6)
    place = [centroid(shape(object_attention(s.attention["fine"], TOKENS)))[0] for s in (seen, REFERENCE)]
    only = Observation({"fine": seen.attention["fine"]})
    expected = (place[0] - place[1] - torch.tensor([0.2, -0.1]).double()).abs().mean()
    torch.testing.assert_close(Centroid(TOKENS, MOVE)(_state(only, REFERENCE)), expected)
    assert expected.item() == pytest.approx((0.1 + 0.2) / 2, abs=0.01)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_size_is_the_relative_error_of_the_covered_share(scale: float) -> None:
    seen = _seen(0.4, 0.5, 0.12)
    errors = []
    for layer in ("coarse", "fine"):
        now, then = (size(object_attention(s.attention[layer], TOKENS)) for s in (seen, REFERENCE))
        errors.append((now / (then * scale**2) - 1).abs())
    torch.testing.assert_close(Size(TOKENS, scale)(_state(seen, REFERENCE)), torch.stack(errors).mean())


def test_appearance_ignores_where_the_object_is_but_not_its_colour() -> None:
    moved, recoloured = _seen(0.6, 0.4), _seen(0.4, 0.5, colour=2.0)
    here, other = (Appearance(TOKENS)(_state(seen, REFERENCE)).item() for seen in (moved, recoloured))
    assert here < 0.01
    assert other > 0.1


def test_features_count_inside_the_region_alone() -> None:
    seen = Observation({}, {name: f.clone() for name, f in REFERENCE.features.items()})
    for f in seen.features.values():
        f[:, :, f.shape[2] // 2 :] += 1
    assert Features(LEFT)(_state(seen, REFERENCE)).item() == pytest.approx(0, abs=1e-6)
    right = Features(1 - LEFT)(_state(seen, REFERENCE)).item()
    magnitudes = [f[:, :, f.shape[2] // 2 :].abs().float().mean().item() for f in REFERENCE.features.values()]
    assert right == pytest.approx(sum(1 / m for m in magnitudes) / 2, rel=1e-5)


def test_features_from_beyond_the_frame_do_not_count() -> None:
    seen = Observation({}, {name: f.clone() for name, f in REFERENCE.features.items()})
    for f in seen.features.values():
        f[:, :, : f.shape[2] // 2] = 99.0
    half = Transform(dx=0.5)  # all that comes to the left half comes from beyond the frame
    assert Features(LEFT, half)(_state(seen, REFERENCE)).item() == pytest.approx(0, abs=1e-6)
    shifted = Observation({}, {name: warp(f, half) for name, f in REFERENCE.features.items()})
    assert Features(EVERYWHERE, half)(_state(shifted, REFERENCE)).item() == pytest.approx(0, abs=1e-6)


def test_features_follow_the_transform() -> None:
    moved = _state(_seen(0.6, 0.4), REFERENCE)
    around = torch.zeros(1, 1, 24, 32)
    around[..., 4:16, 14:25] = 1
    assert Features(around, MOVE)(moved) < 0.1 * Features(around)(moved)


def test_absence_is_the_share_of_the_attention_inside_the_region() -> None:
    seen = _seen(0.45, 0.5, 0.12)
    shares = [
        (a[..., :, : a.shape[2] // 2].sum() / a.sum()).item()
        for a in (object_attention(seen.attention[layer], TOKENS) for layer in ("coarse", "fine"))
    ]
    absence = Absence(TOKENS, LEFT)(_state(seen, None)).item()
    assert absence == pytest.approx(sum(shares) / 2, rel=1e-5)
    assert Absence(TOKENS, EVERYWHERE)(_state(seen, None)).item() == pytest.approx(1)
    assert Absence(TOKENS, EVERYWHERE * 0)(_state(seen, None)).item() == 0


@pytest.mark.parametrize("name", RELATIVE)
def test_the_target_is_fixed_by_the_reference(name: str) -> None:
    """The gradient reaches what is seen now and none of it an attached reference."""
    seen = _seen(0.5, 0.45, 0.12, 2.0)
    leaves = [a.requires_grad_() for a in (*seen.attention.values(), *seen.features.values())]
    reference = Observation(
        {name: a.clone().requires_grad_() for name, a in REFERENCE.attention.items()},
        {name: f.clone().requires_grad_() for name, f in REFERENCE.features.items()},
    )
    RELATIVE[name](_state(seen, reference)).backward()
    assert any(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in leaves)
    assert all(a.grad is None for a in (*reference.attention.values(), *reference.features.values()))


def test_a_relative_energy_without_a_reference_is_refused() -> None:
    for energy in RELATIVE.values():
        with pytest.raises(ValueError, match="needs a reference"):
            energy(_state(REFERENCE, None))


def test_appearance_needs_attention_at_the_activations_resolution() -> None:
    lone = Observation(
        {"coarse": REFERENCE.attention["coarse"]}, {"fine.block": REFERENCE.features["fine.block"]}
    )
    with pytest.raises(ValueError, match=r"no attention was captured at the 24 x 32 of fine\.block"):
        Appearance(TOKENS)(_state(lone, REFERENCE))


def test_tokens_beyond_the_attention_are_refused() -> None:
    with pytest.raises(IndexError, match="lie outside the 3 columns"):
        Shape((5,))(_state(REFERENCE, REFERENCE))
    with pytest.raises(ValueError, match="at least one token"):
        Shape(())(_state(REFERENCE, REFERENCE))
