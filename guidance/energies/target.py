"""Where an energy's target comes from: the source's reference, another image, or the caller.

Every self-guidance energy has a ``target``: None takes the source's own reference at the same level, an
:class:`Image` takes another image's object at that level, anything else is the property's value itself. The
energy's transform is applied to each of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from guidance.capture import Observation
from guidance.pooling import pooled_mean
from guidance.properties import object_attention
from guidance.terms import State

Activations = Callable[[int], Mapping[str, Tensor]]
"""Level -> given activations by layer: vectors ``[B, D]`` or maps ``[B, h, w, D]``."""


@dataclass(frozen=True)
class Image:
    """Another image's object, as the same denoiser sees it at the same level.

    Args:
        observe: level -> the observation of that image there, under the image's own prompt.
        tokens: the object's token positions in that prompt; none if only activations are read.
    """

    observe: Callable[[int], Observation | None]
    tokens: tuple[int, ...] = ()


def in_full(x: Tensor) -> Tensor:
    """Converts to fp32 at least: sums over maps lose too much in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Averages maps ``[B, h, w]`` or ``[B, h, w, D]`` to a size; maps of that size stay as they are."""
    if maps.shape[1:3] == size:
        return maps
    if maps.dim() == 3:
        return pooled_mean(maps, size)
    return pooled_mean(maps.movedim(-1, 1), size).movedim(1, -1)


def region_at(region: Tensor, like: Tensor) -> Tensor:
    """Averages a region ``[1, 1, H, W]`` to the size of a map ``[B, h, w, ...]``; ``[1, h, w]``.

    Raises:
        ValueError: the region has another shape.
    """
    require_map(region)
    return resized(region[0].to(like), (like.shape[1], like.shape[2]))


def require_map(region: Tensor) -> None:
    """Checks that a region has the shape ``[1, 1, H, W]``.

    Raises:
        ValueError: it has another shape.
    """
    if region.dim() != 4 or region.shape[:2] != (1, 1):
        raise ValueError(f"expected a region [1, 1, H, W], got {list(region.shape)}")


def observed(state: State, image: Image | None) -> Observation:
    """Returns the observation of the reference, or of another image, detached from the graph.

    Raises:
        ValueError: there is none at this level.
    """
    reference = state.reference if image is None else image.observe(state.level)
    if reference is None and image is None:
        raise ValueError("this energy needs a reference: give the sampler the source's observations")
    if reference is None:
        raise ValueError(f"the target's image was not observed at level {state.level}")
    attention = {name: a.detach() for name, a in reference.attention.items()}
    return Observation(attention, {name: f.detach() for name, f in reference.features.items()})


def over_layers(
    state: State,
    tokens: Sequence[int],
    target: Image | Tensor | None,
    *,
    of: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Averages an object's distance from a target over the captured layers.

    Args:
        state: what is seen, and the reference.
        tokens: the object's token positions.
        target: the property itself, or the image to read it from; None reads it from the reference.
        of: attention ``[B, h, w]`` -> property.
        distance: (seen attention ``[B, h, w]``, target property) -> scalar.
    """
    pairs = _paired(state, tokens, target, of)
    return torch.stack([distance(seen, goal) for seen, goal in pairs]).mean()


def _paired(
    state: State, tokens: Sequence[int], target: Image | Tensor | None, of: Callable[[Tensor], Tensor]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields each captured layer's attention ``[B, h, w]`` with the target's property there."""
    given = target.detach() if isinstance(target, Tensor) else None
    image = target if isinstance(target, Image) else None
    reference = observed(state, image).attention if given is None else {}
    theirs = tokens if image is None else image.tokens
    for name, attention in state.seen.attention.items():
        seen = object_attention(in_full(attention), tokens)
        if given is None:
            goal = of(object_attention(in_full(reference[name].to(seen.device)), theirs))
        else:
            goal = given.to(seen)
        yield seen, goal
