"""The photos of all sessions: brought, decoded for as long as there is room, shown, and let go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.errors import PhotoError, RealEditError, Sentence
from realedit.photo import Photo, read_photo
from realedit.photo.inputs import as_photo
from realedit.photo.pictures import picture_file
from realedit.pixels.resizing import at_size, scaled
from realedit.ui.kept import Kept
from realedit.ui.limits import MEGABYTE, Limits
from realedit.ui.sessions import Made, Session, StoredPhoto

_VIEW_SIDES = (320, 2048)
"""Longer side in pixels of a view of a photo, at least and at most: what is asked beyond is brought to them.
Set by the sizes of screens."""

Again = Callable[[Session, StoredPhoto], Photo]
"""Returns an edited photo, made again to the bit."""


class Photos:
    """The photos of all sessions.

    Args:
        limits: what is refused, and how much is kept.
        again: makes an edited photo again that is no longer kept.
        on_drop: told the id of a photo that has gone.
    """

    def __init__(self, limits: Limits, again: Again, on_drop: Callable[[str], None]) -> None:
        self._limits = limits
        self._again = again
        self._on_drop = on_drop
        self._decoded: Kept[Photo] = Kept(limits.kept_bytes, _bytes_of)

    def bring(self, session: Session, content: bytes, name: str) -> StoredPhoto:
        """Takes a photo into a session.

        Args:
            session: whose it becomes.
            content: its file.
            name: the file's name, as the visitor has it.

        Raises:
            PhotoError: it is too large, or no photo that can be edited.
        """
        if len(content) > self._limits.file_bytes:
            raise file_too_large(self._limits)
        photo = self._read(content)
        self._make_room(session)
        stored = session.keep(content, name, photo.size)
        self._decoded.put(stored.id, photo)
        return stored

    def keep(self, session: Session, content: bytes, name: str, photo: Photo, made: Made) -> StoredPhoto:
        """Takes an edited photo into its session.

        Args:
            session: whose it becomes.
            content: its file.
            name: the file's name.
            photo: the same, decoded.
            made: how it was made.

        Raises:
            RealEditError: the session holds too many.
        """
        self._make_room(session)
        stored = session.keep(content, name, photo.size, made)
        self._decoded.put(stored.id, photo)
        return stored

    def photo(self, session: Session, name: str) -> Photo:
        """Returns a photo of a session, to the bit: decoded again, or made again, where it is not kept.

        Raises:
            NoSuchThingError: the session has none of that id.
        """
        stored = session.photo(name)
        return self._decoded.get(stored.id, partial(self._made, session, stored))

    def opened(self, session: Session, reference: str) -> tuple[Photo, str]:
        """Returns a photo of a session and its name; errors as of :meth:`photo`."""
        return self.photo(session, reference), session.photo(reference).name

    def view(self, session: Session, name: str, side: int) -> tuple[bytes, str]:
        """Returns a photo as a browser shows it, a JPEG (a PNG where it is transparent), and its media type.

        Args:
            session: whose it is.
            name: its id.
            side: longer side in pixels, at most.
        """
        side = min(max(side, _VIEW_SIDES[0]), _VIEW_SIDES[1])
        photo = self.photo(session, name)
        picture = Image.fromarray(at_size(photo.rgb, fitted(photo.rgb.shape[:2], side)))
        alpha = photo.native.alpha
        if alpha is None:
            return picture_file(picture, Path("view.jpg"), photo.metadata.icc), "image/jpeg"
        shown = (alpha.astype(np.float32) / np.iinfo(alpha.dtype).max * 255).astype(np.uint8)
        picture.putalpha(Image.fromarray(scaled(shown, picture.size)))
        return picture_file(picture, Path("view.png"), photo.metadata.icc), "image/png"

    def let_go(self, name: str) -> None:
        """Keeps a photo no longer in memory; it is decoded or made again when it is needed."""
        self._decoded.forget(name)

    def _made(self, session: Session, stored: StoredPhoto) -> Photo:
        """Returns a photo that is not in memory: from its file, or by doing its edit again."""
        return self._read(stored.file.read_bytes()) if stored.made is None else self._again(session, stored)

    def _read(self, content: bytes) -> Photo:
        return as_photo(read_photo(content, "the photo", most_pixels=self._limits.pixels))

    def _make_room(self, session: Session) -> None:
        """Lets the oldest photo go that nothing was made of, where a session holds too many."""
        needed = {stored.made.parent for stored in session.photos.values() if stored.made is not None}
        for stored in list(session.photos.values()):
            if len(session.photos) < self._limits.photos:
                return
            if stored.id not in needed:
                session.drop(stored)
                self.let_go(stored.id)
                self._on_drop(stored.id)
        if len(session.photos) >= self._limits.photos:
            told = Sentence("this session holds too many photos", "too_many_photos")
            raise RealEditError(told, "begin a new one")


def photo_fields(stored: StoredPhoto) -> dict[str, Any]:
    """Returns what is told of a photo."""
    return {
        "id": stored.id,
        "name": stored.name,
        "width": stored.size[0],
        "height": stored.size[1],
        "parent": None if stored.made is None else stored.made.parent,
    }


def file_too_large(limits: Limits) -> PhotoError:
    """What to say of a file that is larger than the limits allow."""
    most = f"at most {limits.file_bytes // MEGABYTE} MB are taken"
    return PhotoError(Sentence("the file is too large", "file_too_large"), most)


def fitted(size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Returns (height, width) whose longer side is ``side``; the size itself where it is smaller."""
    scale = min(1.0, side / max(size[:2]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _bytes_of(photo: Photo) -> int:
    return photo.rgb.nbytes + photo.native.values.nbytes
