"""How much of a model stays in host memory while it runs, as its catalog entry says or as was learned. Pure data."""

from typing import Any

from models.catalog import Model
from models.options import Offload, WeightedOptions, WholeOptions

_MODES: tuple[Offload, ...] = ("none", "model", "group", "sequential")
"""Each takes less of the device than the one before, and more time."""


def may_offload(model: Model) -> bool:
    """Whether some of it may be in host memory while it runs. What is small enough to be wholly on any card never
    is."""
    options = model.parsed_options
    return isinstance(options, WeightedOptions) and not isinstance(options, WholeOptions) and options.offload != "none"


def is_auto(model: Model) -> bool:
    """Whether it is for the farm to choose."""
    options = model.parsed_options
    return may_offload(model) and isinstance(options, WeightedOptions) and options.offload == "auto"


def mode_of(adapter: Any) -> Offload:
    """What a loaded adapter does."""
    mode: Offload = getattr(adapter, "offloading", "none")
    return mode


def beyond(mode: Offload) -> Offload:
    """What to try where memory ran out in ``mode``."""
    return _MODES[min(_MODES.index(mode) + 1, len(_MODES) - 1)]


def with_mode(model: Model, mode: Offload) -> Model:
    """The entry as if it had said so."""
    return Model.model_validate({**model.model_dump(), "options": {**model.options, "offload": mode}})
