"""What is under the pointer, at once: a photo's features are computed once, each answer from them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any

from realedit.cutout.cutout import CutOut
from realedit.cutout.prepared import PreparedPhoto
from realedit.photo import Photo
from realedit.pipeline import RealEditPipeline
from realedit.ui.kept import Kept
from realedit.ui.outline import outline
from realedit.ui.requests import OutlineRequest

_PREPARED = 6
"""Photos whose features are kept: with more, more visitors point at photos without waiting; one takes about
12 MB. Not measured."""


class Pointer:
    """Tells what is under the pointer.

    Args:
        pipeline: whose cut-out network answers.
    """

    def __init__(self, pipeline: RealEditPipeline) -> None:
        self._pipeline = pipeline
        self._prepared: Kept[PreparedPhoto] = Kept(_PREPARED, lambda _: 1)
        self._one_at_a_time = threading.Lock()

    def make_ready(self, name: str, photo: Callable[[], Photo]) -> None:
        """Prepares a photo; what comes later is then answered at once.

        Args:
            name: the photo's id.
            photo: returns it.
        """
        with self._one_at_a_time:
            self._features(name, photo)

    def outline(self, name: str, photo: Callable[[], Photo], request: OutlineRequest) -> dict[str, Any]:
        """Returns what is under some points, roughly: its lines, and how sure they are, in [0, 1].

        Args:
            name: the photo's id.
            photo: returns it.
            request: the points.

        Raises:
            UsageError: a point is not in the photo.
        """
        points, beside = request.points()
        with self._one_at_a_time:
            answer = self._features(name, photo).answer(points, beside)
        return {"lines": outline(answer.alpha), "agreement": round(answer.agreement, 3)}

    def forget(self, name: str) -> None:
        """Lets go what is kept of a photo."""
        self._prepared.forget(name)

    @cached_property
    def network(self) -> CutOut:
        """The network that answers: the one that ships, whatever else cuts out."""
        own = self._pipeline.engine.cutter.cutout
        return own if isinstance(own, CutOut) else CutOut.load()

    def _features(self, name: str, photo: Callable[[], Photo]) -> PreparedPhoto:
        return self._prepared.get(name, lambda: PreparedPhoto(self.network, photo().rgb))
