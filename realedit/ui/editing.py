"""What a job does that edits a photo: the edited photo's file, its recipe, and the command that makes it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from realedit.edits.edit import Edit
from realedit.edits.entries import entries
from realedit.errors import UsageError, key_of
from realedit.location import box_of
from realedit.photo import Photo
from realedit.photo.encode import check_holds
from realedit.photo.formats import format_for, own_suffix
from realedit.photo.provenance import sidecar_path
from realedit.pipeline import RealEditPipeline
from realedit.report.fields import change_fields, finite, location_fields
from realedit.result import EditResult
from realedit.system.progress import Progress, silent
from realedit.ui.command_line import by_recipe, command_line
from realedit.ui.jobs import Job
from realedit.ui.photos import Photos, photo_fields
from realedit.ui.requests import EditRequest
from realedit.ui.sessions import Made, NoSuchThingError, Session, StoredPhoto


class Editing:
    """Edits photos.

    Args:
        pipeline: the loaded model.
        photos: the photos of all sessions.
    """

    def __init__(self, pipeline: RealEditPipeline, photos: Photos) -> None:
        self._pipeline = pipeline
        self._photos = photos

    def edit(self, session: Session, request: EditRequest, job: Job, progress: Progress) -> Mapping[str, Any]:
        """Edits a photo; returns what is told of it.

        Raises:
            RealEditError: what :meth:`realedit.pipeline.RealEditPipeline.edit_prepared` raises.
        """
        parent = session.photo(request.photo or "")
        result = self._done(session, request, progress)
        suffix = request.format or _suffix(parent.name, result.photo)
        with tempfile.TemporaryDirectory(dir=session.folder) as own:
            saved = result.save_measured(Path(own) / f"edited{suffix}", compression=request.compression())
            content = saved.path.read_bytes()
            recipe: dict[str, Any] = json.loads(sidecar_path(saved.path).read_bytes())["recipe"]
        named = request.named(lambda reference: session.photo(reference).name)
        recipe["edits"] = entries(named)
        name = f"{Path(parent.name).stem.removesuffix('-edited')}-edited{suffix}"
        progress("saving", 0, 0)
        made = Made(parent.id, request.model_dump(), recipe)
        stored = self._photos.keep(session, content, name, result.photo, made)
        warnings = [*result.warnings, *saved.warnings]
        return {
            "photo": photo_fields(stored),
            "recipe": recipe,
            "command": _command(session, parent, request, named, stored.name),
            "object": finite(location_fields(result.location)),
            "box_before": box_of(result.mask_before),
            "box_after": box_of(result.mask_after),
            "changes": [finite(change_fields(change)) for change in result.changes],
            "metrics": finite({**result.metrics, **saved.figures}),
            "warnings": warnings,
            "warning_keys": [key_of(warning) for warning in warnings],
            "seed": result.seed,
            "timings": finite(result.timings),
        }

    def again(self, session: Session, stored: StoredPhoto) -> Photo:
        """Returns an edited photo, made again to the bit."""
        if stored.made is None:
            raise NoSuchThingError("this photo was not edited here")
        request = EditRequest.model_validate(stored.made.request)
        return self._done(session, request, silent).photo

    def recipe(self, session: Session, name: str) -> dict[str, Any]:
        """Returns the recipe of all that was done to a photo since it was brought.

        Raises:
            NoSuchThingError: the session has no edited photo of that id.
        """
        recipes = [made.recipe for made in _lineage(session, session.photo(name))]
        if not recipes:
            raise NoSuchThingError("this photo was not edited here")
        first, *later = recipes
        return {**first, "then": later} if later else dict(first)

    def _done(self, session: Session, request: EditRequest, progress: Progress) -> EditResult:
        photo = self._photos.photo(session, request.photo or "")
        prepared = request.prepared(photo, partial(self._photos.opened, session))
        return self._pipeline.edit_prepared(
            prepared,
            prompt=request.prompt,
            seed=request.seed,
            strength=request.strength,
            settings=request.options().settings,
            allow_crop=request.allow_crop,
            min_confidence=request.min_confidence,
            progress=progress,
            **request.how(),
        )


def _command(
    session: Session, parent: StoredPhoto, request: EditRequest, edits: Sequence[Edit], made: str
) -> str:
    """Returns the command line that makes a photo of this name again."""
    earlier = _lineage(session, parent)
    mask = None if request.mask is None else session.photo(request.mask).name
    if earlier:  # several edits, each with its own object: the recipe holds them
        return by_recipe(session.photo(earlier[0].parent).name, made, mask=None)
    return command_line(parent.name, request, edits, mask=mask, made=made)


def _lineage(session: Session, stored: StoredPhoto) -> list[Made]:
    """Returns how a photo was made, from the photo that was brought on."""
    found: list[Made] = []
    while stored.made is not None:
        found.insert(0, stored.made)
        stored = session.photo(stored.made.parent)
    return found


def _suffix(name: str, photo: Photo) -> str:
    """Returns the suffix of an edited photo's file: the photo's own, or .png where that cannot hold it."""
    suffix = own_suffix(photo.metadata.format, Path(name))
    try:
        check_holds(photo.native, format_for(suffix))
    except UsageError:
        return ".png"
    return suffix
