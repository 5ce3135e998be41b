r"""Carries straight edges through a hole: a table's edge, slats, the line where a floor meets a wall.

Where two straight edges that end at the hole's opposite sides lie on one line and part the same colours, they
are one edge, which goes through the hole. On each side of it the hole has the colour that the edge has there
outside, interpolated between its two ends, and no colour of the rim is looked for across it. (An edge
that has no other end was carried on for a part of the hole too: on 16 scenes of ReS that was no better.)

References: Sun et al. 2005, *Image Completion with Structure Propagation*, for the order (structure first),
there with curves drawn by hand; Huang et al. 2014, *Image Completion using Planar Structure Guidance*, for
lines found by themselves; von Gioi et al. 2010, *LSD*, for the segments (OpenCV's).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from realedit.pixels.guide import Guide
from realedit.pixels.normalised_blur import normalised_blur

_LEAST_LENGTH_PIXELS = 12.0
"""Length in pixels of a segment: shorter ones have no sure direction and are not carried on, longer ones are.
Not measured."""
_MOST_GAP_PIXELS = 8.0
"""Distance in pixels from a segment's end to the hole: farther ones end before it, nearer ones end at it. Not
measured."""
_LEAST_CONTRAST = 7.0
"""Distance in Lab of the colours on a segment's sides: below it it is no edge that would show, at or above it
it is. Not measured."""
_SIDE_PIXELS = (2.0, 4.5)
"""Distances in pixels from a segment at which the colours of its sides are read: larger ones miss thin
things, smaller ones read the edge's blur. Not measured."""
_READ_PIXELS = 14.0
"""Length in pixels, from its end, along which a segment's sides are read: longer ones average what changes,
shorter ones follow noise. Not measured."""
_MOST_TURN_DEGREES = 6.0
"""Angle between two segments: above it they are not on one line, up to it they may be. Not measured."""
_MOST_OFF_PIXELS = 3.0
"""Distance in pixels of one's end from the other's line, and a share of the gap more: above
it they are not on one line. Not measured."""
_OFF_SHARE = 0.04
"""That share of the distance between both ends: higher joins what bends or is only parallel, lower loses
edges that the lens bends. Not measured."""
_MOST_COLOUR_APART, _MOST_STRENGTH_APART = 3.0, 0.35
"""Mean distance in Lab of two segments' sides, and a share of the weaker one's contrast more: above it they
part other things, up to it they may be one edge. Set on 5 scenes of ReS and 3 photographs of COCOEE."""
_REACH_SHARE = 0.12
"""Distance from an edge, in square roots of the hole's area, over which its sides' colours are believed (by
1/e): wider ones fill whole sides, narrower ones the edge alone. Not measured."""
_BEYOND_PIXELS = 3.0
"""Distance in pixels beyond an edge's ends over which it is believed (by 1/e): longer ones colour what is not
beside it, shorter ones leave corners free. Not measured."""
_MOST_EDGES = 8
"""Edges that are carried on: more take time and are weaker, fewer lose some. Not measured."""


class Ray(NamedTuple):
    """A straight edge that ends at the hole; points are (x, y) in pixels.

    Args:
        end: where it enters the hole.
        towards: its direction into the hole, of length 1.
        sides: Lab on its left and right as one looks into the hole, ``[2, 3]``.
        length: of the segment.
    """

    end: np.ndarray
    towards: np.ndarray
    sides: np.ndarray
    length: float

    @property
    def strength(self) -> float:
        """Distance of its sides in Lab."""
        return float(np.linalg.norm(self.sides[0] - self.sides[1]))


class _Edge(NamedTuple):
    """An edge in the hole: its ends, and its sides' Lab at both, ``[2 ends, 2 sides, 3]``."""

    start: np.ndarray
    end: np.ndarray
    sides: np.ndarray


