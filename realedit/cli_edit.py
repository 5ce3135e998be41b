"""The main command: one edit of one photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from realedit import cli_output as output
from realedit.cli_options import (
    EDIT,
    OUTPUT,
    EditSampling,
    Force,
    ModelOptions,
    ObjectOptions,
    TalkOptions,
    flag,
    number,
)
from realedit.errors import UsageError
from realedit.progress import progress_bars

if TYPE_CHECKING:
    from realedit.edit_entries import EditsFile
    from realedit.edits import Edit


Words = tuple[str, ...]
Numbers = tuple[float, ...]


def _words(metavar: str, text: str, *names: str) -> Parameter:
    """A flag that may be repeated and takes one text each time."""
    return Parameter(name=names or None, metavar=metavar, help=text, negative="", show_default=False)


def _numbers(low: float, high: float, metavar: str, text: str) -> Parameter:
    """A flag that may be repeated and takes one number each time."""
    one = number(low, high)

    def convert(kind: Any, tokens: Sequence[Token]) -> Numbers:  # noqa: ANN401
        return tuple(float(one(kind, [token])) for token in tokens)

    return Parameter(
        converter=convert, n_tokens=1, accepts_keys=False, negative="", metavar=metavar, help=text,
        show_default=False, consume_multiple=False,
    )  # fmt: skip


@Parameter(name="*", group=EDIT)
@dataclass(frozen=True)
class EditOptions:
    """What is done, and to what; flags may be repeated, and are read in their order."""

    move: Annotated[Words, _words("WORD", "Move the object of this name.")] = ()
    dx: Annotated[Numbers, _numbers(-1, 1, "FRACTION", "How far to the right, in widths of the photo.")] = ()
    dy: Annotated[Numbers, _numbers(-1, 1, "FRACTION", "How far down, in heights of the photo.")] = ()
    resize: Annotated[Words, _words("WORD", "Resize the object of this name.")] = ()
    scale: Annotated[Numbers, _numbers(0.1, 10, "TIMES", "How many times its size.")] = ()
    rotate: Annotated[Words, _words("WORD", "Turn the object of this name.")] = ()
    angle: Annotated[Numbers, _numbers(-360, 360, "DEGREES", "How far, clockwise.")] = ()
    reshape: Annotated[Words, _words("WORD", "Fit the object into the outline of --shape.")] = ()
    shape: Annotated[Words, _words("FILE", "Picture of the photo's size, white where it is to be.")] = ()
    remove: Annotated[Words, _words("WORD", "Take the object of this name away.")] = ()
    swap: Annotated[Words, _words("WORD", "Let it change places with the object of --with.")] = ()
    replace: Annotated[Words, _words("WORD", "Put what --with says in its place.")] = ()
    with_: Annotated[Words, _words("TEXT", "The other object, or the new one.", "--with")] = ()
    restyle: Annotated[Words, _words("WORD", "Give it the look of --as, or of --like.")] = ()
    as_: Annotated[Words, _words("TEXT", "What it is to look like: 'a blue mug'.", "--as")] = ()
    like: Annotated[Words, _words("FILE", "A photo whose object it is to look like.")] = ()
    object: Annotated[
        Words, _words("WORD", "Whose look it takes: an object there, or here. Default: the same name.")
    ] = ()
    paste: Annotated[Words, _words("WORD", "Put in the object of this name of the photo --from.")] = ()
    from_: Annotated[Words, _words("FILE", "The photo that it is taken from.", "--from")] = ()
    x: Annotated[Numbers, _numbers(0, 1, "FRACTION", "Where its middle is to lie, in widths.")] = ()
    y: Annotated[Numbers, _numbers(0, 1, "FRACTION", "Likewise, in heights.")] = ()
    background: Annotated[Words, _words("TEXT", "Surround the object of --keep with this.")] = ()
    keep: Annotated[Words, _words("WORD", "The object that stays.")] = ()
    retouch: Annotated[Words, _words("TEXT", "Paint this where --mask, --box or --point shows.")] = ()
    swap_looks: Annotated[Words, _words("WORD", "Let it exchange looks with the object of --with.")] = ()
    look_of: Annotated[Words, _words("FILE", "Give the whole photo the look of this one.")] = ()
    edits_file: Annotated[
        Path | None,
        Parameter(
            name="--edits",
            metavar="FILE",
            help="Do the edits of a JSON file, or of a recipe as it says; see schema.",
        ),
    ] = None
    allow_crop: Annotated[bool, flag("Let the object leave the photo in part.")] = False
    order: Annotated[Words, Parameter(parse=False)] = ()

    def read(self) -> EditsFile | None:
        """Return what the file of edits says, or None where there is none.

        Raises:
            UsageError: it cannot be read, is not such a file, or flags that edit are given too.
        """
        from realedit.edit_entries import read_file

        if self.edits_file is None:
            return None
        if self.order:
            raise UsageError("--edits and flags that edit contradict each other", "use one of them")
        return read_file(self.edits_file)

    def edits(self, shown_by: str | None, file: EditsFile | None = None) -> list[Edit]:
        """Return the edits that the flags ask for.

        Args:
            shown_by: the flag that shows the object without its word, or None.
            file: of :meth:`read`, where that was called: a pipe can be read once.

        Raises:
            UsageError: flags are missing or contradict each other.
        """
        from realedit.cli_flags import gather
        from realedit.edit_entries import read_entries
        from realedit.edits import plan, shown_word

        file = file or self.read()
        if file is None:
            edits = read_entries(gather(self, shown_by), "the edits asked for")
        else:
            edits = file.edits
        if not edits:
            raise UsageError(
                "no edit was asked for", "for example: --move mug --dx 0.2, or --resize mug --scale 1.3"
            )
        plan(edits)
        shown_word(edits, shown=shown_by is not None)
        return edits


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
    sampling: EditSampling = EditSampling(),  # noqa: B008 - frozen
    model: ModelOptions = ModelOptions(),  # noqa: B008 - frozen
) -> None:
    """Edit a photo: move, resize, turn, remove, restyle, replace the object that a word names."""
    from realedit import cli_session as session
    from realedit.cli_edit_result import tell_plan, write_result
    from realedit.cli_request import asked
    from realedit.edit_pictures import with_pictures
    from realedit.inputs import as_photo

    request = asked(what, where, sampling, quiet=talk.quiet)
    loaded = as_photo(photo)
    # what is wrong with the files is told before the model is loaded
    shown = session.region(request.where, loaded)
    with_pictures(request.edits, loaded)
    files = output.plan_edit(loaded, photo, to.output, report=to.report, force=to.force)
    with progress_bars(quiet=talk.quiet) as progress:
        pipeline = session.load(request.on(model), quiet=talk.quiet, progress=progress)
        if not talk.quiet:
            request.tell_other_models(pipeline)
        result = None
        found, changes = [], []
        if to.dry_run:
            found, changes = request.plan(pipeline, loaded, shown, progress)
        else:
            result = request.edit(pipeline, loaded, shown, progress)
    if result is not None:
        write_result(result, files, force=to.force, talk=talk)
    else:
        tell_plan(loaded, found, changes, files, force=to.force, talk=talk)
