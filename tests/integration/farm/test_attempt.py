"""A worker's parts on real files, a real Redis and real processes, without Ray."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import redis
import structlog

from farm.attempt import Attempt, Bench, manifest_key
from farm.cache import ArtifactCache
from farm.perform import perform
from farm.process import end_process, note_process, work_root
from farm.reporter import Reporter
from models.catalog import Catalog, Model
from models.device import Device
from models.peaks import Peaks
from models.residency import Residency
from models.sources import Weights
from monitoring.logs import configure_logging
from pipelines.context import TaskCancelled
from runtime.artifacts import ArtifactStore, content_key
from runtime.redis import PROGRESS
from scheduler.ports import Assignment, AttemptReport
from scheduler.task import OutcomeClass
from tests.integration.farm.adapters import Script
from tests.integration.farm.conftest import NOBODY
from tests.tiny.safetensors import write_safetensors


def assignment(tmp_path: Path, *, model: str = "stage", epoch: int = 1, **fields: object) -> Assignment:
    script = Script.model_validate({"log": str(tmp_path / "executions"), "name": "n", **fields})
    spec = script.spec().model_dump(mode="json")
    return Assignment("tsk_1", epoch, "speech", model, spec, "job_1", "prj_1", "label", "react", {"clip": "c"})


def run(bench: Bench, tmp_path: Path, **fields: object) -> AttemptReport:
    return AttemptReport.model_validate_json(perform(bench, Attempt(bench, assignment(tmp_path, **fields))))


def test_a_success_leaves_its_files_its_log_and_last_its_manifest(bench: Bench, tmp_path: Path) -> None:
    report = run(bench, tmp_path, steps=3)
    assert report.outcome is OutcomeClass.SUCCEEDED
    assert report.result is not None
    assert bench.store.exists(report.result["audio"]["key"])
    assert bench.store.exists(report.log_key or "")
    assert AttemptReport.model_validate_json(bench.store.get_bytes(manifest_key(report.attempt))) == report
    assert {"load", "run", "decode", "upload"} <= report.timings_s.keys()
    assert sum(report.timings_s.values()) == pytest.approx(report.duration_s, abs=0.05)
    assert not any(bench.work_root.iterdir())


def test_every_line_of_an_attempt_names_it(bench: Bench, tmp_path: Path) -> None:
    configure_logging("worker", stream=io.StringIO())
    report = run(bench, tmp_path, ending="fail")
    lines = [orjson.loads(line) for line in bench.store.get_bytes(report.log_key or "").splitlines()]
    assert {"attempt starts", "model loaded", "attempt failed", "attempt ends"} <= {line["event"] for line in lines}
    names = {"task_id": "tsk_1", "epoch": 1, "job_id": "job_1", "project_id": "prj_1", "worker": "w"}
    assert all(names.items() <= line.items() for line in lines)
    assert structlog.contextvars.get_contextvars() == {}


def test_a_second_try_begins_at_nothing(bench: Bench, tmp_path: Path) -> None:
    told: list[tuple[str | None, float]] = []

    class Heard(Reporter):
        def report(
            self, assignment: Assignment, phase: str | None, fraction: float, *, preview: bytes | None = None
        ) -> None:
            told.append((phase, fraction))

    report = run(replace(bench, reporter=Heard(NOBODY)), tmp_path, steps=4, ending="memory_once")
    assert report.outcome is OutcomeClass.SUCCEEDED
    highest = max(range(len(told) // 2), key=lambda at: told[at][1])
    assert told[highest][1] > 0
    again = next(at for at in range(highest, len(told)) if told[at][0] == "load")
    assert told[again] == ("load", 0.0), "the numbers of the try before are not those of this one"


def test_equal_specs_give_equal_results(bench: Bench, tmp_path: Path) -> None:
    first, second = run(bench, tmp_path, epoch=1), run(bench, tmp_path, epoch=2)
    for report in (first, second):
        assert report.result is not None
        del report.result["provenance"]["timings_s"]
    assert first.result == second.result


def test_a_result_names_what_helped_and_the_options_that_held(bench: Bench, tmp_path: Path) -> None:
    (stage,) = bench.catalog.entries
    helped = stage.model_copy(update={"uses": {"alignment": "aligner"}, "options": {"mood": "calm"}})
    aligner = stage.model_copy(update={"id": "aligner", "tasks": ("alignment",)})
    report = run(replace(bench, catalog=Catalog([helped, aligner])), tmp_path)
    assert report.result is not None
    assert [word["text"] for word in report.result["words"]] == ["aligned"]
    made = report.result["provenance"]
    assert {what: helper["model"] for what, helper in made["helpers"].items()} == {"alignment": "aligner"}
    assert made["options"] == {"mood": "calm"}


@pytest.mark.parametrize(
    ("fields", "outcome", "message"),
    [
        ({"ending": "user"}, OutcomeClass.USER, "nobody can say this"),
        ({"ending": "fail"}, OutcomeClass.TASK, "RuntimeError: the stage is on fire"),
        ({"ending": "memory"}, OutcomeClass.MODEL_OUT_OF_MEMORY, "MemoryError: no room on the stage"),
        ({"ending": "wrapped"}, OutcomeClass.MODEL_OUT_OF_MEMORY, "ValueError: the folder cannot be loaded"),
        ({"ending": "device"}, OutcomeClass.WORKER, "AcceleratorError: CUDA error: an illegal memory access"),
        ({"model": "none-such"}, OutcomeClass.TASK, "the catalog has no model 'none-such'"),
    ],
)
def test_failures_are_classified(
    bench: Bench, tmp_path: Path, fields: dict[str, object], outcome: OutcomeClass, message: str
) -> None:
    report = run(bench, tmp_path, **fields)
    assert report.outcome is outcome
    assert message in (report.error_message or "")
    assert report.error_field == ("text" if outcome is OutcomeClass.USER else None)


def executions(tmp_path: Path) -> int:
    return len((tmp_path / "executions").read_text().splitlines())


def test_out_of_memory_is_tried_once_more_in_an_empty_worker(bench: Bench, tmp_path: Path) -> None:
    (stage,) = bench.catalog.entries
    bench = replace(bench, catalog=Catalog([stage, stage.model_copy(update={"id": "other"})]))
    run(bench, tmp_path, model="other")
    run(bench, tmp_path, epoch=2)
    assert bench.residency.resident() == ["other", "stage"]
    report = run(bench, tmp_path, name="short", ending="memory_once", epoch=3)
    assert report.outcome is OutcomeClass.SUCCEEDED
    assert bench.residency.resident() == ["stage"]
    assert run(bench, tmp_path, ending="memory", epoch=4).permanent is False
    assert executions(tmp_path) == 2 + 2 + 2


def test_a_model_that_no_worker_of_this_size_can_hold_is_not_tried_again(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", {"w": np.zeros(2_000_000, np.float32)})
    (stage,) = bench.catalog.entries
    large = Model.model_validate({**stage.model_dump(), "id": "large", "weights": {"path": folder}})
    device = Device("cpu", limit_bytes=4_000_000)
    residency = Residency(device, models_dir=tmp_path, host_bytes=0, peaks=Peaks(tmp_path / "peaks.json"))
    small = replace(bench, catalog=Catalog([stage, large]), residency=residency)
    run(small, tmp_path)
    report = run(small, tmp_path, model="large", epoch=2)
    assert (report.outcome, report.permanent) == (OutcomeClass.MODEL_OUT_OF_MEMORY, True)
    assert "large needs 0.01 GB, and this worker's device has 0.004 GB for models" in (report.error_message or "")
    assert "options.quantization" in (report.error_message or "")
    assert residency.resident() == ["stage"], "nothing goes for a model that cannot come"
    assert executions(tmp_path) == 1


def test_a_full_disk_is_the_nodes_fault(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: ArtifactStore, key: str, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArtifactStore, "put_file", full)
    report = run(bench, tmp_path)
    assert report.outcome is OutcomeClass.NODE
    assert report.error_message == "the disk of the machine that rendered it is full"


def test_cancelling_stops_at_the_next_step(bench: Bench, tmp_path: Path) -> None:
    attempt = Attempt(bench, assignment(tmp_path, steps=1000, step_s=0.01))
    reports: list[bytes] = []
    thread = threading.Thread(target=lambda: reports.append(perform(bench, attempt)))
    thread.start()
    while attempt.status().fraction == 0:
        thread.join(0.001)
    attempt.cancel()
    thread.join()
    assert AttemptReport.model_validate_json(reports[0]).outcome is OutcomeClass.CANCELLED
    assert attempt.status().fraction < 0.9


def test_the_budget_is_that_of_the_phase_and_every_step_counts(bench: Bench, tmp_path: Path) -> None:
    attempt = Attempt(bench, assignment(tmp_path))
    assert (attempt.status().phase, attempt.status().budget_s) == ("load", 60)
    with attempt.phase("run"):
        assert (attempt.status().phase, attempt.status().budget_s) == ("run", 10)
        time.sleep(0.03)
        before = attempt.status().since_progress_s
        assert before >= 0.03
        attempt.progress(0.5)
        assert attempt.status().since_progress_s < before
        attempt.cancel()
        with pytest.raises(TaskCancelled):
            attempt.progress(0.6)
    assert attempt.status().phase == "load"


def test_a_load_lives_as_long_as_it_reads(bench: Bench, tmp_path: Path) -> None:
    """Weights are read, or mapped and copied, and both count; waiting does not."""
    path = tmp_path / "weights"
    path.write_bytes(bytes(64 << 20))
    kept = []

    def read() -> None:
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 20):
                pass

    def copy() -> None:
        kept.append(np.array(np.memmap(path, np.uint8, mode="r")))

    attempt = Attempt(bench, assignment(tmp_path))
    with attempt.phase("load"):
        for load in (read, copy):
            time.sleep(0.05)
            before = attempt.status().since_progress_s
            assert before >= 0.05, "nothing moves by itself"
            load()
            assert attempt.status().since_progress_s < before, load.__name__
    with attempt.phase("run"):
        time.sleep(0.05)
        read()
        assert attempt.status().since_progress_s >= 0.05, "a step is a step"


def test_a_model_with_weights_may_take_longer_for_a_step(bench: Bench, tmp_path: Path) -> None:
    (stage,) = bench.catalog.entries
    heavy = stage.model_copy(update={"id": "heavy", "weights": Weights(path=tmp_path)})
    attempt = Attempt(replace(bench, catalog=Catalog([heavy])), assignment(tmp_path, model="heavy"))
    budgets = {}
    for phase in ("load", "run", "decode", "upload"):
        with attempt.phase(phase):
            budgets[phase] = attempt.status().budget_s
    assert budgets == {"load": 60, "run": 150, "decode": 150, "upload": 30}, "half of each, as the bench says"


def test_a_redis_that_never_answers_does_not_hold_up_a_task() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reporter = Reporter(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        # Each of these would wait for a second if it waited for the server: more than the test may take.
        for step in range(2000):
            reporter.report(Assignment("t", 1, "speech", "m", {}, "j", "p", "l", "r", {}), "run", step / 2000)
        reporter.close()


def test_progress_is_thinned_and_the_last_of_it_arrives(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    with client.pubsub() as subscription:
        subscription.subscribe(PROGRESS)
        subscription.get_message(timeout=1)
        reporter = Reporter(redis_url)
        for step in range(1, 2001):
            reporter.report(Assignment("t", 1, "speech", "m", {}, "j", "p", "l", "r", {"a": 1}), "run", step / 2000)
        messages: list[dict[str, object]] = []
        while not messages or messages[-1]["fraction"] != 1.0:
            message = subscription.get_message(timeout=5)
            assert message is not None
            messages.append(orjson.loads(message["data"]))
        assert len(messages) < 20
        reporter.close()
    assert messages[-1]["context"] == {"a": 1}


def test_a_preview_is_not_lost_to_a_later_step_and_goes_to_no_other_task(redis_url: str) -> None:
    one, other = (Assignment(name, 1, "text_to_image", "m", {}, "j", "p", "l", "r", {}) for name in ("one", "other"))
    client = redis.Redis.from_url(redis_url)
    with client.pubsub() as subscription:
        subscription.subscribe(PROGRESS)
        subscription.get_message(timeout=1)
        reporter = Reporter(redis_url)
        reporter.report(one, "run", 0.1)
        reporter.report(one, "run", 0.2, preview=b"small")
        reporter.report(one, "run", 0.3)
        messages: list[dict[str, object]] = []
        while not messages or messages[-1]["fraction"] != 0.3:
            message = subscription.get_message(timeout=5)
            assert message is not None
            messages.append(orjson.loads(message["data"]))
        reporter.report(one, "run", 0.4, preview=b"late")
        reporter.report(other, "run", 0.5)
        while messages[-1]["fraction"] != 0.5:
            message = subscription.get_message(timeout=5)
            assert message is not None
            messages.append(orjson.loads(message["data"]))
        reporter.close()
    assert "c21hbGw=" in [message.get("preview") for message in messages]
    assert all("preview" not in message for message in messages if message["task_id"] == "other")


class FarStore(ArtifactStore):
    """A store that is not on the local disk, and counts its downloads."""

    downloads = 0

    def download(self, key: str, target: Path) -> None:
        self.downloads += 1
        target.write_bytes(self.get_bytes(key))


def far_store(artifacts: ArtifactStore) -> FarStore:
    assert artifacts.local_root is not None
    store = FarStore(f"file://{artifacts.local_root}")
    store.local_root = None
    return store


def test_a_nodes_workers_download_an_artifact_once(artifacts: ArtifactStore, tmp_path: Path) -> None:
    key = content_key("ab" * 32, ".png")
    artifacts.put_bytes(key, b"picture")
    artifacts.put_bytes("uploads/changing.txt", b"1")
    store = far_store(artifacts)
    for worker in ("w1", "w2"):
        cache = ArtifactCache(store, tmp_path / "cache", max_bytes=1000)
        assert cache.fetch(key, tmp_path / worker).read_bytes() == b"picture"
    assert store.downloads == 1
    cache.fetch("uploads/changing.txt", tmp_path / "w1")
    artifacts.put_bytes("uploads/changing.txt", b"2")
    assert cache.fetch("uploads/changing.txt", tmp_path / "w2").read_bytes() == b"2"
    with pytest.raises(FileNotFoundError):
        cache.fetch(content_key("cd" * 32, ".png"), tmp_path / "w1")


def test_the_cache_keeps_to_its_size_and_takes_no_file_from_under_a_task(
    artifacts: ArtifactStore, tmp_path: Path
) -> None:
    keys = [content_key(f"{number:064d}", ".bin") for number in range(5)]
    cache = ArtifactCache(far_store(artifacts), tmp_path / "cache", max_bytes=250)
    paths = []
    for key in keys:
        artifacts.put_bytes(key, b"x" * 100)
        paths.append(cache.fetch(key, tmp_path / "work"))
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) <= 250
    assert all(path.stat().st_size == 100 for path in paths)


@pytest.mark.parametrize("stop_first", [False, True])
def test_a_workers_process_is_ended_and_known_dead(tmp_path: Path, stop_first: bool) -> None:
    program = (
        "import sys, time; from pathlib import Path; from farm.process import note_process;"
        "note_process(Path(sys.argv[1]), 'w'); print('noted', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"noted\n"
    if stop_first:
        process.send_signal(signal.SIGSTOP)
    (work_root(tmp_path, "w") / "tsk_1-1").mkdir(parents=True)
    assert end_process(tmp_path, "w")
    assert not work_root(tmp_path, "w").exists()
    assert process.wait(0) == -signal.SIGKILL
    assert end_process(tmp_path, "w")


def test_a_process_that_took_over_the_number_of_a_worker_is_spared(tmp_path: Path) -> None:
    note_process(tmp_path, "w")
    note = tmp_path / "workers" / "w.json"
    note.write_bytes(orjson.dumps({"pid": os.getpid(), "start_ticks": 1}))
    assert end_process(tmp_path, "w")
