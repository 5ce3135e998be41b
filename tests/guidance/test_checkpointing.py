"""Gradients through a UNet whose activations are computed again, against those that were kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from guidance import Absence, Capture, Features, LayerSelection, Shape, Size, State, Transform
from guidance.checkpointing import checkpoint_gradients
from small_sdxl import small_sdxl

LEFT = torch.cat([torch.ones(1, 1, 16, 8), torch.zeros(1, 1, 16, 8)], -1)
ENERGIES = (
    Shape((2,), Transform(dx=0.2)),
    Size((2,), 1.3),
    Features(LEFT, Transform(dx=0.1)),
    Absence((2,), LEFT),
)


@pytest.fixture(scope="module")
def unet() -> Any:
    return small_sdxl(seed=1).unet


def inputs() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    added = {"text_embeds": torch.randn(1, 48, generator=generator), "time_ids": torch.ones(1, 6)}
    return {
        "timestep": 400,
        "encoder_hidden_states": torch.randn(1, 12, 80, generator=generator),
        "added_cond_kwargs": added,
    }


def gradients(unet: Any, everywhere: bool) -> list[Tensor]:
    """Each energy's gradient by the latent, with another run's keys and values read on the way."""
    parts = LayerSelection(("down", "mid", "up"))
    capture = Capture(unet, memory=parts) if everywhere else Capture(unet)
    generator = torch.Generator().manual_seed(3)
    source, x = (torch.randn(1, 4, 16, 16, generator=generator) for _ in range(2))
    x.requires_grad_(True)
    with capture:
        with torch.no_grad(), capture.record((16, 16), memory=True) as seen:
            unet(source, **inputs())
        masks = {level: torch.ones(n, 2 * n, dtype=torch.bool) for level, n in ((1, 64), (2, 16))}
        with capture.recall(seen.memory, masks), capture.record((16, 16), partial=True) as now:
            unet(x, **inputs())
        # the windows are as they were before: the backward pass runs after the step's contexts have ended
        state = State(x, 1, now, seen, None)
        return [torch.autograd.grad(energy(state), x, retain_graph=True)[0] for energy in ENERGIES]


@pytest.mark.parametrize("everywhere", [False, True])
def test_gradients_are_the_same(unet: Any, everywhere: bool) -> None:
    plain = gradients(unet, everywhere)
    checkpoint_gradients(unet)
    try:
        again = gradients(unet, everywhere)
    finally:
        unet.disable_gradient_checkpointing()
    for one, other in zip(plain, again, strict=True):
        assert float(one.abs().max()) > 0
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6 * float(one.abs().max()))


def test_less_is_kept(unet: Any) -> None:
    """Bytes that the graph keeps for the backward pass."""

    def kept() -> int:
        sizes: dict[int, int] = {}

        def pack(x: Tensor) -> Tensor:
            sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x

        x = torch.zeros(1, 4, 16, 16, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            unet(x, **inputs())
        return sum(sizes.values())

    weights = sum(weight.nbytes for weight in unet.parameters())
    before = kept()
    checkpoint_gradients(unet)
    try:
        assert kept() < before / 4
    finally:
        unet.disable_gradient_checkpointing()
    assert before > weights / 2
