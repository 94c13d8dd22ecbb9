"""What an export may ask for. Pure."""

import re

from control_plane.errors import InvalidParameter
from control_plane.exports.schemas import ExportConfig
from control_plane.inputs.rules import ASPECT_RATIOS, SHORT_SIDES

_TOLERANCE_PX = 2
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def check_size(config: ExportConfig) -> None:
    """Raises InvalidParameter unless width, height, resolution and aspect ratio agree within 2 pixels."""
    ratio = ASPECT_RATIOS.get(config.aspect_ratio)
    if ratio is None:
        accepted = ", ".join(ASPECT_RATIOS)
        raise InvalidParameter(
            f"不支持 {config.aspect_ratio}，可选：{accepted}",
            f"{config.aspect_ratio} is not one of {accepted}",
            field="config.aspect_ratio",
        )
    expected = ratio.size(SHORT_SIDES[config.resolution])
    for field, given, wanted in zip(("width", "height"), (config.width, config.height), expected, strict=True):
        if abs(given - wanted) > _TOLERANCE_PX:
            raise InvalidParameter(
                f"{config.resolution} 的 {config.aspect_ratio} 应为 {expected[0]}x{expected[1]}",
                f"{config.resolution} at {config.aspect_ratio} is {expected[0]}x{expected[1]}",
                field=f"config.{field}",
            )
        if given % 2:
            raise InvalidParameter("必须是偶数", "must be even", field=f"config.{field}")


def safe_file_name(name: str, suffix: str) -> str:
    """A file name that every system takes."""
    cleaned = _UNSAFE.sub(" ", name).strip(" .") or "film"
    return cleaned[:80].strip() + suffix
