from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPTokenizer

from examples.tabletop.alignment import CHANNELS, SIDE
from examples.tabletop.attention_loss import Kept, keep_attention
from examples.tabletop.batches import Batch, draw_batch
from examples.tabletop.glance import Glances, hidden_states
from examples.tabletop.latents import Shard
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import TabletopModel

SIZE = 128


@pytest.fixture(scope="module")
def shard(scene_folders: tuple[Path, Path]) -> Shard:
    rng = np.random.default_rng(0)
    scenes = [json.loads(line) for line in (scene_folders[0] / "scenes.jsonl").read_text().splitlines()]
    latents = rng.standard_normal((2, 3, 4, 32, 32)).astype(np.float16)
    seen = rng.standard_normal((2, 3, CHANNELS, SIDE, SIDE)).astype(np.float16)
    return Shard(latents, np.load(scene_folders[0] / "instances.npy"), tuple(scenes), seen)


@pytest.fixture(scope="module")
def batch(shard: Shard, tokenizer: CLIPTokenizer) -> Batch:
    return draw_batch([shard], tokenizer, 4, np.random.default_rng(1), none_named=1.0)


def test_a_batch_has_what_the_teacher_saw_of_its_own_pictures(batch: Batch, shard: Shard) -> None:
    assert shard.seen is not None
    assert len(batch.nouns.samples) == 0
    assert set(batch.things.samples.tolist()) == {0, 1, 2, 3}
    for latent, seen in zip(batch.latents.numpy(), batch.seen.numpy(), strict=True):
        (place,) = np.argwhere((shard.latents == latent).all((2, 3, 4)))
        assert np.array_equal(shard.seen[tuple(place)], seen)


def untrained(tokenizer: CLIPTokenizer, shard: Shard) -> tuple[TabletopModel, Kept, Glances]:
    assert shard.seen is not None
    torch.manual_seed(0)
    model = TabletopModel.new(tokenizer).to(torch.bfloat16)
    kept = keep_attention(model.unet)
    return model, kept, Glances(model, kept, shard.seen[0])


def test_a_glance_teaches_the_first_half_alone_and_leaves_the_model_whole(
    tokenizer: CLIPTokenizer, batch: Batch, shard: Shard
) -> None:
    model, kept, glances = untrained(tokenizer, shard)
    told, apart = glances.losses(batch, torch.Generator().manual_seed(3))
    assert told.item() == pytest.approx(np.log(61), abs=0.3)  # of an untrained model
    assert apart.item() == pytest.approx(1, abs=0.15)
    (told + apart).backward()
    reached = {name for name, weights in model.named_parameters() if weights.grad is not None}
    assert any(name.startswith("unet.down_blocks.3") for name in reached)
    assert any(name.startswith("unet.mid_block") for name in reached)
    assert any(name.startswith("text_encoder.") for name in reached)
    assert not any(name.startswith(("unet.up_blocks", "unet.conv_out")) for name in reached)

    kept.vocabulary = None
    named = torch.ones(4, dtype=torch.bool)
    whole = model(batch.latents.bfloat16(), torch.full((4,), 100), batch.ids, named, batch.sizes)
    assert whole.shape == batch.latents.shape


def test_a_whole_pass_is_aligned_too_and_gives_what_it_gives(
    tokenizer: CLIPTokenizer, batch: Batch, shard: Shard
) -> None:
    model, _, glances = untrained(tokenizer, shard)
    arguments = (batch.latents.bfloat16(), torch.full((4,), 900), batch.ids, batch.named, batch.sizes)
    with hidden_states(model.unet) as states:
        seen = model(*arguments)
    torch.testing.assert_close(seen, model(*arguments))
    assert [state.shape[1] for state in states] == [128, 224]
    apart = glances.alignment(states, batch)
    assert apart.item() == pytest.approx(1, abs=0.15)
    apart.backward()
    first = model.unet.conv_in.weight.grad
    assert first is not None
    assert first.abs().sum() > 0


@pytest.mark.slow
def test_glances_learn(tokenizer: CLIPTokenizer, batch: Batch, shard: Shard) -> None:
    assert shard.seen is not None
    torch.manual_seed(0)
    model = TabletopModel.new(tokenizer)
    masters = MasterWeights(model)
    model.to(torch.bfloat16)
    glances = Glances(model, keep_attention(model.unet), shard.seen[0])
    history = []
    for _ in range(25):
        told, apart = glances.losses(batch, torch.Generator().manual_seed(3))
        (told + apart).backward()
        glances.masters.update(2e-3)
        masters.update(2e-3)
        history.append((told.item(), apart.item()))
    first, last = np.mean(history[:3], 0), np.mean(history[-3:], 0)
    assert last[0] < first[0] - 0.5
    assert last[1] < first[1] - 0.2
