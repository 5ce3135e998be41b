"""Measures an edit of a case against its truth, and what it took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.counting import PeakMemory, counted
from realedit.bench.edit_spec import realedit_edits
from realedit.bench.metrics.measure import Meter
from realedit.bench.metrics.missing import MetricUnavailableError
from realedit.bench.metrics.settings import HIGHER_IS_BETTER, MetricSettings
from realedit.engine import Engine
from realedit.errors import RealEditError
from realedit.pipeline import RealEditPipeline

METRICS = ("st_lpips_alex", "psnr")
"""The figure that edits are judged by: the first of these that can be had."""


@dataclass(frozen=True)
class Edited:
    """An edit of a case.

    Args:
        loss: against the truth; less is better.
        picture: uint8 ``[H, W, 3]``; the photo itself where the edit was refused.
        seconds: by stage.
        evaluations: of the UNet.
        peak_mib: most memory that was held; None where it is not known.
        refused: why, or "".
    """

    loss: float
    picture: np.ndarray
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    evaluations: int = 0
    peak_mib: float | None = None
    refused: str = ""


class Judge:
    """Makes edits and compares them with the truth.

    Args:
        seed: of every random number.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._meter = Meter(MetricSettings(METRICS))
        self.metric = ""

    def edited(self, engine: Engine, loaded: LoadedCase) -> Edited:
        """Edits a case as it asks, told the object's mask; a refused edit counts as the untouched photo."""
        began = time.perf_counter()
        try:
            memory = PeakMemory(engine.backbone.device)
            memory.reset()
            with counted(engine.backbone.unet) as count:
                result = RealEditPipeline(engine).edit(
                    loaded.photo,
                    realedit_edits(loaded.case.edit, loaded.case.object),
                    prompt=loaded.case.prompt,
                    mask=None if loaded.mask is None else loaded.mask.astype(np.float32),
                    seed=self._seed,
                    allow_crop=True,
                )
        except RealEditError as error:
            seconds = {"refused": time.perf_counter() - began}
            loss = self._loss(loaded.photo, loaded)
            return Edited(loss, loaded.photo, seconds, refused=str(error))
        peak = memory.bytes()
        return Edited(
            self._loss(result.photo.rgb, loaded),
            result.photo.rgb,
            dict(result.timings),
            count.evaluations,
            None if peak is None else peak / 2**20,
        )

    def _loss(self, picture: np.ndarray, loaded: LoadedCase) -> float:
        """Returns the distance from the truth.

        Raises:
            ValueError: the case has none.
        """
        if loaded.truth is None:
            raise ValueError("the case has no truth")
        for metric in METRICS:
            try:
                value = self._meter.compare(metric, picture, loaded.truth)
            except MetricUnavailableError:
                continue
            self.metric = metric
            return -value if metric in HIGHER_IS_BETTER else value
        raise ValueError("no metric is installed")
