"""What models were measured to need on this node: bytes of weights, bytes on top while they run, seconds to load, and
how much of them had to stay in host memory."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import structlog

from models.catalog import Model
from models.options import Offload

log = structlog.get_logger(__name__)

_SHAPES_PER_MODEL = 64


_TIMES = "*"


def several(shape: str, count: int) -> str:
    """The shape of so many that are made together."""
    return f"{shape}{_TIMES}{count}"


def _key(model: Model) -> str:
    """Other weights, or the same kept in another form or place, need other amounts."""
    source = model.weights.source if model.weights is not None else ""
    kept = (str(model.options.get(name, "")) for name in ("dtype", "quantization", "offload"))
    return " ".join((model.id, source, *kept)).strip()


class Peaks:
    """A file that the workers of a node share and that outlives them. A lost or broken one is measured anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._read()

    def weight_bytes(self, model: Model) -> int | None:
        return self._of(model).get("weight_bytes")

    def load_s(self, model: Model) -> float | None:
        return self._of(model).get("load_s")

    def run_bytes(self, model: Model, shape: str) -> int | None:
        """On top of the weights; for several of a shape as many times what one takes, and for a shape that was never
        run the most of any that was."""
        runs: dict[str, int] = self._of(model).get("run_bytes", {})
        if shape in runs:
            return runs[shape]
        one, _, count = shape.partition(_TIMES)
        if count and one in runs:
            return runs[one] * int(count)
        return max((taken for other, taken in runs.items() if _TIMES not in other), default=None)

    def offload(self, model: Model) -> Offload | None:
        """What ``auto`` has to mean for it, where memory ran out with less in host memory."""
        return self._of(model).get("offload")

    def note_offload(self, model: Model, offload: Offload) -> None:
        def change(entry: dict[str, Any]) -> None:
            entry["offload"] = offload

        self._change(model, change)

    def note_load(self, model: Model, weight_bytes: int, load_s: float) -> None:
        def change(entry: dict[str, Any]) -> None:
            entry["weight_bytes"] = weight_bytes
            entry["load_s"] = round(load_s, 3)

        self._change(model, change)

    def note_run(self, model: Model, shape: str, run_bytes: int) -> None:
        """The highest peak counts: a task that was cancelled early used less than one like it will."""

        def change(entry: dict[str, Any]) -> None:
            runs = entry.setdefault("run_bytes", {})
            runs[shape] = max(run_bytes, runs.pop(shape, 0))
            while len(runs) > _SHAPES_PER_MODEL:
                del runs[next(iter(runs))]

        if run_bytes > self._of(model).get("run_bytes", {}).get(shape, -1):
            self._change(model, change)

    def _of(self, model: Model) -> dict[str, Any]:
        return self._known.get(_key(model), {})

    def _change(self, model: Model, change: Callable[[dict[str, Any]], None]) -> None:
        """What cannot be written is known to this process alone: no task fails for it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._known = self._read()
                change(self._known.setdefault(_key(model), {}))
                partial = self._path.with_suffix(".part")
                partial.write_bytes(orjson.dumps(self._known))
                partial.replace(self._path)
        except OSError as error:
            log.warning("what was measured cannot be kept", path=str(self._path), error=str(error))
            change(self._known.setdefault(_key(model), {}))

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            known = orjson.loads(self._path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return known if isinstance(known, dict) else {}
