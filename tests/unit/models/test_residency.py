"""Which models stay, and where: decided by room, by worth, and by what was measured."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.catalog import Model
from models.interfaces import Report
from models.options import OPTIONS, PainterOptions
from models.peaks import Peaks
from models.residency import NotEnoughMemoryError, Residency
from tests.tiny.safetensors import write_safetensors
from tests.unit.models.reports import FakeReport

GB = 10**9


REPORT: Report = FakeReport()


class Card:
    """A device of a size; what runs on it says what it takes."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.used = self.peak = 0

    def used_bytes(self) -> int:
        return self.used

    def take(self, gb: float) -> None:
        """As much beside the weights, for a moment."""
        self.peak = max(self.peak, self.used + int(gb * GB))

    def reset_peak(self) -> None:
        self.peak = self.used

    def peak_bytes(self) -> int:
        return self.peak

    def empty_cache(self) -> None: ...


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


LOG: list[str] = []
LOAD_S = {"slow": 60.0}
CLOCK = Clock()


class Light:
    """An adapter without weights."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def load(self) -> None: ...

    def unload(self) -> None: ...


class Weighted:
    """An adapter that loads nothing and says what happened to it."""

    def __init__(self, model: Model, folder: Path, device: Card) -> None:
        self.model = model
        self.card = device
        self.offloading = model.options.get("offloading", model.options.get("offload", "none"))

    @property
    def weight_bytes(self) -> int:
        return int(self.model.options.get("gb", 2) * GB)

    @property
    def cache_bytes(self) -> int:
        return int(self.model.options.get("caches_gb", 0) * GB)

    def load(self) -> None:
        CLOCK.now += LOAD_S.get(self.model.id, 5.0)
        LOG.append(f"load {self.model.id}")
        if self.model.options.get("fills"):
            self.card.used += self.weight_bytes
            self.card.take(1)
        if self.model.options.get("broken"):
            raise RuntimeError("broken")

    def unload(self) -> None:
        LOG.append(f"unload {self.model.id}")

    def park(self) -> None:
        LOG.append(f"park {self.model.id}")
        self._fail("park")

    def resume(self) -> None:
        LOG.append(f"resume {self.model.id}")
        self._fail("resume")

    def _fail(self, move: str) -> None:
        if self.model.options.get("fails") == move:
            raise RuntimeError("no more pinned memory")
        if self.model.options.get("loses_device") == move:
            import torch

            raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    def embed(self, takes_gb: float) -> None:
        self.card.take(takes_gb)


@pytest.fixture(autouse=True)
def adapters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = types.ModuleType("stand_in_adapters")
    module.Weighted = module.Painter = Weighted  # type: ignore[attr-defined]
    monkeypatch.setitem(OPTIONS, "stand_in_adapters:Painter", PainterOptions)
    sys.modules["stand_in_adapters"] = module
    LOG.clear()
    CLOCK.now = 0.0
    yield
    del sys.modules["stand_in_adapters"]


def entry(root: Path, name: str, gb: float, **options: Any) -> Model:
    folder = root / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "model.safetensors", {"w": np.zeros(1, np.float32)})
    return Model.model_validate(
        {
            "id": name,
            "display_name": name,
            "tasks": ["text_to_image"],
            "adapter": "stand_in_adapters:Weighted",
            "license": "x",
            "weights": {"path": folder},
            "options": {"gb": gb, **options},
        }
    )


def residency(root: Path, card_gb: float, host_gb: float = 0) -> tuple[Residency, Card]:
    card = Card(int(card_gb * GB))
    found = Residency(
        card, models_dir=root, host_bytes=int(host_gb * GB), peaks=Peaks(root / "peaks.json"), clock=CLOCK
    )
    return found, card


def run(found: Residency, model: Model, shape: str = "1x1", takes_gb: float = 0) -> None:
    with found.use(model, shape, REPORT):
        card = found._device
        assert isinstance(card, Card)
        card.peak = card.used + int(takes_gb * GB)


def run_out(found: Residency, model: Model) -> None:
    with found.use(model, "1x1", REPORT):
        raise MemoryError("no room")


def painter(root: Path, **options: Any) -> Model:
    """Of 2 GB, whose options say what they do of a real one."""
    model = entry(root, "a", 2).model_dump()
    options = {"pipeline": "StableDiffusionXLPipeline", "steps": 2, **options}
    return Model.model_validate({**model, "adapter": "stand_in_adapters:Painter", "options": options})


def known(root: Path, models: list[Model]) -> None:
    """As if each had been loaded here before."""
    peaks = Peaks(root / "peaks.json")
    for model in models:
        peaks.note_load(model, int(model.options["gb"] * GB), LOAD_S.get(model.id, 5.0))
        peaks.note_run(model, "1x1", 0)


def test_what_fits_together_stays_together(tmp_path: Path) -> None:
    found, _ = residency(tmp_path, 10)
    a, b = entry(tmp_path, "a", 4), entry(tmp_path, "b", 4)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10)
    for model in (a, b, a, b):
        run(found, model)
    assert LOG == ["load a", "load b"]
    assert found.resident() == ["a", "b"]


def test_what_is_worth_least_goes(tmp_path: Path) -> None:
    """``slow`` takes twelve times as long to load; asked for as often, it is worth more."""
    slow, quick, new = entry(tmp_path, "slow", 4), entry(tmp_path, "quick", 4), entry(tmp_path, "new", 4)
    known(tmp_path, [slow, quick, new])
    found, _ = residency(tmp_path, 10)
    for model in (slow, quick, new):
        run(found, model)
    assert LOG == ["load slow", "load quick", "unload quick", "load new"]


def test_what_was_not_asked_for_lately_is_worth_less(tmp_path: Path) -> None:
    slow, quick, new = entry(tmp_path, "slow", 4), entry(tmp_path, "quick", 4), entry(tmp_path, "new", 4)
    known(tmp_path, [slow, quick, new])
    found, _ = residency(tmp_path, 10)
    run(found, slow)
    CLOCK.now += 6 * 600
    run(found, quick)
    run(found, new)
    assert LOG[2] == "unload slow"


def test_host_memory_keeps_what_the_device_has_no_room_for(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 6), entry(tmp_path, "b", 6)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10, host_gb=13)
    for model in (a, b, a):
        run(found, model)
    assert LOG == ["load a", "park a", "load b", "park b", "resume a"]


@pytest.mark.parametrize("fails", ["fails", "loses_device"])
@pytest.mark.parametrize(
    ("move", "host_gb", "log"),
    [
        ("park", 6, ["load a", "park a", "unload a", "load b", "park b", "load a"]),
        ("resume", 7, ["load a", "park a", "load b", "unload b", "resume a", "unload a", "load a"]),
    ],
)
def test_a_model_that_could_not_be_moved_is_loaded_anew(
    tmp_path: Path, fails: str, move: str, host_gb: float, log: list[str]
) -> None:
    """Nobody notices, but where the device is lost with it."""
    a, b = entry(tmp_path, "a", 6, **{fails: move}), entry(tmp_path, "b", 6)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10, host_gb=host_gb)
    failing = {"park": 1, "resume": 2}[move]
    for number, model in enumerate((a, b, a)):
        if fails == "loses_device" and number == failing:
            with pytest.raises(RuntimeError, match="unspecified launch failure"):
                run(found, model)
        run(found, model)
        assert found.resident() == [model.id]
    assert log == LOG


def test_what_comes_from_host_memory_is_not_what_goes_to_make_room(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 6), entry(tmp_path, "b", 6)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10, host_gb=7)
    for model in (a, b, a):
        run(found, model)
    assert LOG == ["load a", "park a", "load b", "unload b", "resume a"]


def test_host_memory_is_given_to_what_is_worth_more(tmp_path: Path) -> None:
    models = [entry(tmp_path, "slow", 6), entry(tmp_path, "a", 6), entry(tmp_path, "b", 6)]
    known(tmp_path, models)
    found, _ = residency(tmp_path, 10, host_gb=7)
    for model in models:
        run(found, model)
    # a is worth less than what lies in host memory, so a is the one that goes.
    assert LOG == ["load slow", "park slow", "load a", "unload a", "load b"]


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    painter, helper, third = entry(tmp_path, "painter", 5), entry(tmp_path, "helper", 4), entry(tmp_path, "third", 4)
    known(tmp_path, [painter, helper, third])
    found, _ = residency(tmp_path, 10)
    with found.use(painter, "1x1", REPORT):
        run(found, helper)
        run(found, third)
    assert LOG == ["load painter", "load helper", "unload helper", "load third"]


def test_a_measured_peak_makes_room_before_the_next_run(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 4), entry(tmp_path, "b", 4)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10)
    run(found, a)
    run(found, b, "2048x2048", takes_gb=5)
    assert found.resident() == ["a", "b"]
    run(found, b, "2048x2048", takes_gb=5)
    assert LOG[-1] == "unload a"
    assert Peaks(tmp_path / "peaks.json").run_bytes(b, "2048x2048") == 5 * GB


def test_what_helps_is_measured_by_itself(tmp_path: Path) -> None:
    """The helper stays until the painter is done, and is called between two of its pictures."""
    painter, helper = entry(tmp_path, "painter", 5, fills=True), entry(tmp_path, "helper", 1, fills=True)
    found, card = residency(tmp_path, 20)

    with found.use(painter, "1x1", REPORT):
        card.take(2)
        with found.use(helper, "embedding", REPORT) as embedder:
            embedder.embed(0.5)  # type: ignore[union-attr]
            card.take(3)
            embedder.embed(0.25)  # type: ignore[union-attr]
    peaks = Peaks(tmp_path / "peaks.json")
    assert (peaks.run_bytes(painter, "1x1"), peaks.run_bytes(helper, "embedding")) == (3 * GB, GB // 2)


def test_the_catalogs_word_holds_until_a_peak_was_measured(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 2), entry(tmp_path, "b", 4).model_copy(update={"vram_gb": 9.0})
    found, _ = residency(tmp_path, 10)
    for model in (a, b, a, b):
        run(found, model)
    assert LOG == ["load a", "unload a", "load b", "load a"], "a runs in nothing, so b stays; b was measured by then"


def test_what_a_model_keeps_between_tasks_counts(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 5, caches_gb=1), entry(tmp_path, "b", 4.5)
    known(tmp_path, [a, b])
    found, _ = residency(tmp_path, 10)
    for model in (a, b):
        run(found, model)
    assert LOG == ["load a", "unload a", "load b"]


def test_what_is_offloaded_takes_host_memory(tmp_path: Path) -> None:
    offloaded, b, c = entry(tmp_path, "a", 8, offloading="model"), entry(tmp_path, "b", 6), entry(tmp_path, "c", 6)
    known(tmp_path, [offloaded, b, c])
    found, _ = residency(tmp_path, 10, host_gb=10)
    for model in (offloaded, b):
        run(found, model)
    assert found.resident() == ["a", "b"], "it takes none of the device between its tasks"
    run(found, c)
    assert LOG == ["load a", "load b", "unload a", "park b", "load c"], (
        "the host has no room for both, and b is worth more"
    )


def test_auto_learns_from_memory_that_ran_out_alone(tmp_path: Path) -> None:
    """Once may be for what else was there. Each next time more of it stays in host memory; another form is another
    matter."""
    model = painter(tmp_path)

    def offload_of_next_load() -> str:
        found, _ = residency(tmp_path, 10)
        for _ in range(2):
            with pytest.raises(MemoryError, match="no room"):
                run_out(found, model)
        assert found.resident() == []
        run(found, model)
        return str(found._kept["a"].model.options.get("offload", "auto"))

    assert [offload_of_next_load() for _ in range(4)] == ["model", "group", "sequential", "sequential"]
    found, _ = residency(tmp_path, 10)
    run(found, painter(tmp_path, quantization="fp8"))
    assert "offload" not in found._kept["a"].model.options


def test_memory_that_ran_out_once_teaches_nothing(tmp_path: Path) -> None:
    model = painter(tmp_path)
    found, _ = residency(tmp_path, 10)
    for _ in range(3):
        with pytest.raises(MemoryError, match="no room"):
            run_out(found, model)
        run(found, model)
    assert "offload" not in found._kept["a"].model.options


def test_auto_learns_from_a_measured_peak(tmp_path: Path) -> None:
    model = painter(tmp_path)
    found, _ = residency(tmp_path, 10)
    run(found, model, "2048x2048", takes_gb=3)
    assert "offload" not in found._kept["a"].model.options
    smaller, _ = residency(tmp_path, 4)
    run(smaller, model, "2048x2048", takes_gb=1)
    assert smaller._kept["a"].model.options["offload"] == "model"


def test_what_cannot_be_written_down_fails_no_task(tmp_path: Path) -> None:
    a = entry(tmp_path, "a", 2)
    (tmp_path / "peaks.lock").mkdir()
    found, _ = residency(tmp_path, 10)
    run(found, a, "1x1", takes_gb=1)
    assert found._peaks.run_bytes(a, "1x1") == GB, "this process knows"
    assert found.resident() == ["a"]


def test_a_model_too_large_for_the_device_offloads_or_is_refused(tmp_path: Path) -> None:
    large = entry(tmp_path, "large", 20)
    small = entry(tmp_path, "small", 1)
    known(tmp_path, [large, small])
    found, _ = residency(tmp_path, 10)
    run(found, small)
    with pytest.raises(NotEnoughMemoryError, match=r"large needs 20\.0 GB, and this worker's device has 10\.0 GB"):
        run(found, large)
    run(found, small)
    assert LOG == ["load small"]


def test_a_model_that_does_not_load_is_not_kept(tmp_path: Path) -> None:
    broken, good = entry(tmp_path, "broken", 9, broken=True), entry(tmp_path, "good", 9)
    found, _ = residency(tmp_path, 10)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            run(found, broken)
    run(found, good)
    assert LOG == ["load broken", "load broken", "load good"]
    assert found.resident() == ["good"]


def test_a_model_without_weights_asks_nothing_of_the_device(tmp_path: Path) -> None:
    """A worker's GPU may be one that torch does not know, as in a base install."""

    class NoCard(Card):
        def reset_peak(self) -> None:
            raise AssertionError("Torch not compiled with CUDA enabled")

    residency = Residency(
        NoCard(GB), models_dir=tmp_path, host_bytes=0, peaks=Peaks(tmp_path / "peaks.json"), clock=CLOCK
    )
    light = Model(id="light", display_name="", tasks=("script",), adapter=f"{__name__}:Light", license="")
    with residency.use(light, "any", REPORT) as adapter:
        assert isinstance(adapter, Light)


