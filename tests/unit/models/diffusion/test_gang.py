"""A video model on a gang of two processes: the same film as one makes, and nobody left hanging."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.catalog import CatalogError, Model
from models.device import Device
from models.diffusion.animator import DiffusionAnimator
from models.gang import FollowerError, Park
from models.weighted import BadWeightsError
from pipelines.context import TaskCancelled
from tests.tiny import animators
from tests.unit.models.diffusion.test_animator import film
from tests.unit.models.gangs import Duo, duo
from tests.unit.models.reports import FakeReport
from tests.unit.models.tiny_entries import entry

if TYPE_CHECKING:
    from models.interfaces import I420

pytestmark = pytest.mark.xdist_group("torch")

BUILDERS = {"tiny-wan": animators.build_wan, "tiny-wan-two": animators.build_wan_two}


def of_two(model_id: str = "tiny-wan", **options: Any) -> Model:
    found = entry("animators", model_id, offload="none", **options)
    return Model.model_validate({**found.model_dump(), "device": "gpu", "gpus": 2})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("animators")

    def folder(model_id: str) -> Path:
        if not (root / model_id).exists():
            BUILDERS[model_id](root / model_id)
        return root / model_id

    return folder


@pytest.fixture(scope="module")
def gang(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duo]:
    with duo(tmp_path_factory.mktemp("gang")) as made:
        yield made


def loaded(model: Model, folder: Path, device: Device) -> DiffusionAnimator:
    animator = DiffusionAnimator(model, folder, device)
    animator.load()
    return animator


def farthest(one: "list[I420]", other: "list[I420]") -> int:
    return max(int(np.abs(a.astype(int) - b.astype(int)).max()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("model_id", BUILDERS)
def test_two_make_the_film_that_one_makes_and_each_computes_a_part(
    gang: Duo, folders: Callable[[str], Path], model_id: str
) -> None:
    alone = loaded(entry("animators", model_id, max_pixels=8192), folders(model_id), Device("cpu"))
    together = loaded(of_two(model_id, max_pixels=8192), folders(model_id), gang.device)
    lengths: list[tuple[int, int]] = []
    for number, each in enumerate((alone, together)):
        block = each.pipeline.transformer.blocks[1]  # the first of all is given everything, and splits it
        block.register_forward_pre_hook(lambda _, given, number=number: lengths.append((number, given[0].shape[1])))
    # A film of two parts, and one of 3 x 5 x 5 patches, which two do not divide.
    for fields in ({"duration_s": 1.5}, {"duration_s": 1.0, "width": 80, "height": 80}):
        report = FakeReport()
        found, expected = film(together, report=report, **fields), film(alone, **fields)
        assert farthest(found, expected) <= 1
        assert report.previews
    whole = [length for number, length in lengths if number == 0]
    assert 75 in whole
    part = [length for number, length in lengths if number == 1]
    assert part == [-(-length // 2) for length in whole]
    assert not gang.broken.is_set()


def test_a_cancel_between_steps_leaves_the_gang_able_to_work(gang: Duo, folders: Callable[[str], Path]) -> None:
    animator = loaded(of_two(), folders("tiny-wan"), gang.device)
    expected = film(animator)
    with pytest.raises(TaskCancelled):
        film(animator, report=FakeReport(cancel_at_call=1))
    assert farthest(film(animator), expected) == 0


def test_what_fails_before_anybody_waits_is_told_and_the_gang_goes_on(
    gang: Duo, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(BadWeightsError):
        loaded(of_two(), tmp_path / "nothing", gang.device)
    assert film(loaded(of_two(), folders("tiny-wan"), gang.device))
    assert not gang.broken.is_set()


def test_what_a_follower_cannot_load_is_loaded_nowhere(
    gang: Duo, folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = folders("tiny-wan")
    monkeypatch.setattr(DiffusionAnimator, "_load", lambda self: None)  # of this process
    animator = DiffusionAnimator(of_two(), found / "nothing", gang.device)
    with pytest.raises(FollowerError, match="GPU 1 of the gang"):
        animator.load()
    monkeypatch.undo()
    assert film(loaded(of_two(), found, gang.device))


def test_what_the_lead_cannot_load_is_let_go_by_its_followers(
    gang: Duo, folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: DiffusionAnimator) -> None:
        raise MemoryError("no room here")

    monkeypatch.setattr(DiffusionAnimator, "_load", fail)  # of this process
    with pytest.raises(MemoryError, match="no room here"):
        loaded(of_two(), folders("tiny-wan"), gang.device)
    assert gang.device.gang is not None
    with pytest.raises(FollowerError, match="KeyError"), gang.device.gang.together(Park("tiny-wan")):
        pass


def test_parked_and_resumed_it_still_makes_the_same(gang: Duo, folders: Callable[[str], Path]) -> None:
    animator = loaded(of_two(), folders("tiny-wan"), gang.device)
    before = film(animator)
    animator.park()
    animator.resume()
    assert farthest(film(animator), before) == 0
    animator.unload()
    animator.load()
    assert farthest(film(animator), before) == 0


def test_a_model_for_two_is_refused_by_one(folders: Callable[[str], Path]) -> None:
    with pytest.raises(CatalogError, match="gangs of 2 GPUs") as caught:
        loaded(of_two(), folders("tiny-wan"), Device("cpu"))
    assert caught.value.field == "gpus"
