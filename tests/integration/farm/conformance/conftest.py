"""The rigs, one after the other."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import ray

from farm import cluster
from runtime.embedded.ray_head import RayHead
from tests.integration.farm.conformance.rigs import FakeRig, RayRig, Rig
from tests.integration.farm.conftest import CATALOG
from tests.integration.farm.test_cluster import worker_config


@pytest.fixture(params=["fake", "ray"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "fake":
        fake = FakeRig()
        await fake.attach()
        yield fake
        return
    head: RayHead = request.getfixturevalue("ray_head")
    cluster.connect(head.address, uuid4().hex)
    real = RayRig(head.address, worker_config(tmp_path, catalog=CATALOG), tmp_path)
    try:
        await real.attach()
        yield real
        await real.detach()
    finally:
        for name in ray.util.list_named_actors():
            ray.kill(ray.get_actor(name))
        ray.shutdown()
