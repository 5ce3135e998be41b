"""Where a target comes from: a given value, or a second image's object."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from guidance import (
    Appearance,
    Centroid,
    Energy,
    Features,
    Image,
    Observation,
    Shape,
    Size,
    State,
    Transform,
    appearance_vectors,
    warp,
)
from guidance.properties import centroid, object_attention, shape, size

TOKENS = (1, 2)
FRAMES = [(24, 24), (16, 40), (30, 18)]


def _blob(h: int, w: int, x: float, y: float, spread: float = 0.09) -> Tensor:
    rows = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    columns = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    distance = ((columns[None] - x) * w / h) ** 2 + (rows[:, None] - y) ** 2
    return torch.exp(-distance / (2 * spread**2))[None]


def _seen(
    h: int, w: int, x: float, y: float, spread: float = 0.09, colour: float = 1.0, extra: int = 0
) -> Observation:
    """Two layers that see a blob in tokens 1 and 2, after ``extra`` columns of other words."""
    attention, features = {}, {}
    for name, factor in {"coarse": 1, "fine": 2}.items():
        blob = _blob(factor * h, factor * w, x, y, spread)
        words = [1 - blob] * (1 + extra) + [0.9 * blob, 0.7 * blob]
        attention[name] = torch.stack(words, -1)
        features[f"{name}.block"] = torch.stack([1 + colour * blob, 2 - blob, blob], -1)
    return Observation(attention, features)


def _state(seen: Observation, reference: Observation | None = None, level: int = 3) -> State:
    return State(torch.zeros(1, 4, 8, 8), level, seen, reference)


def _objects(seen: Observation) -> list[Tensor]:
    return [object_attention(a, TOKENS) for a in seen.attention.values()]


@pytest.mark.parametrize(("h", "w"), FRAMES)
def test_a_given_place_is_the_distance_along_each_axis(h: int, w: int) -> None:
    seen = _seen(h, w, 0.5, 0.4)
    errors = [(centroid(shape(a))[0] - torch.tensor([0.3, 0.6])).abs().mean() for a in _objects(seen)]
    energy = Centroid(TOKENS, target=(0.3, 0.6))
    torch.testing.assert_close(energy(_state(seen)), torch.stack(errors).mean())
    assert energy(_state(seen)).item() == pytest.approx(0.2, abs=0.01)
    assert Centroid(TOKENS, target=(0.5, 0.4))(_state(seen)) < 0.01


@pytest.mark.parametrize(("h", "w"), FRAMES)
def test_a_given_share_of_the_frame_is_met_by_an_object_of_that_size(h: int, w: int) -> None:
    seen = _seen(h, w, 0.5, 0.5, 0.12)
    now = torch.stack([size(a) for a in _objects(seen)]).mean().item()
    assert Size(TOKENS, target=now)(_state(seen)) < 0.03
    assert Size(TOKENS, 2.0, target=now / 4)(_state(seen)) < 0.03
    assert Size(TOKENS, target=now / 2)(_state(seen)).item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("h", "w"), FRAMES)
def test_a_given_mask_of_any_size_is_met_by_an_object_of_that_shape(h: int, w: int) -> None:
    mask = shape(_blob(5 * h, 5 * w, 0.4, 0.55))[None]
    there, elsewhere = (Shape(TOKENS, target=mask)(_state(_seen(h, w, x, 0.55))).item() for x in (0.4, 0.6))
    assert there < 0.02 < elsewhere
    moved = Shape(TOKENS, Transform(dx=0.2), mask)(_state(_seen(h, w, 0.6, 0.55))).item()
    assert moved < 0.02


def test_a_mask_thinner_than_a_layers_cells_can_still_be_met() -> None:
    thin = torch.zeros(1, 1, 48, 48)
    thin[..., 16:17, 8:40] = 1
    seen = torch.zeros(1, 12, 12, 3, dtype=torch.float64)
    seen[0, 4, 2:10, 1:] = 1
    assert Shape(TOKENS, target=thin)(_state(Observation({"coarse": seen}))) < 0.01


RELATIVE = [Shape, Centroid, Size, Appearance]


@pytest.mark.parametrize("energy", RELATIVE)
def test_another_images_object_is_met_by_its_like_under_its_own_words(
    energy: type[Shape] | type[Centroid] | type[Size] | type[Appearance],
) -> None:
    """The second prompt has two words more in front; the source's own reference plays no part."""
    other = _seen(16, 24, 0.35, 0.6, 0.12, 2.0, extra=2)
    image = Image({3: other}.get, (3, 4))
    term = energy(TOKENS, target=image)
    own = _seen(16, 24, 0.6, 0.4)
    assert term(_state(_seen(16, 24, 0.35, 0.6, 0.12, 2.0), own)).item() == pytest.approx(0, abs=1e-9)
    assert term(_state(own, own)) > 0.02


