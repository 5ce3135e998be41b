"""The main command: one edit of one photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.edit_options import EditOptions
from realedit.cli.options import (
    OUTPUT,
    EditSampling,
    FileOptions,
    Force,
    ModelOptions,
    ObjectOptions,
    TalkOptions,
    flag,
)
from realedit.errors import UsageError
from realedit.system.progress import progress_bars


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class EditOutput:
    """Which files are written."""

    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"), metavar="FILE", help="Edited photo. Default: PHOTO-edited beside it."
        ),
    ] = None
    force: Force = False
    report: Annotated[
        bool,
        flag("Also write OUTPUT.report.html and OUTPUT.report.png."),
    ] = False
    dry_run: Annotated[
        bool,
        flag("Find the object and say what would be done, without editing."),
    ] = False
    preview: Annotated[
        Path | None,
        Parameter(
            metavar="FILE",
            help="With --dry-run: draw it, the object's outline where it is and where it goes (PNG or JPEG).",
        ),
    ] = None


def edit(
    photo: Annotated[
        Path, Parameter(help="The photo: JPEG, PNG, TIFF, WebP, AVIF, HEIC, JPEG XL and others.")
    ],
    /,
    *,
    what: EditOptions = EditOptions(),
    where: ObjectOptions = ObjectOptions(),
    to: EditOutput = EditOutput(),
    file: FileOptions = FileOptions(),
    talk: TalkOptions = TalkOptions(),
    sampling: EditSampling = EditSampling(),
    model: ModelOptions = ModelOptions(),
) -> None:
    """Edit a photo: move, resize, turn, remove, restyle or replace the object that a word names."""
    from realedit.cli import session
    from realedit.cli.edit_output import tell_dry_run, write_result
    from realedit.cli.request import asked
    from realedit.photo.encode import Compression
    from realedit.photo.inputs import as_photo

    if to.preview is not None and not to.dry_run:
        raise UsageError("--preview draws a dry run", "add --dry-run")
    command = asked(what, where, sampling, quiet=talk.quiet)
    loaded = as_photo(photo)
    # errors about files come before the model is loaded
    prepared = command.prepare(loaded)
    compression = Compression(file.quality, file.lossless)
    files = output.plan_edit(
        loaded,
        photo,
        to.output,
        report=to.report,
        preview=to.preview,
        force=to.force,
        compression=compression,
    )
    if not talk.quiet:
        output.warn_of_replacing(photo, files.image, "edited photo")
    with progress_bars(quiet=talk.quiet) as progress:
        options = command.on(model)
        pipeline = session.load(options, quiet=talk.quiet, progress=progress, needed=not to.dry_run)
        if not talk.quiet:
            command.tell_other_models(pipeline)
        result, dry = None, None
        if to.dry_run:
            dry = command.dry_run(pipeline, prepared, progress)
            session.announce_if_used(pipeline, options, quiet=talk.quiet)
        else:
            result = command.edit(pipeline, prepared, progress)
    if result is not None:
        write_result(result, files, compression, force=to.force, talk=talk)
    elif dry is not None:
        tell_dry_run(loaded, dry, files, force=to.force, talk=talk)
