"""Does jobs in several processes; an interrupt ends them all, and every file that they write is whole.

It is written here because neither ``concurrent.futures`` nor loky does all of it: results are handed on while
a job still works on the next ones, SIGTERM ends the run as an interrupt does, and a process that dies (out of
memory) or whose parent dies ends the others instead of leaving them waiting.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from typing import Protocol, TypeVar

from realedit.errors import MemoryLimitError, RealEditError

_Job = TypeVar("_Job", contravariant=True)
_Result = TypeVar("_Result", covariant=True)
_POLL_SECONDS = 0.5
"""Seconds between looks at whether a process has died: more notice it later, fewer cost time. Not
measured."""
_GRACE_SECONDS = 10.0
"""Seconds for a process that is done to end by itself: after them it is ended, before them it may clean up.
Not measured."""


class Worker(Protocol[_Job, _Result]):
    """Does jobs one after the other; what is slow to load is loaded once."""

    def run(self, job: _Job, on_result: Callable[[_Result], None], /) -> None:
        """Does a job and calls ``on_result`` with each of its results as soon as it is there."""
        ...


@contextmanager
def ends_in_order() -> Generator[None]:
    """Lets SIGTERM, by which schedulers end a run, end the processes too, as an interrupt does."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signals
        yield
        return

    def leave(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@ends_in_order()
def run_jobs(
    make_worker: Callable[[], Worker[_Job, _Result]],
    jobs: Sequence[_Job],
    processes: int,
    on_result: Callable[[_Result], None],
) -> None:
    """Does jobs, in this process or in several.

    Args:
        make_worker: called once in each process that has a job; it, the jobs and the results are pickled.
        jobs: begun in this order.
        processes: how many work at once.
        on_result: called in this process with every result of a worker; a result is neither an exception nor
            None.

    Raises:
        RealEditError: a job raised it; the others are stopped.
        MemoryLimitError: a process died.
    """
    if not jobs:
        return
    if processes == 1 or len(jobs) < 2:
        worker = make_worker()
        for job in jobs:
            worker.run(job, on_result)
        return
    context = multiprocessing.get_context("spawn")
    waiting: Queue[_Job | None] = context.Queue()
    results: Queue[_Result | RealEditError | None] = context.Queue()
    for job in jobs:
        waiting.put(job)
    count = min(processes, len(jobs))
    for _ in range(count):
        waiting.put(None)
    workers = [context.Process(target=_serve, args=(make_worker, waiting, results)) for _ in range(count)]
    try:
        for worker in workers:
            worker.start()
        _listen(workers, results, on_result)
        for worker in workers:
            worker.join(_GRACE_SECONDS)  # ended while it cleans up, it would leave semaphores behind
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()
        waiting.cancel_join_thread()  # after an interrupt nobody is left to take the jobs


def _listen(
    workers: Sequence[BaseProcess],
    results: Queue[_Result | RealEditError | None],
    on_result: Callable[[_Result], None],
) -> None:
    """Hands results on until every process has said that it is done, by None."""
    working = len(workers)
    while working:
        try:
            result = results.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            if any(worker.exitcode not in (None, 0) for worker in workers):
                raise MemoryLimitError(
                    "one of the processes died", "try fewer --jobs; what is done is kept"
                ) from None
            continue
        if result is None:
            working -= 1
        elif isinstance(result, RealEditError):
            raise result
        else:
            on_result(result)


def _next(waiting: Queue[_Job | None]) -> _Job | None:
    """Takes the next job; None if there are no more, or if the parent has died."""
    while (parent := multiprocessing.parent_process()) is None or parent.is_alive():
        with suppress(queue.Empty):
            return waiting.get(timeout=_POLL_SECONDS)
    return None


def _end_with_parent() -> None:
    """Ends this process at once when its parent is gone: what takes over the folder is not to meet it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(
    make_worker: Callable[[], Worker[_Job, _Result]],
    waiting: Queue[_Job | None],
    results: Queue[_Result | RealEditError | None],
) -> None:
    """Does jobs in a process of its own until there are none."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = make_worker()
        while (job := _next(waiting)) is not None:
            worker.run(job, results.put)
        results.put(None)
    except RealEditError as error:
        results.put(error)
