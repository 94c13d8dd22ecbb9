"""One server that all acceptance tests share, as a user would run it."""

from collections.abc import Iterator

import pytest

from tests.acceptance.product import Server


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One server at a time: these tests share a worker of pytest-xdist, but for those that bring a server of their
    own."""
    for item in items:
        if "tests/acceptance" in item.path.as_posix() and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("acceptance"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running `reelfarm up` with two workers; tests leave it running."""
    running = Server(tmp_path_factory.mktemp("acceptance") / "data")
    yield running
    running.stop()
