r"""Terms: an energy, its weight, and when it acts.

.. math:: E(x_t) = \sum_i w_i\, g_i(x_t; t, y)

Any differentiable scalar of the :class:`State` is an energy: a function of your own takes part exactly as
those in :mod:`guidance.energies` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from guidance.capture import Observation
from guidance.windows import Window

_NOISIER = Window(0.0, 0.4)
"""A term's window by default, in fractions of the sampled steps: the term acts in these noisier steps, which
settle layout, and not in those after, which draw detail. Not measured."""


@dataclass(frozen=True)
class State:
    """What an energy may look at, at one step.

    Args:
        x_t: the latent ``[B, C, h, w]``; the gradient is taken with respect to it.
        level: the noise level, 1..N.
        seen: attention and activations of the conditional branch at ``x_t``, attached to the graph.
        reference: the source's attention and activations at the same level; None without a source.
        x_0: the predicted clean latent; None unless an active term asks for it (``needs_x_0``).
    """

    x_t: Tensor
    level: int
    seen: Observation
    reference: Observation | None = None
    x_0: Tensor | None = None


Energy = Callable[[State], Tensor]
"""A differentiable scalar of the state, averaged over the batch, 0 when its target is met.

It may have attributes ``needs_x_0`` and ``tolerance``: the :class:`Term`'s defaults.
"""


@dataclass(frozen=True)
class Term:
    """An energy with its weight and the window of steps in which it acts.

    Args:
        energy: any :data:`Energy`.
        weight: factor of the energy in the sum; 0 turns the term off.
        window: when it acts, in fractions of the sampled steps.
        needs_x_0: whether the energy reads ``state.x_0``, which costs a whole forward pass instead of a
            partial one; an energy that has ``needs_x_0`` itself does not need it here.
        tolerance: value of the energy at or below which its target counts as reached; by default the energy's
            own ``tolerance``, or 0 if it has none.
        budget: if given, this is a hold term: its energy may rise up to the budget, and an automatic strength
            (:class:`guidance.strength.Automatic`) slows the other terms so that it does not rise further.
        name: its name in reports; the energy's own name by default.

    Raises:
        ValueError: the budget is not positive.
    """

    energy: Energy
    weight: float = 1.0
    window: Window = _NOISIER
    needs_x_0: bool = False
    tolerance: float | None = None
    budget: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.budget is not None and not self.budget > 0:
            raise ValueError(f"a budget must be positive, got {self.budget}")

    @property
    def title(self) -> str:
        """The term's name in reports."""
        return self.name or getattr(self.energy, "__name__", type(self.energy).__name__.lower())

    @property
    def goal(self) -> float:
        """Value of the energy at or below which the term is content: its budget or its tolerance."""
        if self.budget is not None:
            return self.budget
        return getattr(self.energy, "tolerance", 0.0) if self.tolerance is None else self.tolerance

    @property
    def whole(self) -> bool:
        """Whether a forward pass has to run to its end."""
        return self.needs_x_0 or getattr(self.energy, "needs_x_0", False)


def predicted_x_0(state: State) -> Tensor:
    """Returns the state's predicted clean latent ``[B, C, h, w]``.

    Raises:
        ValueError: the state has none.
    """
    if state.x_0 is None:
        raise ValueError("this energy reads the predicted x_0: give its term needs_x_0=True")
    return state.x_0
