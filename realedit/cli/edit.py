"""The main command: one edit of one photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.cli.edit_options import EditOptions
from realedit.cli.options import (
    OUTPUT,
    EditSampling,
    FileOptions,
    Force,
    ModelOptions,
    ObjectOptions,
    ServerAddress,
    TalkOptions,
    flag,
)
from realedit.errors import UsageError
from realedit.system.progress import Progress, progress_bars

if TYPE_CHECKING:
    from realedit.cli.output import Destination
    from realedit.cli.request import EditCommand
    from realedit.cli.server import Server
    from realedit.edits.prepared import Prepared
    from realedit.photo.encode import Compression


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class EditOutput:
    """Which files are written."""

    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            help="Edited photo; - for standard output. Default: PHOTO-edited beside it.",
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
    server: ServerAddress = None
    preview: Annotated[
        Path | None,
        Parameter(
            metavar="FILE",
            help="With --dry-run: draw it, the object's outline where it is and where it goes (PNG or JPEG).",
        ),
    ] = None


def edit(
    photo: Annotated[
        Path, Parameter(help="The photo: JPEG, PNG, TIFF, WebP, AVIF, HEIC and others; - for standard input.")
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
    from realedit.cli import pipes, remote, session
    from realedit.cli.edit_output import tell_dry_run, write_result
    from realedit.cli.request import asked
    from realedit.photo.encode import Compression

    if to.preview is not None and not to.dry_run:
        raise UsageError("--preview draws a dry run", "add --dry-run")
    command = asked(what, where, sampling, quiet=talk.quiet)
    loaded = file.stripped(pipes.read(photo))
    # errors about files come before the model is loaded
    prepared = command.prepare(loaded)
    compression = Compression(file.quality, file.lossless)
    out = pipes.goes_out(photo, to.output)
    if out:
        beside = to.report or to.preview is not None
        files = pipes.plan_out(
            loaded, compression, json=talk.json, files=beside, server=to.server is not None
        )
    else:
        files = output.plan_edit(
            loaded,
            photo,
            to.output,
            report=to.report,
            preview=to.preview,
            force=to.force,
            compression=compression,
        )
    if not talk.quiet and not out:
        output.warn_of_replacing(photo, files.image, "edited photo")
    with progress_bars(quiet=talk.quiet) as progress:
        options = command.on(model)
        if to.server is not None:
            if file.strip_gps or file.strip_metadata:
                raise UsageError("--server does not strip metadata", "leave one of them out")
            there = remote.server_at(to.server, photo, options)
            _by_server(there, command, prepared, photo, files, compression, to=to, talk=talk, tell=progress)
            return
        pipeline = session.load(options, quiet=talk.quiet, progress=progress, needed=not to.dry_run)
        if not talk.quiet:
            command.tell_other_models(pipeline)
        result, dry = None, None
        if to.dry_run:
            dry = command.dry_run(pipeline, prepared, progress)
            session.announce_if_used(pipeline, options, quiet=talk.quiet)
        else:
            result = command.edit(pipeline, prepared, progress)
    if result is not None and out:
        pipes.write_out(result, compression, quiet=talk.quiet)
    elif result is not None:
        write_result(result, files, compression, force=to.force, talk=talk)
    elif dry is not None:
        for warning in (*loaded.metadata.warnings, *prepared.shown.told) if not talk.quiet else ():
            say(f"realedit: warning: {warning}")
        tell_dry_run(loaded, dry, files, force=to.force, talk=talk)


def _by_server(
    server: Server,
    command: EditCommand,
    prepared: Prepared,
    photo: Path,
    files: Destination,
    compression: Compression,
    *,
    to: EditOutput,
    talk: TalkOptions,
    tell: Progress,
) -> None:
    """Lets a running server do an edit, and writes what comes back.

    Raises:
        UsageError: something is asked for that the server does not do.
        RealEditError: what the edit itself would raise, or the server does not answer.
    """
    from realedit.cli import remote
    from realedit.cli.edit_output import write_remote

    if to.dry_run or to.report:
        raise UsageError("--server does not do --dry-run or --report", "leave --server out")
    edited = remote.edit(server, command, prepared, photo, files.image.suffix, compression, tell)
    write_remote(edited, prepared, command.then, files, force=to.force, talk=talk)
