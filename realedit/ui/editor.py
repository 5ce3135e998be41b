"""The edits of all sessions, on one pipeline: photos come in, questions are answered, jobs are made."""

from __future__ import annotations

import json
import shlex
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.compose.foot import feet
from realedit.compose.transparent import cropped, cut_out, cutout_png
from realedit.cutout.cutout import CutOut, deepest
from realedit.cutout.prepared import PreparedPhoto
from realedit.edits.edit import Edit
from realedit.edits.entries import entries
from realedit.edits.kinds import Remove
from realedit.edits.plan import plan
from realedit.edits.prepared import Shown, prepare
from realedit.errors import PhotoError, RealEditError, UsageError
from realedit.location import Location, box_of
from realedit.photo import Photo, load_photo, read_photo
from realedit.photo.encode import check_holds
from realedit.photo.formats import format_for, own_suffix
from realedit.photo.inputs import as_photo
from realedit.photo.pictures import mask_png, picture_file
from realedit.photo.provenance import sidecar_path
from realedit.pipeline import RealEditPipeline
from realedit.pixels.resizing import at_size, scaled
from realedit.report.fields import change_fields, finite, location_fields
from realedit.result import EditResult
from realedit.settings import Settings
from realedit.system.progress import Progress
from realedit.ui.command_line import command_line
from realedit.ui.jobs import Job, JobQueue, Work
from realedit.ui.kept import Kept
from realedit.ui.limits import Limits
from realedit.ui.outline import outline
from realedit.ui.requests import CutoutRequest, EditRequest, LocateRequest, OutlineRequest
from realedit.ui.sessions import Made, NoSuchThingError, Session, StoredPhoto

_VIEW_SIDES = (320, 2048)
"""Longer side in pixels of a view of a photo, at least and at most: what is asked beyond is brought to them.
Set by the sizes of screens."""
_CLEARED_SIDE = 768
"""Longer side in pixels of the photo without the object, which is seen while it is dragged: above it that is
sharper and comes later, below it the other way round. Set by eye."""
_PREPARED = 6
"""Photos whose features are kept: with more, more visitors point at photos without waiting; one takes about
12 MB. Not measured."""


