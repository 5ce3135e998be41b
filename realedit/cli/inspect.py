"""The commands that do not edit: `locate`, `invert`, `models`, `schema`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.cli.found import Asked, Found
from realedit.cli.options import (
    OUTPUT,
    Debug,
    Force,
    InversionOptions,
    Json,
    ModelOptions,
    ObjectOptions,
    ServerAddress,
    TalkOptions,
)
from realedit.errors import UsageError
from realedit.system.destinations import check_free, disk_errors
from realedit.system.progress import Progress, progress_bars

if TYPE_CHECKING:
    from realedit.location import Location
    from realedit.photo import Photo


def locate(
    photo: Annotated[Path, Parameter(help="The photo.")],
    word: Annotated[
        str | None, Parameter(help="The object to find; not needed with --mask, --box or --point.")
    ] = None,
    /,
    *,
    where: ObjectOptions = ObjectOptions(),
    to: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"),
            group=OUTPUT,
            metavar="FILE",
            help="Mask to write (PNG). Default: PHOTO-mask.png. A folder, or a name without a suffix: mask, "
            "cut-out and overlay, PHOTO-mask.png, PHOTO-cutout.png and PHOTO-overlay.png in it.",
        ),
    ] = None,
    force: Annotated[Force, Parameter(group=OUTPUT)] = False,
    server: ServerAddress = None,
    talk: TalkOptions = TalkOptions(),
    model: ModelOptions = ModelOptions(),
) -> None:
    """Find an object: write its mask and print its box, centre, score and confidence."""
    from realedit.cli import remote, session
    from realedit.photo.inputs import as_photo
    from realedit.system.whole_files import write_files

    if word is None and where.given is None:
        raise UsageError("what is to be found?", f"name it: realedit locate {photo} mug")
    loaded = as_photo(photo)
    shown = session.shown(where, loaded)
    files = _files_of(photo, to, force=force)
    if not talk.quiet:
        output.warn_of_replacing(photo, files["mask"], "mask")
    asked = Asked(photo, loaded, word, where, shown)
    with progress_bars(quiet=talk.quiet) as progress:
        if server is not None:
            found = remote.locate(remote.server_at(server, photo, model), asked, list(files), progress)
        else:
            found = _located(asked, files, talk, model, progress)
    if to is not None and len(files) > 1:
        output.make_folder(to)
    with disk_errors(files["mask"]):
        write_files({file: found.files[name] for name, file in files.items()}, force=force)
    _tell(found, asked, files, talk)


def _located(
    asked: Asked, names: Iterable[str], talk: TalkOptions, model: ModelOptions, progress: Progress
) -> Found:
    """Returns what this process finds, with files of these names."""
    from realedit.cli import session

    pipeline = session.load(model, quiet=talk.quiet, progress=progress, needed=False)
    location = asked.located(pipeline, progress)
    session.announce_if_used(pipeline, model, quiet=talk.quiet)
    files = {name: _drawn(name, asked.photo, location) for name in names}
    return Found(output.location_fields(location), location.warning, files)


def _tell(found: Found, asked: Asked, files: Mapping[str, Path], talk: TalkOptions) -> None:
    """Prints what was found, and where it was written."""
    for warning in asked.warnings(found) if not talk.quiet else ():
        say(f"realedit: warning: {warning}")
    fields = found.fields
    if talk.json:
        output.print_json({**files, **fields})
        return
    for file in files.values():
        print(file)
    if not talk.quiet:
        print(f"  box         {output.numbers(fields['box'])}")
        print(f"  centroid    {output.numbers(fields['centroid'])}")
        print(f"  score       {fields['score']:.3f} (by {fields['source']})")
        print(f"  confidence  {fields['confidence']:.3f}")


def _files_of(photo: Path, to: Path | None, *, force: bool) -> dict[str, Path]:
    """Returns the files that `locate` writes, by what they show.

    Raises:
        UsageError: the mask is no PNG, or its folder is missing.
        OutputExistsError: a file exists already.
    """
    folder = to is not None and (os.path.isdir(to) or not to.suffix)
    if to is None or not folder:
        files = {"mask": photo.with_name(f"{photo.stem}-mask.png") if to is None else to}
        suffix = files["mask"].suffix
        if suffix.lower() != ".png":
            raise UsageError(f"a mask is written as PNG, not '{suffix}'", "end its name in .png")
    else:
        files = {name: to / f"{photo.stem}-{name}.png" for name in ("mask", "cutout", "overlay")}
    # a folder that is missing is made once there is something to put into it
    to_check = [to] if folder and to is not None and not os.path.isdir(to) else list(files.values())
    check_free(to_check, source=photo, force=force)
    return files


def _drawn(name: str, photo: Photo, location: Location) -> bytes:
    """Returns one of the files that `locate` writes."""
    from realedit.cli.cutout import cutout_file, mask_file
    from realedit.photo.pictures import picture_file
    from realedit.report.preview import found_over

    if name == "mask":
        return mask_file(location)
    if name == "cutout":
        return cutout_file(photo, location)
    return picture_file(found_over(photo.rgb, location.mask), Path("x.png"), photo.metadata.icc)


def models(
    name: Annotated[
        str | None,
        Parameter(help="A model as --model takes it: tell its defaults and where each comes from."),
    ] = None,
    /,
    *,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List the models known here, which one is the default, and the profile that each is used with."""
    from realedit.models.choice import list_models
    from realedit.models.profile import Profile

    if name is not None:
        _tell_profile(name, json=json)
        return
    found = list_models()
    profiles = {info.name: Profile.named_for(info) for info in found}
    if json:
        output.print_json({"models": [asdict(info) | {"profile": profiles[info.name]} for info in found]})
        return
    rows = [
        (
            "*" if info.default else "",
            info.name,
            info.source,
            output.megabytes(info.bytes) if info.bytes else "-",
            profiles[info.name] or "-",
            "ready" if info.available else info.note,
        )
        for info in found
    ]
    output.print_table(("", "name", "source", "size", "profile", "state"), rows)


