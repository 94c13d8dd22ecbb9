"""A film through real models of every kind, tiny and of random weights: the same classes, files and paths as on a GPU.

The pictures mean nothing; that they are there, whose they are and how they came about does.
"""

import base64
import io
import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from runtime.embedded.datadir import DataDirectory
from tests.acceptance.film import Film, decode
from tests.acceptance.listener import Listener
from tests.acceptance.product import Api, Refused, Render, Server, wait_for
from tests.tiny.collection import build
from tests.tiny.safetensors import write_safetensors

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("torch")]

STORY = "傍晚，林晓雨在海边散步。“你好，大海！”林晓雨说。"
USED = ("qwen3", "flux2_klein", "dinov2", "wan", "vits", "aligner", "ace_step", "sdxl")
BROKEN = """
[[model]]
id = "{name}"
display_name = "{name}"
tasks = ["text_to_image"]
adapter = "models.diffusion.painter:DiffusionPainter"
license = "x"
cost.base = 1
weights.path = "{name}"
options.pipeline = "StableDiffusionXLPipeline"
options.dtype = "float32"
options.steps = 2
options.guidance_scale = 5.0
options.max_pixels = 16384
options.offload = "none"
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models that a film uses, and three that pass every check and then fail."""
    folder = tmp_path_factory.mktemp("models")
    path = build(folder, USED)
    text = only(path.read_text(encoding="utf-8"), USED)
    for name in ("breaks", "nan", "large"):
        shutil.copytree(folder / "sdxl", folder / name)
        text += BROKEN.format(name=name)
    unet = next((folder / "nan" / "unet").glob("*.safetensors"))
    from safetensors.numpy import load_file, save_file

    save_file({key: np.full_like(value, np.nan) for key, value in load_file(unet).items()}, unet)
    write_safetensors(folder / "large" / "more.safetensors", {"w": np.zeros(75_000_000, np.float32)})
    path.write_text(text, encoding="utf-8")
    return path


def only(text: str, folders: tuple[str, ...]) -> str:
    """The entries of a catalog whose weights are in these folders, and the encoder."""
    parts = text.split("[[model]]")[1:]
    kept = []
    for part in parts:
        weights = tomllib.loads(f"[[model]]{part}")["model"][0].get("weights")
        if weights is None or weights["path"] in folders:
            kept.append("[[model]]" + part)
    return "".join(kept)


@dataclass
class Made:
    film: Film
    heard: list[dict[str, Any]]
    data_dir: Path


