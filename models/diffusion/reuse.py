"""What a pipeline computed already from the very same input is not computed again: prompts, and pictures' latents."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

LIMIT_BYTES = 128 << 20


class Reused:
    """Results by the content of the arguments they were computed from; those used longest ago go first."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        return sum(size for _, size in self._kept.values())

    def clear(self) -> None:
        self._kept.clear()

    def call(self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What ``function`` returns, which is known by ``name`` and has to depend on its arguments alone."""
        digest = hashlib.sha256(name.encode())
        try:
            _digest([arguments, named], digest.update)
        except TypeError:
            return function(*arguments, **named)
        key = digest.digest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return _copied(self._kept[key][0])
        result = function(*arguments, **named)
        size = _bytes_of(result)
        if size <= self._limit:
            self._kept[key] = (_copied(result), size)
            while self.held_bytes > self._limit:
                self._kept.popitem(last=False)
        return result


@contextmanager
def reusing(owner: Any, method: str, kept: Reused) -> Iterator[None]:
    """Answer calls of ``owner.method`` from ``kept`` where it can be."""
    original = getattr(owner, method)
    name = f"{type(owner).__name__}.{method}"

    def reused(*arguments: Any, **named: Any) -> Any:
        return kept.call(name, original, arguments, named)

    setattr(owner, method, reused)
    try:
        yield
    finally:
        delattr(owner, method)


def _digest(value: Any, update: Callable[[bytes], None]) -> None:
    """Raises TypeError for what has no content to go by, such as a generator."""
    match value:
        case None | bool() | int() | float() | str() | torch.device() | torch.dtype():
            update(f"{type(value).__name__}:{value!r};".encode())
        case torch.Tensor():
            update(f"tensor:{value.dtype}:{tuple(value.shape)}:{value.device};".encode())
            update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        case np.ndarray():
            update(f"array:{value.dtype}:{value.shape};".encode())
            update(value.tobytes())
        case Image.Image():
            update(f"image:{value.mode}:{value.size};".encode())
            update(value.tobytes())
        case list() | tuple():
            update(f"{len(value)}[".encode())
            for part in value:
                _digest(part, update)
        case dict():
            _digest(sorted(value.items()), update)
        case _:
            raise TypeError(f"no content to go by in a {type(value).__name__}")


def _copied(value: Any) -> Any:
    """Other lists around the same tensors, so that a pipeline which changes its list changes its own."""
    if isinstance(value, list):
        return [_copied(part) for part in value]
    if type(value) is tuple:
        return tuple(_copied(part) for part in value)
    return value


def _bytes_of(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, list | tuple):
        return sum(_bytes_of(part) for part in value)
    if is_dataclass(value):
        return sum(_bytes_of(getattr(value, field.name)) for field in fields(value))
    # Such as diffusers' distributions, which hold their tensors as attributes.
    return sum(_bytes_of(part) for part in vars(value).values()) if hasattr(value, "__dict__") else 0
