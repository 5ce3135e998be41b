"""Two discs on a grained table, small enough for an edit in a second, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from realedit import RealEditPipeline
from realedit.edits.kinds import Edit
from realedit.edits.plan import plan
from realedit.engine import Engine
from realedit.find.by_hand import from_mask
from realedit.inverted.cache import Cache
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.photo.inputs import as_photo
from realedit.pipeline import InvertedPhoto
from realedit.settings import Settings
from realedit.steps import do
from realedit.steps.sequence import after
from realedit.steps.work import Outcome, Request, State, Work

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
        request = Request(settings, allow_crop=allow_crop, how={"steps": STEPS})
        state = State(as_photo(self.rgb), self.inverted, shown=shown, known=known)
        return Work(self.pipeline.engine, request, state)

    def run(self, edits: Edit | list[Edit], settings: Settings = STILL) -> list[Outcome]:
        """What every step of the edits did."""
        work, outcomes = self.work(settings=settings), []
        for step in plan(edits, shown=False).steps:
            outcomes.append(do(step, work))
            work = replace(work, state=after(work.state, outcomes[-1], step))
        return outcomes


@pytest.fixture(scope="session")
def quick(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> RealEditPipeline:
    """The API on the embedded model at a quarter of its area."""
    cache = Cache(tmp_path_factory.mktemp("cache"))
    return RealEditPipeline(Engine(backbone, resolve_model("tabletop"), cache=cache, working_side=128))


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
