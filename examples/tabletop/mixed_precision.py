"""AdamW on float32 weights for a model that computes in bfloat16, and the weights' moving average.

All weights lie in one vector: one kernel updates them, and processes average their gradients in one exchange.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

AVERAGE_DECAY = 0.9995


class MasterWeights:
    """The float32 truth behind a bfloat16 model.

    Attributes:
        weights: float32 ``[P]``, what AdamW updates.
        average: float32 ``[P]``, their exponential moving average.
        step: Updates so far.
    """

    def __init__(self, model: nn.Module) -> None:
        self._parameters = list(model.parameters())
        self.weights = torch.cat([p.detach().float().flatten() for p in self._parameters])
        self.weights.grad = torch.zeros_like(self.weights)
        self.average = self.weights.clone()
        self.step = 0
        self._views = self._split(self.weights)
        self._gradients = self._split(self.weights.grad)
        self._optimizer = torch.optim.AdamW(
            [self.weights], lr=0.0, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )

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
        self._optimizer.param_groups[0]["lr"] = rate
        self._optimizer.step()
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
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state, the model too."""
        self.weights.copy_(state["weights"])
        self.average.copy_(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        torch._foreach_copy_(list[Tensor](self._parameters), self._views)  # pyright: ignore[reportPrivateImportUsage]

    def _split(self, vector: Tensor) -> list[Tensor]:
        sizes = [p.numel() for p in self._parameters]
        return [v.view_as(p) for v, p in zip(vector.split(sizes), self._parameters, strict=True)]


@torch.no_grad()
def load_weights(model: nn.Module, vector: Tensor) -> None:
    """Give a model the weights of a vector, such as ``MasterWeights.average``."""
    parameters = list(model.parameters())
    for parameter, values in zip(parameters, vector.split([p.numel() for p in parameters]), strict=True):
        parameter.copy_(values.view_as(parameter))
