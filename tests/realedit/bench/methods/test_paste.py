"""The classical methods, where what they must give is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_data import moved, scene
from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import EditSpec
from realedit.bench.methods import build, parse_method
from realedit.bench.methods.method import unsupported
from realedit.bench.methods.pasted import composited, feathered
from realedit.bench.workbench import ModelSettings, Workbench

BENCH = Workbench(ModelSettings())


def flat(loaded: LoadedCase) -> LoadedCase:
    """The same case on a ground of one colour, which every inpainting continues exactly."""

    def level(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return np.where(mask[..., None], rgb, 140).astype(np.uint8)

    if loaded.mask is None or loaded.truth is None or loaded.truth_mask is None:
        raise ValueError("the case is not whole")
    return replace(
        loaded, photo=level(loaded.photo, loaded.mask), truth=level(loaded.truth, loaded.truth_mask)
    )


@pytest.mark.parametrize("name", ["paste-telea", "paste-ns"])
def test_on_a_flat_ground_a_move_is_exact_but_for_the_soft_edge(tmp_path: Path, name: str) -> None:
    loaded = flat(moved(tmp_path))
    outcome = build(parse_method(name)[0]).edit(loaded, BENCH)
    truth, after = loaded.truth, loaded.truth_mask
    assert truth is not None
    assert after is not None
    edge = (np.abs(np.gradient(after.astype(float))).sum(0) > 0)[..., None]
    assert (
        np.abs(np.where(edge, 0, outcome.picture.astype(int) - truth)).max() <= 4
    )  # Telea's front rounds as it goes
    assert outcome.after is not None
    assert (outcome.after == after).all()
    assert outcome.evaluations == 0


def test_seamless_cloning_of_a_picture_into_itself_changes_nothing(tmp_path: Path) -> None:
    loaded = flat(moved(tmp_path))
    outcome = build(parse_method("paste-seamless")[0]).edit(loaded, BENCH)
    truth, after = loaded.truth, loaded.truth_mask
    assert truth is not None
    assert after is not None
    # the ground is the same about both places: the object arrives at its place in its own colours
    inner = np.zeros_like(after)
    rows, columns = np.nonzero(after)
    inner[rows.min() + 2 : rows.max() - 1, columns.min() + 2 : columns.max() - 1] = True
    assert np.abs(outcome.picture[inner].astype(int) - truth[inner]).max() <= 12
    assert np.abs(outcome.picture[:, :6].astype(int) - truth[:, :6]).max() <= 2


def test_a_removal_shows_the_ground(tmp_path: Path) -> None:
    loaded = flat(moved(tmp_path))
    loaded = replace(loaded, case=replace(loaded.case, edit=EditSpec("remove")))
    outcome = build(parse_method("paste-telea")[0]).edit(loaded, BENCH)
    assert np.abs(outcome.picture.astype(int) - 140).max() <= 4  # Telea's front rounds as it goes
    assert outcome.after is None


def test_what_a_method_does_not_do(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    paste = build(parse_method("paste-telea")[0])
    assert unsupported(paste, loaded) is None
    assert "does not recolour" in str(
        unsupported(paste, replace(loaded, case=replace(loaded.case, edit=EditSpec("recolour"))))
    )
    assert "no mask" in str(unsupported(paste, replace(loaded, mask=None)))
    assert "no object" in str(
        unsupported(
            build(parse_method("realedit")[0]), replace(loaded, case=replace(loaded.case, object=None))
        )
    )


def test_a_composite_leaves_the_photos_own_pixels() -> None:
    photo, mask = scene()
    alpha = feathered(mask, 3)
    assert alpha[mask].min() == 1
    out = composited(photo, np.zeros_like(photo), alpha)
    assert (out[alpha == 0] == photo[alpha == 0]).all()
    assert not out[mask].any()
