"""What models were measured to need on this node: bytes of weights, bytes on top while they run, seconds to load."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from models.catalog import Model

_SHAPES_PER_MODEL = 64


def _key(model: Model) -> str:
    """Other weights, or the same kept in another form, need other amounts."""
    source = model.weights.source if model.weights is not None else ""
    return f"{model.id} {source} {model.options.get('dtype', '')} {model.options.get('quantization', '')}".strip()


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
        """On top of the weights; for a shape that was never run, the most of any shape that was."""
        runs: dict[str, int] = self._of(model).get("run_bytes", {})
        return runs.get(shape, max(runs.values(), default=None))

    def note_load(self, model: Model, weight_bytes: int, load_s: float) -> None:
        with self._changed(model) as entry:
            entry["weight_bytes"] = weight_bytes
            entry["load_s"] = round(load_s, 3)

    def note_run(self, model: Model, shape: str, run_bytes: int) -> None:
        """The highest peak counts: a task that was cancelled early used less than one like it will."""
        if run_bytes <= self._of(model).get("run_bytes", {}).get(shape, -1):
            return
        with self._changed(model) as entry:
            runs = entry.setdefault("run_bytes", {})
            runs[shape] = max(run_bytes, runs.pop(shape, 0))
            while len(runs) > _SHAPES_PER_MODEL:
                del runs[next(iter(runs))]

    def _of(self, model: Model) -> dict[str, Any]:
        return self._known.get(_key(model), {})

    @contextmanager
    def _changed(self, model: Model) -> Iterator[dict[str, Any]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._known = self._read()
            yield self._known.setdefault(_key(model), {})
            partial = self._path.with_suffix(".part")
            partial.write_bytes(orjson.dumps(self._known))
            partial.replace(self._path)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            known = orjson.loads(self._path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return known if isinstance(known, dict) else {}
