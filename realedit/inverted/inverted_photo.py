"""A photo with its inversion: invert once, edit many times; and no inversion where nothing asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realedit.inverted.inversion import Inversion
from realedit.inverted.levels import Reads, all_levels
from realedit.models.profile import Profile
from realedit.photo import Photo, load_photo
from realedit.system.one_at_a_time import new_lock

Box = tuple[int, int, int, int]
"""First and last row and first and last column of a part, in pixels; the last ones are not in it."""


@dataclass(frozen=True)
class Made:
    """An inversion, and how it came about.

    Args:
        inversion: the photo's.
        cached: whether it was read from the cache.
        seconds: the time it took to make or to read.
        key: its key in the cache, or "".
    """

    inversion: Inversion
    cached: bool = False
    seconds: float = 0.0
    key: str = ""


@dataclass(frozen=True)
class InvertedPhoto:
    """A photo with its inversion, which is made when it is first asked for.

    Args:
        photo: the photo.
        prompt: what it is said to show.
        size: (height, width) in pixels that the model works at.
        how: keywords of ``invert`` that invert another photo in the same way, at the same noise levels.
        make: makes the inversion, or reads it.
        lock: held meanwhile, so that threads that ask at once get one.
        reads: what it was made to be read of it; None for all.
        part: makes an inverted photo of a part of this one, in the same way.
    """

    photo: Photo
    prompt: str
    size: tuple[int, int]
    how: Mapping[str, Any]
    make: Callable[[], Made]
    lock: AbstractContextManager[Any] = field(default_factory=new_lock, repr=False, compare=False)
    _kept: list[Made] = field(default_factory=list[Made], init=False, repr=False, compare=False)
    reads: Reads | None = None
    part: Callable[[Photo], InvertedPhoto] | None = field(default=None, repr=False)
    _parts: dict[Box, InvertedPhoto] = field(
        default_factory=lambda: dict[Box, InvertedPhoto](), repr=False, compare=False
    )

    def part_at(self, rows: slice, columns: slice) -> InvertedPhoto:
        """Returns a part of the photo with an inversion of its own, always the same for the same part.

        Raises:
            ValueError: nothing says how a part is inverted.
        """
        if self.part is None:
            raise ValueError("this inversion cannot be made of a part of its photo")
        box = (rows.start, rows.stop, columns.start, columns.stop)
        with self.lock:
            if box not in self._parts:
                pixels = np.ascontiguousarray(self.photo.rgb[rows, columns])
                self._parts[box] = self.part(load_photo(pixels))
            return self._parts[box]

    def serves(self, reads: Reads | None, profile: Profile) -> bool:
        """Whether its inversion has what is to be read."""
        if reads is None or self.reads is None:
            steps = self.how["steps"]
            return self.reads is None and (
                reads is None or all_levels(steps, profile).covers(reads.levels(steps))
            )
        return self.reads.levels(self.how["steps"]).covers(reads.levels(self.how["steps"]))

    @property
    def _made(self) -> Made:
        # not cached_property: its own lock, taken before ours here and after ours elsewhere, would end in two
        # threads that wait for each other
        with self.lock:
            if not self._kept:
                self._kept.append(self.make())
            return self._kept[0]

    @property
    def is_made(self) -> bool:
        """Whether anything has asked for the inversion."""
        return bool(self._kept)

    def make_now(self) -> None:
        """Makes the inversion, if it is not made."""
        _ = self._made

    @property
    def inversion(self) -> Inversion:
        """The photo's inversion."""
        return self._made.inversion

    @property
    def cached(self) -> bool:
        """Whether it was read from the cache."""
        return self._made.cached

    @property
    def seconds(self) -> float:
        """The time it took to make or to read."""
        return self._made.seconds

    @property
    def key(self) -> str:
        """Its key in the cache, or ""."""
        return self._made.key
