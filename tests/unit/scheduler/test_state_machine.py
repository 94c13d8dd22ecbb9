"""The page about the state machine lists every transition and every outcome, and no other."""

import re
from pathlib import Path

from scheduler.task import TERMINAL, TRANSITIONS, OutcomeClass, TaskState

PAGE = (Path(__file__).parents[3] / "docs" / "state-machine.md").read_text(encoding="utf-8")


def test_the_page_lists_the_transitions() -> None:
    listed = re.findall(r"^\| (\w+) \| (\w+) \| (?:control plane|scheduler) \|", PAGE, flags=re.MULTILINE)
    assert {(TaskState(old), TaskState(new)) for old, new in listed} == TRANSITIONS


def test_the_page_lists_the_outcomes() -> None:
    table = PAGE.partition("## How an attempt ends")[2].partition("##")[0]
    listed = re.findall(r"^\| (\w+) \|", table, flags=re.MULTILINE)
    assert sorted(listed) == sorted(["outcome", *OutcomeClass])


def test_nothing_leaves_a_final_state_and_every_other_state_can_be_left() -> None:
    assert {old for old, _ in TRANSITIONS} == set(TaskState) - TERMINAL
