"""The page about the state machine draws and lists every transition and every outcome, and no other."""

import itertools
import re
from pathlib import Path

from scheduler.task import (
    TERMINAL,
    TRANSITIONS,
    WORKER_TRANSITIONS,
    OutcomeClass,
    TaskState,
    WorkerState,
    worker_state,
)

PAGE = (Path(__file__).parents[3] / "docs" / "state-machine.md").read_text(encoding="utf-8")
TASKS, WORKERS = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, flags=re.DOTALL)


def arrows(diagram: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^ +(\S+) --> (\w+|\[\*\])", diagram, flags=re.MULTILINE))


def between_states(diagram: str) -> set[tuple[str, str]]:
    return {(old, new) for old, new in arrows(diagram) if "[*]" not in {old, new}}


def test_the_page_draws_the_transitions_of_tasks() -> None:
    assert between_states(TASKS) == TRANSITIONS
    assert {old for old, new in arrows(TASKS) if new == "[*]"} == TERMINAL


def test_the_page_lists_the_transitions() -> None:
    listed = re.findall(r"^\| (\w+) \| (\w+) \| (?:control plane|scheduler) \|", PAGE, flags=re.MULTILINE)
    assert {(TaskState(old), TaskState(new)) for old, new in listed} == TRANSITIONS


def test_the_page_lists_the_outcomes() -> None:
    table = PAGE.partition("## How an attempt ends")[2].partition("##")[0]
    listed = re.findall(r"^\| (\w+) \|", table, flags=re.MULTILINE)
    assert sorted(listed) == sorted(["outcome", *OutcomeClass])


def test_nothing_leaves_a_final_state_and_every_other_state_can_be_left() -> None:
    assert {old for old, _ in TRANSITIONS} == set(TaskState) - TERMINAL


def test_the_page_draws_the_transitions_of_workers() -> None:
    assert between_states(WORKERS) == WORKER_TRANSITIONS
    assert {new for old, new in arrows(WORKERS) if old == "[*]"} == {
        worker_state(busy=False, closed=closed, dying=False) for closed in (False, True)
    }


def test_a_workers_transitions_are_what_its_facts_allow() -> None:
    """One fact changes at a time: nothing starts on a worker that is closed or dying, and nobody comes back from
    dying. Any worker can be lost, and the one that follows on its slot has nothing to do."""
    allowed = set()
    for busy, closed, dying in itertools.product((False, True), repeat=3):
        before = worker_state(busy=busy, closed=closed, dying=dying)
        after = {
            worker_state(busy=busy, closed=not closed, dying=dying),
            worker_state(busy=busy, closed=closed, dying=True),
        }
        if busy or not (closed or dying):
            after.add(worker_state(busy=not busy, closed=closed, dying=dying))
        allowed |= {(before, state) for state in after if state is not before} | {(before, WorkerState.LOST)}
        if not busy and not dying:
            allowed.add((WorkerState.LOST, before))
    assert allowed == WORKER_TRANSITIONS
