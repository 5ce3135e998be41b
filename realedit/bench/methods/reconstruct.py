"""Replays an inversion without an edit, to show how much of a photo an inversion method keeps.

Its figures compare the replay with the autoencoder's own round trip (``roundtrip``: what the method itself
loses) and with the photo (``photo``), all at the model's working size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.bench.edit_spec import KINDS
from realedit.bench.methods.sdxl_peer import at
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.system.stopwatch import Stopwatch


@dataclass(frozen=True)
class Reconstruct:
    """Invert and replay.

    Args:
        inversion: one of ``inversion.METHODS``.
        steps: noise levels; 0 is realedit's own choice.
        guidance_scale: guidance scale of the replay; 0 is the method's own default (1, or 2 for null-text
            inversion).
    """

    inversion: str = "direct"
    steps: int = 0
    guidance_scale: float = 0.0

    edits: ClassVar[frozenset[str]] = frozenset(KINDS)
    needs_mask: ClassVar[bool] = False
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Returns the replay, float32 ``[h, w, 3]`` in 0..255 at the working size.

        Raises:
            RealEditError: as :meth:`realedit.RealEditPipeline.invert`.
        """
        inverted = bench.inverted(
            loaded,
            method=self.inversion,
            steps=self.steps or None,
            guidance_scale=self.guidance_scale or None,
        )
        clock = Stopwatch()
        with counted(bench.backbone.unet) as count:
            replay = bench.pipeline.reconstruct(inverted.photo)
        clock.lap("replay")
        found = inverted.photo.inversion
        references = {
            "roundtrip": bench.backbone.decode(found.result.x_0),
            "photo": at(loaded.photo, found.size).astype(np.float32),
        }
        return Outcome(
            replay,
            {"invert": inverted.seconds, **clock.laps},
            inverted.evaluations + count.evaluations,
            references=references,
        )
