"""Realedit itself, with every ingredient's switch and every inversion method as settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import cv2
import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import realedit_edits, supported_kinds
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.edits.edit import Edit
from realedit.errors import UsageError
from realedit.inverted.inverter import METHOD
from realedit.settings import Settings


@dataclass(frozen=True)
class Own:
    """Realedit, the object found by its word.

    What another prompt asks for (something added, another style) may have no word in the photo's prompt: then
    the case's mask, or all of the picture, is given.

    Args:
        inversion: how the photo becomes latents, one of ``inversion.METHODS``; "" is realedit's own choice.
        steps: noise levels; 0 is realedit's own choice.
        mask: whether the true mask is given instead of the word.
        bare: whether the prompt is ``a photo of a WORD`` instead of the case's own.
        settings: realedit's own, each a setting of this method under its own name.
    """

    inversion: str = ""
    steps: int = 0
    mask: bool = False
    bare: bool = False
    settings: Settings = field(default_factory=Settings)

    edits: ClassVar[frozenset[str]] = supported_kinds()
    needs_mask: ClassVar[bool] = False
    needs_object: ClassVar[bool] = True
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "strength": (0.3, 0.4, 0.5),
        "pin": (0.5, 0.8),
        "self_guidance": (0.5, 1.0, 2.0),
    }

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Inverts and edits; an object that leaves the frame is cut, as it is in the truth.

        Raises:
            RealEditError: as :meth:`realedit.RealEditPipeline.edit`.
        """
        edits = realedit_edits(loaded.case.edit, loaded.case.object)
        given = self._given(loaded)
        asked = {"method": self.inversion, "steps": self.steps}
        how = {name: value for name, value in asked.items() if value}
        # shared with other settings of this method; an edit in pixels alone makes its own, if any, and one
        # whose model inverts only the levels that it reads does
        whole = bench.pipeline.engine.profile.levels == "all"
        shares = bool(self.inversion) or (whole and (bool(how) or self._runs_the_model(edits, bench)))
        inverted = (
            bench.inverted(loaded, bare=self.bare, **{"method": METHOD, "steps": None, **how})
            if shares
            else None
        )
        result = bench.pipeline.edit(
            loaded.photo if inverted is None else inverted.photo,
            edits,
            prompt=bench.prompt(loaded, bare=self.bare) if inverted is None else None,
            mask=given,
            seed=bench.seed,
            settings=self.settings,
            allow_crop=True,
            **({} if shares else how),
        )
        # a later edit's own inversion is part of the edit
        times = result.timings
        if inverted is not None:
            again = {{"invert": "invert_again"}.get(name, name): took for name, took in times.items()}
            times = {"invert": inverted.seconds, **again}
        after = None if result.mask_after is None else result.mask_after > 0.5
        return Outcome(
            result.photo.rgb,
            times,
            (0 if inverted is None else inverted.evaluations) + round(result.metrics["model_evaluations"]),
            _at_size(getattr(result, "before_composite", None), loaded),
            None if given is not None else result.mask_before > 0.5,
            None if after is None or not after.any() else after,
            result.region,
            result.warnings,
        )

    def _runs_the_model(self, edits: Sequence[Edit], bench: Workbench) -> bool:
        fill = bench.pipeline.engine.profile.filled
        return any(edit.by_model or fill(self.settings, by_model=False).resamples for edit in edits)

    def _given(self, loaded: LoadedCase) -> np.ndarray | None:
        """Returns the region that the edit is given, float32 ``[H, W]``; None where words tell the place."""
        shown = loaded.case.edit.shown(mask_given=self.mask)
        if shown == "whole":
            # a mask of everything is refused as a slip: the outermost pixels are half in it
            everything = np.full(loaded.photo.shape[:2], 0.5, np.float32)
            everything[1:-1, 1:-1] = 1
            return everything
        if shown == "word":
            return None
        if loaded.mask is None:
            raise UsageError(f"case {loaded.case.id} has no mask to give")
        return (~loaded.mask if shown == "rest" else loaded.mask).astype(np.float32)


def _at_size(picture: np.ndarray | None, loaded: LoadedCase) -> np.ndarray | None:
    if picture is None:
        return None
    h, w = loaded.photo.shape[:2]
    resized = (
        picture if picture.shape[:2] == (h, w) else cv2.resize(picture, (w, h), interpolation=cv2.INTER_CUBIC)
    )
    return resized.clip(0, 255).round().astype(np.uint8)
