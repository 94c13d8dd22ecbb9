"""The API document's flow of reuse: a character of the library is found, plays the lead, gives it to
another one, and a voice of the library speaks. Two api processes answer in turn."""

import io
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from tests.acceptance import film_shapes, shapes
from tests.acceptance.product import Api, Server, wait_for
from tests.acceptance.several import api_processes
from tests.acceptance.shapes import check

pytestmark = pytest.mark.timeout(400)

BOARD = """镜号,景别,场景,画面,角色,旁白,对白,时长,运镜,转场
1,中景,海边,老渔夫在海边补网,老渔夫,海浪轻轻地唱着歌。,,3,固定,切
"""


def test_assets_are_used_again(server: Server) -> None:
    server.new_user("mei")
    with api_processes(server, 2) as proxy:
        reuse(Api(proxy.url).login("mei"))
    assert min(proxy.dealt.get(port, 0) for port in proxy.ports) > 5


def reuse(api: Api) -> None:
    # 1 a character is found by a part of its name or description
    found = api.get(f"/assets/characters?keyword={quote('少女')}")
    assert found["total"] == len(found["list"]) >= 1
    girl = found["list"][0]
    assert any("少女" in str(girl[field]) for field in ("character_name", "description", "appearance"))

    # 2 it plays the lead
    project_id = api.submit(BOARD, input_type="storyboard", config={"subject_id": girl["id"]})
    package_id = api.wait_for_materials(project_id)
    lead = _lead(api, package_id)
    assert (lead.character_name, lead.character_type) == (girl["character_name"], "protagonist")
    assert lead.appearance == girl["appearance"]
    assert _uses(api, girl["id"]) == girl["usage_count"] + 1

    # 3 another character of the library takes the part
    other = _own_character(api)
    request = {"asset_type": "character", "element_id": lead.id, "asset_id": other["id"]}
    assert api.post(f"/material-packages/{package_id}/replace-from-asset", request) is None
    now = _lead(api, package_id)
    assert (now.id, now.character_name, now.appearance) == (lead.id, "小满", "绿衣，短发")
    front = next(i for i in now.images if i.is_selected and i.image_type == "front_view")
    assert api.fetch(front.image_url) == api.fetch(other["image_url"])
    sheets = [image for image in now.images if image.is_selected]
    assert {image.image_type for image in sheets} == {"front_view", "three_view", "detail"}
    painted = api.wait_for_file(next(i.image_url for i in sheets if i.image_type == "detail"))
    assert np.asarray(Image.open(io.BytesIO(painted))).std() > 5

    # 4 a voice of the library speaks the narration
    clip = check(film_shapes.Timeline, api.get(f"/projects/{project_id}/timeline")).clips[0]
    before = _narration(api, clip.id)
    voices = api.get(f"/assets/voices?voice_type=narration&language=zh&keyword={quote('旁白')}")["list"]
    voice = next((voice for voice in voices if voice["id"] != before.voice_id), None) or _own_voice(api, before)
    path = f"/timeline-clips/{clip.id}/narration"
    check(film_shapes.SpeechStarted, api.put(path, {"text_content": before.text_content, "voice_id": voice["id"]}))
    after = wait_for("the narration", lambda: _spoken(api, clip.id))
    assert (after.voice_id, after.text_content) == (voice["id"], before.text_content)
    assert api.fetch(after.audio_url or "") != api.fetch(before.audio_url or "")
    listed = api.get(f"/assets/voices?keyword={quote(voice['voice_name'])}")["list"]
    assert next(row["usage_count"] for row in listed if row["id"] == voice["id"]) == voice["usage_count"] + 1


def _lead(api: Api, package_id: str) -> shapes.Character:
    (lead,) = check(shapes.Package, api.get(f"/material-packages/{package_id}")).materials.characters or []
    return lead


def _uses(api: Api, asset_id: str) -> int:
    listed = api.get("/assets/characters?page_size=100")["list"]
    return next(int(row["usage_count"]) for row in listed if row["id"] == asset_id)


def _own_character(api: Api) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 480), "#20a040").save(buffer, "PNG")
    picture = api.upload(buffer.getvalue(), "小满.png", "image/png", "image")
    described = {"character_name": "小满", "character_type": "female", "appearance": "绿衣，短发"}
    return dict(api.post("/assets/characters", described | {"image_url": picture["file_url"]}))


def _own_voice(api: Api, spoken: film_shapes.Narration) -> dict[str, Any]:
    """A voice of one's own, which the catalog's elder speaks for."""
    audio = api.fetch(spoken.audio_url or "")
    assert audio is not None
    sample = api.upload(audio, "声音.flac", "audio/flac", "audio")
    described = {"voice_name": "阿公", "voice_type": "narration", "voice_id": "zh-elder-1", "language": "zh"}
    return dict(api.post("/assets/voices", described | {"audio_sample_url": sample["file_url"]}))


def _narration(api: Api, clip_id: str) -> film_shapes.Narration:
    audio = check(film_shapes.ClipAudio, api.get(f"/timeline-clips/{clip_id}/audio"))
    assert audio.narration
    return audio.narration


def _spoken(api: Api, clip_id: str) -> film_shapes.Narration | None:
    narration = _narration(api, clip_id)
    return narration if narration.generation_status == "completed" else None
