"""The pools of a farm: workers of one kind of slot and the tasks for it are apart from all others."""

from collections.abc import Callable

from scheduler.backlog import WaitingTask
from scheduler.pool import Pool, Tuning
from scheduler.ports import Place
from scheduler.warmth import Warmth


class Pools(dict[Place, Pool]):
    """By kind of slot; one is made when it is first asked for. ``clock`` gives its time at first."""

    def __init__(self, warmth: Warmth, tuning: Tuning, clock: Callable[[], float]) -> None:
        super().__init__()
        self._warmth, self._tuning, self._clock = warmth, tuning, clock

    def __missing__(self, place: Place) -> Pool:
        pool = self[Place(*place)] = Pool(self._warmth, self._tuning)
        pool.now_s = self._clock()
        return pool

    def place(self, task: WaitingTask) -> Place:
        """The kind of slot that the task runs on."""
        return Place(task.device, self._warmth.model(task.model).profile.gpus)

    def of(self, task: WaitingTask) -> Pool:
        # A bare tuple finds the same, and is made in less time: this is asked for each task.
        return self[task.device, self._warmth.model(task.model).profile.gpus]  # type: ignore[index]
