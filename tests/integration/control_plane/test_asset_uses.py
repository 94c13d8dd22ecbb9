"""What assets do in films, and what is left of them there when they are deleted."""

from typing import Any

import pytest
from sqlalchemy import text

from models.specs import ArtStyle
from scheduler.ports import Assignment
from tests.contract.fields import shows
from tests.integration.control_plane.assets import a_character, a_piece, a_style, a_voice, own
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.files import fetch, upload_picture, upload_sound

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ran(plane: Plane, project_id: str, kind: str) -> list[Assignment]:
    return [run for run in plane.farm.ran if run.project_id == project_id and run.kind == kind]


async def first_clip(user: Client, project_id: str) -> str:
    return str((await user.get(f"/projects/{project_id}/timeline"))["clips"][0]["id"])


@shows("POST /assets/characters", "prompt_template")
async def test_a_character_becomes_the_protagonist_as_it_was_described(plane: Plane, user: Client) -> None:
    described = {
        "character_name": "白鹿",
        "character_type": "male",
        "appearance": "红色长袍",
        "description": "白发老人",
        "prompt_template": "{prompt}，戴着金色面具",
    }
    character = await a_character(user, **described)
    project_id, package_id = await generated(user, config={"subject_id": character["id"]})
    materials = (await user.get(f"/material-packages/{package_id}"))["materials"]
    protagonist = materials["characters"][0]
    assert protagonist["character_name"] == "白鹿"
    assert protagonist["appearance"] == "红色长袍，戴着金色面具"
    shown = [s for run in ran(plane, project_id, "text_to_image") for s in run.spec["subjects"] if s["name"] == "白鹿"]
    assert shown
    for subject in shown:
        assert (subject["appearance"], subject["gender"], subject["age"]) == ("红色长袍，戴着金色面具", "male", "elder")
        assert len(subject["reference_keys"]) == 1  # its picture
    assert (await user.get(f"/assets/characters/{character['id']}"))["usage_count"] == 1


@shows("POST /assets/styles", "prompt_template", "visual_keywords", "color_palette")
async def test_a_style_is_what_everything_is_painted_in(plane: Plane, user: Client) -> None:
    style = await a_style(user, visual_keywords=["pixel"], color_palette={"a": "#ff0000", "b": ["navy"]})
    project_id, package_id = await generated(user, config={"style_id": style["id"]})
    expected = ArtStyle(
        style_name="敦煌",
        prompt_template="{prompt}, mural",
        visual_keywords=["pixel"],
        palette=["#ff0000", "#000080"],
    )
    for run in ran(plane, project_id, "text_to_image"):
        assert ArtStyle.model_validate(run.spec["style"]) == expected
    shown = (await user.get(f"/material-packages/{package_id}"))["materials"]["art_style"]
    assert (shown["style_name"], shown["prompt_template"]) == ("敦煌", "{prompt}, mural")


