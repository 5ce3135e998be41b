"""The paper's edits as plain lists of terms, to be used as they are, added to, or re-weighted.

Each edit pursues what is asked and holds the rest: the object's other properties, the other objects, the
background. Hold terms have budgets, which :class:`guidance.strength.Automatic` keeps; under another rule they
are ordinary terms with a weight. A target that is not given is the reference's, that is the unedited
sampling's.

Reference: Epstein et al. 2023, arXiv 2306.00986, sections 3.3 and 4.

**Convention:** an object is the positions of its tokens in the prompt; (x, y) in [0, 1], x right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence

from guidance.energies import Appearance, Background, Centroid, Image, Shape, Size
from guidance.terms import Term
from guidance.warp import Transform
from guidance.windows import Window

Tokens = Sequence[int]

EARLY = Window(0.0, 0.6)
"""Window of an edit's terms, in fractions of the sampled steps: layout and appearance are settled in these
noisier steps, and the steps after it draw the detail without guidance. Not measured."""

SHAPE_BUDGET = 0.5
"""Highest relative shape energy of a held object: above it the object is pulled back, above half of it the
pursued terms are slowed, below that nothing happens. Not measured."""
APPEARANCE_BUDGET = 1.0
"""Highest appearance energy of a held object, in magnitudes of the reference's activations: above it the
object is pulled back, above half of it the pursued terms are slowed, below that nothing happens. Not
measured."""
BACKGROUND_BUDGET = 0.6
"""Highest energy of the background, in magnitudes of the reference's activations: above it the background is
pulled back, above half of it the pursued terms are slowed, below that nothing happens. Not measured."""


def transform(
    tokens: Tokens, to: Transform, others: Sequence[Tokens] = (), window: Window = EARLY
) -> list[Term]:
    """Moves, scales and rotates an object about its own centroid; all else is held.

    Args:
        tokens: the object's token positions.
        to: the transform.
        others: token positions of each object that stays as it is.
        window: when the terms act.
    """
    own = tuple(tokens)
    terms = [
        Term(Shape(own, to, relative=True), window=window, name="shape"),
        Term(Centroid(own, to), window=window, name="centroid"),
    ]
    if to.scale != 1:
        terms.append(Term(Size(own, to.scale), window=window, name="size"))
    background = Background((own, *map(tuple, others)), to)
    return [
        *terms,
        Term(Appearance(own), window=window, budget=APPEARANCE_BUDGET, name="own appearance"),
        Term(background, window=window, budget=BACKGROUND_BUDGET, name="background"),
        *keep(others, window),
    ]


def move(
    tokens: Tokens, dx: float, dy: float = 0.0, others: Sequence[Tokens] = (), *, window: Window = EARLY
) -> list[Term]:
    """Moves an object by fractions of the frame's width and height; see :func:`transform`."""
    return transform(tokens, Transform(dx, dy), others, window)


def resize(tokens: Tokens, scale: float, others: Sequence[Tokens] = (), window: Window = EARLY) -> list[Term]:
    """Multiplies an object's width and height about its own centroid; see :func:`transform`."""
    return transform(tokens, Transform(scale=scale), others, window)


def transfer_appearance(
    tokens: Tokens, source: Image, others: Sequence[Tokens] = (), window: Window = EARLY
) -> list[Term]:
    """Gives an object the appearance of another image's object; its shape and all else are held.

    Args:
        tokens: the object's token positions.
        source: the other image, with its object's token positions in its own prompt.
        others: token positions of each object that stays as it is.
        window: when the terms act.
    """
    own = tuple(tokens)
    background = Background((own, *map(tuple, others)))
    return [
        Term(Appearance(own, source), window=window, name="appearance"),
        Term(Shape(own, relative=True), window=window, budget=SHAPE_BUDGET, name="own shape"),
        Term(background, window=window, budget=BACKGROUND_BUDGET, name="background"),
        *keep(others, window),
    ]


def compose(
    tokens: Tokens, layout: Image | None = None, appearance: Image | None = None, window: Window = EARLY
) -> list[Term]:
    """Draws an object with the layout of one image and the appearance of another; both are pursued.

    The lists of several objects, each from its own images, make a collage when they are joined.

    Args:
        tokens: the object's token positions.
        layout: the image whose object gives shape and place; None leaves them free.
        appearance: the image whose object gives the appearance; None leaves it free.
        window: when the terms act.
    """
    own = tuple(tokens)
    terms: list[Term] = []
    if layout is not None:
        terms.append(Term(Shape(own, target=layout, relative=True), window=window, name="layout"))
    if appearance is not None:
        terms.append(Term(Appearance(own, appearance), window=window, name="appearance"))
    return terms


def keep(objects: Sequence[Tokens], window: Window = EARLY) -> list[Term]:
    """Holds objects' shape, place and appearance to the reference's.

    Args:
        objects: the token positions of each.
        window: when the terms act.
    """
    terms: list[Term] = []
    for place, tokens in enumerate(map(tuple, objects)):
        terms += [
            Term(
                Shape(tokens, relative=True),
                window=window,
                budget=SHAPE_BUDGET,
                name=f"shape of other {place}",
            ),
            Term(Appearance(tokens), window=window, budget=APPEARANCE_BUDGET, name=f"look of other {place}"),
        ]
    return terms
