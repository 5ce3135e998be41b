"""The `realedit` command: `realedit PHOTO --move WORD --dx 0.2`, and its sub-commands."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cyclopts

from realedit.cli import boundary, streams
from realedit.cli.batch import batch
from realedit.cli.bench import bench
from realedit.cli.cache import cache_app
from realedit.cli.calibrate import calibrate
from realedit.cli.cutout import cutout
from realedit.cli.edit import edit
from realedit.cli.edit_options import EditOptions
from realedit.cli.fetch import fetch
from realedit.cli.flag_order import in_order
from realedit.cli.inspect import invert, locate, models, schema
from realedit.cli.lengths import joined
from realedit.cli.ui import ui
from realedit.errors import UsageError
from realedit.system.installation import check_packages, own_version

_USAGE = """Usage: realedit PHOTO --move WORD --dx FRACTION [OPTIONS]
       realedit PHOTO --restyle WORD --as TEXT [OPTIONS]
       realedit COMMAND ..."""
_EPILOGUE = """Examples:
  realedit photo.jpg --move mug --dx 0.2
  realedit photo.jpg --resize "blue bowl" --scale 1.3 -o bigger.png
  realedit photo.jpg --point 0.3,0.6 --dx 0.2 --report
  realedit photo.jpg --move mug --dx 0.2 --dry-run --preview preview.png
  realedit photo.jpg --move mug --dx 0.2 --no-shadow --min-confidence 0.6
  realedit photo.jpg --restyle mug --as "a blue mug" --remove spoon
  realedit photo.jpg --edits edits.json
  realedit locate photo.jpg mug
  realedit cutout photo.jpg mug -o mug.png
  realedit batch photos --output edited --move mug --dx 0.2 --jobs 4
  realedit fetch sam
  realedit ui photo.jpg

Exit codes: 0 done, 1 unexpected, 2 usage, 3 photo, 4 object not found,
5 out of the frame, 6 model, 7 memory, 8 output exists, 9 cache, 10 numbers,
11 installation, 12 some of many photos, 130 interrupted."""
_HELP = {"--help", "-h"}
_COMMANDS = (
    "locate",
    "cutout",
    "invert",
    "batch",
    "models",
    "fetch",
    "schema",
    "bench",
    "calibrate",
    "cache",
    "ui",
)


app = cyclopts.App(
    name="realedit",
    help="Change one thing in a photo by naming it; the rest stays as it was, to the bit.",
    usage=_USAGE,
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=own_version,
    version_flags=["--version"],
    default_parameter=cyclopts.Parameter(negative=()),
)
app.default(edit)
app.command(
    locate,
    help_epilogue="""Examples:
  realedit locate photo.jpg mug -o mask.png
  realedit locate photo.jpg mug -o found      (a folder: mask, cut-out and overlay)
  realedit locate photo.jpg --point 0.3,0.5 --point 0.4,0.6 --not-point 0.3,0.8
  realedit locate photo.jpg --mask rough.png --refine -o mask.png""",
)
app.command(
    cutout,
    help_epilogue="""Examples:
  realedit cutout photo.jpg mug -o mug.png
  realedit cutout photo.jpg --box 0.2,0.3,0.6,0.8 --crop
  realedit cutout photo.jpg mug --background white
  realedit cutout photos mug -o cutouts --min-confidence 0.6""",
)
app.command(invert, help_epilogue="Example: realedit invert photo.jpg --prompt 'a mug on a table'")
app.command(
    batch,
    help_epilogue="""Examples:
  realedit batch photos --output edited --move mug --dx 0.2 --jobs 4
  realedit batch photos --output edited --remove mug --min-confidence 0.6""",
)
app.command(models, help_epilogue="Example: realedit models --json")
app.command(fetch, help_epilogue="Example: realedit fetch sam")
app.command(schema, help_epilogue="Example: realedit schema > edits.schema.json")
app.command(
    bench, help_epilogue="Example: realedit bench cases --method realedit --method peers --output results"
)
app.command(
    calibrate, help_epilogue="Example: realedit calibrate --model sdxl --minutes 60 --output calibrated"
)
app.command(cache_app)
app.command(
    ui,
    help_epilogue="""Examples:
  realedit ui photo.jpg
  realedit ui --host 0.0.0.0 --port 8000    (prints an address with a token)
  realedit photo.jpg --move mug --dx 0.2 --server http://127.0.0.1:7860""",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    Args:
        arguments: what follows the command's name; by default this process's own arguments.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    streams.open_missing()
    # Threads that spin while they wait make two runs on the same cores many times slower. Torch reads this
    # when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:  # the names of files may be in no encoding
        reconfigure(errors="surrogateescape")
    return boundary.guard(partial(_run, tokens), debug="--debug" in tokens, as_json=_wants_json(tokens))


def _wants_json(tokens: list[str]) -> bool:
    return "--json" in (tokens[: tokens.index("--")] if "--" in tokens else tokens)


def _run(given: list[str]) -> None:
    tokens = joined(given)
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    if not tokens or not _HELP.isdisjoint(options):
        # asked for directly: parsing the other arguments first takes as long as printing the help
        app.help_print([token for token in options if token not in _HELP])
        return
    # a dash alone would be taken for a flag; as a path it is the same
    tokens = ["./-" if token == "-" else token for token in tokens]
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        raise _usage_error(error, tokens) from error
    check_packages()
    if command in (edit, batch):
        what = bound.arguments.get("what", EditOptions())
        bound.arguments["what"] = replace(what, order=in_order(options))
    command(*bound.args, **bound.kwargs)


def _usage_error(error: cyclopts.CycloptsError, tokens: list[str]) -> UsageError:
    """Returns what could not be parsed as an error of our own."""
    chain = " ".join(["realedit", *(error.command_chain or ())])
    help_hint = f"see {chain} --help"
    match error:
        case cyclopts.UnusedCliTokensError():
            first = tokens[0]
            meant = difflib.get_close_matches(first, _COMMANDS, n=1)
            if meant and not error.command_chain and not Path(first).exists():
                return UsageError(f"no command '{first}'", f"did you mean {meant[0]}?")
            if first.isidentifier() and not error.command_chain and not Path(first).exists():
                return UsageError(
                    f"no command '{first}'", "an edit needs none: realedit photo.jpg --move mug --dx 0.2"
                )
            extra = " ".join(error.unused_tokens or ())
            if error.command_chain:
                return UsageError(f"unexpected argument: {extra}", help_hint)
            return UsageError(
                f"unexpected argument: {extra}",
                "put quotes around a name of several words; realedit batch edits several photos",
            )
        case cyclopts.UnknownOptionError() if files := list(filter(_is_dashed_file, tokens)):
            return UsageError(f"{files[0]} would be a flag", f"as a file it is ./{files[0]}")
        case cyclopts.RepeatArgumentError():
            return UsageError(_lowered(error), "give it once")
        case cyclopts.ValidationError() if error.argument is not None:
            return UsageError(f"{error.argument.name}: {error.exception_message}", help_hint)
        case _:
            return UsageError(_lowered(error), help_hint)


def _is_dashed_file(token: str) -> bool:
    """Tells whether what looks like a flag is a file's name."""
    return token.startswith("-") and os.path.isfile(token)


def _lowered(error: Exception) -> str:
    text = " ".join(str(error).split()).removesuffix(".")
    return text[:1].lower() + text[1:]