async def test_ones_own_voice_speaks_by_the_catalogs(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    clip_id = await first_clip(user, project_id)
    voice = await a_voice(user, voice_id="zh-elder-1")
    await user.put(f"/timeline-clips/{clip_id}/narration", {"text_content": "很久以前。", "voice_id": voice["id"]})
    audio = await user.until(
        f"/timeline-clips/{clip_id}/audio", lambda a: a["narration"]["generation_status"] == "completed"
    )
    assert (audio["narration"]["voice_id"], audio["narration"]["voice_name"]) == (voice["id"], "我的声音")
    assert ran(plane, project_id, "speech")[-1].spec["voice"] == "zh-elder-1"
    assert (await own(user, "voices"))[0]["usage_count"] == 1

    element = (await user.get(f"/material-packages/{package_id}"))["materials"]["characters"][0]["id"]
    switch = {"element_type": "character", "element_id": element, "voice_id": voice["id"]}
    await user.post(f"/material-packages/{package_id}/switch-voice", switch)
    narration = {"element_type": "narration", "element_id": package_id, "voice_id": voice["id"]}
    await user.post(f"/material-packages/{package_id}/switch-voice", narration)
    assert (await own(user, "voices"))[0]["usage_count"] == 3


async def test_music_of_the_library_becomes_the_films(user: Client) -> None:
    project_id, _ = await generated(user)
    piece = await a_piece(user)
    chosen = {"audio_url": piece["audio_url"], "source": "library", "music_name": "渔舟"}
    for _ in range(2):  # the same again is no second use
        await user.put(f"/projects/{project_id}/bgm", chosen)
    bgm = await user.get(f"/projects/{project_id}/bgm")
    assert await fetch(user, bgm["audio_url"]) == await fetch(user, piece["audio_url"])
    assert (await own(user, "music"))[0]["usage_count"] == 1


async def test_projects_keep_what_was_deleted_from_the_library(plane: Plane, user: Client) -> None:
    character, style = await a_character(user), await a_style(user)
    voice, piece = await a_voice(user), await a_piece(user)
    config = {"subject_id": character["id"], "style_id": style["id"]}
    project_id, package_id = await generated(user, config=config)
    clip_id = await first_clip(user, project_id)
    await user.put(f"/timeline-clips/{clip_id}/narration", {"text_content": "很久以前。", "voice_id": voice["id"]})
    element = (await user.get(f"/material-packages/{package_id}"))["materials"]["characters"][0]["id"]
    switch = {"element_type": "character", "element_id": element, "voice_id": voice["id"]}
    await user.post(f"/material-packages/{package_id}/switch-voice", switch)
    await user.put(f"/projects/{project_id}/bgm", {"audio_url": piece["audio_url"], "source": "library"})
    for kind, asset in (("characters", character), ("styles", style), ("voices", voice), ("music", piece)):
        await user.call("DELETE", f"/assets/{kind}/{asset['id']}")

    package = await user.get(f"/material-packages/{package_id}")
    assert voice["id"] in {v["voice_id"] for v in package["materials"]["characters"][0]["voices"]}
    await user.put(f"/timeline-clips/{clip_id}/narration", {"text_content": "后来呢？"})
    audio = await user.until(
        f"/timeline-clips/{clip_id}/audio", lambda a: a["narration"]["generation_status"] == "completed"
    )
    assert audio["narration"]["voice_name"] == "我的声音"
    assert (await fetch(user, (await user.get(f"/projects/{project_id}/bgm"))["audio_url"]))[:4] == b"RIFF"
    # Made anew from the same input, it is the same film again.
    again = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    materials = (await user.get(f"/material-packages/{again}"))["materials"]
    assert materials["characters"][0]["character_name"] == "白鹿"
    assert materials["art_style"]["style_name"] == "敦煌"
    # What is new cannot use them.
    for name, asset_id in config.items():
        with pytest.raises(ApiError, match=rf"config\.{name}"):
            await user.post("/input/submit", submission(config={name: asset_id}))


async def test_a_deleted_asset_lets_go_of_files_that_no_film_needs(plane: Plane, user: Client) -> None:
    shown = (await upload_picture(user))["file_url"]
    made = {
        "styles": await a_style(user, preview_image_url=shown),
        "music": await a_piece(user),
        "characters": await a_character(user),
        "voices": await a_voice(user),
    }
    for kind, asset in made.items():
        await user.call("DELETE", f"/assets/{kind}/{asset['id']}")
    async with plane.services.database.transaction() as session:
        statement = text("SELECT content_artifact_id, thumbnail_artifact_id FROM assets WHERE id = :id")
        kept = {
            kind: [name is not None for name in (await session.execute(statement, {"id": asset["id"]})).one()]
            for kind, asset in made.items()
        }
    assert kept == {
        "styles": [False, False],
        "music": [False, False],
        "characters": [True, False],
        "voices": [True, False],
    }


async def test_only_another_choice_is_another_use(user: Client) -> None:
    first, second = await a_style(user), await a_style(user)

    async def uses() -> list[int]:
        return [(await user.get(f"/assets/styles/{style['id']}"))["usage_count"] for style in (first, second)]

    project_id = (await user.post("/input/submit", submission(config={"style_id": first["id"]})))["project_id"]
    again = submission(config={"style_id": first["id"]}, project_id=project_id)
    await user.post("/input/submit", again)
    assert await uses() == [1, 0]
    await user.post("/input/submit", submission(config={"style_id": second["id"]}, project_id=project_id))
    assert await uses() == [1, 1]
    with pytest.raises(ApiError):
        await user.post("/input/submit", submission(config={"style_id": first["id"], "aspect_ratio": "1:9"}))
    assert await uses() == [1, 1]
    before = (await user.get(f"/assets/styles/{first['id']}"))["created_at"]
    assert before == first["created_at"]


# --- attachments


def labelled(plane: Plane, project_id: str, framing: str) -> set[int]:
    """How many references each picture of a framing was painted after."""
    return {
        len(run.spec["reference_keys"]) + sum(len(subject["reference_keys"]) for subject in run.spec["subjects"])
        for run in ran(plane, project_id, "text_to_image")
        if run.spec["framing"] == framing
    }


@shows("PUT /attachments/{attachment_id}", "label", "metadata")
@shows("POST /input/submit", "attachments.id", "attachments.label")
@shows("GET /projects/{project_id}/attachments", "category")
async def test_a_label_counts_from_the_next_generation(plane: Plane, user: Client) -> None:
    uploaded = await upload_picture(user)
    await_sound = await upload_sound(user)
    attached = [{"id": uploaded["id"], "label": "无关"}, {"id": await_sound["id"]}]
    project_id, _ = await generated(user, attachments=attached)
    assert labelled(plane, project_id, "scene") == {1}  # it guides every picture
    path = f"/attachments/{uploaded['id']}"
    metadata = {"source": "sketch", "tags": ["a", {"b": [1, None]}]}
    changed = await user.put(path, {"label": "主角", "metadata": metadata})
    listed = (await user.get(f"/projects/{project_id}/attachments"))["list"]
    assert listed[0] == changed == await user.get(path)
    assert (changed["label"], changed["metadata"]) == ("主角", metadata)
    plane.farm.ran.clear()
    await user.post("/generation/start", {"project_id": project_id})
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    assert labelled(plane, project_id, "scene") == {0}  # it shows the protagonist now
    assert 1 in labelled(plane, project_id, "front_view")
    assert "label" not in await user.put(path, {"label": ""})
    sounds = (await user.get(f"/projects/{project_id}/attachments?category=audio"))["list"]
    assert [item["id"] for item in sounds] == [await_sound["id"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": {"a": "x" * 9000}}, "metadata"),
        ({"metadata": {"a": [[[[[1]]]]]}}, "metadata"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": {"a\u0000": 1}}, "metadata"),
        ({"label": "x" * 201}, "label"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_bad_note_is_refused(user: Client, change: dict[str, Any], field: str) -> None:
    uploaded = await upload_picture(user)
    with pytest.raises(ApiError, match=field) as caught:
        await user.put(f"/attachments/{uploaded['id']}", change)
    assert caught.value.code == 1001
    assert (await user.get(f"/attachments/{uploaded['id']}"))["metadata"] == {}


async def test_an_attachment_is_deleted_but_not_under_a_generation(plane: Plane, user: Client) -> None:
    uploaded = await upload_picture(user)
    path = f"/attachments/{uploaded['id']}"
    project_id = (await user.post("/input/submit", submission(attachments=[{"id": uploaded["id"]}])))["project_id"]
    plane.farm.hold.add("script")
    await user.post("/generation/start", {"project_id": project_id})
    with pytest.raises(ApiError) as caught:
        await user.call("DELETE", path)
    plane.farm.release()
    assert caught.value.code == 1005
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    await user.call("DELETE", path)
    assert (await user.get(f"/projects/{project_id}/attachments"))["list"] == []
    for call in (user.get(path), user.call("DELETE", path), user.put(path, {"label": "x"})):
        with pytest.raises(ApiError) as caught:
            await call
        assert caught.value.code == 1004


async def test_a_strangers_attachment_does_not_exist(plane: Plane, user: Client) -> None:
    stranger = await plane.new_user(f"{user.name}-stranger")
    path = f"/attachments/{(await upload_picture(user))['id']}"
    for call in (stranger.get(path), stranger.put(path, {"label": "x"}), stranger.call("DELETE", path)):
        with pytest.raises(ApiError) as caught:
            await call
        assert caught.value.code == 1004
    assert "label" not in await user.get(path)
