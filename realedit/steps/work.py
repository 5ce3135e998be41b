"""What a step function is given (engine, request, state: :class:`Work`) and returns (:class:`Outcome`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from realedit.edits.plan import EditStep
from realedit.engine import Engine
from realedit.errors import ObjectNotFoundError, Sentence, UsageError
from realedit.find.by_hand import from_mask
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.inverted.levels import Reads
from realedit.location import Location, Point
from realedit.photo import Photo, composite
from realedit.photo.colour_profile import in_colours_of
from realedit.photo.inputs import PhotoLike, as_photo
from realedit.photo.samples import differs
from realedit.prompts import split
from realedit.settings import FullSettings, Settings
from realedit.system.progress import Progress, silent
from realedit.system.stopwatch import Stopwatch


@dataclass(frozen=True)
class Request:
    """How an edit is made; the same for all of its steps.

    Args:
        settings: the knobs.
        seed: seed of the noise.
        allow_crop: whether an object may leave the frame.
        min_confidence: least confidence in [0, 1] of what is found; below it the edit is refused.
        how: keyword arguments for :meth:`realedit.engine.Engine.invert`.
        progress: told of each stage.
        stopwatch: takes the stages' times.
        step: what is made; None where nobody says, then all is inverted that any step may read.
    """

    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    allow_crop: bool = False
    min_confidence: float = 0.0
    how: Mapping[str, Any] = field(default_factory=dict[str, Any])
    progress: Progress = silent
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    step: EditStep | None = None


@dataclass(frozen=True)
class State:
    """The photo as the steps before have left it, and what is known of it.

    Args:
        photo: the photo.
        inverted: an inversion of it, if there is one already.
        prompt: what it shows; None if nobody says.
        shown: the object in the user's mask, box or point.
        known: mattes of the objects that earlier steps have placed, by their words.
        elsewhere: what errors call the photo, if it is not the one that is edited.
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
        region: where the edited photo may differ, bool ``[H, W]``.
        figures: ``changed_outside_region``, the number of pixels that differ elsewhere (0 if all is well),
            and ``region_share``, the region's share of all pixels.
    """

    photo: Photo
    region: np.ndarray
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a step did.

    Args:
        laid: the edited photo.
        inverted: the inversion that it started from.
        location: the object as it was found.
        mask_after: its matte in the edited photo, float32 ``[H, W]`` in [0, 1].
        prompt: what the edited photo shows.
        metrics: figures by name.
        mattes: mattes of the objects whose place is now known, by their words.
        others: other objects that it changed, as they were found.
        warnings: what the user should know.
        picture: the model's own picture at its working size, float32 ``[h, w, 3]`` in 0..255; None if the
            model did not run.
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
        """Returns the same outcome with more figures."""
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
    def settings(self) -> FullSettings:
        """The knobs."""
        return self.engine.profile.filled(self.request.settings, by_model=False)

    def with_settings(self, **knobs: Any) -> Work:
        """Returns the same work with other knobs."""
        settings = replace(self.settings, **knobs)
        return replace(self, request=replace(self.request, settings=settings))

    def invert(self, *words: str | None) -> InvertedPhoto:
        """Returns the photo's inversion under a prompt that holds the words.

        It is the one that there is already, or one that is made when something asks for it.

        Args:
            *words: the words that the step looks for or edits; None is left out.
        """
        state, request = self.state, self.request
        named = [word for word in words if word]
        return self.engine.inverted_for(
            state.inverted or state.photo,
            state.prompt,
            named,
            request.how,
            # what is shown is not looked for, but the other things that a prompt names are
            reads=self._reads(words=bool(named) and (state.shown is None or bool(state.prompt))),
            progress=request.progress,
            during=partial(request.stopwatch.aside, "invert"),
        )

    def _reads(self, *, words: bool) -> Reads | None:
        """Returns what the step reads of an inversion."""
        step, profile = self.request.step, self.engine.profile
        if step is None:
            return None
        return Reads.of(self.settings, profile, paints=step.paints, hole=step.leaves_hole, words=words)

    def find(self, inverted: InvertedPhoto, word: str | None) -> Location:
        """Finds the object: as the user shows it, else where a step before has put it, else by its word.

        Args:
            inverted: the inversion of the photo, from :meth:`invert`.
            word: the object's words; None where it is shown.

        Raises:
            ObjectNotFoundError: the model does not see it.
            UnsureError: what was found is less sure than is asked for.
            UsageError: there is neither a word nor anything shown.
        """
        return self.state.shown or self.find_named(inverted, word)

    def find_named(self, inverted: InvertedPhoto, word: str | None) -> Location:
        """Finds an object by its words alone, whatever is shown; arguments and errors as of :meth:`find`."""
        if not word:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        if word in self.state.known:
            location = from_mask(self.photo.rgb, _in_photo(self.state.known[word], word), word)
        else:
            location = self._found(inverted, word).assured(self.request.min_confidence)
        self.request.stopwatch.lap("locate")
        return location

    def find_at(self, points: Sequence[Point], word: str | None) -> Location:
        """Cuts out the object at points, (x, y) in [0, 1].

        Args:
            points: each on the object.
            word: the object's words.

        Raises:
            ObjectNotFoundError: nothing there stands out.
            UnsureError: what was found is less sure than is asked for.
        """
        self.request.progress("looking", 0, 0)
        found = self.engine.cutter.by_points(self.photo.rgb, points, word=word)
        self.request.stopwatch.lap("locate")
        return found.assured(self.request.min_confidence)

    def _found(self, inverted: InvertedPhoto, word: str) -> Location:
        self.request.progress("looking", 0, 0)
        try:
            return self.engine.find(self.photo, inverted, word)
        except ObjectNotFoundError as error:
            if self.state.elsewhere is None:
                raise
            # the hint's other ways out (prompt, mask, box, point) belong to the photo that is edited
            told = Sentence(f"{self.state.elsewhere}: {error.message}", "not_in_other_photo")
            raise ObjectNotFoundError(told, "use another word", detail=error.detail) from error

    def other_photo(self, source: PhotoLike) -> Work:
        """Returns the same work on another photo, whose pixels are converted to this photo's colour profile.

        Args:
            source: the other photo; nothing is known of its objects.

        Raises:
            PhotoError: it cannot be read.
        """
        photo = as_photo(source)
        photo = replace(photo, rgb=in_colours_of(photo, self.photo))
        name = "the other photo" if photo.source is None else photo.source.name
        return replace(self, state=State(photo, elsewhere=name))

    def tokens(self, prompt: str, words: Sequence[str | None]) -> list[tuple[int, ...]]:
        """Returns the token positions of each object's words in a prompt; none for words that it lacks."""
        backbone = self.engine.backbone
        return [tuple(backbone.tokens(prompt, split(word)[1])) if word else () for word in words]

    def laid_over(self, edited: np.ndarray, alpha: np.ndarray) -> Laid:
        """Lays edited pixels over the photo.

        Args:
            edited: uint8 ``[H, W, 3]``.
            alpha: how much of them shows, float32 ``[H, W]`` in [0, 1].
        """
        photo = composite(self.photo, edited, alpha)
        self.request.stopwatch.lap("composite")
        region = alpha > 0
        changed = differs(self.photo.rgb, photo.rgb)
        figures = {
            "changed_outside_region": float((changed & ~region).sum()),
            "region_share": float(region.mean()),
        }
        return Laid(photo, region, figures)


def _in_photo(matte: np.ndarray, word: str) -> np.ndarray:
    """Returns the matte that earlier steps left of an object.

    Raises:
        UsageError: nothing of the object is left in the photo, or nothing but it.
    """
    hard = matte > 0.5
    if not hard.any():
        raise UsageError(f"the edits before leave nothing of '{word}' in the photo", "leave one of them out")
    if hard.all():
        raise UsageError(f"after the edits before, '{word}' fills the photo", "leave one of them out")
    return matte
