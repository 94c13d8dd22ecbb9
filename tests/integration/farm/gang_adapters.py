"""For gangs of GPUs that are none: torch computes on the CPU, in the lead and in its ranks, once this is imported."""

from typing import Any

from models.device import Device
from models.diffusion.animator import DiffusionAnimator

Device.kind = property(lambda self: "cpu", lambda self, kind: None)  # type: ignore[assignment, misc]


class OnTheCpu(DiffusionAnimator):
    """The adapter as it is."""


class Warm:
    """Has the module imported, before any device is asked for something."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    def speak(self, *arguments: Any) -> Any:
        from tests.integration.farm.adapters import StageSpeaker

        return StageSpeaker(self.model).speak(*arguments)
