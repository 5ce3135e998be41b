"""What a batch is asked to do: the edit of all photos, or of each, and the tasks that these make."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.cli.edit_options import EditOptions
from realedit.cli.options import EditSampling, FileOptions, ModelOptions, ObjectOptions
from realedit.cli.request import EditCommand, asked, commanded
from realedit.errors import PhotoError, RealEditError, UsageError

if TYPE_CHECKING:
    from realedit.batch import Task, Wanted
    from realedit.edits.manifest import ManifestLine


@dataclass(frozen=True)
class Asked:
    """What the flags of a batch ask for.

    Args:
        photos: files and folders.
        what: the flags that edit.
        where: the flags that show the object.
        sampling: the flags of the sampling.
        model: the model's options.
        output: the folder of results.
        mask_dir: a folder with a mask for each photo, or None.
        manifest: a file with an edit for each photo, or None.
        file: how edited photos are compressed.
        report: whether reports are written.
        quiet: no warnings.
    """

    photos: Sequence[Path]
    what: EditOptions
    where: ObjectOptions
    sampling: EditSampling
    model: ModelOptions
    output: Path
    mask_dir: Path | None
    manifest: Path | None
    file: FileOptions
    report: bool
    quiet: bool


@dataclass(frozen=True)
class PlannedBatch:
    """What is done.

    Args:
        tasks: a task for each photo.
        command: what is asked of every photo; None where a manifest says it for each.
        lines: what a manifest asks, by the numbers of its lines.
        model: the model's options, with what a recipe says of them.
    """

    tasks: list[Task]
    command: EditCommand | None
    model: ModelOptions
    lines: Mapping[int, EditCommand] = field(default_factory=dict[int, EditCommand])


def plan_batch(batch: Asked) -> PlannedBatch:
    """Returns what flags ask for, before anything is loaded.

    Raises:
        UsageError: flags are missing or contradict each other.
        PhotoError: no photo is there.
    """
    if batch.manifest is not None:
        return _of_manifest(batch, batch.manifest)
    if not batch.photos:
        raise UsageError("which photos?", "name photos or folders, or a --manifest")
    where = batch.where
    if batch.mask_dir is not None:
        if where.given is not None:
            raise UsageError(f"--mask-dir and {where.given} contradict each other", "give one of them")
        if not os.path.isdir(batch.mask_dir):
            raise UsageError(f"no such folder: {batch.mask_dir}", "--mask-dir names a folder of masks")
        where = replace(where, mask=batch.mask_dir)
    command = asked(batch.what, where, batch.sampling, quiet=batch.quiet)
    model = command.on(batch.model)
    files = [
        *([] if batch.mask_dir or where.mask is None else [where.mask]),
        *_model_files(model),
        *_files(command),
    ]
    from realedit.batch import tasks_for

    # its errors come before gigabytes are fetched
    tasks_for(batch.photos, batch.output, files=files, masks=batch.mask_dir)
    tasks = tasks_for(
        batch.photos,
        batch.output,
        files=files,
        masks=batch.mask_dir,
        **_decides(command),
        **_shared(model, batch),
    )
    return PlannedBatch(tasks, command, model)


def _of_manifest(batch: Asked, manifest: Path) -> PlannedBatch:
    from realedit.batch import tasks_of
    from realedit.edits.manifest import read_manifest

    contradicting = {
        "photos on the command line": batch.photos,
        "flags that edit": batch.what.order or batch.what.edits_file,
        "--mask-dir": batch.mask_dir,
        str(batch.where.given): batch.where.given,
    }
    for name, given in contradicting.items():
        if given:
            raise UsageError(
                f"--manifest and {name} contradict each other", "the manifest says it for each photo"
            )
    lines: dict[int, EditCommand] = {}
    wanted = [_wanted(line, batch, lines) for line in read_manifest(manifest)]
    tasks_of(wanted, batch.output)
    shared = _shared(batch.model, batch)
    return PlannedBatch(
        tasks_of(wanted, batch.output, files=_model_files(batch.model), **shared), None, batch.model, lines
    )


def _wanted(line: ManifestLine, batch: Asked, lines: dict[int, EditCommand]) -> Wanted:
    """Returns a line's photo, and keeps what is asked of it."""
    from realedit.batch import Wanted
    from realedit.batch.records import sha256_of

    one = Wanted(line.photo, line.output or Path(line.photo.name), line=line.number, problem=line.problem)
    if line.file is None:
        return one
    try:
        if not os.path.isfile(line.photo):
            raise PhotoError(f"no such file: {line.photo}", "paths in a manifest begin at its own folder")
        where = replace(batch.where, mask=line.mask)
        what = EditOptions(allow_crop=batch.what.allow_crop)
        command = commanded(line.file, what, where, batch.sampling, quiet=True)
        digests = {str(file): sha256_of(file) for file in _files(command)}
    except RealEditError as error:
        return replace(one, problem=error)
    except OSError as error:
        return replace(one, problem=PhotoError(f"{error.filename} cannot be read ({error.strerror})"))
    lines[line.number] = command
    return replace(one, mask=line.mask, settings={**_decides(command), "files": digests})


def _files(command: EditCommand) -> list[Path]:
    """Returns the files that a command's edits name."""
    from realedit.edits.prepared import named_files

    own = [Path(file) for edit in command.plan.edits for file in named_files(edit).values()]
    return [*own, *(file for later in command.then for file in _files(later))]


def _model_files(model: ModelOptions) -> list[Path]:
    if model.inpainter is None or not model.inpainter.is_dir():
        return [] if model.inpainter is None else [model.inpainter]
    return sorted(path for path in model.inpainter.rglob("*") if path.is_file())


def _decides(command: EditCommand) -> dict[str, Any]:
    """Returns everything of a command that decides an edited photo, as its task's key takes it.

    Another key here, or another name for one, makes all photos of earlier runs be edited again.
    """
    from realedit.edits.entries import entries

    return {
        "edits": entries(command.plan.edits),
        "where": asdict(command.where),
        "sampling": asdict(command.sampling),
        "crop": command.allow_crop,
        "besides": command.recipe.model_dump(),
        **({"then": [_decides(later) for later in command.then]} if command.then else {}),
    }


def _shared(model: ModelOptions, batch: Asked) -> dict[str, Any]:
    """Returns what of the model and of the files written decides the results, likewise."""
    from realedit.find.which_cutout import choose_cutout
    from realedit.models.choice import fetched
    from realedit.models.profile import identity

    here = fetched(
        model.model,
        device=model.device,
        dtype=model.dtype,
        loras=model.lora,
        vae=model.vae,
        offline=bool(model.offline),
    )
    return {
        "model": identity(here, model.profile),
        "options": asdict(replace(model, cutout=choose_cutout(model.cutout, model.offline or None).name)),
        "report": batch.report,
        **{name: asked for name, asked in asdict(batch.file).items() if asked},
    }
