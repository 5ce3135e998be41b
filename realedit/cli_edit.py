"""The main command: one edit of one photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit import cli_output as output
from realedit.cli_options import (
    EDIT,
    LARGEST_STRENGTH,
    OUTPUT,
    SAMPLING,
    Force,
    InversionOptions,
    ModelOptions,
    ObjectOptions,
    Seed,
    TalkOptions,
    flag,
    number,
    value,
)
from realedit.errors import UsageError
from realedit.progress import progress_bars

if TYPE_CHECKING:
    from realedit.edits import Edit


@Parameter(name="*", group=EDIT)
@dataclass(frozen=True)
class EditOptions:
    """What is done, and to what."""

    move: Annotated[str | None, Parameter(metavar="WORD", help="Move the object of this name.")] = None
    dx: Annotated[
        float | None, value(number(-1, 1), "FRACTION", "How far to the right, in widths of the photo.")
    ] = None
    dy: Annotated[
        float | None, value(number(-1, 1), "FRACTION", "How far down, in heights of the photo.")
    ] = None
    resize: Annotated[str | None, Parameter(metavar="WORD", help="Resize the object of this name.")] = None
    scale: Annotated[float | None, value(number(0.1, 10), "TIMES", "How many times its size.")] = None
    allow_crop: Annotated[bool, flag("Let the object leave the photo in part.")] = False

    def edits(self, shown_by: str | None) -> list[Edit]:
        """Return the edits that the flags ask for.

        Args:
            shown_by: the flag that shows the object without its word, or None.

        Raises:
            UsageError: flags are missing or contradict each other.
        """
        from realedit.edits import Move, Resize, plan

        for name, word in (("--move", self.move), ("--resize", self.resize)):
            if word is not None and not word.strip():
                raise UsageError(f"{name} has an empty name", f"name the object: {name} mug")
        self._check_pairs(shown_by)
        if self.move is not None and self.resize is not None and self.move != self.resize:
            raise UsageError(
                f"one run edits one object, got '{self.move}' and '{self.resize}'",
                "edit one, then the other in the result",
            )
        word = self.move if self.move is not None else self.resize
        edits: list[Edit] = []
        if self.dx is not None or self.dy is not None:
            edits.append(Move(word, self.dx or 0.0, self.dy or 0.0))
        if self.scale is not None:
            edits.append(Resize(word, self.scale))
        if not edits:
            raise UsageError(
                "no edit was asked for", "for example: --move mug --dx 0.2, or --resize mug --scale 1.3"
            )
        plan(edits)
        return edits

    def _check_pairs(self, shown_by: str | None) -> None:
        moved = self.dx is not None or self.dy is not None
        if self.move is not None and not moved:
            raise UsageError("--move does not say how far", "add --dx or --dy, such as --dx 0.2")
        if self.resize is not None and self.scale is None:
            raise UsageError("--resize does not say how much", "add --scale, such as --scale 1.3")
        if moved and self.move is None and (shown_by is None or self.resize is not None):
            distance = "--dx" if self.dx is not None else "--dy"
            raise UsageError(f"{distance} does not say what to move", "add --move WORD, such as --move mug")
        if self.scale is not None and self.resize is None and (shown_by is None or self.move is not None):
            raise UsageError("--scale does not say what to resize", "add --resize WORD, such as --resize mug")


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class EditOutput:
    """What is written."""

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
        flag("Find the object and say what would be done, no more."),
    ] = False


def edit(
    photo: Annotated[Path, Parameter(help="The photo: JPEG, PNG, TIFF, WebP, BMP, GIF, HEIC.")],
    /,
    *,
    what: EditOptions = EditOptions(),
    where: ObjectOptions = ObjectOptions(),  # noqa: B008 - frozen
    to: EditOutput = EditOutput(),
    talk: TalkOptions = TalkOptions(),  # noqa: B008 - frozen
    inversion: InversionOptions = InversionOptions(),  # noqa: B008 - frozen
    seed: Annotated[Seed, Parameter(group=SAMPLING)] = 0,
    strength: Annotated[
        float | None,
        value(
            number(0, LARGEST_STRENGTH), "FRACTION", "Share of the steps sampled anew; 0 moves pixels only."
        ),
        Parameter(group=SAMPLING),
    ] = None,
    model: ModelOptions = ModelOptions(),  # noqa: B008 - frozen
) -> None:
    """Edit a photo: move or resize the object that a word names."""
    from realedit import cli_session as session
    from realedit.cli_edit_result import tell_plan, write_result
    from realedit.photo import load_photo

    edits = what.edits(where.given)
    loaded = load_photo(photo)
    shown = session.region(where, loaded)
    files = output.plan_edit(loaded, photo, to.output, report=to.report, force=to.force)
    sampling = {"method": inversion.inversion, "steps": inversion.steps}
    with progress_bars(quiet=talk.quiet) as progress:
        pipeline = session.load(model, quiet=talk.quiet, progress=progress)
        if to.dry_run:
            location = pipeline.locate(loaded, edits[0].target, **shown, **sampling, progress=progress)
            session.check_frame(location, edits, allow_crop=what.allow_crop)
            result = None
        else:
            result = pipeline.edit(
                loaded,
                edits,
                **shown,
                **sampling,
                seed=seed,
                strength=strength,
                allow_crop=what.allow_crop,
                progress=progress,
            )
            location = result.location
    if result is None:
        tell_plan(loaded, location, edits, files, force=to.force, talk=talk)
    else:
        write_result(result, files, force=to.force, talk=talk)
