from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from guidance.capture import Capture
from guidance.layers import (
    PARTS,
    LayerSelection,
    Site,
    attention_sites,
    map_size,
    select,
    transformer_sites,
)
from realedit.models.backbone import Backbone, Prompt

SDXL_BASE = {
    "act_fn": "silu",
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "cross_attention_dim": 2048,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "in_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "out_channels": 4,
    "projection_class_embeddings_input_dim": 2816,
    "sample_size": 128,
    "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "use_linear_projection": True,
}
"""The public config of stabilityai/stable-diffusion-xl-base-1.0's UNet, as far as it shapes the network."""


@pytest.fixture(scope="module")
def sdxl() -> UNet2DConditionModel:
    """SDXL's own architecture without its weights."""
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel.from_config(SDXL_BASE)
    return unet.requires_grad_(False)


def test_sdxl_is_the_published_size(sdxl: UNet2DConditionModel) -> None:
    assert sum(p.numel() for p in sdxl.parameters()) == 2_567_463_684


@pytest.mark.parametrize("cross", [True, False])
def test_sdxl_has_seventy_layers_of_each_kind_thirty_six_of_them_up(
    sdxl: UNet2DConditionModel, cross: bool
) -> None:
    sites = attention_sites(sdxl, cross=cross)
    assert Counter(site.part for site in sites) == {"down": 24, "mid": 10, "up": 36}
    assert Counter((site.part, site.level) for site in sites) == {
        ("down", 1): 4,
        ("down", 2): 20,
        ("mid", 2): 10,
        ("up", 2): 30,
        ("up", 1): 6,
    }


def test_sdxl_ranks_are_64_and_32_cells_at_1024_px(sdxl: UNet2DConditionModel) -> None:
    sites = attention_sites(sdxl, cross=True)
    fine = select(sites, sdxl, LayerSelection(("up",), (0,)))
    coarse = select(sites, sdxl, LayerSelection(("up",), (1,)))
    assert (len(fine), len(coarse)) == (6, 30)
    assert {map_size((128, 128), site.level) for site in fine} == {(64, 64)}
    assert {map_size((128, 128), site.level) for site in coarse} == {(32, 32)}


def test_sdxl_maps_come_in_the_sizes_that_the_ranks_promise(sdxl: UNet2DConditionModel) -> None:
    def meta(*shape: int) -> Tensor:
        return torch.empty(*shape, device="meta")

    extra = {"text_embeds": meta(1, 1280), "time_ids": meta(1, 6)}
    with Capture(sdxl, LayerSelection(PARTS), LayerSelection(PARTS)) as capture, torch.no_grad():
        with capture.record((128, 96)) as seen:
            sdxl(meta(1, 4, 128, 96), meta(1), meta(1, 77, 2048), added_cond_kwargs=extra)
    assert Counter(tuple(a.shape) for a in seen.attention.values()) == {
        (1, 64, 48, 77): 10,
        (1, 32, 24, 77): 60,
    }
    assert Counter(tuple(f.shape) for f in seen.features.values()) == {
        (1, 64, 48, 640): 5,
        (1, 32, 24, 1280): 6,
    }


@pytest.mark.parametrize(("cross", "name"), [(True, "attn2"), (False, "attn1")])
def test_every_attention_layer_of_the_embedded_model_is_found(
    backbone: Backbone, cross: bool, name: str
) -> None:
    expected = {path for path, _ in backbone.unet.named_modules() if path.endswith(f".{name}")}
    sites = attention_sites(backbone.unet, cross=cross)
    assert {site.name for site in sites} == expected
    assert len(sites) == len(expected) == 11
    for site in sites:
        assert backbone.unet.get_submodule(site.name) is site.module


@pytest.mark.parametrize("kind", ["cross", "self", "transformer"])
def test_sites_are_listed_in_the_order_in_which_the_unet_runs_them(
    backbone: Backbone, prompt: Prompt, kind: str
) -> None:
    unet = backbone.unet
    sites = transformer_sites(unet) if kind == "transformer" else attention_sites(unet, cross=kind == "cross")
    ran: list[str] = []

    def note(site: Site) -> object:
        return site.module.register_forward_hook(lambda *_: ran.append(site.name))

    handles = [note(site) for site in reversed(sites)]
    try:
        with torch.no_grad():
            backbone(torch.zeros(1, 4, 8, 8), 501, prompt.conditioning)
    finally:
        for handle in handles:
            handle.remove()  # pyright: ignore[reportAttributeAccessIssue]
    assert ran == [site.name for site in sites]


def test_the_embedded_models_cross_attention_sits_at_a_quarter_and_an_eighth_of_its_latent(
    backbone: Backbone,
) -> None:
    sites = attention_sites(backbone.unet, cross=True)
    assert Counter((s.part, s.level) for s in sites) == {
        ("down", 2): 1,
        ("down", 3): 2,
        ("mid", 3): 2,
        ("up", 3): 4,
        ("up", 2): 2,
    }


@pytest.mark.parametrize("size", [(16, 16), (16, 24), (17, 23), (9, 18)])
def test_map_size_is_that_of_the_convolutions(backbone: Backbone, size: tuple[int, int]) -> None:
    x: Tensor = torch.zeros(1, 1, *size)
    halve = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    for level in range(4):
        assert map_size(size, level) == tuple(x.shape[-2:])
        x = halve(x)


def test_a_selection_takes_parts_and_ranks(backbone: Backbone) -> None:
    sites = attention_sites(backbone.unet, cross=True)
    assert select(sites, backbone.unet, LayerSelection(PARTS)) == sites
    fine = select(sites, backbone.unet, LayerSelection(("down", "up"), (0,)))
    assert [(s.part, s.level) for s in fine] == [("down", 2), ("up", 2), ("up", 2)]
    both = select(sites, backbone.unet, LayerSelection(("up",), (0, 1)))
    assert both == [s for s in sites if s.part == "up"]


@pytest.mark.parametrize(
    "selection", [LayerSelection(("mid",), (0,)), LayerSelection(("up",), (2,)), LayerSelection(())]
)
def test_a_selection_of_nothing_is_refused(backbone: Backbone, selection: LayerSelection) -> None:
    sites = attention_sites(backbone.unet, cross=True)
    with pytest.raises(ValueError, match=r"names no layer; cross-attention sits at levels \[2, 3\]$"):
        select(sites, backbone.unet, selection)


def test_something_that_is_no_unet_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"^Linear has no down_blocks and up_blocks: expected a UNet of diffusers' shape$"
    ):
        attention_sites(nn.Linear(1, 1), cross=True)
