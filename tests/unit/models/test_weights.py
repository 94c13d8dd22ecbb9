"""A model's files: pulled whole or not at all, and never read when they are broken or could run code."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from models.catalog import Model
from models.manifest import Manifest, measure, read_manifest
from models.pull import pull, wanted
from models.sources import Weights
from models.weights import BadWeightsError, _size_of_parts, check, fetch, part_of, pickles, verify
from pipelines.context import TaskCancelled
from tests.tiny.safetensors import write_safetensors
from tests.unit.models.reports import FakeReport


def model_of(weights: dict[str, Any]) -> Model:
    return Model.model_validate(
        {
            "id": "m",
            "display_name": "M",
            "tasks": ["music"],
            "adapter": "somebody.s:Adapter",
            "license": "x",
            "weights": weights,
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A pipeline's folder as a hub has it, with what nobody should read."""
    folder = tmp_path / "source"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text('{"_class_name": "P"}')
    (folder / "unet" / "config.json").write_text("{}")
    write_safetensors(folder / "unet" / "diffusion_pytorch_model.safetensors", {"w": np.arange(9, dtype=np.float32)})
    write_safetensors(folder / "unet" / "diffusion_pytorch_model.fp16.safetensors", {"w": np.zeros(3, np.float32)})
    write_safetensors(folder / "whole.safetensors", {"w": np.zeros(99, np.float32)})
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({"w": 1}))
    (folder / "README.md").write_text("hello")
    return folder


NAMES = [
    "model_index.json",
    "README.md",
    ".gitattributes",
    "whole.safetensors",
    "unet/config.json",
    "unet/a.safetensors",
    "unet/a.fp16.safetensors",
    "unet/a.bin",
    "vae/b.safetensors",
    "run.py",
]


def test_only_configuration_and_one_variant_of_safetensors_is_wanted() -> None:
    common = ["model_index.json", "unet/config.json"]
    assert wanted(NAMES, None) == sorted([*common, "unet/a.safetensors", "vae/b.safetensors"])
    assert wanted(NAMES, "fp16") == sorted([*common, "unet/a.fp16.safetensors", "vae/b.safetensors"])
    assert wanted(["config.json", "model.safetensors"], None) == ["config.json", "model.safetensors"]


