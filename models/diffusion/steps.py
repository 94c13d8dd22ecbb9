"""What a pipeline's loop tells while it runs: how far it is, and now and then a small picture of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from models.diffusion.previews import Previews
from models.interfaces import Report


class Steps:
    """Watches one call of a pipeline; nothing here waits for the device.

    ``latents`` are those of the last step, as the loop holds them. ``every`` so many steps a preview is made; 0 makes
    none.
    """

    def __init__(self, pipeline: Any, report: Report, steps: int, *, every: int, arguments: Mapping[str, Any]) -> None:
        self.latents: torch.Tensor | None = None
        self._pipeline = pipeline
        self._report = report
        self._steps = steps
        self._every = every
        self._previews = Previews(pipeline, arguments)
        self._step = 0

    def on_step_end(self, pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """As ``callback_on_step_end`` of diffusers. Raises what ``report`` raises."""
        self._done(tensors["latents"])
        return tensors

    @contextmanager
    def of_scheduler(self) -> Iterator[None]:
        """Count the scheduler's steps instead, for a pipeline that calls nobody at the end of its own."""
        scheduler = self._pipeline.scheduler
        step = scheduler.step

        def watched(*arguments: Any, **named: Any) -> Any:
            result = step(*arguments, **named)
            self._done(result[0])
            return result

        scheduler.step = watched
        try:
            yield
        finally:
            del scheduler.step

    def _done(self, latents: torch.Tensor) -> None:
        self._step += 1
        self.latents = latents
        # A pipeline that starts from a picture leaves out the first of its steps.
        total = getattr(self._pipeline, "_num_timesteps", None) or self._steps
        preview = self._previews.take()
        if preview is None and self._every and self._step % self._every == 0 and self._step < total:
            self._previews.start(latents)
            preview = self._previews.take()
        self._report(min(self._step / total, 1.0), preview)
