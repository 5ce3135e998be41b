"""What the main command writes, and what it prints about an edit that was done or would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.system.destinations import disk_errors

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.cli.dry_run import DryRun
    from realedit.cli.options import TalkOptions
    from realedit.cli.output import Destination
    from realedit.cli.remote import RemoteEdit
    from realedit.cli.request import EditCommand
    from realedit.edits.prepared import Prepared
    from realedit.photo.encode import Compression
    from realedit.photo.photo import Photo
    from realedit.result import EditResult


def write_result(
    result: EditResult, files: Destination, compression: Compression, *, force: bool, talk: TalkOptions
) -> None:
    """Writes an edited photo and its report, and prints what was done.

    Args:
        result: the edit.
        files: where to.
        compression: what the user wants of the photo's file.
        force: whether files may be replaced.
        talk: what is printed.

    Raises:
        OutputExistsError: another process has made one of the files in the meantime.
        PhotoError: the disk refused.
    """
    from realedit.location import box_of
    from realedit.photo.provenance import sidecar_path
    from realedit.report.page import write_report

    saved = result.save_measured(files.image, force=force, compression=compression)
    metrics = {**result.metrics, **saved.figures}
    warnings = (*result.warnings, *saved.warnings)
    if files.report is not None:
        with disk_errors(files.report[0]):
            write_report(result.report(), *files.report, force=force)
    if not talk.quiet:
        for warning in warnings:
            say(f"realedit: warning: {warning}")
    if talk.debug:
        say(f"realedit: debug: {', '.join(f'{name} {value:.4g}' for name, value in metrics.items())}")
    if talk.json:
        fields = {
            "output": files.image,
            "recipe": sidecar_path(files.image),
            "report": files.report,
            "object": output.location_fields(result.location),
            "box_before": box_of(result.mask_before),
            "box_after": box_of(result.mask_after),
            "changes": [output.change_fields(change) for change in result.changes],
            "metrics": metrics,
            "seed": result.seed,
            "timings": result.timings,
            "warnings": warnings,
        }
        output.print_json(fields)
        return
    print(files.image)
    if talk.quiet:
        return
    output.print_changes(result.changes)
    print(f"  time    {output.seconds(result.timings)}, seed {result.seed}")
    _print_report(files)


def write_remote(
    edited: RemoteEdit,
    prepared: Prepared,
    then: Sequence[EditCommand],
    files: Destination,
    *,
    force: bool,
    talk: TalkOptions,
) -> None:
    """Writes an edited photo that a server has made, and prints what was done, as :func:`write_result`.

    Args:
        edited: what the server has made.
        prepared: what was asked for; its files' names are the recipe's.
        then: what was asked for after that.
        files: where to.
        force: whether files may be replaced.
        talk: what is printed.

    Raises:
        OutputExistsError: another process has made one of the files in the meantime.
        PhotoError: the disk refused.
    """
    from realedit.change import Change
    from realedit.edits.entries import entries
    from realedit.photo.provenance import recipe_json, sidecar_path
    from realedit.system.whole_files import write_files

    told = edited.told
    recipe = {**told["recipe"], "edits": entries(list(prepared.plan.edits))}
    if then:
        named = zip(recipe["then"], then, strict=True)
        recipe["then"] = [{**one, "edits": entries(list(later.plan.edits))} for one, later in named]
    sidecar = sidecar_path(files.image)
    with disk_errors(files.image):
        write_files({files.image: edited.photo, sidecar: recipe_json(recipe)}, force=force)
    if not talk.quiet:
        for warning in told["warnings"]:
            say(f"realedit: warning: {warning}")
    if talk.json:
        names = ("object", "box_before", "box_after", "changes", "metrics", "seed", "timings", "warnings")
        said = {name: told[name] for name in names}
        output.print_json({"output": files.image, "recipe": sidecar, "report": None, **said})
        return
    print(files.image)
    if talk.quiet:
        return
    output.print_changes([_change(Change, fields) for fields in told["changes"]])
    print(f"  time    {output.seconds(told['timings'])}, seed {told['seed']}")


def _change(kind: type[Change], told: Mapping[str, Any]) -> Change:
    """Returns what a server has told of a change."""
    names = {"box_before": "before", "box_after": "after"}
    fields = {names.get(name, name): value for name, value in told.items()}
    return kind(**{name: _tuple(value) for name, value in fields.items()})


def _tuple(value: Any) -> Any:  # noqa: ANN401 - what JSON has
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def tell_dry_run(
    photo: Photo,
    dry: DryRun,
    files: Destination,
    *,
    force: bool,
    talk: TalkOptions,
) -> None:
    """Prints what an edit would do, and writes only the report and the preview that were asked for.

    Args:
        photo: the photo.
        dry: the objects that were found, and what would be done to them.
        files: where an edit's files would go.
        force: whether files may be replaced.
        talk: what is printed.

    Raises:
        OutputExistsError: another process has made one of the files in the meantime.
        PhotoError: the disk refused.
    """
    from realedit.report.contents import location_report
    from realedit.report.page import write_report
    from realedit.system.whole_files import write_files

    found, changes = list(dry.found.values()), dry.changes
    if files.preview is not None:
        from realedit.cli.preview import drawn
        from realedit.photo.pictures import picture_file

        picture = picture_file(drawn(photo, dry.found, dry.plan), files.preview, photo.metadata.icc)
        with disk_errors(files.preview):
            write_files({files.preview: picture}, force=force)
    if not talk.quiet:
        for warning in dict.fromkeys(one.warning for one in found if one.warning):
            say(f"realedit: warning: {warning}")
    if files.report is not None and found:
        with disk_errors(files.report[0]):
            write_report(location_report(photo, found[0]), *files.report, force=force)
    if talk.json:
        first = next((change for change in changes if change.source is not None), None)
        fields: dict[str, Any] = {
            "dry_run": True,
            "output": files.image,
            "report": files.report if found else None,
            "preview": files.preview,
            "object": output.location_fields(found[0]) if found else None,
            "objects": [output.location_fields(location) for location in found],
            "box_before": first.before if first else None,
            "box_after": first.after if first else None,
            "changes": [output.change_fields(change) for change in changes],
        }
        output.print_json(fields)
        return
    print(f"would write {files.image}")
    if talk.quiet:
        return
    output.print_changes(changes)
    if found:
        _print_report(files)
    if files.preview is not None:
        print(f"  preview  {files.preview}")


def _print_report(files: Destination) -> None:
    if files.report is not None:
        print(f"  report  {Path(files.report[0])}")
