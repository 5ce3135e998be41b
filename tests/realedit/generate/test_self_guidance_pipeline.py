"""The guided pipeline against diffusers' own, on the embedded model."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from torch import Tensor

from command import Command
from guidance import (
    Appearance,
    Automatic,
    Capture,
    Centroid,
    Energy,
    Features,
    GradientScale,
    Shape,
    State,
    Term,
    Transform,
    Window,
    edits,
    self_guided_sample,
)
from inversion import Guidance
from realedit import GuidanceWarning, SelfGuidanceStableDiffusionXLPipeline
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.models.backbone import Backbone

# diffusers' Euler scheduler hands torch tensors to numpy 2 the old way
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

TEXT = "a red mug and a white bowl on a table"
SIZE = 64
ALWAYS = Window()


@pytest.fixture
def guided(backbone: Backbone) -> SelfGuidanceStableDiffusionXLPipeline:
    return _pipeline(SelfGuidanceStableDiffusionXLPipeline, backbone)


@pytest.fixture
def parent(backbone: Backbone) -> StableDiffusionXLPipeline:
    return _pipeline(StableDiffusionXLPipeline, backbone)


def _pipeline(kind: type[StableDiffusionXLPipeline], backbone: Backbone) -> Any:
    """The embedded model as a pipeline of a kind, with a scheduler of its own."""
    parts = dict(backbone.pipeline.components)
    parts["scheduler"] = EulerDiscreteScheduler.from_config(backbone.pipeline.scheduler.config)
    pipeline = kind(**parts, add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _asked(**changes: Any) -> dict[str, Any]:
    common = {
        "prompt": TEXT,
        "num_inference_steps": 3,
        "guidance_scale": 2.5,
        "height": SIZE,
        "width": SIZE + 32,
        "generator": torch.Generator().manual_seed(3),
        "output_type": "latent",
    }
    return common | changes


def _sample(pipeline: StableDiffusionXLPipeline, **changes: Any) -> Tensor:
    output: Any = pipeline(**_asked(**changes))
    return output.images


def _quietly(pipeline: StableDiffusionXLPipeline, **changes: Any) -> Tensor:
    """Whether or not the targets are reached."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GuidanceWarning)
        return _sample(pipeline, **changes)


def _traces(pipeline: StableDiffusionXLPipeline) -> tuple[int, list[int]]:
    """Hooks on the UNet, and which processors it has."""
    modules = list(pipeline.unet.modules())
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)
    return hooks, [id(m.processor) for m in modules if hasattr(m, "set_processor")]


def _linear(pipeline: StableDiffusionXLPipeline) -> tuple[Energy, Tensor]:
    a = torch.randn(1, 4, SIZE // 4, (SIZE + 32) // 4, generator=torch.Generator().manual_seed(9))
    return (lambda state: (a * state.x_t).sum((1, 2, 3)).mean()), a


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"guidance_scale": 1.0},
        {"num_images_per_prompt": 2},
        {"guidance_rescale": 0.7},
        {"output_type": "np"},
    ],
)
def test_without_terms_it_is_the_parent_to_the_bit(
    guided: SelfGuidanceStableDiffusionXLPipeline, parent: StableDiffusionXLPipeline, changes: dict[str, Any]
) -> None:
    theirs, ours = (torch.as_tensor(_sample(pipeline, **changes)) for pipeline in (parent, guided))
    assert torch.equal(theirs, ours)
    assert guided.trace.targets == {}


def test_observing_terms_outside_their_window_and_strength_zero_change_no_bit(
    guided: SelfGuidanceStableDiffusionXLPipeline, parent: StableDiffusionXLPipeline
) -> None:
    plain = _sample(parent)
    output, seen = guided.observe(**_asked())
    assert torch.equal(output.images, plain)
    assert sorted(seen.seen) == [1, 2, 3]
    term = Term(_linear(guided)[0], window=ALWAYS)
    assert torch.equal(_sample(guided, terms=[term], guidance_strength=0), plain)
    late = Term(_linear(guided)[0], window=Window(0.9, 1.0))
    assert torch.equal(
        _sample(guided, terms=[late], num_inference_steps=2), _sample(parent, num_inference_steps=2)
    )
    assert _traces(guided) == _traces(parent)


