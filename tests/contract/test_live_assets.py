"""The asset library, as agreed."""

import pytest

from tests.contract.live import Walk
from tests.integration.control_plane.conftest import Client, generated

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_assets(user: Client) -> None:
    walk = Walk(user)
    project, package = await generated(user)
    materials = (await user.get(f"/material-packages/{package}"))["materials"]
    picture = materials["characters"][0]["images"][0]["image_url"]
    timeline = await user.get(f"/projects/{project}/timeline")
    audio = await user.get(f"/timeline-clips/{timeline['clips'][0]['id']}/audio")
    sound = audio["narration"]["audio_url"]

    person = {"character_name": "阿海", "character_type": "male", "image_url": picture, "personality": ["沉默"]}
    character = await walk("POST /assets/characters", body=person)
    await walk("PUT /assets/characters/:asset_id", character["id"], body={"description": "老渔夫"})
    query = {"character_type": "male", "keyword": "阿海", "is_preset": False, "page": 1, "page_size": 5}
    found = await walk("GET /assets/characters", query=query)
    assert [item["description"] for item in found["list"]] == ["老渔夫"] or walk.problems
    look = {
        "style_name": "蓝调",
        "prompt_template": "blue hour",
        "visual_keywords": ["蓝"],
        "preview_image_url": picture,
    }
    style = await walk("POST /assets/styles", body=look)
    await walk("PUT /assets/styles/:asset_id", style["id"], body={"description": "黄昏之后"})
    await walk("GET /assets/styles", query={"keyword": "蓝", "page": 1, "page_size": 5})
    voice = {"voice_name": "我的声音", "voice_type": "narration", "audio_sample_url": sound, "language": "zh"}
    await walk("POST /assets/voices", body=voice)
    await walk("GET /assets/voices", query={"voice_type": "narration", "language": "zh", "is_preset": True})
    await walk("GET /assets/voices", query={"page": 1, "page_size": 5})
    tune = (await walk("GET /assets/music", query={"page": 1, "page_size": 5, "is_preset": True}))["list"][0]
    await walk.ready(tune["audio_url"])
    mine = {"music_name": "海浪", "audio_url": tune["audio_url"], "duration": tune["duration"], "genre": "ambient"}
    music = await walk("POST /assets/music", body=mine)
    query = {"keyword": "海", "asset_types": ["character", "music"], "page": 1, "page_size": 5}
    found = await walk("GET /assets/search", query=query)
    assert set(found["results"]) == {"characters", "music"} or walk.problems
    await walk("GET /assets/categories", query={"category_type": "style"})
    await walk("POST /assets/batch-delete", body={"asset_type": "music", "asset_ids": [music["id"]]})
    await walk("DELETE /assets/characters/:asset_id", character["id"])
    await walk("DELETE /assets/styles/:asset_id", style["id"])
    walk.finish("assets")
