"""The outcome of a method on a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """An edited picture and what is known about how it was made.

    Args:
        picture: uint8 ``[H, W, 3]`` at the photo's size, as the user gets it.
        times: seconds by stage.
        evaluations: the UNet's noise predictions, one per picture of a batch.
        before_composite: the model's own picture, uint8 ``[H, W, 3]``, before the photo's pixels were put
            back outside the edited region; None where the method does no such thing.
        found: the object as the method itself found it in the photo, bool ``[H, W]``; None where it was
            given it.
        after: the object in the edited picture by the method's own account, bool ``[H, W]``.
        region: where the method says that it edited, bool ``[H, W]``; None where it does not say.
        warnings: what the method told the user.
        references: pictures that this one is compared with instead of the truth, by name.
    """

    picture: np.ndarray
    times: Mapping[str, float] = field(default_factory=dict)
    evaluations: int = 0
    before_composite: np.ndarray | None = None
    found: np.ndarray | None = None
    after: np.ndarray | None = None
    region: np.ndarray | None = None
    warnings: Sequence[str] = ()
    references: Mapping[str, np.ndarray] | None = None
