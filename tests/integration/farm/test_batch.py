"""Several attempts that a worker makes in one call, and what becomes of each."""

import io
import threading
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from farm.attempt import Bench, log_key, manifest_key
from farm.batch import Batch
from models.catalog import Catalog, Model
from monitoring.logs import configure_logging
from scheduler.ports import Assignment, AttemptReport
from scheduler.task import OutcomeClass
from tests.integration.farm.painting import Ending, calls, spec_of

PAINTER = Model(
    id="painter",
    display_name="Painter",
    tasks=("text_to_image",),
    adapter="tests.integration.farm.painting:StagePainter",
    license="x",
)


@pytest.fixture
def painters(bench: Bench) -> Bench:
    return replace(bench, catalog=Catalog([PAINTER]))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "executions"


def batch_of(bench: Bench, log: Path, *endings: Ending) -> Batch:
    """Attempts of tasks a, b, c and so on, each with a seed of its own."""
    assignments = []
    for number, ending in enumerate(endings):
        name = "abcdef"[number]
        spec = spec_of(log, name, ending, seed=number + 1).model_dump(mode="json")
        assignments.append(Assignment(name, 1, "text_to_image", "painter", spec, "job", "prj", name, "react", {}))
    return Batch(bench, assignments)


def perform(batch: Batch) -> dict[str, AttemptReport]:
    reports = [AttemptReport.model_validate_json(manifest) for manifest in batch.perform()]
    return {report.task_id: report for report in reports}


def outcomes(reports: dict[str, AttemptReport]) -> list[OutcomeClass]:
    return [report.outcome for report in reports.values()]


def test_those_made_in_one_call_have_each_their_own_end(painters: Bench, log: Path) -> None:
    configure_logging("worker", stream=io.StringIO())
    began_s = time.monotonic()
    reports = perform(batch_of(painters, log, "ok", "ok", "ok"))
    took_s = time.monotonic() - began_s
    assert calls(log) == [["a", "b", "c"]]
    assert outcomes(reports) == [OutcomeClass.SUCCEEDED] * 3
    assert {report.batch for report in reports.values()} == {3}
    shares_s = [report.duration_s or 0.0 for report in reports.values()]
    assert 0.08 < sum(shares_s) <= took_s + 0.01
    for number, (name, report) in enumerate(reports.items(), 1):
        assert report.result is not None
        assert report.result["provenance"]["seed"] == number
        assert painters.store.exists(report.result["image"]["key"])
        assert AttemptReport.model_validate_json(painters.store.get_bytes(manifest_key((name, 1)))) == report
        lines = [orjson.loads(line) for line in painters.store.get_bytes(log_key((name, 1))).splitlines()]
        assert lines[0]["tasks"] == ["a", "b", "c"]
        assert sum(report.timings_s.values()) == pytest.approx(report.duration_s, abs=0.05)
    assert len({report.result["image"]["key"] for report in reports.values() if report.result}) == 3
    assert not any(painters.work_root.iterdir())


@pytest.mark.parametrize("ending", ["fail_together", "memory_together"])
def test_what_cannot_be_made_together_is_made_one_by_one(painters: Bench, log: Path, ending: Ending) -> None:
    began_s = time.monotonic()
    reports = perform(batch_of(painters, log, "ok", ending, "ok"))
    took_s = time.monotonic() - began_s
    assert calls(log) == [["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert outcomes(reports) == [OutcomeClass.SUCCEEDED] * 3
    # As the scheduler ought to learn: so many together took longer than one at a time.
    assert {report.batch for report in reports.values()} == {3}
    shares_s = [report.duration_s or 0.0 for report in reports.values()]
    assert min(shares_s) > 0.08 + 0.08 / 3
    assert sum(shares_s) <= took_s + 0.01, "nobody is charged for waiting for the others"


def test_one_that_fails_takes_nobody_with_it(painters: Bench, log: Path) -> None:
    configure_logging("worker", stream=io.StringIO())
    reports = perform(batch_of(painters, log, "ok", "fail", "ok"))
    assert outcomes(reports) == [OutcomeClass.SUCCEEDED, OutcomeClass.TASK, OutcomeClass.SUCCEEDED]
    assert "the brush broke" in (reports["b"].error_message or "")
    said = [orjson.loads(line)["event"] for line in painters.store.get_bytes(log_key(("a", 1))).splitlines()]
    assert said.index("made one by one after all") < said.index("attempt starts") < said.index("attempt ends")


def test_one_that_came_out_wrong_is_made_again_alone(painters: Bench, log: Path) -> None:
    reports = perform(batch_of(painters, log, "ok", "blank", "ok"))
    assert calls(log) == [["a", "b", "c"], ["b"]]
    assert outcomes(reports) == [OutcomeClass.SUCCEEDED, OutcomeClass.TASK, OutcomeClass.SUCCEEDED]


def test_one_that_is_cancelled_is_made_to_the_end_and_dropped(painters: Bench, log: Path) -> None:
    batch = batch_of(painters, log, "ok", "ok")
    batch.cancel(("b", 1))
    reports = perform(batch)
    assert outcomes(reports) == [OutcomeClass.SUCCEEDED, OutcomeClass.CANCELLED]
    assert calls(log) == [["a", "b"]]
    assert reports["b"].result is None


def test_when_all_are_cancelled_it_stops_at_the_next_step(painters: Bench, log: Path) -> None:
    batch = batch_of(painters, log, "ok", "ok")
    for name in "ab":
        batch.cancel((name, 1))
    batch.cancel(("other", 1))
    reports = perform(batch)
    assert outcomes(reports) == [OutcomeClass.CANCELLED] * 2
    assert all(report.timings_s.get("run", 0.0) < 0.04 for report in reports.values())


def test_a_lost_device_is_lost_to_all_and_nothing_is_tried_again(painters: Bench, log: Path) -> None:
    batch = batch_of(painters, log, "ok", "device", "ok")
    reports = perform(batch)
    assert batch.device_lost
    assert outcomes(reports) == [OutcomeClass.WORKER] * 3
    assert len(calls(log)) == 1


def test_it_says_what_it_runs_and_how_far_it_is(painters: Bench, log: Path) -> None:
    batch = batch_of(painters, log, "ok", "ok")
    thread = threading.Thread(target=batch.perform)
    thread.start()
    seen = [batch.status()]
    while thread.is_alive():
        seen.append(batch.status())
        time.sleep(0.005)
    thread.join()
    assert {status.attempts for status in seen} == {(("a", 1), ("b", 1))}
    rendering = [status for status in seen if 0 < status.fraction < 1 and status.phase == "run"]
    assert rendering
    alone = Batch(painters, [batch_of(painters, log, "ok")._attempts[0].assignment])
    assert rendering[0].budget_s == 2 * alone._at_work._budgets_s["run"] * painters.budget_scale
