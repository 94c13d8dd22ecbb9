"""Another scheduler than the one among a pipeline's files."""

import inspect
from typing import Any

import diffusers

from models.catalog import CatalogError
from models.options import Scheduler

_OF_FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
"""What makes a scheduler of many steps one of flow matching."""


def scheduler_class(wanted: Scheduler) -> Any:
    """Raises CatalogError where diffusers has none of the name, or it does not take the ``arguments``."""
    kind = getattr(diffusers, wanted.name, None)
    if not inspect.isclass(kind):
        message = f"diffusers {diffusers.__version__} has no {wanted.name}"
        raise CatalogError(message, field="options.scheduler.name")
    unknown = sorted(set(wanted.arguments) - set(inspect.signature(kind).parameters))
    if unknown:
        raise CatalogError(f"{wanted.name} takes no {', '.join(unknown)}", field="options.scheduler.arguments")
    return kind


def set_scheduler(pipeline: Any, wanted: Scheduler) -> None:
    """In the place of the pipeline's own, with what both are told alike. Raises CatalogError."""
    kind = scheduler_class(wanted)
    config = dict(pipeline.scheduler.config)
    takes = set(inspect.signature(kind).parameters)
    if _is_of_flow(pipeline.scheduler):
        config |= {name: value for name, value in _OF_FLOW.items() if name in takes}
        # The same number under two names.
        shift = config.get("shift", config.get("flow_shift"))
        config |= {name: shift for name in ("shift", "flow_shift") if name in takes and shift is not None}
    try:
        pipeline.scheduler = kind.from_config(config, **wanted.arguments)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise CatalogError(f"{wanted.name}: {error}", field="options.scheduler.arguments") from error


def _is_of_flow(scheduler: Any) -> bool:
    return "FlowMatch" in type(scheduler).__name__ or bool(scheduler.config.get("use_flow_sigmas"))
