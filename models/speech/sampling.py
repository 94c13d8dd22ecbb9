"""Running a generating model: seeded without touching anyone else's randomness, and watched at every token."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from models.weighted import BadOutputError

Step = Callable[[float], None]
"""Told how much of an utterance is done, 0 to 1; raises when the task was cancelled."""


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """These models draw from torch's own generators alone; they are as they were afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.no_grad():
        torch.manual_seed(seed)
        yield


class _Watch(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, step: Step, expected: int) -> None:
        self._step, self._expected, self._made = step, expected, 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        self._made += 1
        self._step(min(1.0, self._made / self._expected))
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def watched(step: Step, expected: int) -> StoppingCriteriaList:
    """To be passed to ``generate``: stops nothing, calls ``step`` at every one of about ``expected`` tokens."""
    return StoppingCriteriaList([_Watch(step, max(1, expected))])


@contextmanager
def finite(*heads: torch.nn.Module) -> Iterator[None]:
    """Looks at the scores that ``heads`` compute before anything is drawn from them: what is no number would become
    noise, or end a GPU's whole process. Raises BadOutputError."""

    def check(head: torch.nn.Module, arguments: object, scores: torch.Tensor) -> None:
        if not bool(torch.isfinite(scores).all()):
            raise BadOutputError("the scores of the next sound are not finite: try dtype bfloat16 or float32")

    handles = [head.register_forward_hook(check) for head in heads]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def each_pass(module: torch.nn.Module, step: Step, expected: int) -> Iterator[None]:
    """Calls ``step`` at every pass through a module, of a model whose ``generate`` takes no criteria."""
    made = 0

    def passed(*_: object) -> None:
        nonlocal made
        made += 1
        step(min(1.0, made / expected))

    handle = module.register_forward_pre_hook(passed)
    try:
        yield
    finally:
        handle.remove()
