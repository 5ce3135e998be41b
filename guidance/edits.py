"""The paper's edits as plain lists of terms, to be taken as they are, added to, or re-weighted.

Each pursues what is asked and holds the rest: the object's other properties, the other objects, the
background. Hold terms have budgets, which :class:`guidance.strength.Automatic` keeps; under another rule they
are ordinary terms with a weight. Targets that are not given are the reference's, the unedited sampling's.

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
"""Layout and appearance are settled in the noisier steps; the rest draws the detail."""

SHAPE_BUDGET = 0.5
APPEARANCE_BUDGET = 1.0
BACKGROUND_BUDGET = 0.6


def transform(
    tokens: Tokens, to: Transform, others: Sequence[Tokens] = (), window: Window = EARLY
) -> list[Term]:
    """Move, scale and rotate an object about its own centroid; all else is held.

    Args:
        tokens: the object's.
        to: what is done to it.
        others: objects that stay as they are.
        window: when the terms act.
    """
    own = tuple(tokens)
    terms = [
        Term(Shape(own, to, relative=True), window=window, name="shape"),
        Term(Centroid(own, to), window=window, name="centroid"),
    ]
    if to.scale != 1:
        terms.append(Term(Size(own, to.scale), window=window, name="size"))
    look = Term(Appearance(own), window=window, budget=APPEARANCE_BUDGET, name="own appearance")
    background = Background((own, *map(tuple, others)), to)
    return [
        *terms,
        look,
        Term(background, window=window, budget=BACKGROUND_BUDGET, name="background"),
        *keep(others, window),
    ]


def move(
    tokens: Tokens, dx: float, dy: float = 0.0, others: Sequence[Tokens] = (), window: Window = EARLY
) -> list[Term]:
    """Move an object by fractions of the frame's width and height; see :func:`transform`."""
    return transform(tokens, Transform(dx, dy), others, window)


def resize(tokens: Tokens, scale: float, others: Sequence[Tokens] = (), window: Window = EARLY) -> list[Term]:
    """Multiply an object's width and height about its own centroid; see :func:`transform`."""
    return transform(tokens, Transform(scale=scale), others, window)


def transfer_appearance(
    tokens: Tokens, source: Image, others: Sequence[Tokens] = (), window: Window = EARLY
) -> list[Term]:
    """Give an object the appearance of a second image's; its shape, the others and the background are held.

    Args:
        tokens: the object's.
        source: the second image, with its object's tokens there.
        others: objects that stay as they are.
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
    """Draw an object with the layout of one image and the appearance of another; both are pursued.

    Lists of several objects, from as many images, are joined to a collage.

    Args:
        tokens: the object's.
        layout: whose shape and place it takes; None leaves them free.
        appearance: whose look it takes; None leaves it free.
        window: when the terms act.
    """
    own = tuple(tokens)
    terms = []
    if layout is not None:
        terms.append(Term(Shape(own, target=layout, relative=True), window=window, name="layout"))
    if appearance is not None:
        terms.append(Term(Appearance(own, appearance), window=window, name="appearance"))
    return terms


def keep(objects: Sequence[Tokens], window: Window = EARLY) -> list[Term]:
    """Hold objects' shape, place and appearance to the reference's.

    Args:
        objects: the token positions of each.
        window: when the terms act.
    """
    terms = []
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
