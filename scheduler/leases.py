"""Which workers fell silent. Pure: the clock is injected."""

from collections.abc import Callable


class Leases:
    """One lease per worker, extended by every answer; a worker silent for ``lease_s`` seconds has lost its own.

    Between two calls of ``expired`` at most ``max_tick_gap_s`` counts as silence: when the scheduler itself was
    stopped or held up, every worker looks silent, and none of them is to blame.
    """

    def __init__(self, lease_s: float, clock: Callable[[], float], *, max_tick_gap_s: float) -> None:
        self._lease_s = lease_s
        self._clock = clock
        self._max_tick_gap_s = max_tick_gap_s
        self._ticked_at = clock()
        self._expires_at: dict[str, float] = {}

    def extend(self, worker: str) -> None:
        self._expires_at[worker] = self._clock() + self._lease_s

    def drop(self, worker: str) -> None:
        self._expires_at.pop(worker, None)

    def expired(self) -> list[str]:
        """Workers whose lease ran out, in the order they were first seen. To be called regularly."""
        now = self._clock()
        pause_s = max(0.0, now - self._ticked_at - self._max_tick_gap_s)
        self._ticked_at = now
        for worker in self._expires_at:
            self._expires_at[worker] += pause_s
        return [worker for worker, expires_at in self._expires_at.items() if expires_at <= now]
