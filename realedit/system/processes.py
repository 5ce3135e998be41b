"""Jobs over processes. Each has one thread; an interrupt ends them all, and what is written is whole."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

from realedit.errors import MemoryLimitError, RealEditError

_Job = TypeVar("_Job", contravariant=True)
_Word = TypeVar("_Word", covariant=True)
_POLL = 0.5  # seconds between looks at whether a process has died
_GRACE = 10.0  # seconds for a process that is done to end


class Worker(Protocol[_Job, _Word]):
    """Does jobs one after the other; what is slow to load is loaded once."""

    def run(self, job: _Job, told: Callable[[_Word], None], /) -> None:
        """Do a job; tell of what is done."""
        ...


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Let SIGTERM, by which schedulers end a run, end the processes too, as an interrupt does."""
    if threading.current_thread() is not threading.main_thread():  # signals are another's
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
    make_worker: Callable[[], Worker[_Job, _Word]],
    jobs: Sequence[_Job],
    processes: int,
    told: Callable[[_Word], None],
) -> None:
    """Do jobs, in this process or in several.

    Args:
        make_worker: called once in each process; it, the jobs and what is told are pickled.
        jobs: what is to be done, begun in this order.
        processes: how many work at once.
        told: called in this process with everything that a worker tells; no exception and not None.

    Raises:
        RealEditError: what ended a job; the others are stopped.
        MemoryLimitError: a process died.
    """
    if processes == 1 or len(jobs) < 2:
        worker = make_worker()
        for job in jobs:
            worker.run(job, told)
        return
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    said: Any = context.Queue()
    for job in jobs:
        waiting.put(job)
    count = min(processes, len(jobs))
    for _ in range(count):
        waiting.put(None)
    workers = [context.Process(target=_serve, args=(make_worker, waiting, said)) for _ in range(count)]
    try:
        for worker in workers:
            worker.start()
        _listen(workers, said, told)
        for worker in workers:
            worker.join(_GRACE)  # ended while it cleans up, it would leave semaphores behind
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()
        waiting.cancel_join_thread()  # of an interrupted run: nobody is left to take the jobs


def _listen(workers: Sequence[BaseProcess], said: Any, told: Callable[[Any], None]) -> None:  # noqa: ANN401 - a queue
    left = len(workers)
    while left:
        try:
            what = said.get(timeout=_POLL)
        except queue.Empty:
            if any(worker.exitcode not in (None, 0) for worker in workers):
                raise MemoryLimitError(
                    "one of the processes died", "try fewer --jobs; what is done is kept"
                ) from None
            continue
        match what:
            case None:
                left -= 1
            case RealEditError():
                raise what
            case _:
                told(what)


def _next(waiting: Any) -> Any:  # noqa: ANN401 - a queue of jobs
    """The next job; None when there are no more, or nobody who would hear of it."""
    while (parent := multiprocessing.parent_process()) is None or parent.is_alive():
        with suppress(queue.Empty):
            return waiting.get(timeout=_POLL)
    return None


def _serve(make_worker: Callable[[], Worker[Any, Any]], waiting: Any, said: Any) -> None:  # noqa: ANN401 - queues
    """A process: take jobs until there are none."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this one
    try:
        worker = make_worker()
        while (job := _next(waiting)) is not None:
            worker.run(job, said.put)
        said.put(None)
    except RealEditError as error:
        said.put(error)
