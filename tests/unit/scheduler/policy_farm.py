"""A policy with a clock and workers, for tests. Loading m or n takes 2 s from the node's memory and 10 s from disk,
``free`` nothing; a worker has no limit of memory unless it is said."""

from typing import Any

from scheduler.backlog import WaitingTask
from scheduler.policy import Policy
from scheduler.pool import Tuning
from scheduler.warmth import ModelProfile, WorkerProfile

STRICT = Tuning(spread_s=0.0)
GPU = ModelProfile(device="gpu", size_gb=20.0, peak_gb=30.0, hot_load_s=2.0, cold_load_s=10.0)


class Farm:
    """A policy with its clock and workers; ``run`` places and remembers what runs where."""

    def __init__(self, *workers: str, tuning: Tuning | None = None, **models: ModelProfile) -> None:
        self.now_s = 0.0
        self.policy = Policy({"m": GPU, "n": GPU, **models}, lambda: self.now_s, tuning)
        self.running: dict[str, str] = {}
        self._seq = 0
        for worker in workers:
            self.add(worker)

    def add(self, worker: str, node: str = "node", **fields: Any) -> None:
        self.policy.on_worker(WorkerProfile(worker, "cpu" if worker.startswith("c") else "gpu", node, **fields))
        self.policy.on_free(worker)

    def arrive(self, tenant: str = "a", model: str = "m", device: str = "gpu", **fields: Any) -> str:
        self._seq += 1
        values: dict[str, Any] = {"kind": "k", "units": 1.0, "since_s": self.now_s} | fields
        task = WaitingTask(f"t{self._seq}", self._seq, tenant, model=model, device=device, **values)  # type: ignore[arg-type]
        self.policy.on_arrival(task)
        return task.id

    def run(self, now_s: float | None = None) -> dict[str, str]:
        """What starts now, task by worker."""
        self.now_s = self.now_s if now_s is None else now_s
        started = {placed.task.id: placed.worker for placed in self.policy.place()}
        self.running |= started
        return started

    def end(self, task: str, now_s: float, duration_s: float | None = None, load_s: float = 0.0) -> dict[str, str]:
        """A task ends, and its worker is free."""
        self.now_s = now_s
        self.policy.on_end(task, duration_s, load_s)
        self.policy.on_free(self.running.pop(task))
        return self.run()
