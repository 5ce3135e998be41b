"""What every step of an edit is given (engine, request, state), and what it hands back (its outcome)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from guidance import Trace
from realedit.compose.anchor import Anchor
from realedit.engine import Engine
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.find.by_hand import from_mask
from realedit.inverted.inversion import Inversion
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.photo import Photo, composite
from realedit.photo.colour_profile import in_colours_of
from realedit.photo.inputs import PhotoLike, as_photo
from realedit.prompts import split
from realedit.sample.regions import Lender, Subject
from realedit.sample.repaint import Repainted, repaint
from realedit.sample.resample import Resampled, resample
from realedit.settings import Settings
from realedit.system.memory import translated
from realedit.system.progress import Progress, silent
from realedit.system.stopwatch import Stopwatch


@dataclass(frozen=True)
class Request:
    """How an edit is made; the same for all of its steps.

    Args:
        settings: the knobs.
        seed: of the noise.
        allow_crop: whether an object may leave the frame.
        how: keywords of :meth:`realedit.engine.Engine.invert`.
        progress: told of each stage.
        stopwatch: takes the stages' times.
    """

    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    allow_crop: bool = False
    how: Mapping[str, Any] = field(default_factory=dict[str, Any])
    progress: Progress = silent
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


@dataclass(frozen=True)
class State:
    """What a step finds as the steps before have left it.

    Args:
        photo: the photo.
        inverted: an inversion of it, where there is one already.
        prompt: what it shows; None where nothing is said.
        shown: the object in the user's mask, box or point.
        known: words whose objects the steps before have placed, and their mattes.
        elsewhere: how errors call the photo where it is not the one that is edited.
    """

    photo: Photo
    inverted: InvertedPhoto | None = None
    prompt: str | None = None
    shown: Location | None = None
    known: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    elsewhere: str | None = None


@dataclass(frozen=True)
class Laid:
    """An edit laid over the photo.

    Args:
        photo: the edited photo.
        region: where the photos may differ, bool ``[H, W]``.
        figures: by name: pixels changed outside the region, and the region's share of all.
    """

    photo: Photo
    region: np.ndarray
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a step did.

    Args:
        laid: the edited photo.
        inverted: what it was edited from.
        location: the object as it was found.
        mask_after: its matte in the edited photo, float32 ``[H, W]`` in [0, 1].
        prompt: what the edited photo shows.
        metrics: figures by name.
        mattes: words of objects whose place is now known, and their mattes.
        others: other objects that it changed, as they were found.
        warnings: what the user should know.
        picture: the model's own at its working size, float32 ``[h, w, 3]`` in 0..255; None if it did not run.
    """

    laid: Laid
    inverted: InvertedPhoto
    location: Location
    mask_after: np.ndarray
    prompt: str
    metrics: Mapping[str, float]
    mattes: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    others: tuple[Location, ...] = ()
    warnings: tuple[str, ...] = ()
    picture: np.ndarray | None = None

    @property
    def photo(self) -> Photo:
        """The edited photo."""
        return self.laid.photo

    @property
    def region(self) -> np.ndarray:
        """Where the photos may differ, bool ``[H, W]``."""
        return self.laid.region

    def with_metrics(self, **figures: float) -> Outcome:
        """The same with more figures."""
        return replace(self, metrics={**self.metrics, **figures})