@pytest.fixture(scope="module")
def made(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A film by `reelfarm render --catalog`, with what its project's watchers heard meanwhile."""
    root = tmp_path_factory.mktemp("real")
    (root / "story.txt").write_text(STORY, encoding="utf-8")
    data_dir = root / "data"
    options = ["--catalog", str(catalog), "--data-dir", str(data_dir), "--duration", "6"]
    running = Render(root / "story.txt", root / "film.mp4", *options)
    try:
        api = wait_for("the server of the render", lambda: local(data_dir))
        project = wait_for("the project", lambda: api.get("/projects")["list"])[0]
        listener = Listener(api, project["id"])
        with listener.listening():
            film = running.finish()
    finally:
        running.process.kill()
    return Made(decode(film), listener.heard, data_dir)


def local(data_dir: Path) -> Api | None:
    """The user that commands on this machine render as."""
    state = DataDirectory(data_dir).read_state()
    password = data_dir / "local-password"
    if state is None or not password.exists():
        return None
    with suppress(Refused, OSError):
        return Api(state.url).login("local", password.read_text().strip())
    return None


@pytest.fixture(scope="module")
def server(made: Made, catalog: Path) -> Iterator[Server]:
    """The same data directory, served again: 200 MB are all that models may take."""
    running = Server(made.data_dir, {"REELFARM_VRAM_GB": "0.2"}, "--catalog", str(catalog))
    yield running
    running.stop()


@pytest.fixture
def user(server: Server) -> Api:
    found = local(server.data_dir)
    assert found is not None
    return found


@pytest.fixture
def package(user: Api) -> dict[str, Any]:
    """What the film was made of."""
    projects = user.get("/projects")["list"]
    project = projects[-1]
    (found,) = user.get(f"/projects/{project['id']}/material-packages")["list"]
    return {"project_id": project["id"], **user.get(f"/material-packages/{found['id']}")}


def how(user: Api, url: str) -> dict[str, Any]:
    return dict(user.get(f"/files/{url.partition('/files/')[2].partition('?')[0]}/provenance"))


# --- the film


def test_it_is_a_film(made: Made) -> None:
    film = made.film
    assert (film.video_codec, film.audio_codec, film.width, film.height) == ("h264", "aac", 1280, 720)
    assert film.duration_s >= 5
    assert film.sound.shape[1] / 48_000 == pytest.approx(film.duration_s, abs=0.1)
    spread = film.grey.std(axis=(1, 2))
    assert np.median(spread) > 10, "random weights paint noise, not nothing"
    assert np.abs(np.diff(film.grey.astype(np.int16), axis=0)).mean() > 0.5, "it moves"


def test_pictures_and_videos_were_seen_while_they_were_made(made: Made) -> None:
    for event in ("image.progress", "video.progress"):
        progress = [heard["data"] for heard in made.heard if heard["event"] == event]
        shown = [data["preview"] for data in progress if "preview" in data]
        assert shown, event
        for preview in shown:
            head, _, data = preview.partition(",")
            assert head == "data:image/jpeg;base64"
            picture = Image.open(io.BytesIO(base64.b64decode(data)))
            picture.load()
            assert max(picture.size) <= 160


def test_every_task_ran_once_on_the_model_of_its_kind(server: Server, package: dict[str, Any]) -> None:
    rows = server.query("SELECT kind, model, state, epoch FROM tasks WHERE project_id = $1", package["project_id"])
    assert {row["state"] for row in rows} == {"succeeded"}
    assert {row["epoch"] for row in rows} == {1}
    assert {(row["kind"], row["model"]) for row in rows} == {
        ("script", "tiny-qwen3"),
        ("text_to_image", "tiny-flux2-klein"),
        ("image_to_video", "tiny-wan"),
        ("speech", "tiny-vits"),
        ("music", "tiny-ace-step"),
        ("encode", "encoder"),
    }


def test_a_shot_says_how_it_was_made_and_is_made_again_exactly(
    server: Server, user: Api, package: dict[str, Any], catalog: Path, tmp_path: Path
) -> None:
    import torch

    from models.catalog_file import read_catalog
    from models.specs import ImageSpec
    from pipelines import text_to_image
    from pipelines.context import LocalContext, PartOfTask
    from tests.residency import cpu_residency

    tasks = server.query(
        "SELECT spec, result FROM tasks WHERE project_id = $1 AND kind = 'text_to_image'", package["project_id"]
    )

    pairs = [(json.loads(task["spec"]), json.loads(task["result"])) for task in tasks]
    spec, result = next((s, r) for s, r in pairs if any(subject["reference_keys"] for subject in s["subjects"]))
    made = result["provenance"]
    assert (made["model"], made["source"]) == ("tiny-flux2-klein", str(catalog.parent / "flux2_klein"))
    assert made["parents"], "it was painted from sheets"
    assert {key for subject in spec["subjects"] for key in subject["reference_keys"]} <= set(made["parents"])
    tries = made["parameters"]["identity_tries"]
    assert len(tries) == 2, "no random painter reaches the likeness that the catalog asks for"
    assert result["identity"] == max(one["score"] for one in tries)
    assert made["parameters"]["steps"] == 4
    assert (made["options"]["steps"], made["options"]["offload"]) == (4, "auto")
    assert made["helpers"]["embedding"]["model"] == "tiny-dinov2"
    assert made["helpers"]["embedding"]["source"] == str(catalog.parent / "dinov2")
    assert set(made["software"]) == {"reelfarm", "torch", "diffusers", "transformers"}

    found = read_catalog(catalog)
    model = found.models["tiny-flux2-klein"]
    residency = cpu_residency(tmp_path)
    root = tmp_path / "again"
    context = LocalContext(root)
    for key in made["parents"]:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(server.data_dir / "artifacts" / key, root / key)
    again = ImageSpec.model_validate(spec | {"seed": made["seed"]})
    torch.set_num_threads(1)  # as in a worker: sums over threads round otherwise
    with residency.use(model, "again", PartOfTask(context, 0, 0)) as painter:
        painted = text_to_image.run(again, painter, context)  # type: ignore[arg-type]
    assert painted.image.sha256 == result["image"]["sha256"]


def test_speech_has_words_that_an_aligner_timed(server: Server, package: dict[str, Any]) -> None:

    rows = server.query("SELECT result FROM tasks WHERE project_id = $1 AND kind = 'speech'", package["project_id"])
    for row in rows:
        words = json.loads(row["result"])["words"]
        assert words
        assert all(before["end_s"] <= after["start_s"] + 1e-6 for before, after in pairwise(words))
    loaded = "".join(path.read_text(errors="replace") for path in server.data_dir.glob("artifacts/logs/*/*.log"))
    assert '"tiny-aligner"' in loaded


# --- what goes wrong


def workers(server: Server) -> set[int]:
    """Processes of the workers that live: those of the server before left their notes."""
    notes = (server.data_dir / "scratch" / "workers").glob("*.json")
    return {pid for note in notes if psutil.pid_exists(pid := json.loads(note.read_text())["pid"])}


def failure(server: Server, user: Api, model: str) -> str:
    """Why a generation with that model failed."""
    body = {
        "input_mode": "general",
        "input_type": "text",
        "content": STORY,
        "config": {"aspect_ratio": "16:9", "duration_type": "smart", "text_to_image_model": model},
    }
    project_id = user.post("/input/submit", body)["project_id"]
    user.post("/generation/start", {"project_id": project_id})

    def failed() -> Any:
        progress = user.get(f"/generation/progress/{project_id}")
        assert progress["status"] != "completed", progress
        return progress if progress["status"] == "failed" else None

    wait_for(f"{model} to fail", failed)
    rows = server.query(
        "SELECT error_message FROM tasks WHERE project_id = $1 AND state = 'failed' AND model = $2", project_id, model
    )
    return str(rows[0]["error_message"])


def test_broken_models_say_what_is_wrong_and_the_workers_live(server: Server, user: Api, catalog: Path) -> None:
    wait_for("both workers", lambda: len(workers(server)) == 2)
    before = workers(server)
    unet = next((catalog.parent / "breaks" / "unet").glob("*.safetensors"))
    unet.write_bytes(unet.read_bytes()[:-100])
    assert "its header says" in failure(server, user, "breaks")
    assert "the latents are not finite" in failure(server, user, "nan")
    assert "large needs 0.4 GB, and this worker's device has 0.2 GB" in failure(server, user, "large")
    assert workers(server) == before


def test_a_cancelled_video_stops_and_the_worker_makes_the_next_one(
    server: Server, user: Api, package: dict[str, Any]
) -> None:
    clip = user.get(f"/projects/{package['project_id']}/timeline")["clips"][0]
    before = workers(server)
    listener = Listener(user, package["project_id"])
    with listener.listening():
        started = user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "tiny-wan"})
        listener.wait_for("video.progress", clip_id=clip["id"])
        user.post(f"/video-generation-tasks/{started['generation_id']}/cancel")

        def over() -> Any:
            rows = server.query("SELECT outcome FROM attempts ORDER BY started_at DESC LIMIT 1")
            return rows[0]["outcome"]

        assert wait_for("the attempt to end", over) == "cancelled"
        user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "tiny-wan"})
        listener.wait_for("video.completed", clip_id=clip["id"])
    assert workers(server) == before
