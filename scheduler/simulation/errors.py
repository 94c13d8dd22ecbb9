"""What can be wrong with what a simulation is given."""

from pathlib import Path


class InputError(ValueError):
    """A trace or fleet that cannot be used. ``line`` counts from 1; None where the whole file is meant."""

    def __init__(self, path: Path, line: int | None, field: str | None, message: str) -> None:
        self.path, self.line, self.field = path, line, field
        place = f"{path}" if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {message}" if field is None else f"{place}: {field}: {message}")


class PolicyError(RuntimeError):
    """A policy broke the rules of its interface, such as by giving a busy worker a task."""
