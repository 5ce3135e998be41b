"""A soft shadow on a plane whose true light is known: where it goes on, where it ends, and what is none."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compose.hole import cleared
from realedit.compose.piece import Cast
from realedit.compose.reflection import no_reflection
from realedit.compose.shadow import find_shadow
from realedit.compose.shadow_evidence import lifts_cleanly
from realedit.compose.shadow_growth import grown
from realedit.compose.surroundings import look_beside
from realedit.find.by_hand import from_mask
from realedit.pixels.masks import grow

H, W = 160, 240
UNIT = W / 256
BALL = (115, 85, 22)
"""x, y, radius."""


def _plane() -> np.ndarray:
    return np.array([188, 176, 160]) + np.random.default_rng(3).normal(0, 1.5, (H, W, 3))


def _loss() -> np.ndarray:
    """The true loss of a soft shadow below and to the right of the ball, float64 ``[H, W]``."""
    rows, columns = np.mgrid[:H, :W] + 0.5
    inside = ((columns - 122) / 31) ** 2 + ((rows - 104) / 13) ** 2 < 1
    return 0.55 * cv2.GaussianBlur(inside.astype(np.float64), (0, 0), 3.5 * UNIT)


def _ball() -> np.ndarray:
    rows, columns = np.mgrid[:H, :W] + 0.5
    return np.hypot(columns - BALL[0], rows - BALL[1]) < BALL[2]


def _as_photo(picture: np.ndarray) -> np.ndarray:
    return picture.round().clip(0, 255).astype(np.uint8)


def test_a_hole_takes_in_a_shadows_soft_edge_and_stops_at_another_thing() -> None:
    ball = _ball()
    rows, columns = np.mgrid[:H, :W]
    photo = _plane() * np.exp(-_loss())[..., None]
    photo[columns >= 158] = (25, 28, 40)
    photo[ball] = (170, 30, 40)
    rgb = _as_photo(photo)
    found = find_shadow(rgb, ball)
    assert found.mask.any()
    location = from_mask(rgb, ball.astype(np.float32), None)
    hole = cleared(rgb, [(location, Cast(found, no_reflection(rgb)))], None).changed
    away = cv2.distanceTransform((~found.mask).astype(np.uint8), cv2.DIST_L2, 5) / UNIT
    below = (rows > 104) & (columns < 145) & ~grow(ball, 6 * UNIT)
    assert hole[below & (away < 5)].all()
    assert not hole[below & (away > 7)].any()
    assert not hole[:, 162:].any()


def test_an_umbra_goes_on_where_the_light_beside_it_was_not_told() -> None:
    rgb = _as_photo(_plane() * np.exp(-_loss())[..., None])
    ball = _ball()
    seen = look_beside(rgb, ball, None)
    assert seen is not None
    true = (_loss() > 0.35) & seen.beside
    _, columns = np.mgrid[:H, :W]
    told = true & (columns < 131)  # the right part is said to lack no light
    seen = seen._replace(
        loss=np.where((columns < 131)[..., None], seen.loss, 0).astype(np.float32),
        dark=np.where(columns < 131, seen.dark, 0).astype(np.float32),
    )
    again, umbra = grown(rgb, seen, told, seen.beside)
    rest = true & ~told & (columns < 131 + 10 * UNIT)
    assert rest.sum() > 100
    assert umbra[rest].mean() > 0.9
    assert np.abs(again.dark - _loss())[rest & umbra].mean() < 0.08
    assert not umbra[_loss() < 0.05].any()


def test_an_umbra_does_not_go_on_into_another_colour() -> None:
    photo = _plane() * np.exp(-_loss())[..., None]
    _, columns = np.mgrid[:H, :W]
    photo[columns >= 131] = (60, 70, 120)
    rgb, ball = _as_photo(photo), _ball()
    seen = look_beside(rgb, ball, None)
    assert seen is not None
    told = (_loss() > 0.35) & seen.beside & (columns < 129)
    _, umbra = grown(rgb, seen, told, seen.beside)
    assert not umbra[:, 133:].any()


def test_lifting_what_is_no_shadow_makes_an_edge_and_lifting_a_shadow_takes_one_away() -> None:
    ball, loss = _ball(), np.repeat(_loss()[..., None], 3, 2).astype(np.float32)
    lit, shaded = _plane(), _plane() * np.exp(-loss)
    assert lifts_cleanly(_as_photo(shaded), lit, loss, ball, UNIT)
    assert not lifts_cleanly(_as_photo(lit), lit * np.exp(loss), loss, ball, UNIT)
