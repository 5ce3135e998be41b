"""Standard streams that are closed or full, and what the system refuses, end in a line and an exit code."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from command import Command
from realedit.cli.boundary import guard, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")


@pytest.mark.parametrize(
    ("shell", "code", "says"),
    [
        ('"$@" >&-', 0, ""),
        ('"$@" 2>&-', 0, ""),
        ('"$@" <&- >&- 2>&-', 0, ""),
        ('"$@" >/dev/full', 3, "realedit: error: the system refuses (No space left on device)"),
    ],
    ids=["no output", "no errors", "none", "full"],
)
def test_a_closed_stream_is_no_fault_and_a_full_one_is_told(
    realedit: Command, shell: str, code: int, says: str
) -> None:
    if "full" in shell and sys.platform != "linux":
        pytest.skip("only Linux has a full device")
    result = realedit("schema", wrapper=("sh", "-c", shell, "sh"))
    assert result.returncode == code
    assert result.stderr.startswith(says)
    assert all(line.startswith("realedit: ") for line in result.stderr.splitlines())


def test_a_photo_needs_an_output_that_is_open_and_an_input(realedit: Command) -> None:
    words = ("-", "--remove", "mug", "-o", "-")
    result = realedit(*words, wrapper=("sh", "-c", '"$@" <&-', "sh"))
    assert (result.returncode, result.stderr.splitlines()[0]) == (
        3,
        "realedit: error: standard input is empty",
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE])
def test_what_the_system_refuses_is_one_line_wherever_it_is_met(
    capfd: pytest.CaptureFixture[str], number: int
) -> None:
    def fail() -> None:
        raise OSError(number, os.strerror(number), "some/file")

    assert guard(fail, debug=False) == 3
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        f"realedit: error: some/file cannot be used ({os.strerror(number)})",
        "realedit: hint: check the disk, the permissions and the limits",
    ]


def test_a_name_cannot_move_the_cursor_or_end_the_line(capfd: pytest.CaptureFixture[str]) -> None:
    say("realedit: warning: a\nb\x1b[31m\x9bc\x7f.jpg é 😀")
    assert capfd.readouterr().err == "realedit: warning: a\\x0ab\\x1b[31m\\x9bc\\x7f.jpg é 😀\n"
