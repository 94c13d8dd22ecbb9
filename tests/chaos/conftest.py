"""A server that is there to be hurt; apart from the one that the acceptance tests share."""

from collections.abc import Iterator

import pytest

from tests.acceptance.product import Server

USER = "victim"

# Tests stop workers for longer than a lease lets them be silent: what is tested is what follows a death.
PATIENT = {"REELFARM_LEASE_S": "120", "REELFARM_PHASE_BUDGET_SCALE": "10"}


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the worker of pytest-xdist that runs the acceptance tests: two servers at once would starve each other. What
    starts a Ray cluster of its own says where it belongs."""
    for item in items:
        if "tests/chaos" in item.path.as_posix() and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("acceptance"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running `reelfarm up` with two workers and the user `USER`."""
    running = Server(tmp_path_factory.mktemp("chaos") / "data", PATIENT)
    running.new_user(USER)
    yield running
    running.stop()
