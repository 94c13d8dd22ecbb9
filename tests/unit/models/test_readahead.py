"""Weights that will be asked for next are read while something else renders, if there is memory for them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models import readahead
from models.catalog import Model
from models.readahead import ReadAhead
from tests.tiny.safetensors import write_safetensors

SIZE = 64 << 20


def nothing(model_id: str) -> bool:
    return False


def bytes_read() -> int:
    """By read(2), of this process so far."""
    return int(Path("/proc/self/io").read_text().partition("rchar: ")[2].split()[0])


@pytest.fixture
def model(tmp_path: Path) -> Model:
    write_safetensors(tmp_path / "model.safetensors", {"w": np.zeros(SIZE // 4, np.float32)})
    (tmp_path / "config.json").write_text("{}")
    about = {"id": "m", "display_name": "M", "tasks": ["music"], "adapter": "s:A", "license": "x"}
    return Model.model_validate({**about, "weights": {"path": tmp_path}})


def read_within(seconds: float, ahead: ReadAhead, model: Model) -> int:
    """What is read after a model was announced."""
    before, until = bytes_read(), time.monotonic() + seconds
    ahead.prepare(model)
    while time.monotonic() < until and bytes_read() - before < SIZE:
        time.sleep(0.02)
    return bytes_read() - before


def test_a_model_is_read_once(tmp_path: Path, model: Model) -> None:
    ahead = ReadAhead(tmp_path, nothing)
    assert read_within(60, ahead, model) >= SIZE
    assert read_within(0.3, ahead, model) < SIZE


def test_what_is_in_memory_is_read_when_it_had_to_go(tmp_path: Path, model: Model) -> None:
    held = {model.id}
    ahead = ReadAhead(tmp_path, held.__contains__)
    assert read_within(0.3, ahead, model) < SIZE
    held.clear()
    assert read_within(60, ahead, model) >= SIZE
    held.add(model.id)
    assert read_within(0.3, ahead, model) < SIZE
    held.clear()
    assert read_within(60, ahead, model) >= SIZE, "it is long ago that it was read"


def test_it_is_left_alone_where_memory_is_short(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readahead, "_available_bytes", lambda: SIZE)
    assert read_within(0.3, ReadAhead(tmp_path, nothing), model) < SIZE


def test_what_was_not_pulled_is_left_alone(tmp_path: Path, model: Model) -> None:
    absent = model.model_copy(update={"weights": model.weights.model_copy(update={"path": tmp_path / "no"})})  # type: ignore[union-attr]
    assert read_within(0.1, ReadAhead(tmp_path, nothing), absent) < SIZE


def test_a_folder_that_is_renamed_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for number in range(100):
        (one / str(number)).mkdir(parents=True)
        (one / str(number) / "w.safetensors").write_bytes(b"x")
    over = threading.Event()

    def rename() -> None:
        while not over.is_set():
            one.rename(other)
            other.rename(one)

    with ThreadPoolExecutor(1) as pool:
        renaming = pool.submit(rename)
        try:
            for _ in range(300):
                ReadAhead(tmp_path, nothing)._read(one, 0)
        finally:
            over.set()
        renaming.result()