@pytest.mark.parametrize("scheduler", [EulerDiscreteScheduler, DDIMScheduler])
@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_push_is_sigma_times_the_gradient_added_to_the_guided_noise(
    guided: SelfGuidanceStableDiffusionXLPipeline,
    parent: StableDiffusionXLPipeline,
    scheduler: Any,
    predicts: str,
    scale: float,
) -> None:
    """The last step's alone, whose result is the predicted x_0: moved by -sigma / alpha times the push."""
    for pipeline in (guided, parent):
        pipeline.scheduler = scheduler.from_config(
            pipeline.scheduler.config, prediction_type=predicts, set_alpha_to_one=True, clip_sample=False
        )
    energy, a = _linear(guided)
    last = Term(energy, window=Window(0.6, 1.0))
    plain = _sample(parent, guidance_scale=scale)
    pushed = _sample(guided, guidance_scale=scale, terms=[last], guidance_strength=GradientScale(0.7))
    abar = guided.scheduler.alphas_cumprod[int(guided.scheduler.timesteps[-1])].item()
    alpha, sigma = abar**0.5, (1 - abar) ** 0.5
    torch.testing.assert_close(pushed - plain, -sigma / alpha * 0.7 * sigma * a, rtol=1e-3, atol=1e-4)


def test_it_takes_the_steps_of_the_guided_sampler(
    guided: SelfGuidanceStableDiffusionXLPipeline, backbone: Backbone
) -> None:
    guided.scheduler = DDIMScheduler.from_config(
        guided.scheduler.config, clip_sample=False, set_alpha_to_one=False
    )
    noise = torch.randn(1, 4, 16, 24, generator=torch.Generator().manual_seed(5))
    mug = guided.tokens(TEXT, "mug")
    terms = [Term(Centroid(mug, target=(0.3, 0.5)), window=ALWAYS)]
    ours = _quietly(guided, latents=noise, terms=terms, guidance_strength=0.5)
    prompt, schedule = backbone.prompt(TEXT, (SIZE, SIZE + 32)), backbone.schedule(3)
    with Capture(backbone.unet) as capture:
        theirs, trace = self_guided_sample(
            backbone,
            capture,
            schedule,
            noise,
            guidance=Guidance(prompt.conditioning, prompt.null, 2.5),
            terms=terms,
            strength=0.5,
        )
    assert guided.trace.energies == pytest.approx(trace.energies, rel=1e-2)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * theirs.abs().max().item())


def test_guided_towards_a_place_the_object_is_nearer_to_it(
    guided: SelfGuidanceStableDiffusionXLPipeline,
) -> None:
    mug, energies = guided.tokens(TEXT, "mug"), []
    term = Term(Centroid(mug, target=(0.2, 0.5)), window=Window(0.0, 0.8))
    for strength in (1e-9, Automatic()):
        _quietly(guided, num_inference_steps=8, terms=[term], guidance_strength=strength)
        energies.append(guided.trace.last[0])
    assert energies[1] < 0.8 * energies[0]


@pytest.mark.parametrize("images", [1, 2])
def test_a_reference_run_has_nothing_to_gain_until_it_is_asked_to_change(
    guided: SelfGuidanceStableDiffusionXLPipeline, images: int
) -> None:
    """The first observation of the second sampling is the reference's own, for every picture of the batch."""
    _, seen = guided.observe(**_asked(num_images_per_prompt=images))
    mug, bowl = guided.tokens(TEXT, "red mug"), guided.tokens(TEXT, "bowl")
    terms = edits.move(mug, 0.1, others=[bowl])
    _quietly(guided, terms=terms, reference=seen, num_images_per_prompt=images)
    first = {terms[place].title: energies[0] for place, energies in guided.trace.terms.items()}
    assert first.pop("centroid") == pytest.approx(0.05, abs=0.03)
    assert first.pop("shape") > 0.01
    assert all(energy < 1e-3 for energy in first.values())  # but for rounding
    assert seen.image(mug).tokens == mug


