"""The simulated farm: how many GPUs, how much they hold, how fast they load, and the models."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from scheduler.simulation.errors import InputError

Positive = Annotated[float, Field(gt=0)]
_SPACE = re.compile(r"[ \t\r\n]*")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ModelSize(_Strict):
    """``size_gb`` is what stays in memory while the model is idle, ``peak_gb`` what it takes while it runs."""

    size_gb: Positive
    peak_gb: Positive

    @field_validator("peak_gb")
    @classmethod
    def _at_least_the_size(cls, peak_gb: float, info: ValidationInfo) -> float:
        size_gb = info.data.get("size_gb", 0.0)
        if peak_gb < size_gb:
            raise ValueError(f"must be at least size_gb, {size_gb:g}")
        return peak_gb


class Fleet(_Strict):
    """``vram_gb`` is of one GPU, ``host_ram_gb`` and ``disk_gb_per_s`` of one node; the last node has fewer GPUs
    where they do not come out even. ``load_fixed_s`` is paid by every load."""

    gpus: Annotated[int, Field(gt=0)]
    gpus_per_node: Annotated[int, Field(gt=0)]
    vram_gb: Positive
    host_ram_gb: Annotated[float, Field(ge=0)]
    disk_gb_per_s: Positive
    pcie_gb_per_s: Positive
    load_fixed_s: Annotated[float, Field(ge=0)]
    models: Annotated[dict[str, ModelSize], Field(min_length=1)]

    @model_validator(mode="after")
    def _models_fit(self) -> Self:
        for name, model in self.models.items():
            if model.peak_gb > self.vram_gb:
                raise _TooLargeError(name, model.peak_gb, self.vram_gb)
        return self


class _TooLargeError(ValueError):
    """A model that no GPU of the fleet can run; pydantic hands it back with its place."""

    def __init__(self, model: str, peak_gb: float, vram_gb: float) -> None:
        self.location = ("models", model, "peak_gb")
        super().__init__(f"{peak_gb:g} does not fit into a vram_gb of {vram_gb:g}")


def read_fleet(path: Path) -> Fleet:
    """Raises InputError with the line and the field."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, None, None, f"cannot be read: {error}") from error
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(path, error.lineno, None, f"is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise InputError(path, None, None, "is not a fleet: nested too deeply") from error
    try:
        return Fleet.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        location = cause.location if isinstance(cause, _TooLargeError) else first["loc"]
        message = str(cause) if isinstance(cause, ValueError) else first["msg"]
        line = text.count("\n", 0, _find(text, location)) + 1
        raise InputError(path, line, ".".join(map(str, location)) or None, message) from None


def _find(text: str, location: Sequence[int | str]) -> int:
    """Where in a JSON text the field is, or where the innermost object that ought to have it begins."""
    position = _skip(text, 0)
    for name in location:
        found = _member(text, position, name)
        if found is None:
            break
        key_at, value_at = found
        if name == location[-1]:
            return key_at
        position = value_at
    return position


def _member(text: str, position: int, name: int | str) -> tuple[int, int] | None:
    """Positions of a key and its value in the object that begins at ``position``."""
    if text[position] != "{":
        return None
    found = None
    decoder = json.JSONDecoder()
    position = _skip(text, position + 1)
    while text[position] == '"':
        key_at = position
        key, position = decoder.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        if key == name:
            found = key_at, position  # the last of several, as json.loads has it
        _, position = decoder.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return position if match is None else match.end()
