"""What every step of an edit is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from guidance import Trace
from realedit.backbone import Prompt
from realedit.clock import Clock
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.inputs import PhotoLike, as_photo
from realedit.inverted import Progress
from realedit.locate import Location, from_mask
from realedit.photo import Photo, composite
from realedit.photo_colours import in_colours_of
from realedit.settings import Settings
from realedit.which_one import split

if TYPE_CHECKING:
    from realedit.pipeline import InvertedPhoto, RealEditPipeline


@dataclass(frozen=True)
class Outcome:
    """What a step did.

    Args:
        photo: the edited photo.
        inverted: what it was edited from.
        location: the object as it was found.
        mask_after: its matte in the edited photo, float32 ``[H, W]`` in [0, 1].
        region: where the photos may differ, bool ``[H, W]``.
        metrics: figures by name.
        prompt: what the edited photo shows.
        mattes: words of objects whose place is now known, and their mattes.
        warnings: what the user should know.
        picture: the model's own at its working size, float32 ``[h, w, 3]`` in 0..255; None if it did not run.
        others: other objects that it changed, as they were found.
    """

    photo: Photo
    inverted: InvertedPhoto
    location: Location
    mask_after: np.ndarray
    region: np.ndarray
    metrics: dict[str, float]
    prompt: str
    mattes: dict[str, np.ndarray] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    picture: np.ndarray | None = None
    others: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Work:
    """What a step works with.

    Args:
        pipeline: the model.
        photo: the photo as the steps before have left it.
        inverted: an inversion of it, where there is one already.
        prompt: what it shows.
        given: the object in the user's mask, box or point.
        known: words whose objects the steps before have placed, and their mattes.
        settings: the knobs.
        seed: of the noise.
        allow_crop: whether an object may leave the frame.
        progress: told of each stage.
        clock: takes the stages' times.
        inversion: keywords of :meth:`RealEditPipeline.invert`.
        elsewhere: how errors call the photo where it is not the one that is edited.
    """

    pipeline: RealEditPipeline
    photo: Photo
    inverted: InvertedPhoto | None
    prompt: str | None
    given: Location | None
    known: dict[str, np.ndarray]
    settings: Settings
    seed: int
    allow_crop: bool
    progress: Progress | None
    clock: Clock
    inversion: dict[str, Any]
    elsewhere: str | None = None

    def invert(self, *words: str | None) -> InvertedPhoto:
        """The photo inverted under a prompt that holds the words."""
        named = [word for word in words if word]
        inverted = self.pipeline.inverted_for(
            self.inverted or self.photo, self.prompt, named, self.progress, self.inversion
        )
        self.clock.lap("invert")
        return inverted

    def find(self, inverted: InvertedPhoto, word: str | None) -> Location:
        """The object: as the user shows it, where a step before has put it, or by its word.

        Raises:
            ObjectNotFoundError: the model does not see it.
            UsageError: there is neither a word nor anything shown.
        """
        if self.given is not None:
            return self.given
        if not word:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        if word in self.known:
            location = from_mask(self.photo.rgb, self.known[word], word)
        else:
            location = self._found(inverted, word)
        self.clock.lap("locate")
        return location

    def _found(self, inverted: InvertedPhoto, word: str) -> Location:
        try:
            return self.pipeline.find(self.photo, inverted.inversion, word)
        except ObjectNotFoundError as error:
            if self.elsewhere is None:
                raise
            # a prompt, a mask, a box or a point would be of the photo that is edited
            raise ObjectNotFoundError(f"{self.elsewhere}: {error.message}", "use another word") from error

    def other_photo(self, source: PhotoLike) -> Work:
        """The same work on another photo, of which nothing is known, in this one's colours."""
        photo = as_photo(source)
        photo = replace(photo, rgb=in_colours_of(photo, self.photo))
        name = "the other photo" if photo.source is None else photo.source.name
        return replace(
            self, photo=photo, inverted=None, prompt=None, given=None, known={}, elsewhere=name
        )  # fmt: skip

    def encoded(self, inverted: InvertedPhoto, text: str) -> Prompt:
        """A prompt for the size that an inversion has."""
        return self.pipeline.backbone.prompt(text, inverted.inversion.size)

    def tell(self, stage: str) -> None:
        """Tell that a stage has begun."""
        if self.progress is not None:
            self.progress(stage, 0, 1)

    def laid_over(self, edited: np.ndarray, alpha: np.ndarray) -> tuple[Photo, dict[str, float]]:
        """The edited pixels over the photo, and what that did outside the region."""
        out = composite(self.photo, edited, alpha)
        self.clock.lap("composite")
        changed = (self.photo.rgb != out.rgb).any(-1)
        return out, {
            "changed_outside_region": float((changed & (alpha == 0)).sum()),
            "region_share": float((alpha > 0).mean()),
        }


def tokens_of(work: Work, prompt: str, words: Sequence[str | None]) -> list[tuple[int, ...]]:
    """Token positions of each of the words in a prompt; none for those it lacks."""
    backbone = work.pipeline.backbone
    return [tuple(backbone.tokens(prompt, split(word)[1])) if word else () for word in words]


def reached(trace: Trace | None) -> dict[str, float]:
    """How far self-guidance came towards each target in the sampled picture, 1 is all the way."""
    if trace is None:
        return {}
    figures: dict[str, float] = {}
    for target in trace.targets.values():
        name = f"reached_{target.name}"
        figures[name] = min(target.share, figures.get(name, 1.0))
    return figures
