"""A whole run: which records are still to be made, making them, and those that the run is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from realedit.bench.case import Case
from realedit.bench.methods import MethodSpec, build
from realedit.bench.records import RECORDS, Record, done, read_records, record_key
from realedit.bench.worker import Job, RunSettings, Worker, code_digest, versions
from realedit.errors import UsageError
from realedit.models.choice import fetched, identity, resolve_model
from realedit.system.processes import run_jobs
from realedit.system.progress import Progress, silent
from realedit.system.whole_files import clear_leftovers


def run(
    cases: Sequence[Case],
    methods: Sequence[MethodSpec],
    settings: RunSettings,
    *,
    processes: int = 1,
    resume: bool = True,
    progress: Progress = silent,
) -> list[Record]:
    """Edit every case by every method, but for what earlier runs did.

    Args:
        cases: what to edit.
        methods: by what.
        settings: of all of it; its folder is made where it is not there.
        processes: how many work at once; above 1, each has one thread.
        resume: whether records that are there already are used.
        progress: told of each record.

    Returns:
        The records of these cases and methods, in that order.

    Raises:
        RealEditError: the model, the folder or a case's file cannot be had.
    """
    if processes > 1:
        settings = replace(settings, threads=1)
    refuse_foreign(settings.output)
    jobs = plan_jobs(cases, methods, settings)
    prepare(settings.output)
    keys = [key for job in jobs for _, key in job.methods]
    kept = done(read_records(settings.output), keys) if resume else set()
    left = [replace(job, methods=tuple(m for m in job.methods if m[1] not in kept)) for job in jobs]
    left = [job for job in left if job.methods]
    try:
        run_jobs(partial(Worker, settings), left, processes, _counting(progress, len(kept), len(keys)))
    finally:
        clear_leftovers(settings.output, below=True)
    found = read_records(settings.output)
    return [found[key] for key in keys]


def plan_jobs(cases: Sequence[Case], methods: Sequence[MethodSpec], settings: RunSettings) -> list[Job]:
    """A job a case, with the key of every record; a hub's model is downloaded where it is not here.

    Raises:
        ModelUnavailableError: there is no such model, or it cannot be downloaded.
        PhotoError: a case's file cannot be read.
    """
    model = settings.model
    resolve_model(model.model)
    digests = [case.digest() for case in cases]
    # last: what is wrong with the cases is told before gigabytes are fetched
    ref = fetched(model.model, device=model.device, dtype=model.dtype, offline=bool(model.offline))
    shared = {
        "versions": versions(),
        "code": code_digest(),
        "threads": settings.threads,
        "model": identity(ref),
        "device": settings.model.device,
        "dtype": settings.model.dtype,
        "size": settings.model.working_size,
        "seed": settings.seed,
        "metrics": settings.metrics.fields(),
    }
    jobs = []
    for case, digest in zip(cases, digests, strict=True):
        keys = [record_key(case=digest, method=m.name, settings=repr(build(m)), **shared) for m in methods]
        jobs.append(Job(case, tuple(zip(methods, keys, strict=True))))
    return jobs


def refuse_foreign(output: Path) -> None:
    """Check that the results' folder holds results or nothing, if it is there.

    Raises:
        UsageError: it holds something else.
    """
    if output.is_dir() and not (output / RECORDS).exists() and any(output.iterdir()):
        raise UsageError(f"{output} holds something else than results", "name an empty folder with --output")


def prepare(output: Path) -> None:
    """Make the results' folder.

    Raises:
        UsageError: it is a file, or cannot be made.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{output} cannot be made ({reason})", "name another with --output") from error


def _counting(progress: Progress, already: int, total: int) -> Callable[[str], None]:
    count = already
    progress("bench", count, total)

    def told(_: str) -> None:
        nonlocal count
        count += 1
        progress("bench", count, total)

    return told
