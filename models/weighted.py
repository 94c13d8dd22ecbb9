"""What all adapters with weights share: where they are loaded from, and how their weights move."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from models.catalog import Model
from models.device import Device
from models.options import WeightedOptions
from models.weights import BadWeightsError

if TYPE_CHECKING:
    import torch

__all__ = ["BadOutputError", "BadWeightsError", "Weighted"]

O = TypeVar("O", bound=WeightedOptions)  # noqa: E741 - O for options


class BadOutputError(RuntimeError):
    """A model computed something that is no result, such as NaN."""


class Weighted(Generic[O]):
    """Base of the adapters. A subclass names its options' class, implements ``load`` and ``_modules``."""

    options_class: ClassVar[type[WeightedOptions]]

    def __init__(self, model: Model, folder: Path, device: Device) -> None:
        self.model = model
        self.folder = folder
        self.device = device
        options = model.parsed_options
        self.options: O = options if options is not None else self.options_class.model_validate(model.options)  # type: ignore[assignment]

    @classmethod
    def check(cls, model: Model, folder: Path) -> None:
        """Whether the installed engine has what the entry names, asked before anything is served. ``folder`` may not be
        there yet. Raises CatalogError with the field at fault."""

    def _modules(self) -> Iterator["torch.nn.Module"]:
        """Everything that has weights; nothing while it is not loaded."""
        raise NotImplementedError

    def _release(self) -> None:
        """Let go of everything that is loaded."""
        raise NotImplementedError

    @property
    def dtype(self) -> "torch.dtype":
        import torch

        dtype: torch.dtype = getattr(torch, self.options.dtype)
        return dtype

    @property
    def weight_bytes(self) -> int:
        seen = {
            tensor.data_ptr(): tensor.numel() * tensor.element_size()
            for module in self._modules()
            for tensor in (*module.parameters(), *module.buffers())
        }
        return sum(seen.values())

    @property
    def cache_bytes(self) -> int:
        """What is kept on the device between calls, beside the weights."""
        return 0

    def park(self) -> None:
        """To host memory; pinned where the device is a GPU, so that the way back runs at the bus's speed."""
        if self.device.kind == "cpu":
            self.device.empty_cache()
            return
        import torch

        moved: dict[tuple[int, torch.Size, torch.dtype], torch.Tensor] = {}  # weights that are tied stay so
        for module in self._modules():
            for tensor in (*module.parameters(), *module.buffers()):
                if tensor.device.type == "cpu":
                    continue
                key = tensor.data_ptr(), tensor.shape, tensor.dtype
                if key not in moved:
                    moved[key] = torch.empty_like(tensor.data, device="cpu", pin_memory=True)
                    moved[key].copy_(tensor.data, non_blocking=True)
                tensor.data = moved[key]
        torch.cuda.synchronize()
        self.device.empty_cache()

    def resume(self) -> None:
        for module in self._modules():
            module.to(self.device.torch, non_blocking=True)
        if self.device.kind == "cuda":
            import torch

            torch.cuda.synchronize()

    def unload(self) -> None:
        self._release()
        self.device.empty_cache()
