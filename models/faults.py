"""What an engine's error means: memory ran out, or the device is lost to this process. Engines' errors are known by
their names: whoever asks need not have loaded one."""

from collections.abc import Iterator

_CUDA_ERROR_MEMORY_ALLOCATION = 2
"""cudaErrorMemoryAllocation of the CUDA runtime API, "Data types": pinned host memory that cannot be had is told
so, and nothing else comes to harm."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether it, or what it was raised from, is for want of memory, on the device or the host."""
    return any(_is_of_memory(each) for each in _chain(error))


def lost_device(error: BaseException) -> bool:
    """Whether it, or what it was raised from, left the device's context unusable: after a CUDA error such as an illegal
    access every later call fails alike, until the process ends."""
    return any(_is(each, "AcceleratorError") and not _is_of_memory(each) for each in _chain(error))


def _is_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError)
        or _is(error, "OutOfMemoryError")
        or (_is(error, "AcceleratorError") and getattr(error, "error_code", None) == _CUDA_ERROR_MEMORY_ALLOCATION)
    )


def _is(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__
