"""What the policy believes of workers and models: who has which model at hand, and what a load would cost.

A belief, because a worker may have dropped a model meanwhile; ``Warmth.on_resident`` corrects it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from scheduler.ports import Device, Place

_MEMORY_S = 300.0
"""How long the use of a model counts towards its worth: the time in which it decays to 1/e."""
_REFRESH_S = 1.0
"""Meanwhile nothing decays."""
_SMOOTHING = 0.2
_SLACK_GB = 1e-9
"""Sums of decimal fractions may be too large by their rounding."""


class Load(Enum):
    """Where a model is read from: its node's memory, or disk or network."""

    HOT = auto()
    COLD = auto()


@dataclass(frozen=True)
class ModelProfile:
    """What it takes to have a model, before anything was measured. ``size_gb`` is what it holds while idle,
    ``peak_gb`` while it runs; ``hot_load_s`` is a load from the node's memory, ``cold_load_s`` one from disk or
    network. A model that costs nothing to load is warm everywhere. ``needs`` are the capabilities that its workers
    must have, ``batch`` is how many tasks it makes together at most. With several ``gpus`` it runs on gangs of as many,
    and takes that memory of each."""

    device: Device = "cpu"
    size_gb: float = 0.0
    peak_gb: float = 0.0
    hot_load_s: float = 0.0
    cold_load_s: float = 0.0
    needs: frozenset[str] = frozenset()
    batch: int = 1
    gpus: int = 1

    @cached_property
    def place(self) -> Place:
        return Place(self.device, self.gpus)


@dataclass(frozen=True)
class WorkerProfile:
    """What a worker is. ``capabilities`` are what was probed there, such as ``nvenc``; ``ram_gb`` is what its node
    keeps models in, shared by all workers of the node. Of a gang, ``vram_gb`` is that of each of its ``gpus``."""

    name: str
    device: Device
    node: str
    vram_gb: float = math.inf
    ram_gb: float = math.inf
    capabilities: frozenset[str] = frozenset()
    gpus: int = 1

    @cached_property
    def place(self) -> Place:
        return Place(self.device, self.gpus)


