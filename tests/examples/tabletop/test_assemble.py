from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("trimesh")

from examples.tabletop.assemble import laid
from examples.tabletop.shapes import MAKERS


@pytest.mark.parametrize("noun", ["bottle", "carton", "mug"])
def test_what_fell_over_lies_on_the_table_with_its_own_size(noun: str) -> None:
    rng = np.random.default_rng(3)
    standing = MAKERS[noun](rng)
    lying = laid(standing, rng)
    before, after = (thing.bounds for thing in (standing, lying))
    assert after[0, 2] == pytest.approx(0, abs=1e-9)
    assert after.sum(0)[:2] == pytest.approx(0, abs=1e-9)
    sides, new_sides = before[1] - before[0], after[1] - after[0]
    assert sorted(new_sides) == pytest.approx(sorted(sides))
    assert new_sides[1] == pytest.approx(sides[2])  # what was its height lies along the table
    assert lying.noun == noun
    assert lying.name != standing.name


def test_falling_over_turns_and_does_not_mirror() -> None:
    rng = np.random.default_rng(0)
    standing = MAKERS["mug"](rng)
    for part, turned in zip(standing.parts, laid(standing, rng).parts, strict=True):
        a, b = (p.vertices - p.vertices.mean(0) for p in (part, turned))
        rotation = np.linalg.lstsq(a, b, rcond=None)[0]
        assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
