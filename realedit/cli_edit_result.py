"""What the main command writes, and what it tells about an edit, done or planned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit import cli_output as output
from realedit.cli_boundary import say

if TYPE_CHECKING:
    from realedit.cli_options import TalkOptions
    from realedit.cli_output import Destination
    from realedit.edits import Edit
    from realedit.locate import Location
    from realedit.photo import Photo
    from realedit.result import EditResult


def write_result(result: EditResult, files: Destination, *, force: bool, talk: TalkOptions) -> None:
    """Write an edited photo and its report, and tell about both.

    Raises:
        OutputExistsError: another process has put a file there in the meantime.
        PhotoError: the disk refused.
    """
    from realedit.provenance import sidecar_path
    from realedit.report import write_report

    result.save(files.image, force=force)
    if files.report is not None:
        with output.disk_errors(files.report[0]):
            write_report(result, *files.report, force=force)
    if not talk.quiet:
        for warning in result.warnings:
            say(f"realedit: warning: {warning}")
    before, after = output.mask_box(result.mask_before), output.mask_box(result.mask_after)
    if talk.json:
        fields = {
            "output": files.image,
            "recipe": sidecar_path(files.image),
            "report": files.report,
            "object": output.location_fields(result.location),
            "box_before": before,
            "box_after": after,
            "metrics": result.metrics,
            "seed": result.seed,
            "timings": result.timings,
            "warnings": result.warnings,
        }
        output.print_json(fields)
        return
    print(files.image)
    if talk.quiet:
        return
    _print_boxes(result.location, before, after)
    print(f"  time    {output.seconds(result.timings)}, seed {result.seed}")
    _print_report(files)


def tell_plan(
    photo: Photo,
    found: Sequence[Location],
    edits: Sequence[Edit],
    files: Destination,
    *,
    force: bool,
    talk: TalkOptions,
) -> None:
    """Tell what an edit would do, and write only the report that was asked for.

    Raises:
        OutputExistsError: another process has put a file there in the meantime.
        PhotoError: the disk refused.
    """
    from realedit.report import write_location_report

    if files.report is not None and found:
        with output.disk_errors(files.report[0]):
            write_location_report(photo, found[0], *files.report, force=force)
    # only the first object's place after the edit is known without doing it
    after = [moved_box(location, edits) if k == 0 else list(location.box) for k, location in enumerate(found)]
    if talk.json:
        fields: dict[str, Any] = {
            "dry_run": True,
            "output": files.image,
            "report": files.report if found else None,
            "object": output.location_fields(found[0]) if found else None,
            "objects": [output.location_fields(location) for location in found],
            "box_before": list(found[0].box) if found else None,
            "box_after": after[0] if found else None,
        }
        output.print_json(fields)
        return
    print(f"would write {files.image}")
    if talk.quiet:
        return
    for location, box in zip(found, after, strict=True):
        _print_boxes(location, list(location.box), box)
    if found:
        _print_report(files)


def moved_box(location: Location, edits: Sequence[Edit]) -> list[float]:
    """Return where the first step's move carries an object's box; it may leave the photo."""
    import torch

    from realedit.cli_session import transform_of

    to = transform_of(location, edits)
    x0, y0, x1, y1 = location.box
    if to is None:
        return [x0, y0, x1, y1]
    height, width = location.mask.shape
    corners = torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], dtype=torch.float64)
    moved = to.apply(corners, width / height)
    return [*moved.amin(0).tolist(), *moved.amax(0).tolist()]


def _print_boxes(location: Location, before: Sequence[float] | None, after: Sequence[float] | None) -> None:
    name = location.word or "object"
    print(f"  object  {name}, by {location.source}, score {location.score:.2f}")
    # Of a crop that leaves nothing in the photo there is no box.
    print(f"  box     {_box(before)} -> {_box(after)}")


def _box(box: Sequence[float] | None) -> str:
    return "none" if box is None else output.numbers(box)


def _print_report(files: Destination) -> None:
    if files.report is not None:
        print(f"  report  {Path(files.report[0])}")
