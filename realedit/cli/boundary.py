"""The edge of the command: whatever goes wrong inside ends in one clear line and an exit code."""

from __future__ import annotations

import errno
import json
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from realedit.cli.streams import drop_output
from realedit.errors import PhotoError, RealEditError, SomePhotosFailedError, UsageError

INTERRUPTED = 130
"""Exit code after an interrupt (Ctrl-C), as shells have it: 128 + SIGINT."""
_REFUSED = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EBUSY", "EDQUOT", "EFBIG", "EIO", "EISDIR", "ELOOP", "EMFILE", "ENFILE", "ENOENT"),
        *("ENOSPC", "ENOTDIR", "EPERM", "EROFS", "ESTALE", "ETXTBSY", "ENXIO", "ENODEV"),
    )
    if hasattr(errno, name)
)
"""Errors of the system by which it refuses a file, wherever they are met."""
_BROKEN_PIPE = 141
"""Exit code where the reader of the output has gone, as shells have it: 128 + SIGPIPE."""


_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
"""Characters that would move the cursor or colour the terminal, or end the line."""


def guard(command: Callable[[], None], *, debug: bool, as_json: bool = False) -> int:
    """Runs a command and returns its exit code; errors go to stderr, with all details for `debug`.

    Args:
        command: what to run.
        debug: whether the user wants details.
        as_json: whether errors are printed on stdout as well, as one JSON object.
    """
    try:
        with _plain_logs(), warnings.catch_warnings():
            if not debug and not sys.warnoptions:
                warnings.simplefilter("ignore")
            command()
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("realedit: interrupted; no file is half-written")
        if as_json:
            _print_json("Interrupted", "interrupted", None, INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return _BROKEN_PIPE
    except Exception as error:
        if debug:
            traceback.print_exc()
        _flush_or_drop()
        known = error if isinstance(error, RealEditError) else _known(error)
        if as_json and not isinstance(error, SomePhotosFailedError):  # whose records are printed already
            shown = known or RealEditError(f"{type(error).__name__}: {error}")
            kind = type(known or error).__name__
            _print_json(kind, shown.message, shown.hint, shown.exit_code)
        if known is None:
            return _unexpected(error, debug=debug)
        report(known, debug=debug)
        return known.exit_code
    return 0


def report(error: RealEditError, *, debug: bool) -> None:
    """Prints an error on stderr: what is wrong, then the way out, then the figures behind it for `debug`."""
    say(f"realedit: error: {_one_line(error.message)}")
    if error.hint:
        say(f"realedit: hint: {_one_line(error.hint)}")
    if debug and error.detail:
        say(f"realedit: debug: {_one_line(error.detail)}")


def say(line: str) -> None:
    """Prints one line on stderr; control characters, which names of files may hold, as their codes."""
    with suppress(OSError):  # nobody is left to be told
        print(line.translate(_CONTROL), file=sys.stderr, flush=True)


def _flush_or_drop() -> None:
    """Prints what is still to be printed on standard output; drops it where that is full."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()


def _unexpected(error: Exception, *, debug: bool) -> int:
    what = f"{type(error).__name__}: {_one_line(str(error))}".removesuffix(": ")
    say(f"realedit: error: something unexpected happened ({what})")
    if not debug:
        say("realedit: hint: --debug shows where; please report it with that output")
    return RealEditError.exit_code


def _print_json(kind: str, message: str, hint: str | None, code: int) -> None:
    """Prints an error on stdout as one JSON object on one line."""
    fields = {
        "kind": kind,
        "message": _one_line(message),
        "hint": hint and _one_line(hint),
        "exit_code": code,
    }
    with suppress(OSError):
        print(json.dumps({"error": fields}), flush=True)


def _known(error: Exception) -> RealEditError | None:
    """Returns what the system says that a user can act on, wherever it was met."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return UsageError("the name of a file is too long", "choose a shorter one")
    # imported late: --help does not need it and should be quick
    from realedit.system.memory import out_of_memory

    if memory := out_of_memory(error):
        return memory
    if isinstance(error, OSError) and error.errno in _REFUSED and error.strerror:
        named = "the system refuses" if error.filename is None else f"{error.filename} cannot be used"
        return PhotoError(f"{named} ({error.strerror})", "check the disk, the permissions and the limits")
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())


@contextmanager
def _plain_logs() -> Generator[None]:
    """Shows the project's own log warnings in the style of its error lines."""
    logger = logging.getLogger("realedit")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("realedit: warning: %(message)s"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
