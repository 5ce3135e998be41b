"""One term of every family on the embedded model: the sample has more of what was asked for than without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from guidance import (
    Appearance,
    Automatic,
    Capture,
    Centroid,
    Classifier,
    Clip,
    Energy,
    Features,
    GradientScale,
    Guide,
    Image,
    LayerSelection,
    Mask,
    NoiseStep,
    NoisyClassifier,
    Observation,
    Shape,
    Size,
    Strength,
    Term,
    Trace,
    Window,
    appearance_vectors,
    self_guided_sample,
)
from guidance.properties import centroid, object_attention, shape
from inversion import Guidance, Schedule
from realedit.generate import picture_decoder
from realedit.models.backbone import Backbone, Prompt

START = 6
HW = (32, 48)
Sample = Callable[[Energy | None], tuple[Tensor, Trace]]


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(8)


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    up = LayerSelection(("up",))
    with Capture(backbone.unet, attention=up, features=up, memory=up) as injected:
        yield injected


@pytest.fixture
def decode(backbone: Backbone) -> Callable[[Tensor], Tensor]:
    return picture_decoder(backbone)


@pytest.fixture
def mug(backbone: Backbone, prompt: Prompt) -> tuple[int, ...]:
    return tuple(backbone.tokens(prompt.text, "mug"))


@pytest.fixture
def sample(
    backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor, prompt: Prompt
) -> Callable[..., tuple[Tensor, Trace]]:
    """The photo under known noise, sampled with one term or with none; there is no reference."""
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1))
    guidance = Guidance(prompt.conditioning, prompt.null, 2.0)

    def run(energy: Energy | None = None, strength: float | Strength = 1.0) -> tuple[Tensor, Trace]:
        terms = [] if energy is None else [Term(energy, window=Window(0.0, 0.7))]
        x = schedule.add_noise(latent, noise, START)
        return self_guided_sample(
            backbone, capture, schedule, x, guidance=guidance, terms=terms, start=START, strength=strength
        )

    return run


@pytest.fixture
def other(backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor) -> Image:
    """The photo mirrored, in a prompt of its own, as a second image."""
    prompt = backbone.prompt("a wooden table and a mug", (128, 192))
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(2))
    seen: dict[int, Observation] = {}
    with torch.no_grad():
        for level in range(1, START + 1):
            with capture.record(HW, tokens=prompt.tokens, partial=True) as seen[level]:
                x = schedule.add_noise(latent.flip(-1), noise, level)
                backbone(x, schedule.timestep(level), prompt.conditioning)
    return Image(seen.get, tuple(backbone.tokens(prompt.text, "mug")))


def _place(seen: Observation, tokens: tuple[int, ...]) -> Tensor:
    maps = [centroid(shape(object_attention(a, tokens)))[0] for a in seen.attention.values()]
    return torch.stack(maps).mean(0)


def _seen(backbone: Backbone, capture: Capture, schedule: Schedule, prompt: Prompt, z: Tensor) -> Observation:
    """What the model sees in a sample under a little noise."""
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad(), capture.record(HW, tokens=prompt.tokens, partial=True) as seen:
        backbone(schedule.add_noise(z, noise, 2), schedule.timestep(2), prompt.conditioning)
    return seen


def test_a_classifier_of_brightness_makes_the_picture_brighter(
    sample: Sample, decode: Callable[[Tensor], Tensor]
) -> None:
    """On the predicted, decoded picture; with the class of the dark ones, darker."""

    def log_probabilities(z: Tensor) -> Tensor:
        brightness = decode(z).mean((1, 2, 3))
        return torch.stack([logsigmoid(-4 * brightness), logsigmoid(4 * brightness)], -1)

    with torch.no_grad():
        free, dark, bright = (
            decode(sample(energy)[0]).mean().item()
            for energy in (None, Classifier(log_probabilities, 0), Classifier(log_probabilities, 1))
        )
    assert dark < free - 0.05
    assert bright > free + 0.05


def test_a_noisy_classifier_needs_neither_reference_nor_prediction(sample: Sample) -> None:
    energy = NoisyClassifier(lambda x_t, level: logsigmoid(x_t[:, 0].mean((1, 2))))
    free, guided = sample(None)[0], sample(energy)[0]
    assert guided[:, 0].mean() > free[:, 0].mean() + 0.1


def test_an_embedding_of_colour_makes_the_picture_redder(
    sample: Sample, decode: Callable[[Tensor], Tensor]
) -> None:
    def embed(pictures: Tensor) -> Tensor:
        return pictures.mean((2, 3)) + 1.1

    energy = Clip(decode, embed, torch.tensor([1.0, 0.0, 0.0]))
    with torch.no_grad():
        free, guided = (decode(sample(e)[0]).mean((0, 2, 3)) for e in (None, energy))
    assert (guided[0] - guided[1:].mean()) > (free[0] - free[1:].mean()) + 0.1


def test_a_mask_holds_the_outside(sample: Sample, latent: Tensor) -> None:
    region = torch.zeros(1, 1, 64, 96)
    region[..., 16:48, 24:72] = 1
    inside = torch.zeros(1, 1, *HW)
    inside[..., 8:24, 12:36] = 1
    within = (inside > 0).expand_as(latent)
    target = latent + 0.5
    free, held = (sample(energy)[0] for energy in (None, Mask(region, target)))
    assert (held - target)[~within].abs().mean() < 0.8 * (free - target)[~within].abs().mean()


@pytest.mark.parametrize("strength", [0.3, Automatic()])
def test_the_layout_of_a_second_image_is_taken_on(
    sample: Callable[..., tuple[Tensor, Trace]],
    other: Image,
    mug: tuple[int, ...],
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    prompt: Prompt,
    strength: float | Strength,
) -> None:
    theirs = other.observe(2)
    assert theirs is not None
    goal = _place(theirs, other.tokens)
    off = []
    for energy in (None, Centroid(mug, target=other)):
        z, _ = sample(energy, strength)
        off.append((_place(_seen(backbone, capture, schedule, prompt, z), mug) - goal).abs().sum())
    assert off[1] < 0.9 * off[0]


def test_a_place_and_a_size_are_met_without_a_source(
    sample: Callable[..., tuple[Tensor, Trace]], mug: tuple[int, ...]
) -> None:
    """And so is a mask, under the strength that needs no tuning."""
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., 10:30, 8:24] = 1
    for energy in (Centroid(mug, target=(0.35, 0.5)), Size(mug, target=0.1), Shape(mug, target=mask)):
        free, guided = (sample(energy, strength)[1].last[0] for strength in (1e-9, Automatic()))
        assert guided < 0.9 * free


def test_a_small_step_against_the_gradient_lowers_an_energy_of_activations(
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    latent: Tensor,
    prompt: Prompt,
    other: Image,
    mug: tuple[int, ...],
) -> None:
    """Through the whole model, whether the target is a second image's object or given."""

    def doubled(level: int) -> dict[str, Tensor]:
        seen = other.observe(level)
        assert seen is not None
        return {name: 2 * v for name, v in appearance_vectors(seen, other.tokens).items()}

    def look(x: Tensor) -> Tensor:
        return backbone(x, schedule.timestep(START), prompt.conditioning)

    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(4))
    x_t, step = schedule.add_noise(latent, noise, START), NoiseStep.of(schedule, START)
    region = torch.zeros(1, 1, *HW)
    region[..., :24] = 1
    energies = [Appearance(mug, other), Appearance(mug, doubled), Features(region, target=other)]
    for energy in energies:
        guide, terms = Guide(capture, [Term(energy)], GradientScale()), {0: Term(energy)}
        push = guide.push(look, x_t, step, terms)
        assert push is not None
        before, after = (
            guide.measure(look, x, step, terms)[1][0].item()
            for x in (x_t, x_t - 2e-3 * push / push.square().mean().sqrt())
        )
        assert after < before
