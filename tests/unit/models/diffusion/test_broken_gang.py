"""Gangs of which a process dies, stops or fails where another waits for it: nobody is left hanging."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.gang import BrokenGangError
from tests.tiny import animators
from tests.unit.models.diffusion.test_animator import film
from tests.unit.models.diffusion.test_gang import loaded, of_two
from tests.unit.models.gangs import Duo, duo

pytestmark = pytest.mark.xdist_group("torch")


@pytest.fixture
def gang(tmp_path: Path) -> Iterator[Duo]:
    with duo(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("animators") / "wan"
    animators.build_wan(path)
    return path


def test_what_fails_on_the_lead_alone_inside_a_pass_breaks_the_gang_in_bounded_time(
    tmp_path: Path, folder: Path
) -> None:
    with duo(tmp_path, settle_s=1.0) as gang:
        animator = loaded(of_two(), folder, gang.device)

        def fail(*_: object) -> None:
            raise RuntimeError("out of luck")

        animator.pipeline.transformer.blocks[1].register_forward_pre_hook(fail)
        began = time.monotonic()
        with pytest.raises(BrokenGangError):
            film(animator)
        assert 1.0 <= time.monotonic() - began < 10.0
        assert gang.broken.wait(5)


def test_a_follower_that_dies_is_noticed_at_once_with_nothing_to_do(gang: Duo, folder: Path) -> None:
    animator = loaded(of_two(), folder, gang.device)
    gang.follower.kill()
    assert gang.broken.wait(5)
    assert "follower 1 is gone" in gang.reason
    with pytest.raises(BrokenGangError):
        film(animator)


def test_a_follower_that_dies_in_a_pass_does_not_hold_up_the_lead(gang: Duo, folder: Path) -> None:
    animator = loaded(of_two(), folder, gang.device)
    # It cannot have come out of its own pass: that takes this process.
    animator.pipeline.transformer.blocks[1].register_forward_pre_hook(lambda *_: gang.follower.kill())
    with pytest.raises((BrokenGangError, RuntimeError)):
        film(animator)
    assert gang.broken.wait(5)


def test_a_follower_ends_with_its_lead(gang: Duo, folder: Path) -> None:
    loaded(of_two(), folder, gang.device)
    lead = gang.device.gang
    for connection in lead._followers:  # type: ignore[union-attr]
        socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)
    gang.follower.join(5)
    assert gang.follower.exitcode == 0
