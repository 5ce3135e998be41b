r"""The graph of a guided step, cut between the model and the energies that look at it.

.. math:: \nabla_{x_t} g = J^\top v, \qquad v = \frac{\partial g}{\partial s}, \qquad
    J = \frac{\partial s}{\partial x_t}

with s all that the model shows at :math:`x_t`: attention, activations, the predicted clean latent. An
energy's slope v by what is shown costs no pass of the model. Only :math:`J^\top` is a backward pass through
it, and one is enough for any weighted sum of energies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from guidance.capture import Observation
from guidance.energies.target import in_full
from guidance.terms import State
from inversion.half_precision import scaled_gradient

Slope = Mapping[str, Tensor]
"""An energy's slope by what is shown, by kind, each kind's values in one row ``[n]`` in fp32."""


@dataclass(frozen=True)
class Cut:
    """Both ends of what was shown.

    Args:
        x_t: the latent ``[B, C, h, w]`` that the model looked at, a leaf.
        shown: what it showed, by kind, attached to ``x_t``.
        leaves: the same values, which the energies are functions of.
    """

    x_t: Tensor
    shown: Mapping[str, tuple[Tensor, ...]] = field(repr=False)
    leaves: Mapping[str, tuple[Tensor, ...]] = field(repr=False)

    @classmethod
    def of(cls, state: State) -> tuple[Cut, State]:
        """Cuts a state off the model's graph; returns the cut and the state for the energies."""
        seen = state.seen
        shown: dict[str, tuple[Tensor, ...]] = {
            "attention": tuple(seen.attention.values()),
            "features": tuple(seen.features.values()),
            "x_t": (state.x_t,),
            "x_0": () if state.x_0 is None else (state.x_0,),
        }
        leaves = {kind: tuple(_leaf(one) for one in tensors) for kind, tensors in shown.items()}
        there = Observation(
            dict(zip(seen.attention, leaves["attention"], strict=True)),
            dict(zip(seen.features, leaves["features"], strict=True)),
        )
        x_0 = leaves["x_0"][0] if leaves["x_0"] else None
        return cls(state.x_t, shown, leaves), State(
            leaves["x_t"][0], state.level, there, state.reference, x_0
        )

    def slope(self, energy: Tensor) -> Slope:
        """Returns an energy's slope by what is shown; kinds that it does not look at are left out."""
        flat = [leaf for tensors in self.leaves.values() for leaf in tensors]
        # of unused leaves it returns None, which its stubs do not say
        slopes_of_all = torch.autograd.grad(energy, flat, retain_graph=True, allow_unused=True)
        slopes = iter(cast("tuple[Tensor | None, ...]", slopes_of_all))
        found: dict[str, Tensor] = {}
        for kind, tensors in self.leaves.items():
            parts = [(leaf, next(slopes)) for leaf in tensors]
            if any(slope is not None for _, slope in parts):
                rows = [in_full(torch.zeros_like(leaf) if v is None else v).flatten() for leaf, v in parts]
                found[kind] = torch.cat(rows)
        return found

    def felt(self, slope: Slope) -> Tensor:
        r"""Returns a slope by what the model computes before its softmax, all kinds in one row ``[n]``.

        .. math:: w = p \odot (v - \langle p, v \rangle)

        of attention p: where nothing is attended to, a slope moves nothing, however steep. Other kinds are
        left as they are; a kind that the slope lacks is 0.
        """
        rows: list[Tensor] = []
        for kind, tensors in self.leaves.items():
            row = slope.get(kind)
            if row is None:
                rows += [torch.zeros(one.numel(), device=one.device) for one in tensors]
            elif kind != "attention":
                rows.append(row)
            else:
                for p, v in zip(tensors, torch.split(row, [one.numel() for one in tensors]), strict=True):
                    seen, along = in_full(p.detach()), v.view_as(p)
                    rows.append((seen * (along - (seen * along).sum(-1, keepdim=True))).flatten())
        return torch.cat([row.to(rows[0]) for row in rows])

    def pulled(self, slope: Slope) -> Tensor:
        """Carries a slope back to ``x_t``, by one backward pass of the model; ``[B, C, h, w]``.

        Raises:
            FloatingPointError: the gradient is not finite.
        """
        return scaled_gradient(self._along(slope), self.x_t, keep_graph=True)

    def _along(self, slope: Slope) -> Tensor:
        """Returns a scalar whose slope by what is shown is the given one."""
        scalars: list[Tensor] = []
        for kind, row in slope.items():
            tensors: Sequence[Tensor] = self.shown[kind]
            parts = torch.split(row, [one.numel() for one in tensors])
            scalars += [
                (in_full(one).flatten() * part).sum() for one, part in zip(tensors, parts, strict=True)
            ]
        return torch.stack(scalars).sum()


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()
