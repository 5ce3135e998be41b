"""`realedit cutout`: writes what a word, a point or a box shows, with transparent surroundings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, Token

from realedit.cli import output
from realedit.cli.batch import tell_skipped
from realedit.cli.boundary import report, say
from realedit.cli.found import Asked, Found
from realedit.cli.options import (
    OUTPUT,
    Force,
    ModelOptions,
    ObjectOptions,
    ServerAddress,
    TalkOptions,
    flag,
    value,
)
from realedit.errors import (
    ModelUnavailableError,
    RealEditError,
    SomePhotosFailedError,
    UsageError,
)
from realedit.system.destinations import check_free, disk_errors
from realedit.system.progress import Progress, progress_bars

if TYPE_CHECKING:
    from realedit.location import Location
    from realedit.photo import Photo
    from realedit.pipeline import RealEditPipeline

Colour = tuple[int, int, int]
Cut = Callable[[Asked], Found]


def _colour(_type: object, tokens: Sequence[Token]) -> Colour:
    """Reads a colour by its name or as #rrggbb."""
    from PIL import ImageColor

    text = tokens[0].value
    try:
        red, green, blue, *_ = ImageColor.getrgb(text)
    except ValueError:
        raise ValueError(f"expected a colour such as white or '#20a0ff', got '{text}'") from None
    return red, green, blue


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class CutoutOptions:
    """What is written, and where."""

    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            help="PNG to write, or the folder for those of a folder of photos. Default: PHOTO-cutout.png.",
        ),
    ] = None
    crop: Annotated[bool, flag("Only the object's box, not the whole frame.")] = False
    mask_only: Annotated[bool, flag("Its mask instead: white where the object is, grey at a soft edge.")] = (
        False
    )
    background: Annotated[
        Colour | None,
        value(
            _colour,
            "COLOUR",
            "Lay it on a colour: white, '#20a0ff'. Default: transparent.",
            show_default=False,
        ),
    ] = None
    force: Force = False


def cutout(
    photo: Annotated[Path, Parameter(help="The photo, or a folder of photos.")],
    word: Annotated[
        str | None, Parameter(help="The object to cut out; not needed with --mask, --box or --point.")
    ] = None,
    /,
    *,
    where: ObjectOptions = ObjectOptions(),
    to: CutoutOptions = CutoutOptions(),
    server: ServerAddress = None,
    talk: TalkOptions = TalkOptions(),
    model: ModelOptions = ModelOptions(),
) -> None:
    """Cut an object out: write it with transparent surroundings, its edge free of the old background."""
    from realedit.cli import remote, session

    if word is None and where.given is None:
        raise UsageError("what is to be cut out?", f"name it: realedit cutout {photo} mug")
    if to.mask_only and to.background is not None:
        raise UsageError("--mask-only and --background contradict each other", "give one of them")
    files = _files(photo, to)
    if os.path.isdir(photo) and to.output is not None and not talk.quiet:
        tell_skipped([photo], to.output)
    # folders that are missing are made once there is something to put into them
    check_free([path for path in files.values() if path.parent.is_dir()], source=None, force=to.force)
    with progress_bars(quiet=talk.quiet) as progress:
        every = partial(
            _all, files, word, where, to=to, talk=talk, progress=progress, is_folder=os.path.isdir(photo)
        )
        if server is not None:
            with remote.server_at(server, photo, model) as there:
                how = {"crop": to.crop, "mask_only": to.mask_only, "background": to.background}
                cut = partial(remote.cut_out, there, options=how, progress=progress)
                failed = every(cut)
        else:
            pipeline = session.load(model, quiet=talk.quiet, progress=progress, needed=False)
            cut = partial(_cut_here, pipeline, to=to, progress=progress)
            failed = every(cut)
            session.announce_if_used(pipeline, model, quiet=talk.quiet)
    if failed:
        raise SomePhotosFailedError(f"{failed} of {len(files)} photos were not cut out", "see above")