@dataclass(frozen=True)
class Work:
    """What a step works with.

    Args:
        engine: the model.
        request: how the edit is made.
        state: the photo, and what is known of it.
    """

    engine: Engine
    request: Request
    state: State

    @property
    def photo(self) -> Photo:
        """The photo as the steps before have left it."""
        return self.state.photo

    @property
    def settings(self) -> Settings:
        """The knobs."""
        return self.request.settings

    def with_settings(self, **knobs: Any) -> Work:
        """The same with other knobs."""
        settings = replace(self.settings, **knobs)
        return replace(self, request=replace(self.request, settings=settings))

    def invert(self, *words: str | None) -> InvertedPhoto:
        """The photo inverted under a prompt that holds the words."""
        state, request = self.state, self.request
        named = [word for word in words if word]
        inverted = self.engine.inverted_for(
            state.inverted or state.photo, state.prompt, named, request.how, request.progress
        )
        request.stopwatch.lap("invert")
        return inverted

    def find(self, inverted: InvertedPhoto, word: str | None) -> Location:
        """The object: as the user shows it, where a step before has put it, or by its word.

        Raises:
            ObjectNotFoundError: the model does not see it.
            UsageError: there is neither a word nor anything shown.
        """
        return self.state.shown or self.find_named(inverted, word)

    def find_named(self, inverted: InvertedPhoto, word: str | None) -> Location:
        """The object where a step before has put it, or by its word, whatever is shown; errors as above."""
        if not word:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        if word in self.state.known:
            location = from_mask(self.photo.rgb, self.state.known[word], word)
        else:
            location = self._found(inverted, word)
        self.request.stopwatch.lap("locate")
        return location

    def _found(self, inverted: InvertedPhoto, word: str) -> Location:
        try:
            return self.engine.find(self.photo, inverted.inversion, word)
        except ObjectNotFoundError as error:
            if self.state.elsewhere is None:
                raise
            # a prompt, a mask, a box or a point would be of the photo that is edited
            raise ObjectNotFoundError(
                f"{self.state.elsewhere}: {error.message}", "use another word"
            ) from error

    def other_photo(self, source: PhotoLike) -> Work:
        """The same work on another photo, of which nothing is known, in this one's colours."""
        photo = as_photo(source)
        photo = replace(photo, rgb=in_colours_of(photo, self.photo))
        name = "the other photo" if photo.source is None else photo.source.name
        return replace(self, state=State(photo, elsewhere=name))

    def tokens(self, prompt: str, words: Sequence[str | None]) -> list[tuple[int, ...]]:
        """Token positions of each of the words in a prompt; none for those it lacks."""
        backbone = self.engine.backbone
        return [tuple(backbone.tokens(prompt, split(word)[1])) if word else () for word in words]

    def resampled(
        self,
        inversion: Inversion,
        text: str,
        anchor: Anchor,
        subjects: Sequence[Subject],
        lenders: Sequence[Lender] = (),
    ) -> Resampled | None:
        """The anchor through the model under ``text``; None where the settings ask for nothing of that.

        See :func:`realedit.sample.resample.resample`.
        """
        resampled = None
        if self.settings.strength > 0 and self.settings.resample > 0:
            with translated(), self.engine.capture:
                resampled = resample(
                    self.engine.backbone,
                    self.engine.capture,
                    inversion,
                    self.engine.backbone.prompt(text, inversion.size),
                    anchor=anchor,
                    subjects=subjects,
                    lenders=lenders,
                    settings=self.settings,
                    seed=self.request.seed,
                    callback=self._stage("resample"),
                )
        self.request.stopwatch.lap("resample")
        return resampled

    def repainted(
        self, inversion: Inversion, text: str, region: np.ndarray, *, fresh: bool, held: str = ""
    ) -> Repainted:
        """A region painted by the model under ``text``, the outline of the words ``held`` kept.

        See :func:`realedit.sample.repaint.repaint`.
        """
        with translated(), self.engine.capture:
            painted = repaint(
                self.engine.backbone,
                self.engine.capture,
                inversion,
                self.engine.backbone.prompt(text, inversion.size),
                region=region,
                settings=self.settings,
                seed=self.request.seed,
                fresh=fresh,
                tokens=tuple(self.engine.backbone.tokens(text, held)) if held else (),
                callback=self._stage("resample"),
            )
        self.request.stopwatch.lap("resample")
        return painted

    def laid_over(self, edited: np.ndarray, alpha: np.ndarray) -> Laid:
        """Edited pixels, uint8 ``[H, W, 3]``, over the photo, and what that did outside the region."""
        photo = composite(self.photo, edited, alpha)
        self.request.stopwatch.lap("composite")
        region = alpha > 0
        changed = (self.photo.rgb != photo.rgb).any(-1)
        figures = {
            "changed_outside_region": float((changed & ~region).sum()),
            "region_share": float(region.mean()),
        }
        return Laid(photo, region, figures)

    def _stage(self, name: str) -> partial[None]:
        return partial(self.request.progress, name)


def reached(trace: Trace | None) -> dict[str, float]:
    """How far self-guidance came towards each target in the sampled picture, 1 is all the way."""
    if trace is None:
        return {}
    figures: dict[str, float] = {}
    for target in trace.targets.values():
        name = f"reached_{target.name}"
        figures[name] = min(target.share, figures.get(name, 1.0))
    return figures
