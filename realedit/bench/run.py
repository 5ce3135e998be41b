"""Runs the benchmark: finds the records that are missing, makes them, and returns those asked for."""

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
from realedit.models.choice import fetched, resolve_model
from realedit.models.profile import identity
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
    """Edits every case by every method, except where an earlier run did.

    Args:
        cases: the cases to edit.
        methods: the methods to edit them by.
        settings: the run's settings; their folder is made where it is not there.
        processes: how many work at once; if several, each has one thread.
        resume: whether records that are there already are kept.
        progress: told of each record.

    Returns:
        The records of these cases and methods, in that order.

    Raises:
        RealEditError: the model, the folder or a case's file is missing or cannot be used.
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
    """Makes a job per case, with every record's key; a hub's model is downloaded where it is not here.

    Raises:
        ModelUnavailableError: there is no such model, or it cannot be downloaded.
        PhotoError: a case's file cannot be read.
    """
    model = settings.model
    offline = bool(model.offline)
    resolve_model(model.model, loras=model.loras, vae=model.vae, offline=offline)
    digests = [case.digest() for case in cases]
    # last: mistakes in the cases are reported before gigabytes are fetched
    ref = fetched(
        model.model,
        device=model.device,
        dtype=model.dtype,
        loras=model.loras,
        vae=model.vae,
        offline=offline,
    )
    shared = {
        "versions": versions(),
        "code": code_digest(),
        "threads": settings.threads,
        "model": identity(ref, model.profile),
        "device": settings.model.device,
        "dtype": settings.model.dtype,
        "size": settings.model.working_size,
        "seed": settings.seed,
        "side": settings.side,
        "metrics": settings.metrics.fields(),
    }
    jobs = []
    for case, digest in zip(cases, digests, strict=True):
        keys = [record_key(case=digest, method=m.name, settings=repr(build(m)), **shared) for m in methods]
        jobs.append(Job(case, tuple(zip(methods, keys, strict=True))))
    return jobs


def refuse_foreign(output: Path) -> None:
    """Checks that the results' folder, if it is there, holds results or nothing.

    Raises:
        UsageError: it holds something else.
    """
    if output.is_dir() and not (output / RECORDS).exists() and any(output.iterdir()):
        raise UsageError(f"{output} holds something else than results", "name an empty folder with --output")


def prepare(output: Path) -> None:
    """Makes the results' folder.

    Raises:
        UsageError: it is a file, or cannot be made.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{output} cannot be made ({reason})", "name another with --output") from error


def _counting(progress: Progress, already: int, total: int) -> Callable[[str], None]:
    """Makes the callback that counts records, starting with those that are there already."""
    count = already
    progress("bench", count, total)

    def on_record(_: str) -> None:
        nonlocal count
        count += 1
        progress("bench", count, total)

    return on_record
