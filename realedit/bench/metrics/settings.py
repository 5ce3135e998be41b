"""Settings of the figures; no heavy import, so that a command can check its options first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

REGIONAL = ("st_lpips_alex", "lpips_alex", "lpips_vgg", "lpips_squeeze", "psnr", "ssim")
"""Metrics of two pictures, taken on every region."""

OTHERS = ("structure", "clip", "seam", "harmony", "changed_background", "geometry", "target")
"""All other metrics. ``geometry`` stands for ``mask_iou``, ``centroid_error``, ``centroid_near``,
``size_ratio`` and ``changed_outside``, by the method's own account; ``target`` for the figures of
:mod:`realedit.bench.metrics.target`, by the pictures alone."""

METRICS = (*REGIONAL, *OTHERS)

HIGHER_IS_BETTER = frozenset({"psnr", "ssim", "clip", "mask_iou", "centroid_near", "target_reached"})
"""Figures where higher is better. For all others lower is better, except ``size_ratio``, whose ideal is 1."""

Masking = Literal["region", "pie"]


@dataclass(frozen=True)
class MetricSettings:
    """What is measured.

    Args:
        metrics: some of :data:`METRICS`.
        masking: ``region`` takes a figure over a region's own pixels; ``pie`` blackens everything else in
            both pictures and takes it over the whole, PIE-Bench's convention, with its border (see
            :mod:`realedit.bench.run_lengths`), so that figures compare with the published ones.
        structure_model: folder of a DINO vision transformer.
        clip_model: folder of a CLIP model.
        download: fetch the backbones of LPIPS where they are not here.
    """

    metrics: tuple[str, ...] = METRICS
    masking: Masking = "region"
    structure_model: Path | None = None
    clip_model: Path | None = None
    download: bool = False

    def fields(self) -> dict[str, Any]:
        """Returns what decides the figures, for a record's key: models by name, without their folders."""
        plain = asdict(self)
        for name in ("structure_model", "clip_model"):
            plain[name] = None if plain[name] is None else Path(plain[name]).name
        return plain | {"metrics": list(self.metrics)}


def base_name(figure: str) -> str:
    """Returns the metric of a figure's name: without ``before.`` and without the region."""
    return figure.removeprefix("before.").partition(".")[0]
