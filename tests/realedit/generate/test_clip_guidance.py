"""The CLIP adapter on the real architecture at a tiny size, against transformers' own preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

from guidance import Capture, Clip, Observation, State, Term, Window, self_guided_sample
from inversion import Guidance
from realedit.generate import ClipEmbedder, picture_decoder
from realedit.models.backbone import Backbone, Prompt

SIDE = 64


def _processor(backbone: Backbone, **image: Any) -> Any:
    square = {"height": SIDE, "width": SIDE}
    options: dict[str, Any] = {"size": {"shortest_edge": SIDE}, "crop_size": square} | image
    return CLIPProcessor(CLIPImageProcessor(**options), backbone.pipeline.tokenizer)


@pytest.fixture(scope="module")
def model(backbone: Backbone) -> CLIPModel:
    """A randomly initialised CLIP of two layers a tower."""
    tokenizer: Any = backbone.pipeline.tokenizer
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config = CLIPConfig(
        text_config=tower | ids | {"vocab_size": len(tokenizer)},
        vision_config=tower | {"image_size": SIDE, "patch_size": 16},
        projection_dim=24,
    )
    torch.manual_seed(0)
    return CLIPModel(config).eval()


@pytest.fixture
def embedder(model: CLIPModel, backbone: Backbone) -> ClipEmbedder:
    return ClipEmbedder(model, _processor(backbone))


def _picture(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"resample": 2},
        {"size": {"height": SIDE, "width": SIDE}, "do_center_crop": False},
        {"size": {"shortest_edge": 48}},
        {"do_resize": False},
        {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]},
    ],
)
@pytest.mark.parametrize("size", [(128, 192), (150, 101), (40, 90)])
def test_preprocessing_is_transformers_own_up_to_its_rounding(
    model: CLIPModel, backbone: Backbone, photo: np.ndarray, options: dict[str, Any], size: tuple[int, int]
) -> None:
    processor = _processor(backbone, **options)
    rgb = np.array(Image.fromarray(photo).resize((size[1], size[0]), Image.Resampling.BICUBIC))
    theirs = processor.image_processor(Image.fromarray(rgb), return_tensors="pt")["pixel_values"]
    ours = ClipEmbedder(model, processor).preprocess(_picture(rgb))
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs() * torch.tensor(processor.image_processor.image_std).view(3, 1, 1)
    assert difference.max() < 2 / 255  # the processor rounds to bytes between its steps


def test_a_photos_embedding_is_the_models_own(
    model: CLIPModel, embedder: ClipEmbedder, backbone: Backbone, photo: np.ndarray
) -> None:
    inputs = _processor(backbone)(text=["a mug"], images=Image.fromarray(photo), return_tensors="pt")
    with torch.no_grad():
        out = model(**inputs)
    torch.testing.assert_close(embedder.photo(photo), out.image_embeds, rtol=0, atol=3e-3)
    torch.testing.assert_close(embedder.text("a mug"), out.text_embeds)
    torch.testing.assert_close(embedder.photo(photo).norm(dim=-1), torch.ones(1))


def test_a_text_longer_than_the_model_takes_is_cut_off(embedder: ClipEmbedder) -> None:
    assert embedder.text("a red mug and " * 60).shape == (1, 24)


def test_the_decoder_shows_what_the_backbone_does(backbone: Backbone, latent: Tensor) -> None:
    with torch.no_grad():
        picture = picture_decoder(backbone)(latent)
    expected = backbone.decode(latent)
    shown = ((picture[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).numpy()
    np.testing.assert_allclose(shown, expected, atol=1e-3)


def test_the_gradient_reaches_the_latent_and_no_weight(
    embedder: ClipEmbedder, backbone: Backbone, latent: Tensor
) -> None:
    z = latent.clone().requires_grad_()
    target = embedder.text("a mug")
    energy = Clip(picture_decoder(backbone), embedder.pictures, target)
    (gradient,) = torch.autograd.grad(energy(State(z, 1, Observation(), x_0=z)), z)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0
    assert not any(p.requires_grad for p in embedder.model.parameters())
    assert not target.requires_grad


def test_what_lies_outside_the_range_of_a_picture_has_no_gradient(embedder: ClipEmbedder) -> None:
    x = torch.zeros(1, 3, 80, 96)
    x[..., :20, :] = 1.5
    x.requires_grad_()
    embedder.pictures(x)[0, 0].backward()
    assert x.grad is not None
    assert x.grad[..., :20, :].abs().max() == 0
    assert x.grad[..., 24:, 8:-8].abs().max() > 0


def test_guidance_brings_the_sample_nearer_to_a_text(
    embedder: ClipEmbedder, backbone: Backbone, prompt: Prompt
) -> None:
    schedule = backbone.schedule(6)
    noise = torch.randn(1, 4, 24, 32, generator=torch.Generator().manual_seed(3))
    energy = Clip(picture_decoder(backbone), embedder.pictures, embedder.text("a white bowl"))
    guidance = Guidance(prompt.conditioning, prompt.null, 2.0)
    distances = []
    with Capture(backbone.unet) as capture:
        for strength in (0.0, 1.0):
            z, _ = self_guided_sample(
                backbone,
                capture,
                schedule,
                noise,
                guidance=guidance,
                terms=[Term(energy, window=Window())],
                strength=strength,
            )
            with torch.no_grad():
                distances.append(energy(State(z, 1, Observation(), x_0=z)).item())
    assert distances[1] < 0.98 * distances[0]


def test_a_processor_of_another_filter_is_refused(model: CLIPModel, backbone: Backbone) -> None:
    with pytest.raises(ValueError, match="expected a bilinear or bicubic processor"):
        ClipEmbedder(model, _processor(backbone, resample=0))
