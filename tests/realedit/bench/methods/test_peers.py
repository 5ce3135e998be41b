"""The peers on the real embedded model: what they cost, what they leave alone, what they leave behind."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench_data import asking
from guidance import Observation, State, Transform
from realedit import Move
from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.bench.edit_spec import EditSpec
from realedit.bench.methods import MethodSpec, build
from realedit.bench.methods import sdxl_peer as peer
from realedit.bench.methods.differential import _held
from realedit.bench.methods.ledits import directions
from realedit.bench.methods.self_guidance import HardShape
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench

# diffusers hands torch tensors to numpy's array constructor
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def edit(bench: Workbench, loaded: LoadedCase, name: str, **options: object) -> Outcome:
    return build(MethodSpec(name, {key: str(value) for key, value in options.items()})).edit(loaded, bench)


def test_realedit_is_the_pipeline_itself_with_its_cost(bench: Workbench, mug: LoadedCase) -> None:
    outcome = edit(bench, mug, "realedit", mask="true", steps=4, strength=0.4)
    assert mug.mask is not None
    inverted = bench.pipeline.invert(mug.photo, "a mug on a table", steps=4)
    result = bench.pipeline.edit(
        inverted, Move("mug", dx=0.25), mask=mug.mask.astype(np.float32), allow_crop=True, strength=0.4
    )
    assert (outcome.picture == result.photo.rgb).all()
    own = inverted.inversion.evaluations + result.metrics["model_evaluations"]
    assert outcome.evaluations == own > 0
    assert outcome.before_composite is not None
    assert outcome.before_composite.shape == mug.photo.shape
    assert outcome.found is None
    assert {"invert", "resample", "composite"} <= set(outcome.times)
    # another variant of the same inversion is told the same cost
    again = edit(bench, mug, "realedit", mask="true", steps=4, resample=0)
    assert again.times["invert"] == outcome.times["invert"]
    assert again.evaluations == inverted.inversion.evaluations


def test_a_replay_by_direct_inversion_is_the_round_trip(bench: Workbench, mug: LoadedCase) -> None:
    outcome = edit(bench, mug, "reconstruct", steps=4)
    assert outcome.references is not None
    assert np.abs(outcome.picture - outcome.references["roundtrip"]).max() < 0.1
    assert outcome.evaluations == 4 + 4 + 3 + 4  # up, observed, a closer look, down


@pytest.mark.parametrize(
    ("name", "options"), [("inpaint", {"strength": 0.5}), ("differential", {"hole": 0.5})]
)
@pytest.mark.parametrize("kind", ["move", "recolour"])
def test_masked_peers_change_their_region_alone(
    bench: Workbench, mug: LoadedCase, name: str, options: dict[str, object], kind: str
) -> None:
    loaded = mug if kind == "move" else asking(mug, EditSpec("recolour", new_colour="blue"))
    outcome = edit(bench, loaded, name, steps=4, **options)
    pasted = peer.start(loaded, "telea", 4)
    far = np.ones(mug.photo.shape[:2], bool)
    far[8:56, 6:76] = False
    assert (outcome.picture[far] == pasted.picture[far]).all()
    assert (outcome.picture != pasted.picture).any()
    assert outcome.evaluations == 2 * 2  # half of four steps, both branches
    assert outcome.before_composite is not None


def test_differential_follows_the_start_where_it_is_held_and_is_plain_where_it_is_free(
    bench: Workbench, mug: LoadedCase
) -> None:
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
        StableDiffusionXLImg2ImgPipeline,
    )

    size = bench.size(mug)
    z = bench.backbone.encode(peer.at(mug.photo, size))
    noise = torch.randn(z.shape, generator=peer.generator(bench))
    pipeline = peer.sibling(StableDiffusionXLImg2ImgPipeline, bench)

    def run(strength: float | None) -> torch.Tensor:
        hold = None if strength is None else _held(z, noise, torch.full_like(z[:, :1], strength), 4)
        return pipeline(
            prompt="a mug",
            image=peer.pillow(mug.photo, size),
            strength=0.5,
            num_inference_steps=4,
            generator=peer.generator(bench),
            output_type="latent",
            callback_on_step_end=hold,
        ).images

    plain = run(None)
    assert torch.equal(run(0.5), plain)
    assert torch.equal(run(0.0), z)
    quarter = run(0.25)
    assert not torch.equal(quarter, plain)
    assert not torch.equal(quarter, z)


def test_ledits_leaves_the_unet_as_it_was(bench: Workbench, mug: LoadedCase) -> None:
    unet = bench.backbone.unet
    before = {name: id(processor) for name, processor in unet.attn_processors.items()}
    loaded = asking(mug, EditSpec("replace", new_object="bowl"))
    outcome = edit(bench, loaded, "ledits", steps=4, cross_attention="true")
    assert {name: id(processor) for name, processor in unet.attn_processors.items()} == before
    assert outcome.evaluations == 4 * 2 + 4 * 3  # two branches up, the plain one and two concepts down
    assert (outcome.picture[:, -10:] == mug.photo[:, -10:]).all()
    assert np.isfinite(outcome.picture).all()


def test_what_ledits_is_told() -> None:
    from pathlib import Path

    from realedit.bench.case import Case

    case = Case("a", Path("a"), "a red mug", "mug", EditSpec("recolour", new_colour="blue"), colour="red")
    assert directions(case) == (["red mug", "blue mug"], [True, False])


def test_self_guidance_costs_two_branches_and_what_guides(bench: Workbench, mug: LoadedCase) -> None:
    with counted(bench.backbone.unet) as count:
        outcome = edit(bench, mug, "self-guidance", steps=16)
    # three guided steps, each with a pass for the reference and one for the gradient; passes back count twice
    assert (count.forwards, count.backwards) == (2 * 16 + 2 * 3, 3)
    assert outcome.evaluations == count.evaluations == 2 * 16 + 4 * 3
    assert outcome.picture.shape == mug.photo.shape


def test_a_hard_shape_is_met_by_itself_and_missed_by_both_areas() -> None:
    square = torch.zeros(1, 16, 16, 1)
    square[:, 4:8, 2:6] = 1
    seen = Observation({"layer": square})
    state = State(torch.zeros(1), 1, seen, seen)
    assert HardShape((0,), Transform())(state) == pytest.approx(0, abs=1e-5)
    apart = HardShape((0,), Transform(dx=0.5))(state)
    assert float(apart) == pytest.approx(2 * 16 / 256, abs=1e-5)
    assert float(HardShape((0,), Transform(scale=0.5))(state)) == pytest.approx((16 - 4) / 256, abs=1e-5)
