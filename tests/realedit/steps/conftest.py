"""Two discs on a grained table, small enough for an edit in a second, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from realedit import RealEditPipeline
from realedit.backbone import Backbone
from realedit.cache import Cache
from realedit.clock import Clock
from realedit.edits import Edit, plan
from realedit.inputs import as_photo
from realedit.locate import from_mask
from realedit.models import resolve_model
from realedit.pipeline import InvertedPhoto
from realedit.settings import Settings
from realedit.steps import Outcome, Work, run
from realedit.steps.sequence import after

H, W = 96, 144
STEPS = 4
PROMPT = "a photo of a mug and a bowl on a table"
RED, BLUE = (205, 45, 35), (40, 70, 200)
STILL = Settings(strength=0)
"""No resampling: what is done in pixels alone."""


def ellipse(x: float, y: float, a: float, b: float, angle: float = 0.0) -> np.ndarray:
    """A filled ellipse, turned clockwise on screen by so many degrees; bool ``[H, W]``."""
    rows, columns = np.mgrid[:H, :W] + 0.5
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = (columns - x) * c + (rows - y) * s, (rows - y) * c - (columns - x) * s
    return (u / a) ** 2 + (v / b) ** 2 < 1


@dataclass(frozen=True)
class Scene:
    """A photo, its inversion, and the masks of its objects by their words."""

    pipeline: RealEditPipeline
    rgb: np.ndarray
    inverted: InvertedPhoto
    masks: dict[str, np.ndarray]

    def work(self, given: str | None = None, *, settings: Settings = STILL, allow_crop: bool = False) -> Work:
        """Both objects known beforehand, so that nothing depends on what the model finds."""
        known = {word: mask.astype(np.float32) for word, mask in self.masks.items()}
        shown = None if given is None else from_mask(self.rgb, known[given], given)
        return Work(
            self.pipeline, as_photo(self.rgb), self.inverted, None, shown, known, settings, 0, allow_crop,
            None, Clock(), {"steps": STEPS},
        )  # fmt: skip

    def run(self, edits: Edit | list[Edit], settings: Settings = STILL) -> list[Outcome]:
        """What every step of the edits did."""
        work, outcomes = self.work(settings=settings), []
        for step in plan(edits):
            outcomes.append(run(work, step))
            work = after(work, outcomes[-1], step)
        return outcomes


@pytest.fixture(scope="session")
def quick(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> RealEditPipeline:
    """The API on the embedded model at a quarter of its area."""
    return RealEditPipeline(
        backbone, resolve_model("tabletop"), Cache(tmp_path_factory.mktemp("cache")), working_side=128
    )


@pytest.fixture(scope="session")
def scene(quick: RealEditPipeline) -> Scene:
    """A red and a blue disc on grey, called a mug and a bowl."""
    rgb = 140 + np.random.default_rng(0).normal(0, 3, (H, W, 3))
    masks = {"mug": ellipse(42, 52, 13, 13), "bowl": ellipse(104, 60, 17, 11)}
    rgb[masks["mug"]], rgb[masks["bowl"]] = RED, BLUE
    rgb = rgb.clip(0, 255).round().astype(np.uint8)
    return Scene(quick, rgb, quick.invert(rgb, PROMPT, steps=STEPS), masks)


@pytest.fixture(scope="session")
def shows() -> Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]:
    """Where a picture shows a colour, or nearly it."""

    def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
        return np.abs(picture.astype(float) - colour).max(-1) < 60

    return near
