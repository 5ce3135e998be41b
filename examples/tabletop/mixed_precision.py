"""Optimisers of float32 weights for a model that computes in bfloat16, and the weights' moving average.

AdamW, or Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) for matrices and convolutions
and AdamW for the rest. All weights lie in one vector: processes average their gradients in one exchange.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

AVERAGE_DECAY = 0.9995

_LEAST_SIDE = 8  # of a matrix that Muon updates: the first and the last convolution are no mixing of features


class MasterWeights:
    """The float32 truth behind a bfloat16 model.

    Attributes:
        weights: float32 ``[P]``, what the optimisers update.
        average: float32 ``[P]``, their exponential moving average.
        step: Updates so far.

    Args:
        model: The model; it keeps its dtype.
        muon: Whether Muon updates matrices and convolutions, at the learning rate that would suit AdamW.
    """

    def __init__(self, model: nn.Module, *, muon: bool = False) -> None:
        self._parameters = list(model.parameters())
        self.weights = torch.cat([p.detach().float().flatten() for p in self._parameters])
        self.weights.grad = torch.zeros_like(self.weights)
        self.average = self.weights.clone()
        self.step = 0
        self._views = self._split(self.weights)
        self._gradients = self._split(self.weights.grad)
        self._optimizers = self._open_optimizers(model, muon)

    @torch.no_grad()
    def update(self, rate: float, largest: float = 1.0) -> float:
        """One step from the model's gradients, clipped to a norm of ``largest``; returns the norm before."""
        gradient = self.weights.grad
        if gradient is None:
            raise RuntimeError("the weights' gradient was removed")
        for parameter, view in zip(self._parameters, self._gradients, strict=True):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
                parameter.grad = None
        if dist.is_initialized():
            dist.all_reduce(gradient)
            gradient /= dist.get_world_size()
        norm = float(gradient.norm())
        gradient *= min(1.0, largest / (norm + 1e-6))
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        self.step += 1
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        self.average.lerp_(self.weights, 1 - decay)
        torch._foreach_copy_(list[Tensor](self._parameters), self._views)  # pyright: ignore[reportPrivateImportUsage]
        return norm

    def state_dict(self) -> dict[str, Any]:
        """Everything that a later run continues from."""
        return {
            "weights": self.weights,
            "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state, the model too."""
        self.weights.copy_(state["weights"])
        self.average.copy_(state["average"])
        for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step = state["step"]
        torch._foreach_copy_(list[Tensor](self._parameters), self._views)  # pyright: ignore[reportPrivateImportUsage]

    def _open_optimizers(self, model: nn.Module, muon: bool) -> list[torch.optim.Optimizer]:
        if not muon:
            return [_adamw([self.weights])]
        matrices, others = list[Tensor](), list[Tensor]()
        tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
        for parameter, view, gradient in zip(self._parameters, self._views, self._gradients, strict=True):
            flat = view.flatten(1) if view.ndim > 1 else view
            is_matrix = flat.ndim == 2 and min(flat.shape) >= _LEAST_SIDE and id(parameter) not in tables
            flat.grad = gradient.view_as(flat)
            (matrices if is_matrix else others).append(flat)
        return [
            torch.optim.Muon(matrices, lr=0.0, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            _adamw(others),
        ]

    def _split(self, vector: Tensor) -> list[Tensor]:
        sizes = [p.numel() for p in self._parameters]
        return [v.view_as(p) for v, p in zip(vector.split(sizes), self._parameters, strict=True)]


def _adamw(weights: list[Tensor]) -> torch.optim.AdamW:
    return torch.optim.AdamW(weights, lr=0.0, betas=(0.9, 0.99), weight_decay=0.01, fused=True)


@torch.no_grad()
def load_weights(model: nn.Module, vector: Tensor) -> None:
    """Give a model the weights of a vector, such as ``MasterWeights.average``."""
    parameters = list(model.parameters())
    for parameter, values in zip(parameters, vector.split([p.numel() for p in parameters]), strict=True):
        parameter.copy_(values.view_as(parameter))
