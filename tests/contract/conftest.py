"""The live tests share the control plane of the integration tests; each module has one of its own."""

import pytest

from tests.integration.control_plane.conftest import (
    module_database_url,
    monkeypatch_module,
    plane,
    plane_settings,
    user,
)

__all__ = ["module_database_url", "monkeypatch_module", "plane", "plane_settings", "user"]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name.startswith("test_live_"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
