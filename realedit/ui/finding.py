"""What a job does that finds an object or cuts it out: fields, files, and a preview at screen size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.compose.contact import find_contact
from realedit.compose.foot import feet
from realedit.compose.piece import LEAST_SEEN_LOSS
from realedit.compose.shadow import find_shadow
from realedit.compose.transparent import cropped, cut_out, cutout_png
from realedit.cutout.cutout import deepest
from realedit.edits.kinds import Remove
from realedit.edits.plan import plan
from realedit.edits.prepared import Shown, prepare
from realedit.errors import RealEditError, key_of
from realedit.location import WHOLE, Box, Location, box_of
from realedit.photo import Photo, load_photo
from realedit.photo.pictures import mask_png, picture_file
from realedit.pipeline import RealEditPipeline
from realedit.pixels.resizing import at_size, scaled
from realedit.report.fields import finite, location_fields
from realedit.report.preview import found_over
from realedit.settings import Settings
from realedit.system.progress import Progress
from realedit.ui.jobs import Job
from realedit.ui.outline import outline
from realedit.ui.photos import Photos, fitted
from realedit.ui.requests import CutoutRequest, LocateRequest
from realedit.ui.sessions import Session

_CLEARED_SIDE = 768
"""Longer side in pixels of the photo without the object, which is seen while it is dragged: above it that is
sharper and comes later, below it the other way round. Set by eye."""
_SPRITE_SIDE = 1600
"""Longer side in pixels of the photo from which the dragged object's own pixels are taken: above it they are
sharper than a screen shows, below it softer than the photo about them. Set by the size of the page's view."""
_MARGIN = 24
"""Pixels about the object, at that size, that the colours of its edge are found from. Not measured."""
FILES = ("mask.png", "cutout.png", "overlay.png", "sprite.png", "cleared.png", "shadow.png")
"""Names of the files that jobs leave."""


def file_of(session: Session, job: Job, name: str) -> Path:
    """Returns where a job's file of a name lies."""
    return session.folder / f"job-{job.id}-{name}"


class Finding:
    """Finds objects and cuts them out.

    Args:
        pipeline: the loaded model.
        photos: the photos of all sessions.
    """

    def __init__(self, pipeline: RealEditPipeline, photos: Photos) -> None:
        self._pipeline = pipeline
        self._photos = photos

    def locate(
        self, session: Session, request: LocateRequest, job: Job, progress: Progress
    ) -> Mapping[str, Any]:
        """Finds an object; returns what is told of it.

        Raises:
            RealEditError: what :meth:`realedit.pipeline.RealEditPipeline.locate_shown` raises.
        """
        photo, found = self._found(session, request, progress)
        height, width = fitted(found.mask.shape, _CLEARED_SIDE)
        screen = scaled(found.mask, (width, height))
        alone = Location(found.word, found.mask, found.mask, found.score, found.source)
        fields = {
            **_told(found),
            "lines": outline(screen),
            "inside": deepest(screen),
            "foot": feet(alone, np.eye(3)[:2])[0],
        }
        file_of(session, job, "mask.png").write_bytes(mask_png(found.mask))
        if "cutout" in request.also:
            file_of(session, job, "cutout.png").write_bytes(cutout_png(photo, found))
        if "overlay" in request.also:
            _write(session, job, "overlay.png", found_over(photo.rgb, found.mask), photo)
        if request.preview:
            self._preview(session, job, photo, found, fields, progress)
        return fields

    def cut_out(
        self, session: Session, request: CutoutRequest, job: Job, progress: Progress
    ) -> Mapping[str, Any]:
        """Cuts an object out; returns what is told of it.

        Raises:
            RealEditError: what :meth:`realedit.pipeline.RealEditPipeline.locate_shown` raises.
        """
        photo, found = self._found(session, request, progress)
        if request.mask_only:
            content = mask_png(cropped(found.mask, found.box) if request.crop else found.mask)
        else:
            content = cutout_png(photo, found, crop=request.crop, background=request.background)
        file_of(session, job, "cutout.png").write_bytes(content)
        return {**_told(found), "file": "cutout.png"}

    def _found(
        self, session: Session, request: LocateRequest | CutoutRequest, progress: Progress
    ) -> tuple[Photo, Location]:
        photo = self._photos.photo(session, request.photo or "")
        return photo, self._pipeline.locate_shown(
            photo,
            request.shown(photo, partial(self._photos.opened, session)),
            request.word,
            prompt=request.prompt,
            min_confidence=request.min_confidence,
            progress=progress,
        )

    def _preview(
        self,
        session: Session,
        job: Job,
        photo: Photo,
        found: Location,
        fields: Mapping[str, Any],
        progress: Progress,
    ) -> None:
        """Tells of an object's own pixels, then of the photo without it, both at screen size."""
        sprite, box = _sprite(photo.rgb, found.mask)
        _write(session, job, "sprite.png", Image.fromarray(sprite), photo)
        job.tell("found", {**fields, "sprite": box})
        progress("clearing", 0, 0)
        rgb, mask = _at_side(photo.rgb, found.mask, _CLEARED_SIDE)
        small = load_photo(np.ascontiguousarray(rgb))
        hard = mask > 0.5
        if not hard.any() or hard.all():
            return
        prepared = prepare(small, plan(Remove(None), shown=True), Shown(mask=mask, refine=False))
        try:
            cleared = self._pipeline.edit_prepared(
                prepared, settings=Settings(strength=0), allow_crop=True, progress=progress
            )
        except RealEditError:  # it is only a preview
            return
        patch = _patch(rgb, cleared.photo.rgb)
        _write(session, job, "cleared.png", Image.fromarray(patch), photo)
        shadow, box = _shadow(rgb, hard, cleared.photo.rgb)
        if box is not None:
            _write(session, job, "shadow.png", Image.fromarray(shadow), photo)
        job.tell("cleared", {"shadow": box})


