"""The training-time model against the pipeline that diffusers runs with the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.attention_loss import keep_attention
from examples.tabletop.export import as_pipeline
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import TOKENS, TabletopModel, whole_sizes
from examples.tabletop.train_diffusion import save

PROMPTS = [
    "a photo of a red mug and a wine glass on a wooden table",
    "an orange",
    "a zebra in a xylophone, " * 6,
]


@pytest.fixture(scope="module")
def pipeline(
    model: TabletopModel, tokenizer: CLIPTokenizer, vae_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> StableDiffusionXLPipeline:
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer.save_pretrained(folder / "tokenizer")
    save(MasterWeights(model), folder / "checkpoint.pt")
    return as_pipeline(folder, vae_folder)


def ids_of(tokenizer: CLIPTokenizer, prompts: list[str]) -> Tensor:
    return tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids


@torch.no_grad()
def encoded(pipeline: StableDiffusionXLPipeline, prompts: list[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Embedding, negative embedding, pooled, negative pooled."""
    encode: Any = pipeline.encode_prompt  # typed for one prompt, where it takes several
    return encode(prompts, device="cpu", do_classifier_free_guidance=True)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_text_is_encoded_as_the_pipeline_encodes_it(
    model: TabletopModel, tokenizer: CLIPTokenizer, pipeline: StableDiffusionXLPipeline, prompt: str
) -> None:
    embedding, _, pooled, _ = encoded(pipeline, [prompt])
    ours, our_pooled = model.encode(ids_of(tokenizer, [prompt]))
    assert ours.shape == (1, TOKENS, 256)
    torch.testing.assert_close(ours, embedding, rtol=0, atol=1e-6)
    torch.testing.assert_close(our_pooled, pooled, rtol=0, atol=1e-6)


def test_the_two_encoders_and_two_prompts_differ(model: TabletopModel, tokenizer: CLIPTokenizer) -> None:
    both, pooled = model.encode(ids_of(tokenizer, PROMPTS[:2]))
    assert (both[..., :128] - both[..., 128:]).abs().mean() > 0.1
    assert (both[0] - both[1]).abs().mean() > 0.1
    assert (pooled[0] - pooled[1]).abs().mean() > 0.1


@pytest.mark.parametrize("size", [128, 256])
def test_noise_is_predicted_as_the_pipeline_calls_its_unet(
    model: TabletopModel, tokenizer: CLIPTokenizer, pipeline: StableDiffusionXLPipeline, size: int
) -> None:
    latents, times = torch.randn(2, 4, size // 4, size // 4), torch.tensor([10, 900])
    embedding, none, pooled, none_pooled = encoded(pipeline, PROMPTS[:2])
    width = pipeline.text_encoder_2.config.projection_dim
    time_ids = pipeline._get_add_time_ids((size, size), (0, 0), (size, size), torch.float32, width)

    def expected(k: int, text: Tensor, text_pooled: Tensor) -> Tensor:
        conditions = {"text_embeds": text_pooled[k, None], "time_ids": time_ids}
        with torch.no_grad():
            return pipeline.unet(
                latents[k, None], times[k], text[k, None], added_cond_kwargs=conditions
            ).sample[0]

    named = torch.tensor([True, False])
    found = model(latents, times, ids_of(tokenizer, PROMPTS[:2]), named, whole_sizes(size))
    torch.testing.assert_close(found[0], expected(0, embedding, pooled), rtol=1e-4, atol=1e-5)
    # Dropped text is the pipeline's empty prompt, whatever the caption was.
    torch.testing.assert_close(found[1], expected(1, none, none_pooled), rtol=1e-4, atol=1e-5)
    assert not none.any()
    assert not none_pooled.any()
    assert (found[1] - expected(1, embedding, pooled)).abs().max() > 1e-3


def test_the_model_is_told_the_size(model: TabletopModel, tokenizer: CLIPTokenizer) -> None:
    inputs = torch.randn(1, 4, 16, 16), torch.tensor([500]), ids_of(tokenizer, PROMPTS[:1])
    small, large = (model(*inputs, torch.tensor([True]), whole_sizes(size)) for size in (64, 256))
    assert (small - large).abs().max() > 1e-4


def test_cross_attention_lies_at_a_16th_and_a_32nd_of_the_picture(tokenizer: CLIPTokenizer) -> None:
    model = TabletopModel.new(tokenizer)
    kept = keep_attention(model.unet)
    with torch.no_grad():
        model(
            torch.randn(1, 4, 64, 64),
            torch.tensor([500]),
            ids_of(tokenizer, PROMPTS[:1]),
            torch.tensor([True]),
            whole_sizes(256),
        )
    assert {tuple(layer.shape) for layer in kept.maps} == {(1, 16 * 16, TOKENS), (1, 8 * 8, TOKENS)}


def test_the_model_is_small(model: TabletopModel) -> None:
    unet = sum(p.numel() for p in model.unet.parameters())
    every = sum(p.numel() for p in model.parameters())
    assert unet <= 20_000_000
    assert every - unet <= 2_000_000


def test_an_exported_folder_gives_the_weights_back(
    model: TabletopModel, pipeline: StableDiffusionXLPipeline, tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path)
    again = TabletopModel.from_pipeline(tmp_path).state_dict()
    assert again.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(again[name], value), name
