from pathlib import Path

import pytest

from pipelines.context import LocalContext


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path)