def _at_side(rgb: np.ndarray, mask: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns photo and matte with a longer side of at most ``side`` pixels."""
    size = fitted(rgb.shape[:2], side)
    return at_size(rgb, size), scaled(mask, (size[1], size[0])).astype(np.float32)


def _sprite(rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, Box]:
    """Returns an object's own pixels, uint8 ``[h, w, 4]`` with transparent surroundings, and their box.

    The box (x0, y0, x1, y1), in fractions of the photo, holds the object's soft edge and a margin: the
    colours at its edge are found from what is about it.
    """
    small, alpha = _at_side(rgb, mask, _SPRITE_SIDE)
    height, width = alpha.shape
    rows, columns = np.flatnonzero((alpha > 0).any(1)), np.flatnonzero((alpha > 0).any(0))
    if not rows.size:
        return cut_out(small, alpha), WHOLE
    top, bottom = max(0, rows[0] - _MARGIN), min(height, rows[-1] + 1 + _MARGIN)
    left, right = max(0, columns[0] - _MARGIN), min(width, columns[-1] + 1 + _MARGIN)
    part = cut_out(small[top:bottom, left:right], alpha[top:bottom, left:right])
    return part, (float(left / width), float(top / height), float(right / width), float(bottom / height))


def _patch(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Returns where a picture differs from another, uint8 ``[h, w, 4]``: the rest is transparent."""
    differs = (before != after).any(axis=-1)
    return np.dstack([np.where(differs[..., None], after, 0), 255 * differs]).astype(np.uint8)


def _shadow(rgb: np.ndarray, mask: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, Box | None]:
    """Returns an object's shadow as what it multiplies a picture by, and its box; None where it has none.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        behind: the photo without it, likewise.

    Returns:
        uint8 ``[h, w, 3]``, 255 where it takes no light, within the box (x0, y0, x1, y1) in fractions.
    """
    found = find_shadow(rgb, mask)
    loss = found.loss if found.mask.any() else find_contact(rgb, behind, mask).loss
    dark = loss.max(-1, keepdims=True) > LEAST_SEEN_LOSS
    box = box_of(dark[..., 0])
    shadow = (255 * np.exp(-np.where(dark, loss, 0))).round().astype(np.uint8)
    return (shadow, None) if box is None else (cropped(shadow, box), box)


def _told(found: Location) -> dict[str, Any]:
    return {
        **finite(location_fields(found)),
        "warning": found.warning,
        "warning_key": key_of(found.warning or ""),
    }


def _write(session: Session, job: Job, name: str, picture: Image.Image, photo: Photo) -> None:
    file_of(session, job, name).write_bytes(picture_file(picture, Path(name), photo.metadata.icc))
