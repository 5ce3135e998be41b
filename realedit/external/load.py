"""Loads a detector, a segmenter or a captioner: safetensors only, never code that came with a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realedit.errors import ModelUnavailableError, NumericalError
from realedit.external.files import located
from realedit.external.kinds import Kind, Role
from realedit.models import folder as folders
from realedit.models import loading
from realedit.models.hub import first_line
from realedit.system.memory import out_of_memory

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_AGAIN = "copy or download the model again"


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to run, frozen, in float32 and evaluation mode.

    Attributes:
        label: what to call it: a folder's own name or a hub id.
        kind: what it is.
        model: an instance of `kind.model`.
        processor: an instance of `kind.processor`.
    """

    label: str
    kind: Kind
    model: Any
    processor: Any

    def inputs(self, rgb: np.ndarray, **more: object) -> dict[str, Any]:
        """Prepares a photo, and what goes with it, for the model.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            more: what else the processor takes: ``text``, ``input_boxes``.

        Returns:
            Tensors on the model's device.
        """
        import torch
        from PIL import Image

        # as a PIL image: an array of three rows would pass for one of three channels
        batch = self.processor(images=Image.fromarray(rgb), return_tensors="pt", **more)
        device = self.model.device
        return {
            key: value.to(device, torch.float32) if value.is_floating_point() else value.to(device)
            for key, value in batch.items()
        }

    def check_numbers(self, values: torch.Tensor) -> None:
        """Refuses values that are not numbers.

        Raises:
            NumericalError: a value is NaN. Infinite ones are how models mask.
        """
        if bool(values.isnan().any()):
            raise NumericalError(f"{self.label} produced NaN", f"use another {self.kind.role}")


def load(
    name: str | Path, role: Role, device: str | torch.device = "cpu", offline: bool | None = None
) -> Loaded:
    """Loads a model by folder or hub id; its config's ``model_type`` says what it is.

    Args:
        name: folder, or hub id "owner/name".
        role: "detector", "segmenter" or "captioner".
        device: a torch device.
        offline: never use the network. None follows HF_HUB_OFFLINE, which also wins over False.

    Raises:
        ModelUnavailableError: absent and out of reach, incomplete, damaged, pickled, in need of code of its
            own, or too new for this `transformers`.
        UsageError: not a model for this role, or no such device.
        MemoryLimitError: it does not fit.
    """
    # first, and without torch: a missing model is reported at once
    root, label, kind = located(name, role, offline)
    target = loading.usable_device(device)
    with loading.quiet_libraries():
        import transformers

        if not hasattr(transformers, kind.model):
            raise ModelUnavailableError(
                f"this transformers ({transformers.__version__}) has no {kind.model}, which {label} needs",
                "upgrade transformers",
            )
        try:
            model = _network(getattr(transformers, kind.model), root, label)
            processor = getattr(transformers, kind.processor).from_pretrained(
                str(root), local_files_only=True, trust_remote_code=False
            )
            return Loaded(label, kind, model.to(target), processor)
        except ModelUnavailableError:
            raise
        except Exception as error:
            # loaders raise nearly every built-in type over a damaged folder; the cause stays chained
            raise out_of_memory(error) or _unloadable(label, error) from error


def _network(model_class: type[PreTrainedModel], root: Path, label: str) -> torch.nn.Module:
    import torch

    names = {path.name for path in root.iterdir()}
    loaded: Any = model_class.from_pretrained(
        str(root),
        variant=folders.choose_weights("", names, half=False)[0],
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    network, report = loaded
    if report["missing_keys"]:
        # transformers fills what is missing with random numbers and goes on.
        first = sorted(report["missing_keys"])[0]
        raise ModelUnavailableError(
            f"{label} lacks {len(report['missing_keys'])} weights of {model_class.__name__}, such as {first}",
            "use a model that was saved for transformers, or copy it again",
        )
    return network.eval().requires_grad_(False)


def _unloadable(label: str, error: Exception) -> ModelUnavailableError:
    if "trust_remote_code" in str(error):
        return ModelUnavailableError(
            f"{label} needs code of its own, which realedit does not run",
            "use a model that transformers knows by itself",
        )
    return ModelUnavailableError(f"{label} cannot be loaded ({first_line(error)})", _AGAIN)
