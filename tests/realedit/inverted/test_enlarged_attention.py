"""A second, nearer look at where a prompt's words are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from guidance import Observation
from realedit import RealEditPipeline
from realedit.engine import Engine
from realedit.find.attention import heat, mean_attention
from realedit.find.by_word import WordFinder
from realedit.inverted.enlarged_attention import enlarged_attention, finest
from realedit.inverted.inversion import Inversion
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.pipeline import InvertedPhoto

PROMPT = "a photo of a red mug, a blue book and a white bowl on a wooden table"


@pytest.fixture(scope="module")
def inverted(backbone: Backbone) -> InvertedPhoto:
    photo = Path(__file__).parents[3] / "examples" / "photos" / "mug.jpg"
    return RealEditPipeline(Engine(backbone, resolve_model("tabletop"))).invert(photo, PROMPT, steps=5)


def _with_attention(inversion: Inversion, values: dict[int, float]) -> Inversion:
    """An inversion whose attention is the same everywhere, another at each level."""
    (some,) = finest(inversion.observations[1].attention)[:1]
    seen = {
        level: Observation({"fine": torch.full((1, *some.shape), value), "coarse": torch.zeros(1, 2, 2, 3)})
        for level, value in values.items()
    }
    return replace(inversion, observations=seen)


def test_it_sees_more_places_and_the_same_words(backbone: Backbone, inverted: InvertedPhoto) -> None:
    closer = inverted.inversion.enlarged
    assert closer is not None
    own = finest(inverted.inversion.observations[1].attention)[0]
    for axis, side in enumerate(inverted.inversion.size):
        larger = closer.shape[axis] / own.shape[axis]
        assert larger == pytest.approx(1.5, abs=backbone.multiple / side / 2)
    assert closer.shape[2] == own.shape[2]
    assert ((closer >= 0) & (closer <= 1)).all()


def test_it_finds_what_a_word_names_by_itself(pipeline: RealEditPipeline, inverted: InvertedPhoto) -> None:
    inversion = inverted.inversion
    assert inversion.enlarged is not None
    seen, _ = heat(inversion.enlarged.float().cpu(), pipeline.backbone.tokens(inversion.prompt, "mug"))
    row, column = divmod(int(seen.argmax()), seen.shape[1])
    y, x = (row + 0.5) / seen.shape[0], (column + 0.5) / seen.shape[1]
    x0, y0, x1, y1 = pipeline.engine.find(inverted.photo, inverted, "mug").box
    assert x0 < x < x1
    assert y0 < y < y1


def test_it_is_the_same_again_and_draws_no_noise_of_others(
    pipeline: RealEditPipeline, inverted: InvertedPhoto
) -> None:
    inversion, before = inverted.inversion, torch.get_rng_state()
    with pipeline.engine.capture:
        again = enlarged_attention(
            pipeline.backbone, pipeline.engine.capture, inverted.photo.rgb, PROMPT, size=inversion.size
        )
    assert inversion.enlarged is not None
    assert torch.equal(again, inversion.enlarged)
    assert torch.equal(torch.get_rng_state(), before)


def test_its_maps_and_the_trajectory_s_count_alike(inverted: InvertedPhoto) -> None:
    inversion = _with_attention(inverted.inversion, {1: 0.2, 2: 0.4, 3: 0.0, 4: 0.0, 5: 0.0})
    assert inversion.enlarged is not None
    drawn = torch.rand(inversion.enlarged.shape, generator=torch.Generator().manual_seed(1))
    mean = mean_attention(replace(inversion, enlarged=drawn))
    assert torch.allclose(mean, (0.3 + drawn) / 2, atol=1e-6)
    alone = mean_attention(replace(inversion, enlarged=None))
    assert torch.allclose(alone, torch.full_like(alone, 0.3), atol=1e-6)


def test_it_is_kept_with_an_inversion(inverted: InvertedPhoto) -> None:
    inversion = inverted.inversion
    named = {name: value.clone() for name, value in inversion.tensors().items()}
    result = inversion.result
    again = Inversion.from_tensors(
        named,
        prompt=PROMPT,
        size=inversion.size,
        method=result.method,
        scale=result.guidance_scale,
        schedule=result.schedule,
        device=torch.device("cpu"),
    )
    assert again.enlarged is not None
    assert inversion.enlarged is not None
    assert torch.equal(again.enlarged, inversion.enlarged.cpu())
    assert torch.equal(mean_attention(again), mean_attention(inversion))


def test_a_model_whose_attention_was_not_trained_is_spared_it(pipeline: RealEditPipeline) -> None:
    assert pipeline.engine.finder.attention.wants_enlarged
    untrained = WordFinder(pipeline.backbone, replace(pipeline.ref, source="folder"))
    assert not untrained.wants_enlarged
