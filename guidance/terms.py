r"""Terms: an energy, its weight, and when it acts.

.. math:: E(x_t) = \sum_i w_i\, g_i(x_t; t, y)

Any differentiable scalar of the :class:`State` is an energy: a function of one's own takes part exactly as
those in :mod:`guidance.energies` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from guidance.capture import Observation
from guidance.windows import Window


@dataclass(frozen=True)
class State:
    """What an energy may look at, at one step.

    Args:
        x_t: the latent ``[B, C, h, w]``; the gradient is taken with respect to it.
        level: the noise level, 1..N.
        seen: attention and activations of the conditional branch at ``x_t``, attached to the graph.
        reference: the source's own at the same level; None where there is no source.
        x_0: the predicted clean latent, for terms that ask for it (``needs_x_0``), else None.
    """

    x_t: Tensor
    level: int
    seen: Observation
    reference: Observation | None = None
    x_0: Tensor | None = None


Energy = Callable[[State], Tensor]
"""A differentiable scalar of the state, averaged over the batch, 0 when its target is met.

It may carry ``needs_x_0`` and ``tolerance``, which stand in for the :class:`Term`'s own.
"""


@dataclass(frozen=True)
class Term:
    """An energy with its weight and the window of steps in which it acts.

    Args:
        energy: any :data:`Energy`.
        weight: its share in the sum.
        window: fractions of the sampled steps.
        needs_x_0: whether the energy reads ``state.x_0``; costs a whole forward pass instead of a partial
            one. An energy that says so itself need not be asked.
        tolerance: the energy, in its own units, at which the property counts as reached; the energy's own by
            default, 0 where it has none.
        budget: makes this a hold term, positive: its energy may rise up to here, and an automatic strength
            (:class:`guidance.strength.Automatic`) slows the other terms so that it does not rise further.
        name: what a report calls it; the energy's own name by default.

    Raises:
        ValueError: the budget is not positive.
    """

    energy: Energy
    weight: float = 1.0
    window: Window = Window(0.0, 0.4)  # noqa: RUF009 - frozen
    needs_x_0: bool = False
    tolerance: float | None = None
    budget: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.budget is not None and not self.budget > 0:
            raise ValueError(f"a budget must be positive, got {self.budget}")

    @property
    def title(self) -> str:
        """What a report calls it."""
        return self.name or getattr(self.energy, "__name__", type(self.energy).__name__.lower())

    @property
    def goal(self) -> float:
        """The energy at which the term has nothing left to ask for."""
        if self.budget is not None:
            return self.budget
        return getattr(self.energy, "tolerance", 0.0) if self.tolerance is None else self.tolerance

    @property
    def whole(self) -> bool:
        """Whether a forward pass has to run to its end."""
        return self.needs_x_0 or getattr(self.energy, "needs_x_0", False)


def predicted_x_0(state: State) -> Tensor:
    """The state's predicted clean latent ``[B, C, h, w]``.

    Raises:
        ValueError: there is none.
    """
    if state.x_0 is None:
        raise ValueError("this energy reads the predicted x_0: give its term needs_x_0=True")
    return state.x_0
