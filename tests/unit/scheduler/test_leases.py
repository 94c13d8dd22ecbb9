"""Leases run out by silence, and not because the scheduler itself was stopped."""

from scheduler.leases import Leases


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_silent_worker_loses_its_lease_and_an_answering_one_keeps_it() -> None:
    clock = Clock()
    leases = Leases(3.0, clock, max_tick_gap_s=1.0)
    leases.extend("silent")
    leases.extend("alive")
    for _ in range(3):
        clock.now += 1
        assert leases.expired() == (["silent"] if clock.now >= 103 else [])
        leases.extend("alive")


def test_a_dropped_worker_is_not_reported() -> None:
    clock = Clock()
    leases = Leases(1.0, clock, max_tick_gap_s=1.0)
    leases.extend("w")
    leases.drop("w")
    clock.now += 1
    assert leases.expired() == []


def test_a_pause_of_the_holder_is_nobodys_silence() -> None:
    clock = Clock()
    leases = Leases(3.0, clock, max_tick_gap_s=1.0)
    leases.extend("w")
    clock.now += 60
    expired = [leases.expired()]
    for _ in range(2):
        clock.now += 1
        expired.append(leases.expired())
    assert expired == [[], [], ["w"]]
