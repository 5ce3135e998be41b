from __future__ import annotations

from typing import Any

import numpy as np

from examples.tabletop.latents import Shard
from examples.tabletop.views import GRID, View, whole, window

CELLS, SCALE = 32, 4


def shard(*boxes: tuple[int, int, int, int]) -> Shard:
    """A scene of boxes in pixels: top, left, bottom, right; latents and features tell places."""
    cell = np.arange(CELLS * CELLS, dtype=np.float32).reshape(CELLS, CELLS)
    latents = np.broadcast_to(cell, (2, 1, 4, CELLS, CELLS)).copy()
    latents[1] = latents[1, ..., ::-1]
    instances = np.zeros((1, SCALE * CELLS, SCALE * CELLS), np.uint8)
    for number, (top, left, bottom, right) in enumerate(boxes, 1):
        instances[0, top:bottom, left:right] = number
    scene: dict[str, Any] = {
        "objects": [{"noun": f"thing {number}", "colour": None} for number in range(1, len(boxes) + 1)],
        "surface": "plain",
    }
    seen = np.arange(64, dtype=np.float32).reshape(8, 8)
    return Shard(latents, instances, (scene,), np.broadcast_to(seen, (2, 1, 112, 8, 8)))


def found(given: Shard, seed: int) -> View:
    view = window(whole(given, 0, mirrored=False), np.random.default_rng(seed))
    assert view is not None
    return view


def test_a_whole_view_is_the_scene_and_its_mirror_image() -> None:
    given = shard((4, 8, 20, 40))
    plain, mirrored = (whole(given, 0, mirrored=m) for m in (False, True))
    assert np.array_equal(plain.latents, mirrored.latents[..., ::-1])
    assert np.array_equal(plain.instances, mirrored.instances[..., ::-1])
    assert plain.sizes == mirrored.sizes == (128, 128, 0, 0, 128, 128)


def test_a_window_shows_what_lies_at_the_place_it_tells() -> None:
    given = shard((60, 60, 80, 90))
    tops = set()
    for seed in range(40):
        view = found(given, seed)
        height, width, top, left, tall, wide = view.sizes
        assert (height, width, tall, wide) == (128, 128, 64, 64)
        assert top % (4 * GRID) == left % (4 * GRID) == 0
        y, x = top // 4, left // 4
        assert np.array_equal(view.latents, given.latents[0, 0, :, y : y + 16, x : x + 16])
        assert np.array_equal(view.instances, given.instances[0, top : top + 64, left : left + 64])
        assert view.seen is not None
        assert given.seen is not None
        assert np.array_equal(view.seen, given.seen[0, 0, :, y // 4 : y // 4 + 4, x // 4 : x // 4 + 4])
        assert (view.instances == 1).sum() == 20 * 30  # the object is in it whole
        tops.add(top)
    assert tops == {16, 32, 48}


def test_what_is_cut_off_has_no_name_and_the_rest_are_numbered_anew() -> None:
    # whole only with the second: the first is too large for any window, and partly in each
    given = shard((0, 0, 128, 40), (50, 60, 70, 80))
    for seed in range(20):
        view = found(given, seed)
        assert [thing["noun"] for thing in view.scene["objects"]] == ["thing 2"]
        assert set(np.unique(view.instances)) <= {0, 1}
        assert (view.instances == 1).sum() == 400
        assert view.scene["surface"] == "plain"


def test_where_nothing_fits_there_is_no_window() -> None:
    assert window(whole(shard((0, 0, 128, 40)), 0, mirrored=False), np.random.default_rng(0)) is None
    # unseen behind others
    assert window(whole(shard((5, 5, 5, 5)), 0, mirrored=False), np.random.default_rng(0)) is None
