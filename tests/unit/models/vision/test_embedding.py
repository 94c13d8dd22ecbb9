"""Pictures as directions, by tiny vision models of the real classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.weighted import BadOutputError, BadWeightsError
from tests.tiny import vision
from tests.tiny.adapters import adapter_of, entry_of

pytestmark = pytest.mark.xdist_group("torch")


@pytest.fixture(scope="module", params=["dinov2", "siglip"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    adapter = adapter_of(
        entry_of(request.param, tmp_path_factory.mktemp("tiny"), getattr(vision, f"build_{request.param}"))
    )
    adapter.load()
    return adapter


def pictures(count: int) -> list[np.ndarray]:
    """Of all shapes."""
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, size=(40 + 7 * n, 90 - 5 * n, 3), dtype=np.uint8) for n in range(count)]


def test_rows_have_length_one_and_depend_on_their_picture_alone(embedder: Any) -> None:
    seen = embedder.embed(pictures(18))
    assert seen.shape[0] == 18 and seen.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(seen[17], embedder.embed(pictures(18)[17:])[0], atol=1e-5)
    assert np.array_equal(seen, embedder.embed(pictures(18)))


def test_alike_pictures_are_nearer_than_others(embedder: Any) -> None:
    rng = np.random.default_rng(2)
    red = np.full((64, 64, 3), (220, 30, 30), np.uint8)
    nearly = np.clip(red.astype(int) + rng.integers(-6, 7, red.shape), 0, 255).astype(np.uint8)
    blue = np.full((64, 64, 3), (20, 30, 220), np.uint8)
    first, second, other = embedder.embed([red, nearly, blue])
    assert first @ second > 0.97 and first @ second > first @ other + 0.01


def test_only_what_sees_is_loaded(embedder: Any) -> None:
    assert not any("text" in name for name, _ in embedder._model.named_parameters())
    embedder.park()
    embedder.resume()
    assert embedder.embed(pictures(1)).shape[0] == 1


def test_numbers_that_are_none_are_a_bad_output(embedder: Any) -> None:
    weight = next(parameter for name, parameter in embedder._model.named_parameters() if name.endswith("norm.weight"))
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(torch.nan)
    try:
        with pytest.raises(BadOutputError, match=embedder.model.id):
            embedder.embed(pictures(1))
    finally:
        with torch.no_grad():
            weight.copy_(kept)


def test_broken_files_are_bad_weights(tmp_path: Path) -> None:
    adapter = adapter_of(entry_of("dinov2", tmp_path, vision.build_dinov2))
    (tmp_path / "dinov2" / "preprocessor_config.json").write_text("{")
    with pytest.raises(BadWeightsError, match="image processor"):
        adapter.load()
    (tmp_path / "dinov2" / "model.safetensors").write_bytes(b"\x00" * 10)
    vision.build_dinov2(tmp_path / "again")
    (tmp_path / "again" / "preprocessor_config.json").replace(tmp_path / "dinov2" / "preprocessor_config.json")
    with pytest.raises(BadWeightsError, match="AutoModel"):
        adapter.load()
