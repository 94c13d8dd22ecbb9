"""`reelfarm models`, and a catalog that is wrong before anything starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tiny.safetensors import write_safetensors

ENTRY = """
include = ["{shipped}"]

[[model]]
id = "painter"
display_name = "Painter"
tasks = ["text_to_image"]
adapter = "{adapter}"
license = "Acme-1.0"
vram_gb = 16
terms.commercial = {commercial}
weights.url = "{url}"
"""
SHIPPED = Path(__file__).parents[3] / "models" / "catalog.toml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    write_safetensors(folder / "model.safetensors", {"w": np.zeros(4, np.float32)})
    return folder


def catalog(root: Path, source: Path, *, commercial: bool = True, adapter: str = "acme.painter:Painter") -> Path:
    path = root / "catalog.toml"
    text = ENTRY.format(shipped=SHIPPED, adapter=adapter, commercial=str(commercial).lower(), url=source.as_uri())
    path.write_text(text)
    return path


def reelfarm(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "control_plane.cli", *arguments],
        env={**os.environ, "REELFARM_DATA_DIR": str(root / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_listing_pulling_and_verifying(tmp_path: Path, source: Path) -> None:
    path = str(catalog(tmp_path, source))
    listed = reelfarm(tmp_path, "models", "list", "--catalog", path)
    (line,) = [line for line in listed.stdout.splitlines() if line.startswith("painter")]
    assert "16 GB" in line
    assert "Acme-1.0" in line
    assert "not pulled: file://" in line
    absent = reelfarm(tmp_path, "models", "verify", "painter", "--catalog", path)
    assert absent.returncode == 1
    assert "there is no such folder" in absent.stdout
    pulled = reelfarm(tmp_path, "models", "pull", "painter", "--catalog", path)
    assert pulled.returncode == 0, pulled.stderr
    folder = Path(pulled.stdout.strip().removeprefix("painter: "))
    assert folder.is_relative_to(tmp_path / "data" / "models")
    listed = reelfarm(tmp_path, "models", "list", "--catalog", path)
    assert str(folder) in listed.stdout
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")
    verified = reelfarm(tmp_path, "models", "verify", "painter", "--catalog", path)
    assert verified.returncode == 1
    assert "its header says" in verified.stdout


def test_a_name_that_is_not_there_and_a_source_that_is_gone(tmp_path: Path, source: Path) -> None:
    path = str(catalog(tmp_path, source))
    unknown = reelfarm(tmp_path, "models", "pull", "nobody", "--catalog", path)
    assert (unknown.returncode, unknown.stderr) == (1, "error: nobody: no such model in the catalog\n")
    (source / "model.safetensors").unlink()
    bare = reelfarm(tmp_path, "models", "pull", "painter", "--catalog", path)
    assert bare.returncode == 1
    assert "painter:" in bare.stderr


def test_a_models_folder_that_cannot_be_written_is_named_by_its_setting(tmp_path: Path, source: Path) -> None:
    path = str(catalog(tmp_path, source, adapter="models.draft.painter:DraftPainter"))
    for folder, why in (
        (tmp_path / "nowhere", "No such file or directory"),
        (source / "config.json", "Not a directory"),
    ):
        said = f"error: REELFARM_MODELS_DIR: weights cannot be kept in {folder}: {why}\n"
        for command in (["models", "pull"], ["up", "--port", "0", "--data-dir", str(tmp_path / "data")], ["scheduler"]):
            refused = reelfarm(tmp_path, *command, "--catalog", path, REELFARM_MODELS_DIR=str(folder))
            if command == ["scheduler"]:
                refused = reelfarm(tmp_path, *command, REELFARM_CATALOG=path, REELFARM_MODELS_DIR=str(folder))
            assert (refused.returncode, refused.stderr) == (1, said), command
    assert not (tmp_path / "nowhere").exists()


def test_weights_are_pulled_to_where_the_server_of_the_data_directory_looks(tmp_path: Path, source: Path) -> None:
    path = str(catalog(tmp_path, source))
    pulled = reelfarm(tmp_path, "models", "pull", "painter", "--catalog", path, "--data-dir", str(tmp_path / "other"))
    assert pulled.stdout.startswith(f"painter: {tmp_path}/other/models/")


def test_a_license_that_forbids_the_use_is_shown_and_nothing_is_pulled(tmp_path: Path, source: Path) -> None:
    path = str(catalog(tmp_path, source, commercial=False))
    listed = reelfarm(tmp_path, "models", "list", "--catalog", path)
    assert "refused: its license forbids commercial use" in listed.stdout
    pulled = reelfarm(tmp_path, "models", "pull", "painter", "--catalog", path)
    assert pulled.returncode == 1
    assert "forbids commercial use" in pulled.stderr
    allowed = reelfarm(tmp_path, "models", "pull", "painter", "--catalog", path, REELFARM_USE="research")
    assert allowed.returncode == 0


def test_kinds_of_tasks_without_a_model_are_told_and_listing_goes_on(tmp_path: Path, source: Path) -> None:
    path = catalog(tmp_path, source, commercial=False)
    path.write_text(path.read_text().partition("\n\n")[2])
    listed = reelfarm(tmp_path, "models", "list", "--catalog", str(path))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "refused: its license forbids commercial use" in listed.stdout
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = reelfarm(tmp_path, "up", "--port", port, "--catalog", str(path), "--data-dir", str(tmp_path / "data"))
    assert told.stderr.startswith(f"warning: {path} has no model for script, text_to_image, image_to_image,")
    assert "reelfarm:catalog.toml" in told.stderr.splitlines()[0]


def test_a_model_that_does_not_understand_a_language_is_told_at_start(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(SHIPPED.read_text().replace('tasks = ["music"]', 'tasks = ["music"]\nlanguages = ["en"]'))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = reelfarm(tmp_path, "up", "--port", port, "--catalog", str(path), "--data-dir", str(tmp_path / "data"))
    assert told.stderr.startswith("warning: draft-music understands en: what is told in zh it hardly follows\n")


def test_a_wrong_entry_is_named_with_its_line_before_anything_starts(tmp_path: Path, source: Path) -> None:
    path = catalog(tmp_path, source)
    for command in (["up", "--port", "0", "--catalog", str(path)], ["scheduler"]):
        refused = reelfarm(tmp_path, *command, REELFARM_CATALOG=str(path))
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"error: {path}:8: model painter: adapter: cannot import acme.painter")
        assert not (tmp_path / "data").exists()
    path.write_text(path.read_text().replace("vram_gb = 16", "vram_gb = -1"))
    refused = reelfarm(tmp_path, "up", "--port", "0", "--catalog", str(path))
    assert refused.stderr.startswith(f"error: {path}:10: model painter: vram_gb: Input should be greater than 0")


def test_who_has_no_gpu_is_told_that_tasks_will_wait(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(SHIPPED.read_text().replace('tasks = ["music"]', 'tasks = ["music"]\ndevice = "gpu"'))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = reelfarm(tmp_path, "up", "--port", port, "--catalog", str(path), "--data-dir", str(tmp_path / "data"))
    assert told.stderr.startswith("warning: no GPU is seen here; tasks of draft-music will wait for one\n")
    assert told.stdout == ""


def test_a_model_without_weights_is_timed(tmp_path: Path) -> None:
    timed = reelfarm(tmp_path, "models", "bench", "draft-painter", "--runs", "1", "--size", "320x180")
    assert timed.returncode == 0, timed.stderr
    figures = dict(line.split(maxsplit=1) for line in timed.stdout.splitlines())
    assert figures["task"] == "text_to_image"
    assert float(figures["run_s"]) > 0


def test_a_model_of_several_gpus_is_listed_with_them_and_not_timed_on_one(tmp_path: Path, source: Path) -> None:
    path = catalog(tmp_path, source)
    path.write_text(path.read_text() + 'gpus = 2\ndevice = "gpu"\n')
    listed = reelfarm(tmp_path, "models", "list", "--catalog", str(path))
    (line,) = [line for line in listed.stdout.splitlines() if line.startswith("painter")]
    assert "2 gpus" in line
    timed = reelfarm(tmp_path, "models", "bench", "painter", "--catalog", str(path))
    assert timed.returncode == 1
    assert "gangs of 2 GPUs" in timed.stderr
