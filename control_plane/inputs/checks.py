"""Checks of a configuration that submissions and templates share."""

from control_plane.errors import InvalidParameter
from control_plane.inputs import rules
from control_plane.work import Work


def check_ratio(ratio: str, *, field: str) -> None:
    """Raises InvalidParameter for an aspect ratio that no film has."""
    if ratio not in rules.ASPECT_RATIOS:
        accepted = ", ".join(rules.ASPECT_RATIOS)
        raise InvalidParameter(f"不支持 {ratio}，可选：{accepted}", f"{ratio} is not one of {accepted}", field=field)


def check_model(work: Work, model_id: str, kind: str, *, field: str) -> None:
    """Raises InvalidParameter where the catalog has no such model for this kind of task."""
    known = [model.id for model in work.services.catalog.for_task(kind)]
    if model_id not in known:
        if (reason := work.services.catalog.refused.get(model_id)) is not None:
            raise InvalidParameter(f"模型 {model_id} 不可用：{reason}", f"{model_id}: {reason}", field=field)
        accepted = ", ".join(known)
        raise InvalidParameter(
            f"没有模型 {model_id}，可选：{accepted}", f"no model {model_id} among {accepted}", field=field
        )
