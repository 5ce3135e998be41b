"""Gathers what an edit's steps did into its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from realedit.edits.prepared import Prepared
from realedit.edits.recipe import PERSPECTIVE, recipe
from realedit.engine import Engine
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.models.profile import Profile
from realedit.photo import hidden_by_alpha
from realedit.result import EditResult
from realedit.settings import Settings
from realedit.steps.sequence import all_warnings, changes, mattes, together
from realedit.steps.work import Outcome, Request


def gathered(
    engine: Engine,
    prepared: Prepared,
    request: Request,
    requests: Sequence[Request],
    outcomes: Sequence[Outcome],
    *,
    known: Mapping[str, np.ndarray],
    evaluations: int,
) -> EditResult:
    """Returns what an edit's steps amount to.

    Args:
        engine: the model.
        prepared: what was asked for.
        request: how it was asked for.
        requests: how each step was made.
        outcomes: what the steps did, in their order.
        known: mattes of the objects that they have placed, by their words.
        evaluations: how often they evaluated the UNet.
    """
    first, last = outcomes[0], outcomes[-1]
    inverted = first.inverted
    figures = dict(last.metrics) if len(outcomes) == 1 else together(outcomes)
    figures["model_evaluations"] = float(evaluations)
    mask_before, mask_after = mattes(outcomes, known)
    done = zip(prepared.steps, outcomes, strict=True)
    return EditResult(
        photo=last.photo,
        source=prepared.photo,
        location=first.location,
        mask_before=mask_before,
        mask_after=mask_after,
        region=np.any([outcome.region for outcome in outcomes], axis=0),
        replay=_replay(engine, inverted, glanced=requests[0].how != request.how),
        metrics=figures,
        seed=request.seed,
        timings=request.stopwatch.laps,
        recipe=recipe(
            prepared.plan.edits,
            prepared.shown,
            _told(request.settings, engine.profile),
            prompt=inverted.prompt,
            models=engine.names(),
            working_size=engine.inverter.working_side,
            how=_recorded(inverted, request, requests),
            seed=request.seed,
            allow_crop=request.allow_crop,
            perspective=[outcome.metrics.get(PERSPECTIVE) for outcome in outcomes],
        ),
        warnings=(
            *prepared.photo.metadata.warnings,
            *prepared.shown.told,
            *dict.fromkeys(warning for outcome in outcomes for warning in all_warnings(outcome)),
            *_cut_short(engine, [inverted.prompt, *(outcome.prompt for outcome in outcomes)]),
            *hidden_by_alpha(prepared.photo, last.photo),
        ),
        before_composite=last.picture,
        changes=tuple(change for step, outcome in done for change in changes(step, outcome)),
    )


def _cut_short(engine: Engine, prompts: Sequence[str]) -> tuple[str, ...]:
    """Returns a warning of a text that the model has read in part; none where it has read nothing."""
    if not engine.backbone.loaded:
        return ()
    last = next((found for text in prompts if (found := engine.backbone.last_read(text))), None)
    if last is None:
        return ()
    return (f"the text is longer than the model reads: what follows '... {last}' is not read; shorten it",)


def _told(settings: Settings, profile: Profile) -> Settings:
    """Returns settings for the recipe: with the model's defaults, but for strengths, which differ by edit."""
    full = profile.filled(settings, by_model=False)
    said: dict[str, Any] = {knob.name: getattr(full, knob.name) for knob in fields(Settings)}
    said |= {"strength": settings.strength, "hole_strength": settings.hole_strength}
    return Settings(**said)


def _replay(engine: Engine, inverted: InvertedPhoto, *, glanced: bool) -> Callable[[], Image.Image]:
    """Returns what replays an inversion, without holding what the model saw, which is large.

    Args:
        engine: the model.
        inverted: the photo.
        glanced: whether words alone were looked for in it: then it is inverted for the replay.
    """
    replays = engine.inverter.reconstruction
    if glanced:
        return lambda: replays(engine.invert(inverted.photo, inverted.prompt).inversion)
    if not inverted.is_made:
        return lambda: replays(inverted.inversion)
    return partial(replays, replace(inverted.inversion, observations={}))


def _recorded(inverted: InvertedPhoto, request: Request, requests: Sequence[Request]) -> Mapping[str, Any]:
    """Returns how photos were inverted, for the recipe; None for what was left to the model in some step."""
    if all(one.how == request.how for one in requests):
        return inverted.how
    return {**dict.fromkeys(inverted.how), "inversion_scale": 1.0}
