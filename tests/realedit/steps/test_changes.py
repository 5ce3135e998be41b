"""What a result says that each of its steps did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realedit.edits.kinds import Edit, Move, Remove, Resize, Swap
from realedit.edits.plan import plan
from realedit.location import box_of
from realedit.steps.sequence import changes

Scene = Any
"""Of conftest."""


def test_a_result_tells_every_step(scene: Scene) -> None:
    edits = [Move("mug", dx=0.25), Resize("mug", 0.8)]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["mug"], strength=0)
    (change,) = result.changes
    assert (change.edit, change.word, change.source) == ("move, resize", "mug", "mask")
    assert change.before == pytest.approx(box_of(scene.masks["mug"].astype(float)), abs=0.011)
    assert change.after == box_of(result.mask_after)


def test_each_object_of_each_step_has_its_own_boxes(scene: Scene) -> None:
    edits: list[Edit] = [Swap("mug", "bowl"), Remove("mug")]
    first, last = scene.run(edits)
    mug, bowl, gone = (
        change
        for step, outcome in zip(plan(edits, shown=False).steps, (first, last), strict=True)
        for change in changes(step, outcome)
    )
    assert [(one.edit, one.word) for one in (mug, bowl, gone)] == [
        ("swap", "mug"),
        ("swap", "bowl"),
        ("remove", "mug"),
    ]
    assert mug.after is not None
    assert bowl.before is not None
    middle = np.mean((bowl.before[0], bowl.before[2]))
    assert np.mean((mug.after[0], mug.after[2])) == pytest.approx(middle, abs=0.02)
    assert gone.before == pytest.approx(mug.after, abs=0.02)
    assert gone.after is None
