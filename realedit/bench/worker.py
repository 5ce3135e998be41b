"""Does one process's share of the work: edits a case by several methods, measures, writes the records."""

from __future__ import annotations

import hashlib
import io
import re
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

import guidance
import inversion
import realedit
from realedit.bench.case import Case, LoadedCase
from realedit.bench.counting import Count, PeakMemory, counted
from realedit.bench.methods import MethodSpec, build
from realedit.bench.methods.method import Method, unsupported
from realedit.bench.methods.own import Own
from realedit.bench.methods.reconstruct import Reconstruct
from realedit.bench.metrics.measure import Meter
from realedit.bench.metrics.missing import Figures
from realedit.bench.metrics.settings import MetricSettings
from realedit.bench.outcome import Outcome
from realedit.bench.records import ERROR, FAILED, OK, UNSUPPORTED, Record, append_record
from realedit.bench.workbench import ModelSettings, Workbench
from realedit.errors import RealEditError
from realedit.models.choice import resolve_model
from realedit.system.whole_files import write_files

PICTURES = "pictures"
OnRecord = Callable[[str], None]
"""Called with a record's case and method once the record is written."""


@dataclass(frozen=True)
class RunSettings:
    """What every job of a run shares.

    Args:
        output: folder of the results.
        model: which model.
        metrics: what is measured.
        seed: seed of every random number.
        threads: threads of a process; None for torch's own choice.
        debug: whether a broken method's traceback goes into its record.
        side: pixels of the longer side that larger pictures are scaled down to; None for their own size.
    """

    output: Path
    model: ModelSettings
    metrics: MetricSettings
    seed: int = 0
    threads: int | None = None
    debug: bool = False
    side: int | None = None


@dataclass(frozen=True)
class Job:
    """A case, and the methods to edit it by with the keys of their records."""

    case: Case
    methods: tuple[tuple[MethodSpec, str], ...]


class Worker:
    """Does jobs one after the other; its model and its networks are loaded once.

    Args:
        settings: the run's settings.
    """

    def __init__(self, settings: RunSettings) -> None:
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
            cv2.setNumThreads(settings.threads)
        self._settings = settings
        self._bench = Workbench(settings.model, settings.seed)
        self._meter = Meter(settings.metrics)

    def run(self, job: Job, on_record: OnRecord = lambda _: None) -> None:
        """Writes a record for every method of a job.

        Raises:
            ModelUnavailableError: the model cannot be had.
            PhotoError: a picture of the case cannot be read, or a result cannot be written.
        """
        loaded = LoadedCase.of(job.case, self._settings.side)
        shown = {
            name: self._picture(f"{PICTURES}/{job.case.id}/{name}.png", array)
            for name, array in (("photo", loaded.photo), ("truth", loaded.truth), ("mask", loaded.mask))
            if array is not None
        }
        for spec, key in job.methods:
            record = replace(self._record(loaded, spec, key), **shown)
            append_record(self._settings.output, record)
            on_record(f"{job.case.id} {spec.label}")

    def _record(self, loaded: LoadedCase, spec: MethodSpec, key: str) -> Record:
        case = loaded.case
        method = build(spec)
        record = partial(
            Record,
            key,
            case.id,
            case.edit.fields(),
            spec.label,
            category=case.category,
            scene=case.shows,
            made=self._made(),
        )
        why_not = unsupported(method, loaded)
        if why_not is not None:
            return record(UNSUPPORTED, why_not)
        memory = None
        if method.uses_model:
            memory = PeakMemory(self._bench.backbone.device)  # the model is loaded before the clock starts
            memory.reset()
        status, reason, began = OK, None, perf_counter()
        try:
            with self._counted(method) as count:
                outcome = method.edit(loaded, self._bench)
        except RealEditError as error:
            if isinstance(method, Reconstruct):  # the untouched photo is no replay
                return record(FAILED, str(error))
            status, reason = FAILED, str(error)
            outcome = _untouched(loaded, method, perf_counter() - began, count.evaluations)
        except Exception as error:  # a peer's own failure must not end a run of hours
            text = traceback.format_exc() if self._settings.debug else f"{type(error).__name__}: {error}"
            return record(ERROR, text)
        peak = None if memory is None else memory.bytes()
        figures = self._meter.measure(loaded, outcome)
        return self._filled(record(status, reason), outcome, figures, peak)

    def _counted(self, method: Method) -> AbstractContextManager[Count]:
        return counted(self._bench.backbone.unet) if method.uses_model else nullcontext(Count())

    def _filled(self, record: Record, outcome: Outcome, figures: Figures, peak: int | None) -> Record:
        name = f"{PICTURES}/{record.case}/{slug(record.method)}-{record.key[:8]}"
        before, found = outcome.before_composite, outcome.found
        return replace(
            record,
            figures={**figures.values, **dict.fromkeys(figures.missing)},
            missing=figures.missing,
            times={stage: round(seconds, 4) for stage, seconds in outcome.times.items()},
            seconds=round(sum(outcome.times.values()), 4),
            evaluations=outcome.evaluations,
            warnings=list(outcome.warnings),
            peak_memory=peak,
            picture=self._picture(f"{name}.png", outcome.picture),
            before=None if before is None else self._picture(f"{name}-before.png", before),
            found=None if found is None else self._picture(f"{name}-found.png", found),
        )

    def _picture(self, name: str, array: np.ndarray) -> str:
        path = self._settings.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file = io.BytesIO()
        values = array * 255 if array.dtype == bool else array.clip(0, 255).round()
        Image.fromarray(values.astype(np.uint8)).save(file, "PNG")
        write_files({path: file.getvalue()}, force=True)
        return name

    def _made(self) -> dict[str, Any]:
        chosen = self._settings
        return {
            "model": resolve_model(chosen.model.model).name,
            "seed": chosen.seed,
            "threads": torch.get_num_threads(),
            "side": chosen.side,
            "metrics": chosen.metrics.fields(),
            "versions": versions(),
        }


def _untouched(loaded: LoadedCase, method: Method, seconds: float, evaluations: int) -> Outcome:
    """Returns the outcome of a refused edit: the photo as it was, in the time that the refusal took.

    If the method says where the object is, the object was found nowhere, and is where it was.
    """
    says = isinstance(method, Own) and not method.mask
    nowhere = np.zeros(loaded.photo.shape[:2], bool)
    return Outcome(
        loaded.photo,
        {"refused": seconds},
        evaluations,
        found=nowhere if says else None,
        after=loaded.mask if says else None,
        region=nowhere if says else None,
    )


def slug(label: str) -> str:
    """Turns a method's label into part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", label)[:80]


def versions() -> dict[str, str | None]:
    """Returns the versions of the packages that decide a figure; None for those not installed."""
    names = ("realedit", "torch", "diffusers", "lpips", "stlpips-pytorch")
    return {name: _version(name) for name in names}


@cache
def code_digest() -> str:
    """Hashes the source of the three packages (SHA-256): between releases a version says too little."""
    digest = hashlib.sha256()
    for package in (guidance, inversion, realedit):
        for folder in package.__path__:
            for file in sorted(Path(folder).rglob("*.py")):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