def _all(
    files: Mapping[Path, Path],
    word: str | None,
    where: ObjectOptions,
    cut: Cut,
    *,
    to: CutoutOptions,
    talk: TalkOptions,
    progress: Progress,
    is_folder: bool,
) -> int:
    """Cuts out of each photo, and tells of it; returns how many of a folder's failed."""
    from realedit.cli.server import ServerError

    failed = 0
    for number, (source, path) in enumerate(files.items()):
        if is_folder:
            progress("photos", number, len(files))
        try:
            _one(source, word, where, path, cut, to=to, talk=talk)
        except (ModelUnavailableError, ServerError):
            raise
        except RealEditError as error:
            if not is_folder:
                raise
            failed += 1
            report(type(error)(f"{source}: {error.message}", error.hint), debug=talk.debug)
    return failed


def _one(
    source: Path,
    word: str | None,
    where: ObjectOptions,
    path: Path,
    cut: Cut,
    *,
    to: CutoutOptions,
    talk: TalkOptions,
) -> None:
    """Cuts out of one photo, and tells of it."""
    from realedit.cli import session
    from realedit.photo.inputs import as_photo
    from realedit.system.whole_files import write_files

    loaded = as_photo(source)
    asked = Asked(source, loaded, word, where, session.shown(where, loaded))
    found = cut(asked)
    output.make_folder(path.parent)
    with disk_errors(path):
        write_files({path: found.files["cutout"]}, force=to.force)
    for warning in asked.warnings(found) if not talk.quiet else ():
        say(f"realedit: warning: {source}: {warning}")
    if talk.json:
        output.print_json({"photo": source, "output": path, **found.fields, "warning": found.warning})
        return
    print(path, flush=True)


def _cut_here(pipeline: RealEditPipeline, asked: Asked, to: CutoutOptions, progress: Progress) -> Found:
    """Returns what this process cuts out."""
    found = asked.located(pipeline, progress)
    content = mask_file(found, crop=to.crop) if to.mask_only else cutout_file(asked.photo, found, to)
    return Found(output.location_fields(found), found.warning, {"cutout": content})


def cutout_file(photo: Photo, found: Location, to: CutoutOptions = CutoutOptions()) -> bytes:
    """Returns an object cut out of a photo as a PNG file, with the photo's colour profile."""
    from realedit.compose.transparent import cutout_png

    return cutout_png(photo, found, crop=to.crop, background=to.background)


def mask_file(found: Location, *, crop: bool = False) -> bytes:
    """Returns an object's matte as a PNG file."""
    from realedit.compose.transparent import cropped
    from realedit.photo.pictures import mask_png

    return mask_png(cropped(found.mask, found.box) if crop else found.mask)


def _files(photo: Path, to: CutoutOptions) -> dict[Path, Path]:
    """Returns each photo and the file that its cut-out becomes.

    Raises:
        PhotoError: a folder holds no photos.
        UsageError: no folder is named for a folder's cut-outs, two would become one file, or the file is no
            PNG.
    """
    from realedit.batch import tasks_for

    kind = "mask" if to.mask_only else "cutout"
    if not os.path.isdir(photo):
        path = photo.with_name(f"{photo.stem}-{kind}.png") if to.output is None else to.output
        path = path / f"{photo.stem}-{kind}.png" if os.path.isdir(path) else path
        if path.suffix.lower() != ".png":
            raise UsageError(f"a cut-out is written as PNG, not '{path.suffix}'", "end its name in .png")
        return {photo: path}
    if to.output is None:
        raise UsageError("where do the cut-outs go?", "name a folder for them: --output cutouts")
    files = {task.photo: task.output.with_suffix(".png") for task in tasks_for([photo], to.output)}
    if len(set(files.values())) < len(files):
        raise UsageError("two photos differ only in their suffix", "give one of them another name")
    return files