def straight_edges(lab: np.ndarray, hole: np.ndarray, known: np.ndarray) -> Guide | None:
    """Carries straight edges through a hole; None where none ends at it.

    Args:
        lab: CIELAB, float32 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        known: bool ``[H, W]``, what tells of edges.
    """
    rays = rays_into(lab, hole, known)
    edges = _paired(rays)
    if not edges:
        return None
    colours, trust = _painted(edges, hole)
    ends = [[*edge.start[::-1], *edge.end[::-1]] for edge in edges]
    return Guide(colours, trust, np.array(ends, np.float32).reshape(-1, 4))


def rays_into(lab: np.ndarray, hole: np.ndarray, known: np.ndarray) -> list[Ray]:
    """Finds the straight edges that end at a hole, strongest first."""
    light = normalised_blur(lab, known, 2.0)[..., 0]
    light = np.where(known, lab[..., 0], light)
    seen = (light * 2.55).clip(0, 255).astype(np.uint8)
    found: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(seen)[0]
    if found is None:
        return []
    to_hole = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    height, width = hole.shape
    rays = list[Ray]()
    for x0, y0, x1, y1 in found.reshape(-1, 4).astype(float):
        for start, end in (
            (np.array([x0, y0]), np.array([x1, y1])),
            (np.array([x1, y1]), np.array([x0, y0])),
        ):
            length = float(np.linalg.norm(end - start))
            if length < _LEAST_LENGTH_PIXELS:
                continue
            towards = (end - start) / length
            ray = _ray(lab, hole, known, to_hole, end, towards, length)
            if ray is not None and 0 <= ray.end[0] < width and 0 <= ray.end[1] < height:
                rays.append(ray)
    rays.sort(key=lambda ray: -ray.strength * min(ray.length, 60.0))
    kept = list[Ray]()
    for ray in rays:
        if all(
            np.linalg.norm(ray.end - other.end) > 3 or abs(float(ray.towards @ other.towards)) < 0.95
            for other in kept
        ):
            kept.append(ray)
    return kept[: 3 * _MOST_EDGES]


def _ray(
    lab: np.ndarray,
    hole: np.ndarray,
    known: np.ndarray,
    to_hole: np.ndarray,
    end: np.ndarray,
    towards: np.ndarray,
    length: float,
) -> Ray | None:
    height, width = hole.shape

    def at(point: np.ndarray) -> tuple[int, int]:
        x, y = np.rint(point).astype(int)
        return int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))

    # back out of what the fill beside the hole drew, then forward to the hole's rim
    back = 0.0
    while back < length / 2 and not known[at(end - back * towards)]:
        back += 1
    tip = end - back * towards
    if to_hole[at(tip)] > _MOST_GAP_PIXELS:
        return None
    ahead = 0.0
    while ahead <= _MOST_GAP_PIXELS and not hole[at(tip + ahead * towards)]:
        ahead += 1
    # it has to go into the hole, not along its rim
    if ahead > _MOST_GAP_PIXELS or not hole[at(tip + (ahead + 4) * towards)]:
        return None
    sides = _sides(lab, known, tip, towards, min(length - back, _READ_PIXELS))
    if sides is None or np.linalg.norm(sides[0] - sides[1]) < _LEAST_CONTRAST:
        return None
    return Ray(tip + ahead * towards, towards, sides, length - back)


def _sides(
    lab: np.ndarray, known: np.ndarray, tip: np.ndarray, towards: np.ndarray, length: float
) -> np.ndarray | None:
    """Reads the colours on both sides of a segment's end, ``[2, 3]``; None where they are not known."""
    height, width = known.shape
    left = np.array([towards[1], -towards[0]])
    along = np.arange(1.0, max(length, 3.0))
    off = np.arange(_SIDE_PIXELS[0], _SIDE_PIXELS[1])
    out = list[np.ndarray]()
    for sign in (1, -1):
        points = tip - along[:, None, None] * towards + sign * off[None, :, None] * left
        x, y = np.rint(points.reshape(-1, 2)).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        x, y = x[inside], y[inside]
        x, y = x[known[y, x]], y[known[y, x]]
        if len(x) < 3:
            return None
        out.append(np.median(lab[y, x], axis=0))
    return np.stack(out)


