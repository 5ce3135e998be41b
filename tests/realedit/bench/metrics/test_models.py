"""Structure distance and CLIP score, on tiny models of the real classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig, ViTConfig, ViTModel

from bench_data import scene
from realedit.bench.metrics.clip_score import ClipScore
from realedit.bench.metrics.missing import MetricUnavailableError
from realedit.bench.metrics.structure import StructureDistance

A, B = scene()[0], scene(30)[0]


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dino")
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=224,
        patch_size=32,
    )
    ViTModel(config).save_pretrained(folder)
    return folder


def test_structure_distance_by_hand(dino: Path) -> None:
    distance = StructureDistance(dino)
    model = ViTModel.from_pretrained(dino).eval()
    similarities = []
    for rgb in (A, B):
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255
        x = torch.nn.functional.interpolate(x, (224, 224), mode="bilinear", antialias=True)
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (x - mean[:, None, None]) / deviation[:, None, None]
        with torch.no_grad():
            # the input of the last block, normalised and projected to keys
            hidden = model(x, output_hidden_states=True).hidden_states[-2][0]
            names = dict(model.named_modules())
            norms = [m for n, m in names.items() if n.endswith("layernorm_before")]
            keys = [m for n, m in names.items() if n.rpartition(".")[2] in ("key", "k_proj")]
            k = keys[-1](norms[-1](hidden))
        similarities.append([[float(torch.cosine_similarity(p, q, dim=0)) for q in k] for p in k])
    expected = float(np.mean((np.array(similarities[0]) - np.array(similarities[1])) ** 2))
    assert expected > 0
    assert distance(A, B) == pytest.approx(expected, rel=1e-3)
    assert distance(A, A) == 0


def test_structure_distance_takes_any_shape(dino: Path) -> None:
    distance = StructureDistance(dino)
    assert distance.similarity(A[:32]).shape == (1 + 7 * 14, 1 + 7 * 14)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import CLIPImageProcessor, CLIPProcessor, CLIPTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("clip")
    tokens = {"<|startoftext|>": 0, "<|endoftext|>": 1, "mug</w>": 2, "bowl</w>": 3}
    (folder / "vocab.json").write_text(json.dumps(tokens))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    ends: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    text = CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=16, **shape, **ends)
    vision = CLIPVisionConfig(image_size=32, patch_size=16, **shape)
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}, {"height": 32, "width": 32}
    processor = CLIPImageProcessor(size=size[0], crop_size=size[1])
    CLIPProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


def test_clip_score_by_hand(clip: Path) -> None:
    from transformers import CLIPProcessor

    score = ClipScore(clip)
    model = CLIPModel.from_pretrained(clip).eval()
    processor: Any = CLIPProcessor.from_pretrained(clip)
    mask = scene()[1]
    blackened = np.where(mask[..., None], A, 0).astype(np.uint8)
    values = []
    for text in ("mug", "bowl"):
        for picture, region in ((A, None), (blackened, mask)):
            inputs = processor(text=[text], images=[picture], return_tensors="pt")
            with torch.no_grad():
                # the model's own logits are the cosine times its temperature
                cosine = model(**inputs).logits_per_image / model.logit_scale.exp()
            expected = 100 * max(0.0, float(cosine))
            values.append(score(A, text, region))
            assert values[-1] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert max(values) > 0


def test_a_folder_without_a_model_is_missing(tmp_path: Path) -> None:
    for kind in (StructureDistance, ClipScore):
        with pytest.raises(MetricUnavailableError, match="no "):
            kind(tmp_path)