def _tell_profile(name: str, *, json: bool) -> None:
    """Prints a model's defaults and their sources.

    Raises:
        ModelUnavailableError: there is no such model, or its profile cannot be read.
    """
    from realedit.models.choice import resolve_model
    from realedit.models.profile import Profile

    ref = resolve_model(name)
    profile = Profile.of(ref)
    told = profile.values()
    if json:
        output.print_json({"model": ref.name, **told, "sources": dict(profile.sources)})
        return
    print(f"{ref.name}: profile {profile.name}")
    rows = [(field, str(value), profile.sources.get(field, "-")) for field, value in told.items()]
    output.print_table(("default", "value", "source"), rows[1:])


def invert(
    photo: Annotated[Path, Parameter(help="The photo.")],
    word: Annotated[
        str | None, Parameter(help="The object that will be edited; its edits then need no inversion.")
    ] = None,
    /,
    *,
    prompt: Annotated[str | None, Parameter(metavar="TEXT", help="What the photo shows.")] = None,
    inversion: InversionOptions = InversionOptions(),
    talk: TalkOptions = TalkOptions(),
    model: ModelOptions = ModelOptions(),
) -> None:
    """Invert a photo, the slow part of an edit, for later edits; tell how well that keeps the photo."""
    from realedit.cli import session
    from realedit.photo.inputs import as_photo

    loaded = as_photo(photo)
    with progress_bars(quiet=talk.quiet) as progress:
        pipeline = session.load(model, quiet=talk.quiet, progress=progress)
        how = {"method": inversion.inversion, "steps": inversion.steps}
        inverted = pipeline.engine.inverted_for(
            loaded, prompt, [word] if word else [], how, progress=progress
        )
        inverted.make_now()
        progress("replaying", 0, 0)
        fields = session.inversion_fields(pipeline, inverted)
    if talk.json:
        output.print_json({"photo": photo, **fields})
        return
    where = "not kept" if fields["kept_bytes"] is None else f"{output.megabytes(fields['kept_bytes'])} kept"
    print(f"{photo}: {where}")
    if not talk.quiet:
        print(f"  prompt  {fields['prompt']}")
        height, width = fields["working_size"]
        print(f"  method  {fields['method']}, {fields['steps']} steps at {width} x {height} pixels")
        print(f"  replay  {output.decibels(fields['replay_psnr'])} to the autoencoder's own round trip")
        print(f"  photo   {output.decibels(fields['photo_psnr'])} from the replay to the photo at that size")
        print(f"  time    {fields['seconds']:.1f} s{' (from the cache)' if fields['cached'] else ''}")


def schema() -> None:
    """Print the JSON Schema of a file for --edits."""
    import json

    from realedit.edits.recipe import json_schema

    print(json.dumps(json_schema(), indent=2))
