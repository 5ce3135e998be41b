"""Takes all figures of one outcome.

Pictures are compared with the truth. Where a case has none, only what lies outside the edit is compared,
with the photo itself; everything else is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.metrics import geometry, harmony
from realedit.bench.metrics.missing import Figures, MetricUnavailableError
from realedit.bench.metrics.perceptual import Backbone, PerceptualDistance, lpips, st_lpips
from realedit.bench.metrics.pixel import psnr, ssim
from realedit.bench.metrics.settings import REGIONAL, MetricSettings
from realedit.bench.metrics.target import REACHED, Target
from realedit.bench.outcome import Outcome
from realedit.bench.regions import BACKGROUND, OBJECT, REGIONS, WHOLE, object_after, regions
from realedit.bench.run_lengths import with_border

Masks = dict[str, np.ndarray]
Made = TypeVar("Made")
Compare = Callable[[np.ndarray, np.ndarray, Masks], dict[str, float]]
"""(picture, reference, regions) -> a figure by region."""

_NO_TRUTH = "the case has no truth"


class Meter:
    """Takes the figures; loads a network when it is first asked for, once.

    Args:
        settings: what is measured.
    """

    def __init__(self, settings: MetricSettings) -> None:
        self.settings = settings
        self._made: dict[str, Any] = {}

    def measure(self, loaded: LoadedCase, outcome: Outcome) -> Figures:
        """Takes the figures of an outcome; those before the composite are called ``before.``."""
        if outcome.references is not None:
            return self._against(outcome.picture, outcome.references)
        figures = self.pictures(loaded, outcome.picture)
        if "geometry" in self.settings.metrics:
            figures.merge(_geometry(loaded, outcome))
        if "target" in self.settings.metrics:
            figures.merge(self._target(loaded, outcome))
        if outcome.before_composite is not None:
            figures.merge(self.pictures(loaded, outcome.before_composite), "before.")
        return figures

    def pictures(self, loaded: LoadedCase, picture: np.ndarray) -> Figures:
        """Takes the figures that need nothing but the pictures."""
        figures = Figures()
        found = regions(loaded)
        for name in self.settings.metrics:
            try:
                if name in REGIONAL:
                    figures.merge(self._regional(name, loaded, picture, found))
                elif name not in ("geometry", "target"):
                    figures.values |= self._single(name, loaded, picture, found)
            except MetricUnavailableError as reason:
                figures.missing[name] = str(reason)
        return figures

    def compare(self, name: str, picture: np.ndarray, reference: np.ndarray) -> float:
        """Takes one of the regional metrics on two whole pictures.

        Raises:
            MetricUnavailableError: its weights cannot be had.
        """
        return self._regions_of(name)(picture, reference, {WHOLE: np.ones(picture.shape[:2], bool)})[WHOLE]

    def _against(self, picture: np.ndarray, references: Mapping[str, np.ndarray]) -> Figures:
        figures = Figures()
        for name in (name for name in self.settings.metrics if name in REGIONAL):
            try:
                for which, reference in references.items():
                    figures.values[f"{name}.{which}"] = self.compare(name, picture, reference)
            except MetricUnavailableError as reason:
                figures.missing[name] = str(reason)
        return figures

    def _regional(self, name: str, loaded: LoadedCase, picture: np.ndarray, found: Masks) -> Figures:
        compare = self._regions_of(name)
        figures = Figures()
        reference = _reference(loaded)
        wanted = found if loaded.truth is not None else {k: v for k, v in found.items() if k == BACKGROUND}
        for region in REGIONS:
            if region not in wanted:
                reason = (
                    _NO_TRUTH if loaded.truth is None and region in found else "the case has no such region"
                )
                figures.missing[f"{name}.{region}"] = reason
        if self.settings.masking == "pie":
            values = {
                where: _blackened(compare, picture, reference, m, name=where) for where, m in wanted.items()
            }
        else:
            values = compare(picture, reference, wanted)
        figures.values |= {f"{name}.{region}": value for region, value in values.items()}
        return figures

    def _regions_of(self, name: str) -> Compare:
        if name in ("psnr", "ssim"):
            return _PSNR if name == "psnr" else _SSIM
        if name.startswith("st_lpips"):
            return partial(_mapped, self._once(name, st_lpips))
        backbone = cast("Backbone", name.removeprefix("lpips_"))
        make = partial(lpips, backbone, download=self.settings.download)
        return partial(_mapped, self._once(name, make))

    def _single(self, name: str, loaded: LoadedCase, picture: np.ndarray, found: Masks) -> dict[str, float]:
        match name:
            case "structure":
                return {"structure": self._structure()(picture, _reference(loaded))}
            case "clip":
                return self._clip(loaded, picture, found)
            case "changed_background":
                return {name: _changed(picture, loaded.photo, _of(found, BACKGROUND))}
        if loaded.truth is None:
            raise MetricUnavailableError(_NO_TRUTH)
        # a seam may run about the hole too
        region = _of(found, OBJECT) if name == "harmony" else ~_of(found, BACKGROUND)
        return {name: getattr(harmony, name)(picture, loaded.truth, region)}

    def _target(self, loaded: LoadedCase, outcome: Outcome) -> Figures:
        """Checks whether the picture shows what was asked; each case is checked on its own truth first."""
        try:
            target = self._once(f"target of {loaded.case.id}", lambda: Target.of(loaded))
        except MetricUnavailableError as reason:
            return Figures(missing={REACHED: str(reason)})
        return Figures(target.check(outcome.picture))

    def _structure(self) -> Callable[..., float]:
        folder = self.settings.structure_model
        if folder is None:
            raise MetricUnavailableError("no model was given (--structure-model)")
        from realedit.bench.metrics.structure import StructureDistance

        return self._once("structure", lambda: StructureDistance(folder))

    def _clip(self, loaded: LoadedCase, picture: np.ndarray, found: Masks) -> dict[str, float]:
        folder = self.settings.clip_model
        if folder is None:
            raise MetricUnavailableError("no model was given (--clip-model)")
        from realedit.bench.metrics.clip_score import ClipScore

        score = self._once("clip", lambda: ClipScore(folder))
        case = loaded.case
        text = case.edit.prompt_after(case.prompt, case.object, case.colour)
        values = {f"clip.{WHOLE}": score(picture, text)}
        edited = loaded.mask if case.edit.kind == "text" else found.get(OBJECT)
        if self.settings.masking == "pie" and loaded.mask is not None:
            edited = with_border(loaded.mask)  # the reference's edited part, whatever the edit
        if edited is not None:
            values[f"clip.{OBJECT}"] = score(picture, text, edited)
        return values

    def _once(self, name: str, make: Callable[[], Made]) -> Made:
        if name not in self._made:
            try:
                self._made[name] = make()
            except MetricUnavailableError as error:
                self._made[name] = error
        made = self._made[name]
        if isinstance(made, MetricUnavailableError):
            raise MetricUnavailableError(str(made))
        return made


def _each(
    metric: Callable[..., float], picture: np.ndarray, reference: np.ndarray, found: Masks
) -> dict[str, float]:
    return {name: metric(picture, reference, None if name == WHOLE else mask) for name, mask in found.items()}


_PSNR, _SSIM = partial(_each, psnr), partial(_each, ssim)


def _mapped(
    distance: PerceptualDistance, picture: np.ndarray, reference: np.ndarray, found: Masks
) -> dict[str, float]:
    parts = {name: mask for name, mask in found.items() if name != WHOLE}
    values = {WHOLE: distance.whole(picture, reference)} if WHOLE in found else {}
    if parts:
        spread = distance.map(picture, reference)
        values |= {name: float(spread[mask].mean()) for name, mask in parts.items()}
    return values


def _blackened(
    compare: Compare, picture: np.ndarray, reference: np.ndarray, region: np.ndarray, *, name: str
) -> float:
    """Compares as PIE-Bench does: what does not count is black in both, and the figure is over everything.

    PIE-Bench's SSIM (torchmetrics') also counts the border of the map, which scikit-image's mean leaves out.
    """
    if name == BACKGROUND:
        region = ~with_border(~region)
    shown = region[..., None].astype(np.uint8)
    frame = BACKGROUND if compare is _SSIM else WHOLE
    return compare(picture * shown, reference * shown, {frame: np.ones(region.shape, bool)})[frame]


def _geometry(loaded: LoadedCase, outcome: Outcome) -> Figures:
    """Measures the method's own account: the object found, the object afterwards, the edited region."""
    figures = _outside(loaded, outcome)
    if loaded.mask is None or loaded.case.edit.kind == "text":
        figures.missing["mask_iou"] = "the case has no mask of the object"
    elif outcome.found is None:
        figures.missing["mask_iou"] = "the method was given the object's mask"
    else:
        figures.values["mask_iou"] = geometry.iou(outcome.found, loaded.mask)
    truth = object_after(loaded) if loaded.truth_mask is not None else None
    reason = None
    if truth is None:
        reason = "where the object is afterwards is not known"
    elif outcome.after is None or not outcome.after.any():
        reason = "the method does not say where the object is afterwards"
    if truth is None or outcome.after is None or reason is not None:
        figures.missing |= dict.fromkeys(("centroid_error", "centroid_near", "size_ratio"), reason or "")
        return figures
    error = geometry.centroid_error(outcome.after, truth)
    figures.values |= {"centroid_error": error, "centroid_near": float(error <= geometry.NEAR)}
    figures.values["size_ratio"] = geometry.size_ratio(outcome.after, truth)
    return figures


def _outside(loaded: LoadedCase, outcome: Outcome) -> Figures:
    """Counts pixels that are not the photo's own outside the region that the method says it edited."""
    if outcome.region is None:
        return Figures(missing={"changed_outside": "the method does not say where it edited"})
    changed = (outcome.picture != loaded.photo).any(-1) & ~outcome.region
    return Figures({"changed_outside": float(changed.sum())})


def _reference(loaded: LoadedCase) -> np.ndarray:
    return loaded.photo if loaded.truth is None else loaded.truth


def _of(found: Masks, region: str) -> np.ndarray:
    if region not in found:
        raise MetricUnavailableError("the case has no such region")
    return found[region]


def _changed(picture: np.ndarray, photo: np.ndarray, region: np.ndarray) -> float:
    """Returns the share of a region's pixels that are not the photo's own, from 0 to 1."""
    return float((picture != photo).any(-1)[region].mean())
