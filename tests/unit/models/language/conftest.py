from collections.abc import Iterator
from pathlib import Path

import pytest

from models.language.writer import LanguageModelWriter
from tests.tiny.language import build_qwen3
from tests.unit.models.language.told import open_writer


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("language") / "qwen3"
    build_qwen3(path)
    return path


@pytest.fixture(scope="session")
def writer(folder: Path) -> Iterator[LanguageModelWriter]:
    writer = open_writer(folder)
    yield writer
    writer.unload()
