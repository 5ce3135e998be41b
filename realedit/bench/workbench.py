"""Tools that methods share: the loaded model, and the inversion of the case at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.models.backbone import Backbone
from realedit.models.frugality import Offload
from realedit.prompts import with_words

if TYPE_CHECKING:
    from realedit.pipeline import InvertedPhoto, RealEditPipeline


@dataclass(frozen=True)
class ModelSettings:
    """Which model runs, and where; as :meth:`realedit.RealEditPipeline.from_pretrained` takes them."""

    model: str | None = None
    device: str | None = None
    dtype: str | None = None
    offline: bool | None = None
    working_size: int | None = None
    profile: str | None = None
    loras: tuple[str, ...] = ()
    vae: str | None = None
    offload: Offload | None = None


@dataclass(frozen=True)
class Inverted:
    """An inversion, and what making it cost, even where it is used again."""

    photo: InvertedPhoto
    seconds: float
    evaluations: int


class Workbench:
    """The tools of one process.

    Args:
        settings: which model.
        seed: seed of every random number.
    """

    def __init__(self, settings: ModelSettings, seed: int = 0) -> None:
        self.settings = settings
        self.seed = seed
        self._inverted: tuple[tuple[Any, ...], Inverted] | None = None

    @cached_property
    def pipeline(self) -> RealEditPipeline:
        """Realedit's own pipeline, without its cache on disk, so that times are those of a first run."""
        from realedit.pipeline import RealEditPipeline

        chosen = self.settings
        return RealEditPipeline.from_pretrained(
            chosen.model,
            device=chosen.device,
            dtype=chosen.dtype,
            offline=chosen.offline,
            cache=False,
            working_size=chosen.working_size,
            profile=chosen.profile,
            loras=chosen.loras,
            vae=chosen.vae,
            offload=chosen.offload,
        )

    @property
    def backbone(self) -> Backbone:
        """The model itself."""
        return self.pipeline.backbone

    def size(self, loaded: LoadedCase) -> tuple[int, int]:
        """Returns (height, width) at which the model works on a case."""
        h, w = loaded.photo.shape[:2]
        return self.backbone.working_size(h, w, self.settings.working_size)

    def prompt(self, loaded: LoadedCase, *, bare: bool = False) -> str:
        """Returns what a case's photo shows, its object in it; with ``bare`` nothing else."""
        text = "" if bare else loaded.case.prompt
        return with_words(text, loaded.case.object) if loaded.case.object else text

    def inverted(
        self,
        loaded: LoadedCase,
        *,
        bare: bool = False,
        method: str,
        steps: int | None,
        guidance_scale: float | None = None,
    ) -> Inverted:
        """Inverts a case; kept until another inversion is asked for, so that variants of a method share it.

        Args:
            loaded: the case.
            bare: ``a photo of a WORD`` instead of the case's own prompt.
            method: one of ``inversion.METHODS``.
            steps: noise levels.
            guidance_scale: guidance scale of the replay.
        """
        case, prompt = loaded.case, self.prompt(loaded, bare=bare)
        key = (case.id, str(case.photo), prompt, method, steps, guidance_scale)
        if self._inverted is None or self._inverted[0] != key:
            self._inverted = None  # make room first
            with counted(self.backbone.unet) as count:
                photo = self.pipeline.invert(
                    loaded.photo, prompt, method=method, steps=steps, guidance_scale=guidance_scale
                )
            self._inverted = (key, Inverted(photo, photo.seconds, count.evaluations))
        return self._inverted[1]
