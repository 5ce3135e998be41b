"""Shows a bar for each stage of a long run, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Progress(Protocol):
    """Is called at every step: `step` of `total` are done of the work `stage`; a total of 0 is not known."""

    def __call__(self, stage: str, step: int, total: int, /) -> None:
        """Takes note of a step."""
        ...


def silent(stage: str, step: int, total: int) -> None:
    """Shows nothing."""


@contextmanager
def progress_bars(*, quiet: bool = False) -> Generator[Progress]:
    """Draws stages on stderr with their steps and the time left; nothing if stderr is no terminal.

    The bars vanish when the work is done.
    """
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[steps]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Stages(bars)


class _Stages:
    """One bar for each stage, in the order of their first steps."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, step: int, total: int) -> None:
        known = total if total > 0 else None
        steps = f"{step}/{total}" if known else ""
        if stage not in self._tasks:
            self._finish()
            self._tasks[stage] = self._bars.add_task(stage, total=known, steps=steps)
        self._bars.update(self._tasks[stage], completed=step, total=known, steps=steps)

    def _finish(self) -> None:
        # a stage of unknown length is over when the next one begins
        for task in self._bars.tasks:
            steps = "" if task.total is None else f"{task.total:g}/{task.total:g}"
            self._bars.update(task.id, completed=task.total or 1, total=task.total or 1, steps=steps)