class Editor:
    """What can be done to the photos of a session.

    Args:
        pipeline: the loaded model.
        limits: what is refused.
    """

    def __init__(self, pipeline: RealEditPipeline, limits: Limits) -> None:
        self.pipeline = pipeline
        self.limits = limits
        self.queue = JobQueue(str(pipeline.backbone.device))
        self._photos: Kept[Photo] = Kept(limits.kept_bytes, _bytes_of)
        self._prepared: Kept[PreparedPhoto] = Kept(_PREPARED, lambda _: 1)
        self._pointing = threading.Lock()

    def bring(self, session: Session, content: bytes, name: str) -> StoredPhoto:
        """Takes a photo into a session.

        Args:
            session: whose it becomes.
            content: its file.
            name: the file's name, as the visitor has it.

        Raises:
            PhotoError: it is too large, or no photo that can be edited.
        """
        if len(content) > self.limits.file_bytes:
            raise PhotoError(
                "the file is too large", f"at most {self.limits.file_bytes // 2**20} MB are taken"
            )
        photo = as_photo(read_photo(content, "the photo", most_pixels=self.limits.pixels))
        self._make_room(session)
        stored = session.keep(content, name, photo.size)
        self._photos.put(stored.id, photo)
        return stored

    def photo(self, session: Session, name: str) -> Photo:
        """Returns a photo of a session, to the bit: decoded again, or made again, where it is not kept.

        Raises:
            NoSuchThingError: the session has none of that id.
        """
        stored = session.photo(name)
        return self._photos.get(stored.id, partial(self._made, session, stored))

    def view(self, session: Session, name: str, side: int) -> tuple[bytes, str]:
        """Returns a photo as a browser shows it, a JPEG (a PNG where it is transparent), and its media type.

        Args:
            session: whose it is.
            name: its id.
            side: longer side in pixels, at most.
        """
        side = min(max(side, _VIEW_SIDES[0]), _VIEW_SIDES[1])
        photo = self.photo(session, name)
        picture = Image.fromarray(at_size(photo.rgb, _fitted(photo.rgb.shape[:2], side)))
        alpha = photo.native.alpha
        if alpha is None:
            return picture_file(picture, Path("view.jpg"), photo.metadata.icc), "image/jpeg"
        shown = (alpha.astype(np.float32) / np.iinfo(alpha.dtype).max * 255).astype(np.uint8)
        picture.putalpha(Image.fromarray(scaled(shown, picture.size)))
        return picture_file(picture, Path("view.png"), photo.metadata.icc), "image/png"

    def make_ready(self, session: Session, name: str) -> None:
        """Prepares a photo for the pointer; what comes later is then answered at once."""
        stored = session.photo(name)
        with self._pointing:
            self._prepared.get(stored.id, partial(self._features, session, name))

    def outline(self, session: Session, name: str, request: OutlineRequest) -> dict[str, Any]:
        """Returns what is under the pointer, roughly: its lines, and how sure they are, in [0, 1].

        Raises:
            UsageError: a point is not in the photo.
        """
        points, beside = request.points()
        stored = session.photo(name)
        with self._pointing:
            prepared = self._prepared.get(stored.id, partial(self._features, session, name))
            answer = prepared.answer(points, beside)
        return {"lines": outline(answer.alpha), "agreement": round(answer.agreement, 3)}

    def locate(self, session: Session, request: LocateRequest) -> Job:
        """Starts to look for an object.

        Raises:
            NoSuchThingError: the photo is none of the session's.
            RealEditError: too many jobs wait.
        """
        return self._start(session, "locate", request.photo, partial(self._locate, session, request))

    def cutout(self, session: Session, request: CutoutRequest) -> Job:
        """Starts to cut an object out; errors as of :meth:`locate`."""
        if request.mask_only and request.background is not None:
            raise UsageError("a mask has no background", "leave one of them out")
        return self._start(session, "cutout", request.photo, partial(self._cut_out, session, request))

    def edit(self, session: Session, request: EditRequest) -> Job:
        """Starts to edit a photo.

        Raises:
            NoSuchThingError: the photo is none of the session's.
            UsageError: the request contradicts itself.
            RealEditError: too many jobs wait.
        """
        request.planned()
        request.options()
        request.compression()
        if request.format is not None:
            format_for(request.format)
        return self._start(session, "edit", request.photo, partial(self._edit, session, request))

    def file(self, session: Session, job: str, name: str) -> Path:
        """Returns a file that a job has made.

        Raises:
            NoSuchThingError: there is none of that name.
        """
        known = session.job(job)
        return session.folder / _file_of(known, name)

    def warm_up(self) -> Job:
        """Starts to load what edits need, so that the first one does not wait for it."""
        return self.queue.add(Job("", "warm-up", self._warm))

    def _warm(self, job: Job, progress: Progress) -> Mapping[str, Any]:
        engine = self.pipeline.engine
        for load in (
            lambda: engine.cutter.cutout,
            lambda: self._network,
            lambda: engine.cutter.names,
            lambda: self.pipeline.backbone.pipeline,
        ):
            progress("loading the model", 0, 0)
            load()
        return {}

    def close(self) -> None:
        """Cancels all jobs."""
        self.queue.close()

    def _start(self, session: Session, kind: str, photo: str | None, work: Work) -> Job:
        session.photo(photo or "")
        waiting = [job for job in session.jobs.values() if not job.ended]
        if len(waiting) >= self.limits.waiting:
            raise RealEditError("too many jobs wait already", "wait for one, or cancel one")
        job = Job(session.id, kind, work)
        self._forget_old_jobs(session)
        session.jobs[job.id] = job
        return self.queue.add(job)

    def _locate(
        self, session: Session, request: LocateRequest, job: Job, progress: Progress
    ) -> Mapping[str, Any]:
        photo, found = self._found(session, request, request.word, progress)
        height, width = _fitted(found.mask.shape, _CLEARED_SIDE)
        screen = scaled(found.mask, (width, height))
        alone = Location(found.word, found.mask, found.mask, found.score, found.source)
        fields = {
            **finite(location_fields(found)),
            "warning": found.warning,
            "lines": outline(screen),
            "inside": deepest(screen),
            "foot": feet(alone, np.eye(3)[:2])[0],
        }
        (session.folder / _file_of(job, "mask.png")).write_bytes(mask_png(found.mask))
        if request.preview:
            self._preview(session, job, photo, found, fields, progress)
        return fields

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
        size = _fitted(photo.rgb.shape[:2], _CLEARED_SIDE)
        rgb, mask = at_size(photo.rgb, size), scaled(found.mask, (size[1], size[0])).astype(np.float32)
        sprite = cropped(cut_out(rgb, mask), found.box)
        self._write(session, job, "sprite.png", Image.fromarray(sprite), photo)
        job.tell("found", fields)
        progress("clearing", 0, 0)
        small = load_photo(np.ascontiguousarray(rgb))
        hard = mask > 0.5
        if not hard.any() or hard.all():
            return
        prepared = prepare(small, plan(Remove(None), shown=True), Shown(mask=mask, refine=False))
        try:
            cleared = self.pipeline.edit_prepared(
                prepared, settings=Settings(strength=0), allow_crop=True, progress=progress
            )
        except RealEditError:  # it is only a preview
            return
        self._write(session, job, "cleared.jpg", Image.fromarray(cleared.photo.rgb), photo)
        job.tell("cleared", {})

    def _write(self, session: Session, job: Job, name: str, picture: Image.Image, photo: Photo) -> None:
        content = picture_file(picture, Path(name), photo.metadata.icc)
        (session.folder / _file_of(job, name)).write_bytes(content)

    def _cut_out(
        self, session: Session, request: CutoutRequest, job: Job, progress: Progress
    ) -> Mapping[str, Any]:
        photo, found = self._found(session, request, request.word, progress)
        if request.mask_only:
            content = mask_png(cropped(found.mask, found.box) if request.crop else found.mask)
        else:
            content = cutout_png(photo, found, crop=request.crop, background=request.background)
        (session.folder / _file_of(job, "cutout.png")).write_bytes(content)
        return {**finite(location_fields(found)), "warning": found.warning, "file": "cutout.png"}

    def _found(
        self, session: Session, request: LocateRequest | CutoutRequest, word: str | None, progress: Progress
    ) -> tuple[Photo, Location]:
        photo = self.photo(session, request.photo or "")
        shown = request.shown(photo, partial(self._opened, session))
        return photo, self.pipeline.locate_shown(
            photo,
            shown,
            word,
            prompt=request.prompt,
            min_confidence=request.min_confidence,
            progress=progress,
        )

    def _edit(
        self, session: Session, request: EditRequest, job: Job, progress: Progress
    ) -> Mapping[str, Any]:
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
        self._make_room(session)
        progress("saving", 0, 0)
        made = Made(parent.id, request.model_dump(), recipe)
        stored = session.keep(content, name, result.photo.size, made)
        self._photos.put(stored.id, result.photo)
        return {
            "photo": photo_fields(stored),
            "recipe": recipe,
            "command": self._command(session, parent, request, named, stored.name),
            "object": finite(location_fields(result.location)),
            "box_before": box_of(result.mask_before),
            "box_after": box_of(result.mask_after),
            "changes": [finite(change_fields(change)) for change in result.changes],
            "metrics": finite({**result.metrics, **saved.figures}),
            "warnings": [*result.warnings, *saved.warnings],
            "seed": result.seed,
            "timings": finite(result.timings),
        }

    def _done(self, session: Session, request: EditRequest, progress: Progress) -> EditResult:
        photo = self.photo(session, request.photo or "")
        prepared = request.prepared(photo, partial(self._opened, session))
        return self.pipeline.edit_prepared(
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

    def _command(
        self, session: Session, parent: StoredPhoto, request: EditRequest, edits: Sequence[Edit], made: str
    ) -> str:
        """Returns the command line that makes a photo of this name again."""
        earlier = _lineage(session, parent)
        if earlier:  # several edits, each with its own object: the recipe holds them
            return shlex.join(
                ["realedit", session.photo(earlier[0].parent).name, "--edits", f"{made}.realedit.json"]
            )
        mask = None if request.mask is None else session.photo(request.mask).name
        return command_line(parent.name, request, edits, mask=mask)

    def _opened(self, session: Session, reference: str) -> tuple[Photo, str]:
        return self.photo(session, reference), session.photo(reference).name

    def _made(self, session: Session, stored: StoredPhoto) -> Photo:
        """Returns a photo that is not in memory: from its file, or by doing its edit again."""
        if stored.made is None:
            return as_photo(read_photo(stored.file.read_bytes(), "the photo", most_pixels=self.limits.pixels))
        request = EditRequest.model_validate(stored.made.request)
        return self._done(session, request, lambda stage, step, total: None).photo

    def _features(self, session: Session, name: str) -> PreparedPhoto:
        return PreparedPhoto(self._network, self.photo(session, name).rgb)

    @cached_property
    def _network(self) -> CutOut:
        """The network that answers the pointer: the one that ships, whatever else cuts out."""
        own = self.pipeline.engine.cutter.cutout
        return own if isinstance(own, CutOut) else CutOut.load()

    def _make_room(self, session: Session) -> None:
        """Lets the oldest photo go that nothing was made of, where a session holds too many."""
        needed = {stored.made.parent for stored in session.photos.values() if stored.made is not None}
        for stored in list(session.photos.values()):
            if len(session.photos) < self.limits.photos:
                return
            if stored.id not in needed:
                session.drop(stored)
                self._photos.forget(stored.id)
                self._prepared.forget(stored.id)
        if len(session.photos) >= self.limits.photos:
            raise RealEditError("this session holds too many photos", "begin a new one")

    def _forget_old_jobs(self, session: Session) -> None:
        ended = [job for job in session.jobs.values() if job.ended]
        for job in ended[: -self.limits.photos]:
            del session.jobs[job.id]
            for file in session.folder.glob(_file_of(job, "*")):
                file.unlink(missing_ok=True)

    def forget(self, session: Session) -> None:
        """Lets go what is kept of a session that has ended."""
        for name in list(session.photos):
            self._photos.forget(name)
            self._prepared.forget(name)


def photo_fields(stored: StoredPhoto) -> dict[str, Any]:
    """Returns what is told of a photo."""
    return {
        "id": stored.id,
        "name": stored.name,
        "width": stored.size[0],
        "height": stored.size[1],
        "parent": None if stored.made is None else stored.made.parent,
    }


def _lineage(session: Session, stored: StoredPhoto) -> list[Made]:
    """Returns how a photo was made, from the photo that was brought on."""
    found: list[Made] = []
    while stored.made is not None:
        found.insert(0, stored.made)
        stored = session.photo(stored.made.parent)
    return found


def _bytes_of(photo: Photo) -> int:
    return photo.rgb.nbytes + photo.native.values.nbytes


def _fitted(size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Returns (height, width) whose longer side is ``side``; the size itself where it is smaller."""
    scale = min(1.0, side / max(size[:2]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _file_of(job: Job, name: str) -> str:
    return f"job-{job.id}-{name}"


def _suffix(name: str, photo: Photo) -> str:
    """Returns the suffix of an edited photo's file: the photo's own, or .png where that cannot hold it."""
    suffix = own_suffix(photo.metadata.format, Path(name))
    try:
        check_holds(photo.native, format_for(suffix))
    except UsageError:
        return ".png"
    return suffix