@pytest.mark.parametrize("energy", RELATIVE)
def test_another_image_may_have_another_frame(
    energy: type[Shape] | type[Centroid] | type[Size] | type[Appearance],
) -> None:
    other = _seen(24, 24, 0.4, 0.5, 0.12)
    seen = _seen(24, 36, 0.4, 0.5, 0.12)  # as large in units of the height, so less of the frame's area
    term = energy(TOKENS, target=Image({3: other}.get, TOKENS))
    value = term(_state(seen)).item()
    if energy is Size:
        assert value == pytest.approx(1 / 3, abs=0.05)
    else:
        assert value < 0.08


def test_another_images_object_can_be_moved() -> None:
    image = Image({3: _seen(16, 24, 0.4, 0.5)}.get, TOKENS)
    state = _state(_seen(16, 24, 0.6, 0.4))
    assert Centroid(TOKENS, Transform(0.2, -0.1), image)(state) < 0.01 < Centroid(TOKENS, target=image)(state)
    assert Shape(TOKENS, Transform(0.2, -0.1), image)(state) < 0.01 < Shape(TOKENS, target=image)(state)


def test_another_images_activations_in_a_region() -> None:
    other = _seen(16, 24, 0.4, 0.5, colour=3.0)
    everywhere = torch.ones(1, 1, 16, 24)
    energy = Features(everywhere, target=Image({3: other}.get))
    assert energy(_state(other)).item() == pytest.approx(0, abs=1e-9)
    assert energy(_state(_seen(16, 24, 0.4, 0.5))) > 0.02
    resized = Features(everywhere, target=Image({3: _seen(32, 48, 0.4, 0.5, colour=3.0)}.get))
    assert resized(_state(other)) < 0.02


def test_a_given_vector_is_matched_wherever_the_object_is() -> None:
    vectors = appearance_vectors(_seen(16, 24, 0.4, 0.5, colour=2.0), TOKENS)
    energy = Appearance(TOKENS, lambda _: vectors)
    assert energy(_state(_seen(16, 24, 0.6, 0.45, colour=2.0))) < 0.01
    assert energy(_state(_seen(16, 24, 0.6, 0.45, colour=1.0))) > 0.05


def test_given_activations_are_asked_for_at_the_level_and_may_leave_layers_out() -> None:
    seen, asked = _seen(8, 12, 0.4, 0.5), []

    def vectors(level: int) -> dict[str, Tensor]:
        asked.append(level)
        return {"fine.block": torch.tensor([[2.0, 1.0, 1.0]])}

    value = Appearance(TOKENS, vectors)(_state(seen, level=7))
    now = appearance_vectors(seen, TOKENS)["fine.block"]
    torch.testing.assert_close(value, (now - torch.tensor([2.0, 1.0, 1.0])).abs().mean() / (4 / 3))
    assert asked == [7]


