"""Every ingredient of an edit has a switch, and each switch does something."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from realedit.bench.methods import parse_method
from realedit.edits.kinds import Move
from realedit.settings import Settings

Scene = Any
ON = Settings(strength=0.7)
"""Three steps of four: what is predicted is held to the anchor in all but the last two."""
NOT_INGREDIENTS = {"guidance_scale", "reflection", "repaint", "repaint_scale"} | {
    *("hole_strength", "pin_low", "mask_keys", "negative_prompt")
}


def picture(scene: Scene, settings: Settings) -> np.ndarray:
    """The model's own."""
    (outcome,) = scene.run(Move("mug", 0.1), settings)
    return outcome.picture


@pytest.fixture(scope="module")
def whole(scene: Scene) -> np.ndarray:
    """With every ingredient."""
    return picture(scene, ON)


@pytest.mark.parametrize(
    "off",
    [
        {"pixels": False},
        {"fill": False},
        {"hold": False},
        {"attention": False},
        {"leak_proof": False},
        {"self_guidance": 0.0},
        {"automatic": False},
        {"pin": 0.0},
    ],
    ids=lambda off: next(iter(off)),
)
def test_a_switch_changes_the_models_picture(
    scene: Scene, whole: np.ndarray, off: dict[str, float | bool]
) -> None:
    assert np.abs(picture(scene, replace(ON, **off)) - whole).max() > 1


def test_the_same_settings_give_the_same_picture_and_a_longer_window_another(scene: Scene) -> None:
    fixed = replace(ON, automatic=False)
    early = picture(scene, fixed)
    assert np.array_equal(picture(scene, fixed), early)
    assert np.abs(picture(scene, replace(fixed, window=1.0)) - early).max() > 0.01


def test_without_hold_the_background_of_the_models_picture_drifts(scene: Scene) -> None:
    pictures = [picture(scene, replace(ON, hold=hold)) for hold in (True, False)]
    replayed = scene.pipeline.reconstruct(scene.inverted)
    right = slice(-replayed.shape[1] // 6, None)
    kept, drifted = (np.abs(seen[:, right] - replayed[:, right]) for seen in pictures)
    assert kept.mean() < drifted.mean() / 2


def test_every_knob_is_ablated() -> None:
    ablated = {name for spec in parse_method("ablations") for name in spec.options}
    assert {field.name for field in fields(Settings)} - NOT_INGREDIENTS <= ablated
