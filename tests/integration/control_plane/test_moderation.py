"""Every prompt passes the moderator before anything is done with it, and every output before it is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.app import ENDPOINTS
from control_plane.moderation.hook import Refusal
from control_plane.web.models import _fields_with_words
from runtime.settings import Settings
from tests.contract.fields import fields_of
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.uploading import attach

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORBIDDEN = "禁词"
REFUSED_TYPES: set[str] = set()
"""Media types whose outputs are refused."""


class Strict:
    """Refuses one word, and outputs of some types."""

    def __init__(self, settings: Settings) -> None:
        self.seen: list[str] = []

    def check_prompt(self, text: str) -> Refusal | None:
        return Refusal("不可", "not this") if FORBIDDEN in text else None

    def check_output(self, media_type: str, path: Path) -> Refusal | None:
        assert path.stat().st_size > 0
        self.seen.append(media_type)
        return Refusal("画面不可", "not shown") if media_type in REFUSED_TYPES else None


@pytest.fixture(scope="module")
def plane_settings() -> dict[str, Any]:
    return {"moderation": f"{__name__}:Strict"}


@pytest.fixture
def refusing_pictures() -> Iterator[None]:
    REFUSED_TYPES.add("image/png")
    yield
    REFUSED_TYPES.clear()


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def test_a_refused_prompt_names_its_field_and_does_nothing(user: Client) -> None:
    error = await refused(user.post("/input/submit", submission(f"海边有{FORBIDDEN}。")))
    assert (error.status, error.code) == (400, 1001)
    assert error.message == "参数错误：content：不可"
    english = await refused(
        user.post("/input/submit", submission(f"海边有{FORBIDDEN}。"), headers={"Accept-Language": "en"})
    )
    assert english.message == "invalid parameter: content: not this"
    assert (await user.get("/projects"))["total"] == 0


async def test_every_place_for_words_is_watched(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    materials = (await user.get(f"/material-packages/{package_id}"))["materials"]
    clip = (await user.get(f"/projects/{project_id}/timeline"))["clips"][0]["id"]
    character = materials["characters"][0]["id"]
    word = f"有{FORBIDDEN}"
    picture = {"element_type": "character", "element_id": character, "user_prompt": "红色"}
    person = {"character_name": "小满", "character_type": "female", "image_url": "any"}
    export = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}
    calls = [
        ("PUT", f"/projects/{project_id}", {"name": word}, "name"),
        ("PUT", f"/projects/{project_id}", {"description": word}, "description"),
        ("PUT", f"/projects/{project_id}", {"tags": ["好", word]}, "tags.1"),
        ("POST", f"/material-packages/{package_id}/regenerate/image", picture | {"user_prompt": word}, "user_prompt"),
        ("POST", f"/material-packages/{package_id}/regenerate/image", picture | {"prompt": word}, "prompt"),
        ("POST", f"/material-packages/{package_id}/save-new", {"package_name": word}, "package_name"),
        ("PUT", f"/timeline-clips/{clip}/narration", {"text_content": word}, "text_content"),
        ("POST", f"/timeline-clips/{clip}/generate-video", {"model_id": "draft-motion", "prompt": word}, "prompt"),
        ("POST", f"/projects/{project_id}/generate-bgm", {"prompt": word}, "prompt"),
        ("PUT", f"/projects/{project_id}/bgm", {"music_name": word}, "music_name"),
        (
            "POST",
            f"/projects/{project_id}/export",
            {"config": export | {"cover": {"enabled": True, "title_text": word}}},
            "config.cover.title_text",
        ),
        ("POST", f"/projects/{project_id}/export", {"task_name": word, "config": export}, "task_name"),
        ("POST", "/assets/characters", person | {"appearance": word}, "appearance"),
        ("POST", "/assets/characters", person | {"prompt_template": word}, "prompt_template"),
        ("PUT", "/assets/characters/ast_any", {"appearance": word}, "appearance"),
    ]
    for method, path, body, field in calls:
        error = await refused(user.call(method, path, body))
        assert (error.code, f"：{field}：" in error.message) == (1001, True), (path, field, error.message)


async def test_a_document_is_words_too(user: Client) -> None:
    options = {"file_name": "a.txt", "file_type": "text/plain", "file_category": "document"}
    error = await refused(attach(user, f"有{FORBIDDEN}。".encode(), **options))
    assert (error.code, "file_url" in error.message) == (1001, True)


async def test_a_refused_output_fails_its_task_and_costs_nothing(
    plane: Plane, user: Client, refusing_pictures: None
) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    await user.post("/generation/start", {"project_id": project_id})
    done = await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert done["status"] == "failed"
    failed = [task for task in done["tasks"] if task["status"] == "failed"]
    assert failed
    assert "画面不可" in failed[0]["error_message"]


WORDS = (
    *("prompt", "content", "title", "text", "description", "wish", "name", "tags", "label", "template", "keywords"),
    *("appearance", "personality", "mood", "genre", "tone", "tempo", "instruments"),
)
NOT_WORDS_OF_A_FILM = {
    # who somebody is, what a file is called, which of our own things is meant
    "username",
    "file_name",
    "font_name",
    "team_name",
    "name",  # of a team or a project
}


async def test_no_field_for_words_is_unmarked() -> None:
    """A new field whose name speaks of words is a Prompt, or is listed here with a reason."""
    missing = []
    for endpoint in ENDPOINTS:
        if endpoint.body is None:
            continue
        marked = set(_marked(endpoint.body))
        for field in fields_of(endpoint.body):
            leaf = field.rpartition(".")[2]
            speaks = any(leaf == word or leaf.endswith(f"_{word}") for word in WORDS)
            if speaks and leaf not in NOT_WORDS_OF_A_FILM and field not in marked:
                missing.append(f"{endpoint.method} {endpoint.path} {field}")
    assert missing == []


def _marked(model: Any, prefix: str = "") -> Iterator[str]:
    for name, is_prompt in _fields_with_words(model):
        if is_prompt:
            yield prefix + name
        annotation = model.model_fields[name].annotation
        for inner in _models(annotation):
            yield from _marked(inner, f"{prefix}{name}.")


def _models(annotation: Any) -> Iterator[Any]:
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
