"""Threads that share one pipeline get what each would get alone."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from realedit import Move, RealEditPipeline, Remove
from realedit.engine import Engine
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.photo import load_photo

BOX = (0.24, 0.42, 0.42, 0.7)


def test_four_threads_on_one_pipeline_get_what_one_gets(backbone: Backbone, photo: np.ndarray) -> None:
    pipeline = RealEditPipeline(Engine(backbone, resolve_model("tabletop"), working_side=64))
    inverted = pipeline.invert(photo, "a red mug on a table", steps=3)

    def moved() -> bytes:
        result = pipeline.edit(photo, Move(None, 0.1), box=BOX, strength=0.7, steps=3, seed=3)
        return result.photo.rgb.tobytes()

    def removed() -> bytes:
        return pipeline.edit(photo, Remove(None), box=BOX, strength=0).photo.rgb.tobytes()

    def found() -> bytes:
        return pipeline.locate(inverted, "mug").mask.tobytes()

    def replayed() -> bytes:
        lazy = pipeline.edit(inverted, Move(None, -0.1), box=BOX, strength=0.7)
        return lazy.photo.rgb.tobytes() + np.asarray(lazy.replay()).tobytes()

    work: list[Callable[[], bytes]] = [moved, removed, found, replayed]
    alone = [one() for one in work]
    start = threading.Barrier(4)

    def at_once(one: Callable[[], bytes]) -> bytes:
        start.wait()
        return one()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(at_once, work)) == alone


def test_threads_that_ask_for_one_inversion_at_once_get_the_same(
    pipeline: RealEditPipeline, photo: np.ndarray
) -> None:
    lazy = pipeline.engine.inverter.to_invert(load_photo(photo), "a mug", steps=2)
    before = pipeline.backbone.evaluations
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: id(lazy.inversion), range(8)))
    assert len(set(found)) == 1
    once = pipeline.backbone.evaluations - before
    pipeline.engine.inverter.to_invert(load_photo(photo), "a mug", steps=2).make_now()
    assert pipeline.backbone.evaluations - before == 2 * once


def test_threads_that_read_photos_leave_the_warnings_as_they_were() -> None:
    image = Image.fromarray(np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3))
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: load_photo(image).rgb.tobytes(), range(400)))
    assert len(set(read)) == 1
    assert list(warnings.filters) == before
