"""Calibrates a model: finds ways and settings on half of the scenes, and reports them on the other half."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.bench.case import Case, LoadedCase
from realedit.bench.selection import part_of
from realedit.bench.statistics import Interval, paired_difference
from realedit.calibrate.axes import BY_TEXT, FINDING, PIXELS, TEXT, profile_of, values_of
from realedit.calibrate.descent import Axis, Descent, Values, descend
from realedit.calibrate.editing import Judge
from realedit.calibrate.finding import pointed, threshold
from realedit.calibrate.records import Records, plain
from realedit.engine import Engine
from realedit.models.choice import fingerprint
from realedit.models.profile import Profile
from realedit.report.panel import fit, overlay
from realedit.system.progress import Progress, silent

_FINDING_SHARE = 0.3
"""Share of the time that ways of finding may take: more leaves less for settings of edits, which take longer
each. Not measured."""
Measure = Callable[[Profile, LoadedCase], dict[str, Any]]
"""Measures a profile on a case: a record with its ``loss`` and, where there is one, its ``picture``."""


@dataclass(frozen=True)
class Group:
    """Settings that were looked for together, and what they are worth on scenes that they were not chosen on.

    Args:
        name: of the group.
        metric: the loss.
        chosen_on: cases that they were chosen on.
        start: the values that there were.
        descent: how others were looked for.
        final: the values that the profile gets.
        held: loss of the start on the other scenes.
        after: loss of what was found, likewise.
        difference: of the second less the first; None without such cases.
    """

    name: str
    metric: str
    chosen_on: int
    start: Values
    descent: Descent
    final: Values
    held: float | None = None
    after: float | None = None
    difference: Interval | None = None

    @property
    def taken_back(self) -> bool:
        """Whether what was found was worse on the other scenes than what there was."""
        return plain(self.final) != plain(self.descent.values)


@dataclass(frozen=True)
class Told:
    """How well a threshold tells words that are there from those that are not.

    Args:
        value: the threshold.
        before: the one that there was.
        chosen: share told rightly on the scenes that it was chosen on.
        held: on the others; None without any.
        held_before: of the threshold that there was, on the others.
    """

    value: float
    before: float
    chosen: float
    held: float | None = None
    held_before: float | None = None


@dataclass(frozen=True)
class Calibration:
    """What a calibration came to.

    Args:
        profile: the model's, as measured.
        start: the one that there was.
        groups: what was looked for.
        told: the threshold of what is there; None where no words were measured.
        lines: every measurement on the other scenes, by group.
        ways: every measurement of finding by attention and by goca on all scenes, beside each other.
    """

    profile: Profile
    start: Profile
    groups: Sequence[Group]
    told: Told | None = None
    lines: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict[str, Any])
    ways: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict[str, Any])


class Calibrator:
    """Calibrates an opened model.

    Args:
        engine: the model.
        records: what was measured before.
        seed: of every random number.
        side: longer side in pixels that larger photos are scaled down to; None for their own.
        progress: told of each measurement.
    """

    def __init__(
        self,
        engine: Engine,
        records: Records,
        *,
        seed: int = 0,
        side: int | None = None,
        progress: Progress = silent,
    ) -> None:
        self._engine, self._records, self._side, self._progress = engine, records, side, progress
        self._judge = Judge(seed)
        self._engines: dict[str, Engine] = {}
        self._loaded: dict[str, LoadedCase] = {}
        self._measured = 0
        self._deadline = 0.0
        self._searched = 0.0

    def run(
        self, cases: Sequence[Case], minutes: float, *, finding_alone: bool = False, name: str = "calibrated"
    ) -> Calibration:
        """Calibrates within a time; what is reported at the end is measured beyond it, if need be.

        Args:
            cases: a data set's, of which every other scene is held back for the report.
            minutes: that looking for settings may take.
            finding_alone: whether settings of edits are left as they are.
            name: of the profile.
        """
        self._searched = 0.0
        start = profile = self._engine.profile
        groups: list[Group] = []
        lines: dict[str, Sequence[Mapping[str, Any]]] = {}
        words = list(
            {(case.photo, case.object): case for case in cases if case.object and case.mask}.values()
        )
        seen = [case for case in cases if case.truth is not None]
        kinds = [
            ("finding", FINDING, words, self._point, _FINDING_SHARE),
            ("pixels", PIXELS, [c for c in seen if c.edit.kind not in BY_TEXT], self._edit, 1.0),
            ("text", TEXT, [c for c in seen if c.edit.kind in BY_TEXT], self._edit, 1.0),
        ]
        told, ways = None, dict[str, Sequence[Mapping[str, Any]]]()
        for group, axes, own, measure, share in kinds:
            if not own or (finding_alone and group != "finding"):
                continue
            self._allow(60 * minutes * share)
            found, lines[group] = self._group(group, axes, own, profile, measure)
            groups.append(found)
            profile = profile_of(profile, found.final)
            if group == "finding":
                self._allow(60 * minutes)
                told = self._told(profile, start, own)
                self._allow(60 * minutes)
                ways = self._ways(found.descent.values, start, own)
                profile = replace(profile, found=told.value)
        named = replace(profile, name=name, architecture={}, sources=_sources(start, profile, groups))
        return Calibration(named, start, groups, told, lines, ways)

    def _allow(self, seconds: float) -> None:
        """Sets when looking for settings ends: measuring for the report does not count."""
        self._deadline = time.monotonic() + seconds - self._searched

    def _group(
        self, name: str, axes: Sequence[Axis], cases: Sequence[Case], base: Profile, measure: Measure
    ) -> tuple[Group, Sequence[Mapping[str, Any]]]:
        """Looks for settings on every other scene, and measures them on the rest."""
        chosen, others = part_of(cases, "odd"), part_of(cases, "even")
        start = values_of(base, axes)

        def score(values: Values, case: int) -> float | None:
            line = self._line(name, profile_of(base, values), values, chosen[case], measure)
            return None if line is None else float(line["loss"])

        began = time.monotonic()
        descent = descend(start, axes, len(chosen), score)
        self._searched += time.monotonic() - began
        self._deadline = float("inf")
        both = [
            [self._line(name, profile_of(base, values), values, case, measure) for case in others]
            for values in (start, descent.values)
        ]
        before, after = ([line for line in lines if line is not None] for lines in both)
        if not before:
            return Group(name, self._metric(name), len(chosen), start, descent, descent.values), []
        losses = [[float(line["loss"]) for line in lines] for lines in (before, after)]
        difference = paired_difference(losses[1], losses[0], [case.shows for case in others])
        worse = difference.mean > 0
        group = Group(
            name,
            self._metric(name),
            len(chosen),
            start,
            descent,
            start if worse else descent.values,
            float(np.mean(losses[0])),
            float(np.mean(losses[1])),
            difference,
        )
        return group, before if worse else after

    def _ways(
        self, values: Values, base: Profile, cases: Sequence[Case]
    ) -> dict[str, Sequence[Mapping[str, Any]]]:
        """Measures both ways of finding on all cases, as far as the time goes; the same cases for both."""
        found: dict[str, list[Mapping[str, Any]]] = {"attention": [], "goca": []}
        for case in cases:
            lines = [
                self._line("finding", profile_of(base, at), at, case, self._point)
                for at in ({**values, "find": way} for way in found)
            ]
            if all(line is not None for line in lines):
                for own, line in zip(found.values(), lines, strict=True):
                    own.append(line or {})
        return {way: lines for way, lines in found.items() if lines}

    def _metric(self, group: str) -> str:
        return "1 - (pointing + IoU) / 2" if group == "finding" else self._judge.metric

    def _line(
        self, group: str, profile: Profile, values: Values, case: Case, measure: Measure
    ) -> dict[str, Any] | None:
        """Returns what values are worth on a case, measured now or before; None where the time is over."""
        key = self._records.key(group, case.digest(), values)
        known = self._records.get(key)
        if known is not None:
            self._judge.metric = str(known.get("metric", self._judge.metric))
            return known
        if time.monotonic() > self._deadline:
            return None
        self._measured += 1
        self._progress(f"measuring {group}", self._measured, 0)
        fields = measure(profile, self._load(case))
        picture = fields.pop("picture", None)
        if picture is not None:
            fields["picture"] = self._records.keep_picture(key, picture)
        return self._records.put(key, {"group": group, "case": case.id, "values": values, **fields})

    def _load(self, case: Case) -> LoadedCase:
        if case.id not in self._loaded:
            self._loaded[case.id] = LoadedCase.of(case, self._side)
        return self._loaded[case.id]

    def _at(self, profile: Profile) -> Engine:
        """Returns the model with another profile."""
        key = profile.dump()
        if key not in self._engines:
            own = self._engine
            inverter = own.inverter
            self._engines[key] = Engine(
                own.backbone,
                own.ref,
                cache=inverter.cache,
                working_side=inverter.working_side,
                cutter=own.cutter,
                profile=profile,
            )
        return self._engines[key]

    def _point(self, profile: Profile, loaded: LoadedCase) -> dict[str, Any]:
        """Measures where a profile finds a case's word; a word that the model does not read is not found."""
        began, before = time.perf_counter(), self._engine.backbone.evaluations
        found = pointed(self._at(profile), loaded, loaded.case.object or "")
        seconds = {"find": time.perf_counter() - began}
        cost = {"seconds": seconds, "evaluations": self._engine.backbone.evaluations - before}
        if found is None:
            return {"loss": 1.0, "points": False, "iou": 0.0, "there": 0.0, **cost}
        drawn = overlay(fit(Image.fromarray(loaded.photo)), found.heat, _soft(loaded), None)
        return {
            "loss": found.loss,
            "points": found.points,
            "iou": found.iou,
            "there": found.there,
            "picture": drawn,
            **cost,
        }

    def _edit(self, profile: Profile, loaded: LoadedCase) -> dict[str, Any]:
        """Measures a profile's edit of a case."""
        edited = self._judge.edited(self._at(profile), loaded)
        return {
            "loss": edited.loss,
            "metric": self._judge.metric,
            "seconds": dict(edited.seconds),
            "evaluations": edited.evaluations,
            "peak_mib": edited.peak_mib,
            "refused": edited.refused,
            "picture": fit(Image.fromarray(edited.picture)),
        }

    def _told(self, profile: Profile, start: Profile, cases: Sequence[Case]) -> Told:
        """Sets the threshold of what is there, by words that are there and words that are not."""
        nouns = sorted({case.object for case in cases if case.object})

        def values(part: Sequence[Case]) -> tuple[list[float], list[float]]:
            here = [self._there(profile, case, case.object or "") for case in part]
            gone = [self._there(profile, case, _absent(nouns, case, n)) for n, case in enumerate(part)]
            return [v for v in here if v is not None], [v for v in gone if v is not None]

        chosen = values(part_of(cases, "odd"))
        same = profile.find == start.find
        before = start.found if same else 0.0
        if not chosen[0] or not chosen[1]:
            return Told(before, before, 0.0)
        best, share = threshold(*chosen)
        # what is not better on these is not better
        best, share = (before, _share(chosen, before)) if _share(chosen, before) >= share else (best, share)
        self._deadline = float("inf")
        held = values(part_of(cases, "even"))
        if not held[0] or not held[1]:
            return Told(best, before, share)
        after, known = _share(held, best), _share(held, before)
        return Told(before if known > after and same else best, before, share, after, known)

    def _there(self, profile: Profile, case: Case, word: str) -> float | None:
        """Returns what tells that a word is in a case's photo; None where the time is over."""
        if not word:
            return None
        values = values_of(profile, FINDING)
        if word == case.object:
            line = self._line("finding", profile, values, case, self._point)
            return None if line is None else float(line["there"])
        values |= {"word": word}

        def measure(_: Profile, loaded: LoadedCase) -> dict[str, Any]:
            found = pointed(self._at(profile), loaded, word)
            return {"there": 0.0 if found is None else found.there}

        line = self._line("there", profile, values, case, measure)
        return None if line is None else float(line["there"])