def _paired(rays: list[Ray]) -> list[_Edge]:
    """Joins rays that are one edge, best first."""
    offers = list[tuple[float, int, int]]()
    for i, one in enumerate(rays):
        for j, other in enumerate(rays[:i]):
            price = _apart(one, other)
            if price is not None:
                offers.append((price, i, j))
    used, edges = set[int](), list[_Edge]()
    for _, i, j in sorted(offers):
        if used & {i, j}:
            continue
        one, other = rays[i], rays[j]
        if any(_cross(one.end, other.end, edge.start, edge.end) for edge in edges):
            continue
        used |= {i, j}
        sides = np.stack([one.sides, other.sides[::-1]])
        edges.append(_Edge(one.end, other.end, sides))
        if len(edges) == _MOST_EDGES:
            return edges
    return edges


def _apart(one: Ray, other: Ray) -> float | None:
    """Returns how unlike two rays are as the ends of one edge; None where they are none."""
    between = other.end - one.end
    distance = float(np.linalg.norm(between))
    if distance < 4 or between @ one.towards < 0.5 * distance or between @ other.towards > -0.5 * distance:
        return None
    turn = float(np.degrees(np.arccos(np.clip(-one.towards @ other.towards, -1, 1))))
    most = _MOST_OFF_PIXELS + _OFF_SHARE * distance
    offs = [abs(float(ray.towards[0] * between[1] - ray.towards[1] * between[0])) for ray in (one, other)]
    colour = float(np.linalg.norm(one.sides - other.sides[::-1], axis=-1).mean())
    alike = _MOST_COLOUR_APART + _MOST_STRENGTH_APART * min(one.strength, other.strength)
    if turn > _MOST_TURN_DEGREES or max(offs) > most or colour > alike:
        return None
    return turn / _MOST_TURN_DEGREES + max(offs) / most + 2 * colour / alike


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Tells whether a-b meets c-d, but for their ends."""
    r, s = b - a, d - c
    area = r[0] * s[1] - r[1] * s[0]
    if abs(area) < 1e-9:
        return False
    t = ((c - a)[0] * s[1] - (c - a)[1] * s[0]) / area
    u = ((c - a)[0] * r[1] - (c - a)[1] * r[0]) / area
    return 0 < t < 1 and 0 < u < 1


def _painted(edges: list[_Edge], hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lays both sides' colours along each edge; the nearest and surest edge is seen."""
    rows, columns = np.nonzero(hole)
    points = np.stack([columns, rows], axis=1).astype(float)
    reach = max(2.0, _REACH_SHARE * float(np.sqrt(hole.sum())))
    colours, trusts = np.zeros((len(points), 3), np.float32), np.zeros(len(points), np.float32)
    for edge in edges:
        along = edge.end - edge.start
        length = max(float(np.linalg.norm(along)), 1e-6)
        u = along / length
        t = ((points - edge.start) @ u) / length
        off = (points - edge.start) @ np.array([u[1], -u[0]])
        beyond = np.maximum(np.maximum(-t, t - 1), 0) * length
        share = t.clip(0, 1)
        trust = np.exp(-np.abs(off) / reach - beyond / _BEYOND_PIXELS).astype(np.float32)
        side = np.where(off > 0, 0, 1)
        colour = edge.sides[0][side] * (1 - share[:, None]) + edge.sides[1][side] * share[:, None]
        better = trust > trusts
        colours[better], trusts[better] = colour[better], trust[better]
    lab = np.zeros((*hole.shape, 3), np.float32)
    out = np.zeros(hole.shape, np.float32)
    lab[rows, columns], out[rows, columns] = colours, trusts
    return lab, out
