"""The paper's edits as lists of terms, on blobs whose places and colours are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from guidance import Image, Observation, State, Term, Transform, Window, edits

MUG, BOWL = (1,), (2, 3)
BOWL_AT = (0.75, 0.5)


def _blob(x: float, y: float, spread: float, h: int = 48, w: int = 48) -> Tensor:
    rows, columns = (torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w
    return torch.exp(-((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * spread**2))[None]


def _seen(
    mug: tuple[float, float] = (0.3, 0.5),
    bowl: tuple[float, float] = BOWL_AT,
    spread: float = 0.06,
    colour: float = 1.0,
    ground: float = 0.5,
) -> Observation:
    a, b = _blob(*mug, spread), _blob(*bowl, 0.06)
    attention = torch.stack([1 - a / 2 - b / 2, a, b, 0.8 * b], -1)
    features = torch.stack([ground + colour * a, ground + 2 * b, ground + 0 * a], -1)
    return Observation({"a": attention}, {"a.block": features})


REFERENCE = _seen()


def _energies(terms: list[Term], seen: Observation) -> dict[str, float]:
    state = State(torch.zeros(1, 4, 24, 24), 2, seen, REFERENCE)
    return {term.title: term.energy(state).item() for term in terms}


def _met(terms: list[Term], seen: Observation) -> set[str]:
    values = _energies(terms, seen)
    return {term.title for term in terms if values[term.title] <= 1.5 * term.goal}


def test_a_move_is_met_by_the_moved_object_alone() -> None:
    terms = edits.move(MUG, 0.2, -0.1, others=[BOWL])
    names = [term.title for term in terms]
    assert names == [
        "shape",
        "centroid",
        "own appearance",
        "background",
        "shape of other 0",
        "look of other 0",
    ]
    assert _met(terms, _seen((0.5, 0.4))) == set(names)
    assert {"shape", "centroid"}.isdisjoint(_met(terms, REFERENCE))
    bowl_too = _energies(terms, _seen((0.5, 0.4), (0.75, 0.7)))
    alone = _energies(terms, _seen((0.5, 0.4)))
    assert bowl_too["shape of other 0"] > 0.03 > 10 * alone["shape of other 0"]
    assert _energies(terms, _seen((0.5, 0.4), ground=2.0))["background"] > edits.BACKGROUND_BUDGET


@pytest.mark.parametrize("scale", [0.6, 1.5])
def test_a_resize_is_met_about_the_objects_own_centroid(scale: float) -> None:
    terms = edits.resize(MUG, scale)
    assert {"shape", "centroid", "size"} <= _met(terms, _seen(spread=0.06 * scale))
    assert "size" not in _met(terms, REFERENCE)
    assert "shape" not in _met(terms, _seen((0.4, 0.5), spread=0.06 * scale))


def test_an_appearance_is_taken_from_a_second_image_and_the_shape_is_held() -> None:
    other = Image({2: _seen((0.6, 0.7), colour=3.0)}.get, MUG)
    terms = edits.transfer_appearance(MUG, other, [BOWL])
    assert _met(terms, _seen(colour=3.0)) == {term.title for term in terms}
    assert "appearance" not in _met(terms, REFERENCE)
    held = next(term for term in terms if term.title == "own shape")
    assert held.budget == edits.SHAPE_BUDGET


def test_the_layout_of_one_image_with_the_appearance_of_another() -> None:
    layout = Image({2: _seen((0.5, 0.3), spread=0.09)}.get, MUG)
    look = Image({2: _seen((0.6, 0.7), colour=3.0)}.get, MUG)
    terms = edits.compose(MUG, layout, look)
    assert _met(terms, _seen((0.5, 0.3), spread=0.09, colour=3.0)) == {"layout", "appearance"}
    assert _met(terms, _seen((0.5, 0.3), spread=0.09)) == {"layout"}
    assert [term.title for term in edits.compose(MUG, appearance=look)] == ["appearance"]
    assert edits.compose(MUG) == []


def test_every_term_has_the_given_window() -> None:
    late = Window(0.5, 1.0)
    image = Image({}.get, MUG)
    lists = [
        edits.transform(MUG, Transform(0.1, scale=1.2, angle=10), [BOWL], late),
        edits.move(MUG, 0.1, others=[BOWL], window=late),
        edits.resize(MUG, 2.0, [BOWL], late),
        edits.transfer_appearance(MUG, image, [BOWL], late),
        edits.compose(MUG, image, image, late),
    ]
    assert all(term.window == late for terms in lists for term in terms)