def _soft(loaded: LoadedCase) -> np.ndarray:
    """Returns a case's mask, float32 ``[H, W]``; an empty one without."""
    size = loaded.photo.shape[:2]
    return np.zeros(size, np.float32) if loaded.mask is None else loaded.mask.astype(np.float32)


def opened(folder: Path, engine: Engine, seed: int) -> Records:
    """Opens a folder's records of a model."""
    model = {"model": fingerprint(engine.ref), "dtype": str(engine.backbone.dtype), "seed": seed}
    return Records(folder, model).read()


def _absent(nouns: Sequence[str], case: Case, number: int) -> str:
    """Returns another case's object that a case's prompt does not name; "" if there is none."""
    others = [noun for noun in nouns if noun not in case.prompt and noun != case.object]
    return others[number % len(others)] if others else ""


def _share(values: tuple[Sequence[float], Sequence[float]], at: float) -> float:
    """Returns the mean of the shares of present and absent words that a threshold tells rightly."""
    here, gone = (np.asarray(v) for v in values)
    return float(((here >= at).mean() + (gone < at).mean()) / 2)


def _sources(start: Profile, profile: Profile, groups: Sequence[Group]) -> dict[str, str]:
    """Returns where each value comes from: measured where it was looked for, else as before."""
    sources = dict(start.sources)
    for group in groups:
        held = "" if group.difference is None else f", reported on {group.difference.n} others"
        for name in group.final:
            sources[name] = f"realedit calibrate: {group.name}, chosen on {group.chosen_on} cases{held}"
    if groups and groups[0].name == "finding":
        sources["found"] = f"realedit calibrate: words that are there and words that are not; {profile.find}"
    return sources
