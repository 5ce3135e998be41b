"""What cuts out: the interface of our own network, behind which a SAM can stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from realedit.cutout.cutout import Answer
    from realedit.cutout.hints import Hint


class CutsOut(Protocol):
    """What turns a photo and a hint into alphas: :class:`realedit.cutout.cutout.CutOut`, or a SAM."""

    def answers(self, rgb: np.ndarray, hint: Hint, most: int = 3) -> list[Answer]:
        """Returns up to ``most`` ways to take the hint, the likeliest first."""
        ...
