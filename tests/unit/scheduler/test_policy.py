"""Order of service: priority, deadline, least served tenant, first in first out."""

from datetime import UTC, datetime

from scheduler.policy import Policy, WaitingTask
from scheduler.ports import Device


def waiting(
    seq: int, tenant: str = "a", *, device: Device = "cpu", units: float = 1.0, **fields: object
) -> WaitingTask:
    return WaitingTask(
        id=f"t{seq}",
        seq=seq,
        tenant_id=tenant,
        kind="speech",
        model="m",
        device=device,
        units=units,
        **fields,  # type: ignore[arg-type]
    )


def order(*tasks: WaitingTask, policy: Policy | None = None) -> list[str]:
    """The order in which one worker is given the tasks, each ending before the next."""
    policy = policy or Policy()
    for task in tasks:
        policy.on_arrival(task)
    placed = []
    for _ in tasks:
        policy.on_free("w", "cpu")
        for task, _worker in policy.place():
            placed.append(task.id)
            policy.on_end(task.id, task.units)
    return placed


def test_first_in_first_out_inside_a_tenant() -> None:
    assert order(waiting(3), waiting(1), waiting(2)) == ["t1", "t2", "t3"]


def test_priority_comes_first() -> None:
    assert order(waiting(1), waiting(2, priority=5), waiting(3, priority=1)) == ["t2", "t3", "t1"]


def test_the_earliest_deadline_comes_first_inside_a_priority() -> None:
    soon, late = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    tasks = (
        waiting(1),
        waiting(2, "b", deadline_at=late),
        waiting(3, deadline_at=soon),
        waiting(4, priority=1),
    )
    assert order(*tasks) == ["t4", "t3", "t2", "t1"]


def test_a_tenant_with_many_tasks_does_not_hold_up_another() -> None:
    many = [waiting(seq) for seq in range(1, 5)]
    assert order(*many, waiting(5, "b"), waiting(6, "b")) == ["t1", "t5", "t2", "t6", "t3", "t4"]


def test_looking_at_what_comes_next_takes_nothing_away() -> None:
    policy = Policy()
    assert policy.next_model("cpu") is None
    policy.on_arrival(waiting(1))
    policy.on_arrival(WaitingTask("urgent", 2, "a", "speech", "other", "cpu", 1.0, priority=5))
    assert (policy.next_model("cpu"), policy.next_model("gpu")) == ("other", None)
    policy.on_withdrawn("urgent")
    assert policy.next_model("cpu") == "m"
    policy.on_free("w", "cpu")
    assert [task.id for task, _ in policy.place()] == ["t1"]


def test_what_counts_is_work_and_not_the_number_of_tasks() -> None:
    assert order(waiting(1, units=3), waiting(2), waiting(3, "b"), waiting(4, "b"), waiting(5, "b")) == [
        "t1", "t3", "t4", "t5", "t2",
    ]  # fmt: skip


def test_a_heavier_weight_gets_more() -> None:
    heavy = [waiting(seq, "a", weight=2.0) for seq in range(1, 5)]
    light = [waiting(seq, "b") for seq in range(5, 8)]
    assert order(*heavy, *light) == ["t1", "t5", "t2", "t3", "t6", "t4", "t7"]


def test_a_newcomer_gets_no_advantage_for_having_been_away() -> None:
    policy = Policy()
    order(*[waiting(seq) for seq in range(1, 11)], policy=policy)
    assert order(waiting(11), waiting(12), waiting(13, "b"), waiting(14, "b"), policy=policy) == [
        "t11", "t13", "t12", "t14",
    ]  # fmt: skip


def test_devices_do_not_mix() -> None:
    policy = Policy()
    policy.on_arrival(waiting(1, device="gpu"))
    policy.on_arrival(waiting(2, device="cpu"))
    policy.on_free("c", "cpu")
    assert [(task.id, worker) for task, worker in policy.place()] == [("t2", "c")]
    policy.on_free("g", "gpu")
    assert [(task.id, worker) for task, worker in policy.place()] == [("t1", "g")]


def test_a_withdrawn_task_is_not_placed_and_may_come_again() -> None:
    policy = Policy()
    policy.on_arrival(waiting(1))
    policy.on_withdrawn("t1")
    policy.on_free("w", "cpu")
    assert policy.place() == []
    policy.on_arrival(waiting(1))
    assert [task.id for task, _ in policy.place()] == ["t1"]
    policy.on_free("w", "cpu")
    assert policy.place() == []


def test_a_worker_that_went_away_is_given_nothing() -> None:
    policy = Policy()
    policy.on_free("w", "cpu")
    policy.on_gone("w")
    policy.on_arrival(waiting(1))
    assert policy.place() == []


def test_a_placement_that_came_to_nothing_is_not_charged() -> None:
    policy = Policy()
    policy.on_arrival(waiting(1))
    policy.on_free("w", "cpu")
    policy.place()
    policy.on_not_started("t1")
    assert order(waiting(2, "b"), waiting(1), policy=policy) == ["t1", "t2"]