def test_what_stays_as_it_is_counts_as_reached(guided: SelfGuidanceStableDiffusionXLPipeline) -> None:
    """What is seen depends on the noise, too: the finished sample is looked at under the reference's."""
    plain, seen = guided.observe(**_asked())
    mug = guided.tokens(TEXT, "red mug")
    terms = [
        Term(Appearance(mug), window=Window(0.0, 0.5), name="look"),
        Term(Features(torch.ones(1, 1, SIZE // 4, SIZE // 4 + 8)), window=Window(0.0, 0.5), name="all"),
        Term(Shape(mug), window=Window(0.0, 0.5), name="outline"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", GuidanceWarning)
        kept = _sample(guided, terms=terms, reference=seen)
    torch.testing.assert_close(kept, plain[0], rtol=0, atol=1e-3)
    assert guided.trace.missed == ()
    assert max(guided.trace.last.values()) < 0.01


def test_a_second_image_is_a_target(guided: SelfGuidanceStableDiffusionXLPipeline) -> None:
    other = "a book on a table"
    _, seen = guided.observe(**_asked(prompt=other, window=Window(0.0, 0.5)))
    assert sorted(seen.seen) == [2, 3]
    mug = guided.tokens(TEXT, "mug")
    image = seen.image(guided.tokens(other, "book"))
    changed = _quietly(guided, terms=edits.compose(mug, image, image, Window(0.0, 0.5)))
    assert not torch.equal(changed, _sample(guided))
    assert torch.isfinite(changed).all()
    with pytest.raises(ValueError, match="not observed at level 1"):
        _sample(guided, terms=edits.compose(mug, image, window=ALWAYS))


@pytest.mark.parametrize("scheduler", [DPMSolverMultistepScheduler, HeunDiscreteScheduler])
def test_other_schedulers_can_be_guided(
    guided: SelfGuidanceStableDiffusionXLPipeline,
    scheduler: Any,
) -> None:
    guided.scheduler = scheduler.from_config(guided.scheduler.config)
    mug = guided.tokens(TEXT, "mug")
    term = Term(Centroid(mug, target=(0.2, 0.5)), window=ALWAYS, tolerance=10.0)
    plain = _sample(guided)
    assert torch.equal(_sample(guided, terms=[term]), plain)  # within its tolerance: left alone
    assert guided.trace.targets[0].share == 1
    changed = _quietly(guided, terms=[term], guidance_strength=0.5)
    assert torch.isfinite(changed).all()
    assert not torch.equal(changed, plain)


def test_a_target_that_was_not_reached_is_warned_of(guided: SelfGuidanceStableDiffusionXLPipeline) -> None:
    corner = Term(
        Centroid(guided.tokens(TEXT, "mug"), target=(1.0, 1.0)), window=Window(0.0, 0.3), name="corner"
    )
    with pytest.warns(GuidanceWarning, match=r"^corner: \d+% of the way \("):
        _sample(guided, terms=[corner], guidance_strength=1e-6)
    assert [target.name for target in guided.trace.missed] == ["corner"]
    _sample(guided)
    assert guided.trace.missed == ()


def test_an_exception_leaves_no_trace(
    guided: SelfGuidanceStableDiffusionXLPipeline, parent: StableDiffusionXLPipeline
) -> None:
    before, plain = _traces(parent), _sample(parent)

    def broken(state: State) -> Tensor:
        raise ZeroDivisionError

    def nan(state: State) -> Tensor:
        return state.x_t.sum() * float("nan")

    def stop(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    energy = _linear(guided)[0]
    calls: list[tuple[type[BaseException], Callable[[], object]]] = [
        (ZeroDivisionError, lambda: _sample(guided, terms=[Term(broken)])),
        (FloatingPointError, lambda: _sample(guided, terms=[Term(nan)])),
        (KeyboardInterrupt, lambda: _sample(guided, terms=[Term(energy)], callback_on_step_end=stop)),
        (KeyboardInterrupt, lambda: guided.observe(**_asked(callback_on_step_end=stop))),
        (
            ValueError,
            lambda: _sample(guided, terms=[Term(Shape(guided.tokens(TEXT, "mug"), Transform(0.1)))]),
        ),
    ]
    for error, call in calls:
        with pytest.raises(error):
            call()
        assert _traces(guided) == before
        assert torch.equal(_sample(guided), plain)


def test_what_cannot_be_guided_is_refused(guided: SelfGuidanceStableDiffusionXLPipeline) -> None:
    with pytest.raises(ObjectNotFoundError, match="'bottle' is not in the prompt"):
        guided.tokens(TEXT, "bottle")
    guided.scheduler = FlowMatchEulerDiscreteScheduler()
    with pytest.raises(UsageError, match="FlowMatchEulerDiscreteScheduler has no alphas_cumprod"):
        guided._level(1.0)


def test_its_call_is_the_parents_with_three_keywords_more() -> None:
    theirs, ours = (
        inspect.signature(kind.__call__).parameters
        for kind in (StableDiffusionXLPipeline, SelfGuidanceStableDiffusionXLPipeline)
    )
    assert [name for name in ours if name not in theirs] == ["terms", "guidance_strength", "reference"]
    assert [name for name in ours if name in theirs] == list(theirs)
    assert all(ours[name] == theirs[name] for name in theirs)


def test_a_folder_is_loaded_as_it() -> None:
    from realedit.models.choice import resolve_model

    pipeline = SelfGuidanceStableDiffusionXLPipeline.from_pretrained(
        resolve_model("tabletop").location, dtype=torch.float32
    )
    assert type(pipeline) is SelfGuidanceStableDiffusionXLPipeline


def test_importing_realedit_loads_neither_torch_nor_diffusers(realedit: Command) -> None:
    done = realedit.python(
        "import sys, realedit; 'SelfGuidanceStableDiffusionXLPipeline' in realedit.__all__ or sys.exit(2);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert done.returncode == 0, done.stderr