@dataclass(slots=True, eq=False)
class Node:
    ram_gb: float
    models: dict["Model", None] = field(default_factory=dict)
    """What is believed to be in its memory, the least recently loaded first."""
    taken_gb: float = 0.0
    workers: dict["Worker", None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Worker:
    profile: WorkerProfile
    node: Node
    resident: dict["Model", None] = field(default_factory=dict)
    """The least recently used first."""
    taken_gb: float = 0.0
    idle: bool = False


@dataclass(slots=True, eq=False)
class Model:
    """``hot_load_s`` and ``cold_load_s`` follow what is measured."""

    name: str
    profile: ModelProfile
    hot_load_s: float
    cold_load_s: float
    copies: int = 0
    """Workers that have it resident."""
    idle: dict[Worker, None] = field(default_factory=dict)
    """Those of them with nothing to do, the longest idle first."""
    nodes: dict[Node, float] = field(default_factory=dict)
    """Where it is in memory, and from when on: a node reads it from disk once."""
    used_s: float = 0.0
    """Seconds of service, of which the past counts less and less, as of ``used_at_s``."""
    used_at_s: float = 0.0


class Warmth:
    """Workers, nodes and models by name."""

    def __init__(self, models: dict[str, ModelProfile]) -> None:
        self._profiles = models
        self._models: dict[str, Model] = {}
        self._nodes: dict[str, Node] = {}
        self.workers: dict[str, Worker] = {}

    def model(self, name: str) -> Model:
        found = self._models.get(name)
        if found is None:
            profile = self._profiles.get(name, ModelProfile())
            found = self._models[name] = Model(name, profile, profile.hot_load_s, profile.cold_load_s)
        return found

    def count_nodes(self) -> int:
        return len(self._nodes)

    def add(self, profile: WorkerProfile) -> Worker:
        """A worker with nothing loaded; one that is known already stays as it is."""
        found = self.workers.get(profile.name)
        if found is None:
            node = self._nodes.setdefault(profile.node, Node(profile.ram_gb))
            found = self.workers[profile.name] = Worker(profile, node)
            node.workers[found] = None
        return found

    def remove(self, worker: Worker) -> None:
        self.set_idle(worker, False)
        for model in list(worker.resident):
            self._drop(worker, model)
        node = worker.node
        del self.workers[worker.profile.name], node.workers[worker]
        if not node.workers:
            for model in node.models:
                del model.nodes[node]
            del self._nodes[worker.profile.node]

    def on_resident(self, worker: Worker, names: Iterable[str]) -> bool:
        """What the worker says it has, the least recently used first; returns whether that is news. What it could
        not run any more, by a catalog that has changed, is left out."""
        models = (self.model(name) for name in names)
        found = dict.fromkeys(model for model in models if model.profile.place == worker.profile.place)
        if found.keys() == worker.resident.keys():
            return False
        idle = worker.idle
        self.set_idle(worker, False)
        for model in list(worker.resident):
            self._drop(worker, model)
        for model in found:
            self._add(worker, model)
            self._remember(worker.node, model, 0.0)
        self.set_idle(worker, idle)
        return True

    def on_parked(self, node: Node, names: Iterable[str]) -> None:
        """What is in the memory of a node."""
        for model in map(self.model, names):
            if model not in node.models:
                self._remember(node, model, 0.0)

    def set_idle(self, worker: Worker, idle: bool) -> None:
        worker.idle = idle
        if idle:
            for model in worker.resident:
                model.idle[worker] = None
        else:
            for model in worker.resident:
                model.idle.pop(worker, None)

    def load_s(self, worker: Worker, model: Model, now_s: float) -> float:
        """Seconds until the model could run there."""
        if model in worker.resident:
            return 0.0
        ready_s = model.nodes.get(worker.node)
        if ready_s is None:
            return model.cold_load_s
        return max(model.hot_load_s, ready_s - now_s)

    def load_of(self, worker: Worker, model: Model) -> Load:
        """What kind of load it takes where the model is not on the worker yet."""
        return Load.HOT if worker.node in model.nodes else Load.COLD

    def on_loaded(self, model: Model, load: Load, measured_s: float) -> None:
        if load is Load.COLD:
            model.cold_load_s += _SMOOTHING * (measured_s - model.cold_load_s)
        else:
            model.hot_load_s += _SMOOTHING * (measured_s - model.hot_load_s)

    def use(self, worker: Worker, model: Model, peak_gb: float, service_s: float, now_s: float) -> list[Model]:
        """The model runs on the worker, which is not idle, from now on, and takes ``peak_gb``; returns what is
        dropped for it."""
        if now_s - model.used_at_s > _REFRESH_S:
            self._decay(model, now_s)
        model.used_s += service_s
        resident, profile = worker.resident, model.profile
        present = model in resident
        dropped: list[Model] = []
        others_gb = worker.taken_gb - profile.size_gb if present else worker.taken_gb
        if others_gb + peak_gb > worker.profile.vram_gb + _SLACK_GB:
            dropped = self.victims(worker, model, peak_gb, now_s)
            for victim in dropped:
                self._drop(worker, victim)
        if present:
            if len(resident) > 1:
                del resident[model]
                resident[model] = None
        else:
            self._add(worker, model)
            self._remember(worker.node, model, now_s + model.cold_load_s)
        return dropped

    def victims(self, worker: Worker, model: Model, peak_gb: float, now_s: float) -> list[Model]:
        """What has to go for the model to run there, the least worth per gigabyte first."""
        excess_gb = worker.taken_gb + peak_gb - worker.profile.vram_gb
        if model in worker.resident:
            excess_gb -= model.profile.size_gb
        if excess_gb <= _SLACK_GB:
            return []
        others = [other for other in worker.resident if other is not model]
        if len(others) > 1:
            others.sort(key=lambda other: self.worth(other, now_s) / (other.profile.size_gb or _SLACK_GB))
        for count, other in enumerate(others, 1):
            excess_gb -= other.profile.size_gb
            if excess_gb <= _SLACK_GB:
                return others[:count]
        return others

    def worth(self, model: Model, now_s: float) -> float:
        """How much a copy of a model is missed: what it serves, times what it costs to have it again."""
        if now_s - model.used_at_s > _REFRESH_S:
            self._decay(model, now_s)
        return model.used_s * model.hot_load_s / (model.copies or 1)

    def _decay(self, model: Model, now_s: float) -> None:
        model.used_s *= math.exp((model.used_at_s - now_s) / _MEMORY_S)
        model.used_at_s = now_s

    def _add(self, worker: Worker, model: Model) -> None:
        worker.resident[model] = None
        worker.taken_gb += model.profile.size_gb
        model.copies += 1

    def _drop(self, worker: Worker, model: Model) -> None:
        del worker.resident[model]
        worker.taken_gb -= model.profile.size_gb
        model.copies -= 1

    def _remember(self, node: Node, model: Model, ready_s: float) -> None:
        """The node read the model: it stays in its memory, where the least recently loaded makes room."""
        if model in node.models:
            del node.models[model]
            node.models[model] = None
            return
        size_gb = model.profile.size_gb
        if size_gb > node.ram_gb:
            return
        while node.taken_gb + size_gb > node.ram_gb + _SLACK_GB:
            oldest = next(iter(node.models))
            del node.models[oldest]
            del oldest.nodes[node]
            node.taken_gb -= oldest.profile.size_gb
        node.models[model] = None
        node.taken_gb += size_gb
        model.nodes[node] = ready_s