def test_given_maps_count_inside_the_region_alone() -> None:
    seen = _seen(8, 12, 0.4, 0.5)
    left = torch.zeros(1, 1, 8, 12)
    left[..., :6] = 1
    maps = {name: f.clone() for name, f in seen.features.items()}
    for f in maps.values():
        f[:, :, f.shape[2] // 2 :] = 7
    assert Features(left, target=lambda _: maps)(_state(seen)).item() == pytest.approx(0, abs=1e-9)
    assert Features(1 - left, target=lambda _: maps)(_state(seen)) > 0.5


def test_no_gradient_reaches_a_target() -> None:
    seen, other = _seen(8, 12, 0.5, 0.45, 0.12, 2.0), _seen(8, 12, 0.4, 0.5)
    for value in (*seen.attention.values(), *seen.features.values()):
        value.requires_grad_()
    targets = [v.requires_grad_() for v in (*other.attention.values(), *other.features.values())]
    mask = shape(_blob(8, 12, 0.4, 0.5))[None].requires_grad_()
    vector = torch.ones(1, 3, requires_grad=True)
    everywhere = torch.ones(1, 1, 8, 12)
    image = Image({3: other}.get, TOKENS)
    energies: list[Energy] = [
        Shape(TOKENS, target=image),
        Shape(TOKENS, target=mask),
        Centroid(TOKENS, target=image),
        Size(TOKENS, target=image),
        Appearance(TOKENS, image),
        Appearance(TOKENS, lambda _: {"fine.block": vector}),
        Features(everywhere, target=image),
        Features(everywhere, target=lambda _: other.features),
    ]
    for energy in energies:
        energy(_state(seen)).backward()
    assert seen.attention["fine"].grad is not None
    assert all(target.grad is None for target in (*targets, mask, vector))


def test_what_is_no_target_is_refused() -> None:
    seen = _seen(8, 12, 0.4, 0.5)
    with pytest.raises(ValueError, match=r"share of the frame in \(0, 1\], got 1\.5"):
        Size(TOKENS, target=1.5)
    with pytest.raises(ValueError, match=r"region \[1, 1, H, W\], got \[8, 12\]"):
        Shape(TOKENS, target=torch.ones(8, 12))
    with pytest.raises(ValueError, match="the target's image was not observed at level 3"):
        Centroid(TOKENS, target=Image({}.get, TOKENS))(_state(seen))
    with pytest.raises(ValueError, match="none of the captured layers at level 3"):
        Appearance(TOKENS, lambda _: {})(_state(seen))
    without = Observation(seen.attention)
    with pytest.raises(ValueError, match="none of the captured layers at level 3"):
        Features(torch.ones(1, 1, 8, 12))(_state(seen, without))


def test_the_moved_target_is_the_warped_one() -> None:
    seen, transform = _seen(8, 12, 0.5, 0.5), Transform(dx=0.1, scale=1.2, centre=(0.3, 0.6))
    mask = shape(_blob(16, 24, 0.4, 0.5))[None]
    only = Observation({"fine": seen.attention["fine"]})
    goal = warp(mask[0] / mask.max(), transform)
    expected = (shape(object_attention(only.attention["fine"], TOKENS)) - goal).abs().mean()
    torch.testing.assert_close(Shape(TOKENS, transform, mask)(_state(only)), expected)


@pytest.mark.parametrize("energy", [Centroid, Shape])
def test_each_picture_of_a_batch_is_scaled_about_its_own_object(energy: type[Centroid | Shape]) -> None:
    grown, places = Transform(scale=1.5), (0.3, 0.7)
    seen, source = (
        [_seen(24, 24, x, 0.5).attention["fine"] for x in shift]
        for shift in ([x + 0.05 for x in places], places)
    )

    def measured(now: list[Tensor], then: list[Tensor]) -> float:
        state = _state(Observation({"fine": torch.cat(now)}), Observation({"fine": torch.cat(then)}))
        return energy(TOKENS, grown)(state).item()

    apart = [measured([now], [then]) for now, then in zip(seen, source, strict=True)]
    assert measured(seen, source) == pytest.approx(sum(apart) / 2, abs=1e-5)


def test_without_a_centre_an_object_is_scaled_about_its_own_centroid() -> None:
    only = Observation({"fine": _seen(24, 24, 0.35, 0.55).attention["fine"]})
    place = centroid(shape(object_attention(only.attention["fine"], TOKENS)))[0].tolist()
    free, about = (Transform(dx=0.1, scale=1.4, angle=30.0, centre=c) for c in (None, (place[0], place[1])))
    for energy in (Shape, Centroid):
        seen = _state(Observation({"fine": _seen(24, 24, 0.5, 0.5).attention["fine"]}), only)
        torch.testing.assert_close(energy(TOKENS, free)(seen), energy(TOKENS, about)(seen))
