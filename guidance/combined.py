r"""Automatic strength in one backward pass a step, but for the first.

:class:`guidance.strength.Automatic` asks for every term's own gradient, a backward pass each. It needs of
them only their lengths and the angles between them. So a term gets a pass of its own at the first step in
which it acts, which is Automatic's, and that tells how long its gradient is beside what the term does to what
the model shows (:mod:`guidance.cut`, which costs no pass). At later steps its length is taken from that,

.. math:: |\nabla g_i| \approx \kappa_i\, |w_i|, \qquad
    \kappa_i = \Big(\frac{|\nabla g_i|}{|w_i|}\Big)_{first}

with :math:`w_i` the slope of the term by what is shown, attention by its logits; the angles are those of
the first step, with the signs that the slopes have now. From these follow the weights of Automatic's push,
and one pass carries the weighted sum of the slopes back. Its length corrects all :math:`\kappa_i` together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from guidance.cut import Cut, Slope
from guidance.strength import TINY, Automatic, Measured, Pull, brake_of, rms, unit
from guidance.terms import Term
from inversion.linalg import vector_norm


@dataclass(frozen=True)
class Combined(Automatic):
    """The push of :class:`guidance.strength.Automatic`, from one backward pass a step but for the first.

    Args:
        limit: as Automatic's.
    """

    def __call__(self, measured: Measured) -> Tensor | None:
        """See :class:`guidance.strength.Strength`.

        Raises:
            ValueError: the energies are not cut from the model's graph (``measured.cut``).
        """
        cut = measured.cut
        if cut is None:
            raise ValueError("one backward pass for all terms needs the graph cut at what the model shows")
        values = {place: energy.item() for place, energy in measured.energies.items()}
        slopes = {
            place: cut.slope(measured.energies[place])
            for place, term in measured.terms.items()
            if values[place] > term.goal
        }
        lacking = {place: measured.terms[place] for place, slope in slopes.items() if slope}
        if not lacking:
            return None
        push = _Mixing(self, measured, cut, lacking, slopes, values).push()
        most = self.limit * measured.step.sigma
        return push * min(1.0, most / max(rms(push, measured.region).max().item(), TINY))


class _Mixing:
    """One step's terms: their weights in the slope that is carried back, and the push that comes of it."""

    def __init__(
        self,
        rule: Automatic,
        measured: Measured,
        cut: Cut,
        terms: Mapping[int, Term],
        slopes: Mapping[int, Slope],
        values: Mapping[int, float],
    ) -> None:
        self.rule, self.measured, self.cut = rule, measured, cut
        self.terms, self.slopes, self.values = terms, slopes, values
        self.felt = {place: cut.felt(slopes[place]) for place in terms}
        self.sizes = {place: max(float(vector_norm(row, 0)), TINY) for place, row in self.felt.items()}
        x, region = measured.x_t, measured.region
        cells = x.numel() if region is None else float(region.to(x).expand_as(x).sum().clamp_min(1))
        self.root = cells**0.5
        self.gains = {place: self._gain(place) for place in terms}

    def push(self) -> Tensor:
        """Returns the push: of new terms by their own gradients, of those known by one for all."""
        known = [place for place in self.terms if str(place) in self.measured.factors]
        new = {place: self._pulled(self.slopes[place]) for place in self.terms if place not in known}
        self._learn(new)
        push = torch.zeros_like(self.measured.x_t)
        if known:
            before = self._weights()
            part = self._pulled(self._sum(known, before))
            expected, found = self._length(known, before), float(vector_norm(part.flatten(), 0))
            if expected > TINY and found > TINY:
                for place in known:
                    self.measured.factors[str(place)] *= found / expected
            # weighted anew by what this pass has told of all lengths; the direction stays
            push = push + part * (self._length(known, self._weights()) / max(found, TINY))
            push = unit(push, self.measured.region) * rms(push, self.measured.region)
        weights = self._weights(remember=True)
        for place, gradient in new.items():
            length = rms(gradient, self.measured.region)
            push = push + weights[place] * length * unit(gradient, self.measured.region)
        return push

    def _learn(self, gradients: Mapping[int, Tensor]) -> None:
        """Remembers how long new terms' gradients are beside their slopes, and the angles between them."""
        rows: dict[int, Tensor] = {}
        for place, gradient in gradients.items():
            length = float(vector_norm(gradient.flatten(), 0))
            rows[place] = unit(gradient, self.measured.region).flatten()
            if length > TINY:  # else it is asked again at the next step
                self.measured.factors[str(place)] = length / self.sizes[place]
                along = float(gradient.flatten() @ rows[place]) / (length * self.root)
                self.measured.factors[f"{place} along"] = along
        lengths = {place: max(float(vector_norm(row, 0)), TINY) for place, row in rows.items()}
        for one, other in combinations(rows, 2):
            cosine = float(rows[one] @ rows[other]) / (lengths[one] * lengths[other])
            self.measured.factors[_pair(one, other)] = abs(cosine)

    def _weights(self, *, remember: bool = False) -> dict[int, float]:
        """Returns what each term's gradient counts in the push, as Automatic would weigh it."""
        brake = brake_of(self.measured.terms, self.values)
        weights: dict[int, float] = {}
        for place, term in self.terms.items():
            shared = sum(
                other.weight * (1.0 if at == place else abs(self._cosine(place, at)))
                for at, other in self.terms.items()
            )
            slowed = term.weight * (brake if term.budget is None else 1.0)
            length = self._own_length(place)
            if length <= TINY:
                weights[place] = 0.0
                continue
            alone = self._alone(place, term, length, remember=remember)
            weights[place] = slowed / shared * alone * self.root / length
        return weights

    def _own_length(self, place: int) -> float:
        """Returns how long a term's gradient is taken to be."""
        return self.measured.factors.get(str(place), 0.0) * self.sizes[place]

    def _cosine(self, one: int, other: int) -> float:
        """Returns the cosine that two terms' gradients are taken to have."""
        felt = 0.0
        if self.felt[one].shape == self.felt[other].shape:
            product = float(self.felt[one] @ self.felt[other])
            felt = product / (self.sizes[one] * self.sizes[other])
        size = self.measured.factors.get(_pair(one, other))
        return felt if size is None else (size if felt >= 0 else -size)

    def _length(self, places: list[int], weights: Mapping[int, float]) -> float:
        """Returns how long some terms' weighted gradients are taken to be together."""
        own = {place: weights[place] * self._own_length(place) for place in places}
        square = sum(length**2 for length in own.values())
        square += sum(
            2 * own[one] * own[other] * self._cosine(one, other) for one, other in combinations(places, 2)
        )
        return max(square, 0.0) ** 0.5

    def _alone(self, place: int, term: Term, length: float, *, remember: bool) -> float:
        """Returns the root mean square of the push that a term of that gradient's length would take alone."""
        step, value, gain = self.measured.step, self.values[place], self.gains[place]
        aim = term.goal / 2 if term.budget is None else term.budget
        # along the gradient as it is cut off, which is less steep
        along = self.measured.factors.get(f"{place} along", 1.0)
        need = (value - aim) / max(step.reach * length * self.root * along, TINY)
        most = self.rule.limit * step.sigma
        if remember:
            expected = value - min(1.0, most / max(need, TINY)) * (value - aim)
            self.measured.pulls[place] = Pull(value, expected, self.felt[place], gain)
        return min(gain * need, most)

    def _gain(self, place: int) -> float:
        before = self.measured.pulls.get(place)
        return 1.0 if before is None else before.next_gain(self.values[place], self.felt[place])

    def _sum(self, places: list[int], weights: Mapping[int, float]) -> Slope:
        """Returns the weighted sum of some terms' slopes."""
        joined: dict[str, Tensor] = {}
        for place in places:
            for kind, row in self.slopes[place].items():
                joined[kind] = weights[place] * row + joined.get(kind, torch.zeros_like(row))
        return joined

    def _pulled(self, slope: Slope) -> Tensor:
        # to length 1 on the way, so that half precision neither loses nor overflows it
        size = max(float(sum(row.square().sum() for row in slope.values())) ** 0.5, TINY)
        try:
            part = self.cut.pulled({kind: row / size for kind, row in slope.items()}) * size
        except FloatingPointError as error:
            level = self.measured.step.level
            raise FloatingPointError(
                f"the guidance energy at level {level} has no finite gradient"
            ) from error
        return part if self.measured.region is None else part * self.measured.region.to(part)


def _pair(one: int, other: int) -> str:
    """Returns the name under which the angle of two terms is remembered."""
    return f"{min(one, other)} {max(one, other)}"
