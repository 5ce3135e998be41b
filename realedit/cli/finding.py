"""Finds objects for commands that need no edited photo; the model is loaded only where a word needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.cli.options import ModelOptions
from realedit.edits.prepared import Shown
from realedit.errors import ObjectNotFoundError
from realedit.models.choice import resolve_model
from realedit.prompts import split
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.edits.prepared import Prepared
    from realedit.find.by_cutout import Cutter
    from realedit.location import Location
    from realedit.models.recogniser import Recogniser
    from realedit.photo import Photo
    from realedit.pipeline import RealEditPipeline


@dataclass
class ObjectFinder:
    """Finds objects as an edit finds them, at once where that takes no diffusion model.

    Args:
        options: the model that finds what nothing else finds.
        load: loads it.
        min_confidence: what is found with less confidence is refused.
        names_first: look for all words by their names first, those of the embedded model too.
        quiet: print nothing about what cuts out.
    """

    options: ModelOptions
    load: Callable[[], RealEditPipeline]
    min_confidence: float = 0.0
    names_first: bool = False
    quiet: bool = False

    @cached_property
    def cutter(self) -> Cutter:
        """What needs no diffusion model."""
        from realedit.cli import session

        return session.cutter(self.options, quiet=self.quiet)

    @cached_property
    def pipeline(self) -> RealEditPipeline:
        """The model, loaded when it is first needed."""
        return self.load()

    def find(
        self,
        photo: Photo,
        word: str | None,
        shown: Shown,
        *,
        prompt: str | None = None,
        progress: Progress,
        how: Mapping[str, Any] | None = None,
    ) -> Location:
        """Finds what is shown, else what a word names.

        Args:
            photo: the photo.
            word: the object's words; None where it is shown.
            shown: where the user shows it.
            prompt: what the photo shows.
            progress: told of each stage.
            how: method and steps of the inversion.

        Raises:
            ObjectNotFoundError: nothing sees it.
            UnsureError: what was found is less sure than is asked for.
        """
        from realedit.find.by_hand import shown_location

        progress("looking", 0, 0)
        found = shown_location(self.cutter, photo, shown, word) or self._by_name(photo, word)
        if found is None:
            found = self.pipeline.locate(photo, word, prompt=prompt, progress=progress, **(how or {}))
        return found.assured(self.min_confidence)

    def find_all(
        self, prepared: Prepared, prompt: str | None, how: Mapping[str, Any], progress: Progress
    ) -> dict[str | None, Location]:
        """Finds the objects that an edit changes; None is the word of one that is shown and not named."""
        return {
            word: self.find(
                prepared.photo,
                word,
                prepared.shown if word == prepared.plan.shown_word else Shown(),
                prompt=prompt,
                progress=progress,
                how=how,
            )
            for word in prepared.plan.objects
        }

    def _by_name(self, photo: Photo, word: str | None) -> Location | None:
        """Finds a word without the diffusion model, if :meth:`realedit.engine.Engine.find` would do so too.

        Raises:
            ObjectNotFoundError: it is not in the photo, and the model would not look for it.
        """
        if word is None or self.options.detector or self.options.segmenter:
            return None
        if not self.cutter.knows(split(word)[1]) or (self._recogniser_knows(word) and not self.names_first):
            return None
        try:
            return self.cutter.by_name(photo.rgb, word)
        except ObjectNotFoundError:
            if self._trained and not self._recogniser_knows(word):
                raise
            return None

    def _recogniser_knows(self, word: str) -> bool:
        recogniser = self._recogniser
        return recogniser is not None and recogniser.noun(split(word)[1]) is not None

    @cached_property
    def _recogniser(self) -> Recogniser | None:
        from realedit.models.recogniser import Recogniser

        ref = resolve_model(self.options.model)
        return None if ref.source == "hub" else Recogniser.load(Path(ref.location))

    @cached_property
    def _trained(self) -> bool:
        return self._recogniser is not None or resolve_model(self.options.model).source == "embedded"