def test_a_store_is_pulled_once_and_whole(tmp_path: Path, source: Path) -> None:
    model = model_of({"url": source.as_uri()})
    report = FakeReport()
    folder = fetch(model, tmp_path / "models", report)
    assert report.phases == ["fetch"]
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == [
        "model_index.json",
        "reelfarm.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    shutil.rmtree(source)
    assert fetch(model, tmp_path / "models", report) == folder
    assert report.phases == ["fetch"]
    assert verify(folder).problems == ()


@pytest.mark.parametrize("where", ["store", "hub"])
def test_two_variants_lie_beside_each_other(tmp_path: Path, source: Path, where: str) -> None:
    origin = {"url": source.as_uri()} if where == "store" else {"hub": "acme/tiny"}
    plain, half = (Weights.model_validate({**origin, "variant": variant}) for variant in (None, "fp16"))
    assert plain.folder(tmp_path) != half.folder(tmp_path)
    if where == "store":
        for weights in (plain, half):
            pull(weights, weights.folder(tmp_path))
        assert [path.name for path in (half.folder(tmp_path) / "unet").glob("*.safetensors")] == [
            "diffusion_pytorch_model.fp16.safetensors"
        ]


def test_what_cannot_be_pulled_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    model = model_of({"url": (tmp_path / "nowhere").as_uri()})
    with pytest.raises(OSError, match="nowhere could not be pulled"):
        fetch(model, tmp_path / "models", FakeReport())
    assert not model.weights.folder(tmp_path / "models").exists()  # type: ignore[union-attr]


def test_a_broken_source_is_not_taken_for_a_model(tmp_path: Path, source: Path) -> None:
    path = source / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    weights = Weights(url=source.as_uri())
    with pytest.raises(BadWeightsError, match="its header says"):
        pull(weights, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_an_interrupted_pull_goes_on(tmp_path: Path, source: Path) -> None:
    seen: list[str] = []

    def stop(name: str, done: int, total: int) -> None:
        seen.append(name)
        if name.startswith("unet/diff") and len(seen) < 5:
            raise KeyboardInterrupt

    weights = Weights(url=source.as_uri())
    with pytest.raises(KeyboardInterrupt):
        pull(weights, tmp_path / "m", stop)
    before = (tmp_path / "m.part" / "model_index.json").stat().st_mtime_ns
    pull(weights, tmp_path / "m", stop)
    assert (tmp_path / "m" / "model_index.json").stat().st_mtime_ns == before, "it was not read again"
    assert verify(tmp_path / "m").problems == ()


class Hub(BaseHTTPRequestHandler):
    """What a Hugging Face hub answers for one model."""

    folder: Path
    commit = "0123456789abcdef0123456789abcdef01234567"
    lie = False

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/acme/tiny/revision/"):
            if not path.endswith("/v1"):
                self._answer(404, b'{"error": "Revision not found"}', error="RevisionNotFound")
                return
            files = sorted(p for p in self.folder.rglob("*") if p.is_file())
            siblings = [self._sibling(p) for p in files]
            body = {"id": "acme/tiny", "sha": self.commit, "siblings": siblings, "tags": [], "private": False}
            self._answer(200, json.dumps(body).encode(), kind="application/json")
            return
        name = path.removeprefix(f"/acme/tiny/resolve/{self.commit}/")
        self._answer(200, (self.folder / name).read_bytes(), etag=f'"{self._sha(self.folder / name)}"')

    def _sibling(self, path: Path) -> dict[str, Any]:
        size, sha = path.stat().st_size, self._sha(path)
        lfs = {"sha256": "0" * 64 if self.lie else sha, "size": size, "pointerSize": 1}
        about = {"rfilename": path.relative_to(self.folder).as_posix(), "size": size}
        return about | ({"lfs": lfs} if path.suffix == ".safetensors" else {})

    @staticmethod
    def _sha(path: Path) -> str:
        import hashlib

        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _answer(self, status: int, body: bytes, *, kind: str = "", etag: str = "", error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", self.commit)
        if kind:
            self.send_header("Content-Type", kind)
        if etag:
            self.send_header("ETag", etag)
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def pull_from_hub(address: str, weights: Weights, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a worker does."""
    return subprocess.run(
        [sys.executable, "-m", "models.pull", weights.model_dump_json(), str(folder)],
        env={"HF_ENDPOINT": address, "HF_HUB_DISABLE_XET": "1", "PATH": "", "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_hub_is_asked_for_a_revision_and_its_commit_is_kept(tmp_path: Path, source: Path) -> None:
    handler = type("OneHub", (Hub,), {"folder": source})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        done = pull_from_hub(address, Weights(hub="acme/tiny", revision="v1"), tmp_path / "m")
        assert done.returncode == 0, done.stderr
        unknown = pull_from_hub(address, Weights(hub="acme/tiny", revision="v2"), tmp_path / "n")
        handler.lie = True
        lied = pull_from_hub(address, Weights(hub="acme/tiny", revision="v1"), tmp_path / "o")
        server.shutdown()
    manifest = read_manifest(tmp_path / "m")
    assert manifest is not None
    assert (manifest.source, manifest.revision) == ("acme/tiny@v1", Hub.commit)
    assert sorted(manifest.files) == [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    assert verify(tmp_path / "m").problems == ()
    assert unknown.returncode == 1
    assert "acme/tiny@v2" in unknown.stderr
    assert lied.returncode == 1
    assert "is not what the hub says it is" in lied.stderr
    assert not (tmp_path / "n").exists()
    assert not (tmp_path / "o").exists()


def broken(folder: Path, how: str) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    data = path.read_bytes()
    match how:
        case "truncated":
            path.write_bytes(data[:-1])
        case "no header":
            path.write_bytes(b"\xff" * 64)
        case "empty":
            path.write_bytes(b"")
        case "not JSON":
            path.write_bytes((20).to_bytes(8, "little") + b"x" * 20)
        case "missing shard":
            path.with_name("m.safetensors.index.json").write_text('{"weight_map": {"w": "shard-2.safetensors"}}')
        case "pickles alone":
            for safe in folder.rglob("*.safetensors"):
                safe.unlink()
        case "gone":
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("truncated", "its header says"),
        ("no header", "not a safetensors file, or cut off"),
        ("empty", "not a safetensors file, or cut off"),
        ("not JSON", "its header is corrupt"),
        ("missing shard", "shard-2.safetensors is missing"),
        ("pickles alone", "only pickled weights (diffusion_pytorch_model.bin), which may run code"),
        ("gone", "there is no such folder"),
    ],
)
def test_broken_files_are_named_before_anything_is_loaded(source: Path, how: str, said: str) -> None:
    check(source)
    broken(source, how)
    with pytest.raises(BadWeightsError) as caught:
        fetch(model_of({"path": source}), source.parent, FakeReport())
    assert said in str(caught.value)


def test_verifying_finds_what_changed_and_what_was_slipped_in(tmp_path: Path, source: Path) -> None:
    pull(Weights(url=source.as_uri()), tmp_path / "m")
    (tmp_path / "m" / "model_index.json").write_text('{"_class_name": "Q"}')
    (tmp_path / "m" / "unet" / "config.json").unlink()
    (tmp_path / "m" / "evil.bin").write_bytes(pickle.dumps(1))
    problems = "\n".join(verify(tmp_path / "m").problems)
    assert "model_index.json: changed since it was pulled" in problems
    assert "unet/config.json: missing" in problems
    assert "evil.bin: pickles may run code" in problems
    assert "evil.bin: was not pulled" in problems
    assert pickles(source) == [source / "unet" / "diffusion_pytorch_model.bin"]


def test_a_pinned_digest_refuses_other_files(tmp_path: Path, source: Path) -> None:
    digest = verify(source).sha256
    assert fetch(model_of({"path": source, "sha256": digest}), tmp_path, FakeReport()) == source
    with pytest.raises(BadWeightsError, match="as the catalog says"):
        fetch(model_of({"path": source, "sha256": "0" * 64}), tmp_path, FakeReport())


def changed_unseen(path: Path) -> None:
    """Another content, of the size and the time that the file had."""
    before = path.stat()
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_did_not_change_is_not_read_again_unless_it_is_to_be(tmp_path: Path, source: Path) -> None:
    read: list[str] = []
    pull(Weights(url=source.as_uri()), tmp_path / "m", lambda name, done, total: read.append(f"{name} {done}/{total}"))
    size = sum(path.stat().st_size for path in (tmp_path / "m").rglob("*.*") if path.name != "reelfarm.json")
    assert read[-1] == f"hashing unet/diffusion_pytorch_model.safetensors {size}/{size}"
    config = tmp_path / "m" / "unet" / "config.json"
    changed_unseen(config)
    assert verify(tmp_path / "m", tmp_path).problems == ()
    assert verify(tmp_path / "m", tmp_path, full=True).problems == (f"{config}: changed since it was pulled",)
    config.write_bytes(config.read_bytes())
    assert verify(tmp_path / "m", tmp_path).problems == (f"{config}: changed since it was pulled",)


def test_the_digests_of_a_folder_of_ones_own_are_remembered(tmp_path: Path, source: Path) -> None:
    read: list[str] = []

    def measured() -> Manifest:
        read.clear()
        return measure(source, tmp_path, progress=lambda name, done, total: read.append(name))

    first = measured()
    assert sorted(read) == sorted(first.files)
    assert (measured(), read) == (first, [])
    (source / "README.md").write_text("other")
    assert measured().sha256 != first.sha256
    assert read == ["README.md"]
    assert not (source / "reelfarm.json").exists()


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield server


def pulling(parent: psutil.Process) -> psutil.Process:
    """The process that pulls for another, once it is at it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in parent.children():
            if "models.pull" in child.cmdline():
                return child
        time.sleep(0.05)
    raise AssertionError("nobody pulls")


def test_a_cancelled_task_ends_a_pull_that_does_not_go_on(tmp_path: Path, silent_hub: socket.socket) -> None:
    report = FakeReport()
    found: list[psutil.Process] = []

    def cancel() -> float:
        with silent_hub.accept()[0]:
            found.append(pulling(psutil.Process()))
            time.sleep(1)  # the first sign of life is over
            report.is_cancelled = True
            return time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        cancelled = pool.submit(cancel)
        with pytest.raises(TaskCancelled):
            fetch(model_of({"hub": "acme/tiny"}), tmp_path, report)
        assert time.monotonic() - cancelled.result() < 2
    assert not found[0].is_running()


def test_a_pull_ends_with_the_worker_that_it_is_for(tmp_path: Path, silent_hub: socket.socket) -> None:
    code = """
import sys
from pathlib import Path
from models.weights import fetch
from tests.unit.models.reports import FakeReport
from tests.unit.models.test_weights import model_of
fetch(model_of({"hub": "acme/tiny"}), Path(sys.argv[1]), FakeReport())
"""
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    child = pulling(psutil.Process(worker.pid))
    with silent_hub.accept()[0]:
        worker.kill()
        worker.wait()
        child.wait(10)


def test_files_that_are_renamed_while_they_are_counted_are_no_trouble(tmp_path: Path) -> None:
    part = part_of(tmp_path / "m")
    for number in range(100):
        (part / str(number)).mkdir(parents=True)
        (part / str(number) / "weights").write_bytes(b"x")
    over = threading.Event()

    def rename() -> None:
        while not over.is_set():
            part.rename(tmp_path / "m")
            (tmp_path / "m").rename(part)

    with ThreadPoolExecutor(1) as pool:
        renaming = pool.submit(rename)
        try:
            counts = {_size_of_parts(tmp_path / "m") for _ in range(300)}
        finally:
            over.set()
        renaming.result()
    assert max(counts) <= 100