def test_everything_can_go(tmp_path: Path) -> None:
    a, b = entry(tmp_path, "a", 2), entry(tmp_path, "b", 2)
    found, _ = residency(tmp_path, 10)
    run(found, a)
    run(found, b)
    found.unload_all()
    assert sorted(LOG[2:]) == ["unload a", "unload b"]
    assert found.resident() == []


def test_measurements_outlive_the_worker_and_belong_to_the_weights(tmp_path: Path) -> None:
    model = entry(tmp_path, "a", 2)
    found, _ = residency(tmp_path, 10)
    run(found, model, "64x64", takes_gb=1)
    run(found, model, "64x64", takes_gb=0.5)
    again = Peaks(tmp_path / "peaks.json")
    assert (again.weight_bytes(model), again.run_bytes(model, "64x64"), again.load_s(model)) == (2 * GB, GB, 5.0)
    assert found.peak_bytes(model, "64x64") == 3 * GB
    assert found.peak_bytes(entry(tmp_path, "b", 2), "64x64") is None
    assert again.run_bytes(model, "128x128") == GB, "of a shape never run: the most that was seen"
    assert again.weight_bytes(entry(tmp_path, "b", 2)) is None
    (tmp_path / "peaks.json").write_text("{cut off")
    assert Peaks(tmp_path / "peaks.json").weight_bytes(model) is None


def test_that_there_is_no_room_for_several_says_nothing_of_one(tmp_path: Path) -> None:
    model = painter(tmp_path, offload="auto")
    found, card = residency(tmp_path, 10)
    run(found, model, "64x64", takes_gb=1)
    with pytest.raises(MemoryError), found.use(model, "64x64", REPORT, batch=4):
        card.peak = card.used + 7 * GB
        raise MemoryError("no room for four")
    with pytest.raises(MemoryError):
        run_out(found, model)
    peaks = Peaks(tmp_path / "peaks.json")
    assert peaks.offload(model) is None, "it ran out alone once, and others may have been in its way"
    assert peaks.run_bytes(model, "128x128") == GB, "what four took is not what one takes"
    assert (peaks.run_bytes(model, "64x64*4"), peaks.run_bytes(model, "64x64*2")) == (7 * GB, 2 * GB)
