"""Jobs over processes. Each has one thread; an interrupt ends them all, and what is written is whole."""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from realedit.bench.worker import Job, RunSettings, Told, Worker
from realedit.errors import MemoryLimitError, RealEditError

_POLL = 0.5  # seconds between looks at whether a process has died


def run_jobs(settings: RunSettings, jobs: Sequence[Job], processes: int, told: Told) -> None:
    """Do jobs, in this process or in several.

    Raises:
        RealEditError: what ended a job; the others are stopped.
        MemoryLimitError: a process died.
    """
    if processes == 1 or len(jobs) < 2:
        worker = Worker(settings)
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
    workers = [context.Process(target=_serve, args=(settings, waiting, said)) for _ in range(count)]
    try:
        for worker in workers:
            worker.start()
        _listen(workers, said, told)
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()
        waiting.cancel_join_thread()  # of an interrupted run: nobody is left to take the jobs


def _listen(workers: Sequence[BaseProcess], said: Any, told: Told) -> None:  # noqa: ANN401 - a queue
    left = len(workers)
    while left:
        try:
            what = said.get(timeout=_POLL)
        except queue.Empty:
            if any(worker.exitcode not in (None, 0) for worker in workers):
                raise MemoryLimitError(
                    "a process of the benchmark died", "try fewer --jobs; what is done is kept"
                ) from None
            continue
        match what:
            case None:
                left -= 1
            case RealEditError():
                raise what
            case str():
                told(what)


def _serve(settings: RunSettings, waiting: Any, said: Any) -> None:  # noqa: ANN401 - queues
    """A process: take jobs until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this one
    try:
        worker = Worker(settings)
        while (job := waiting.get()) is not None:
            worker.run(job, said.put)
        said.put(None)
    except RealEditError as error:
        said.put(error)
