"""Packages: named, saved, switched; their pictures, voices, and what assets take the place of."""

from typing import Any

import pytest
import pytest_asyncio

from tests.contract.fields import shows
from tests.integration.control_plane.assets import a_character, a_style, a_voice
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.files import upload_sound
from tests.integration.control_plane.versions import Film
from tests.integration.control_plane.watching import clips, file_of, idle, materials, ran, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLACE = "POST /material-packages/{package_id}/replace-from-asset"
REGENERATE = "POST /material-packages/{package_id}/regenerate/image"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def first(plane: Plane) -> Film:
    user = await plane.new_user("director")
    return Film(user, *await generated(user))


@pytest_asyncio.fixture(loop_scope="module")
async def film(first: Film) -> Film:
    """A version of a test's own."""
    return await first.copy()


async def refused(call: Any, code: int, field: str) -> None:
    with pytest.raises(ApiError, match=field) as caught:
        await call
    assert caught.value.code == code


async def packages(user: Client, project_id: str) -> list[dict[str, Any]]:
    return list((await user.get(f"/projects/{project_id}/material-packages"))["list"])


async def test_newly_attached_sound_takes_the_place_of_the_one_attached_before(plane: Plane, user: Client) -> None:
    """But not of music that the user chose, nor of none."""
    board = "镜号,景别,场景,画面,时长\n1,远景,海边,傍晚的海滩,1"
    project_id = (await user.post("/projects", {}))["id"]
    path = f"/projects/{project_id}/bgm"
    first, second, third = [await upload_sound(user, 1.0, hz) for hz in (300.0, 400.0, 500.0)]

    async def music(attached: Any) -> str | None:
        """Generate again with what is attached now; what the music is then."""
        more = {"project_id": project_id, "attachments": [{"id": attached["id"]}]}
        await user.post("/input/submit", submission(board, input_type="storyboard", **more))
        await user.post("/generation/start", {"project_id": project_id})
        await idle(plane, project_id)
        url = (await user.get(path)).get("audio_url")
        return file_of(url) if url else None

    assert await music(first) == file_of(first["file_url"])
    await user.put(path, {"volume": 0.2})
    assert await music(second) == file_of(second["file_url"])
    assert (await user.get(path))["volume"] == 0.2
    await user.put(path, {"audio_url": third["file_url"]})
    assert await music(first) == file_of(third["file_url"])
    await user.call("DELETE", path)
    assert await music(second) is None


@shows("PUT /material-packages/{package_id}", "package_name")
@shows("POST /material-packages/{package_id}/save-new", "package_name")
async def test_versions_are_counted_and_have_the_names_they_are_given(user: Client) -> None:
    project_id, package_id = await generated(user)
    path = f"/material-packages/{package_id}"
    await user.put(path, {"package_name": "海滨故事 v1"})
    named = await user.post(f"{path}/save-new", {"package_name": "第二版"})
    unnamed = await user.post(f"{path}/save-new")
    assert [named["version"], unnamed["version"]] == [2, 3]
    title = (await user.get(f"/projects/{project_id}"))["name"]
    listed = sorted(await packages(user, project_id), key=lambda package: package["version"])
    assert [(p["version"], p["package_name"], p["is_active"]) for p in listed] == [
        (1, "海滨故事 v1", False),
        (2, "第二版", False),
        (3, f"{title} v3", True),
    ]
    assert (await user.get(f"/material-packages/{named['new_package_id']}"))["version"] == "2"
    await refused(user.put(path, {"package_name": ""}), 1001, "package_name")
    await refused(user.post("/material-packages/pkg_unknown/save-new"), 1004, "package_id")


async def test_switching_packages_switches_timelines(first: Film) -> None:
    user, project_id = first.user, first.project_id
    one, two = await first.copy(), await first.copy()
    (clip, *others) = await clips(user, project_id)
    await user.put(f"/timeline-clips/{clip['id']}/duration", {"duration": 12.0})
    longer = [found["duration"] for found in await clips(user, project_id)]
    await user.post(f"{one.path}/switch")
    shorter = await clips(user, project_id)
    assert not {found["id"] for found in shorter} & {clip["id"], *(other["id"] for other in others)}
    assert [found["duration"] for found in shorter] != longer
    figures = (await user.get(f"/projects/{project_id}"))["metadata"]
    assert figures["total_duration"] == (await user.get(f"/projects/{project_id}/timeline"))["total_duration"]
    assert [p["id"] for p in await packages(user, project_id) if p["is_active"]] == [one.package_id]
    await user.post(f"{one.path}/switch")  # it is already: nothing is told
    await user.post(f"{two.path}/switch")
    assert [found["duration"] for found in await clips(user, project_id)] == longer
    asked = [about for speaker, about in await said(user, project_id) if speaker == "user"]
    assert asked[-4:] == ["save_new", "set_duration", "switch", "switch"]


async def test_a_package_that_is_not_whole_is_neither_shown_nor_saved(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    plane.farm.hold.add("script")
    try:
        begun = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
        for endpoint in ("switch", "save-new"):
            await refused(user.post(f"/material-packages/{begun}/{endpoint}"), 1005, "package_id")
        copy = (await user.post(f"/material-packages/{package_id}/save-new"))["new_package_id"]
        await refused(user.post(f"/material-packages/{package_id}/switch"), 1005, "package_id")
        assert [p["id"] for p in await packages(user, project_id) if p["is_active"]] == [copy]
    finally:
        plane.farm.release()
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    assert [p["id"] for p in await packages(user, project_id) if p["is_active"]] == [begun]


@shows(REGENERATE, "element_type", "element_id", "user_prompt", "prompt")
async def test_another_picture_shows_what_was_wished_of_whom(plane: Plane, film: Film) -> None:
    painted = []
    for kind, more in (("character", {}), ("scene", {}), ("scene", {"prompt": "雪山下的木屋"})):
        element = await film.element(kind)
        before = len(ran(plane, film.project_id))
        wish = {"element_type": kind, "element_id": element["id"], "user_prompt": "红色的灯"}
        answer = await film.post("regenerate/image", wish | more)
        await idle(plane, film.project_id)
        (run,) = ran(plane, film.project_id)[before:]
        assert "红色的灯" in run.spec["prompt"]
        assert ("雪山下的木屋" in run.spec["prompt"]) == bool(more)
        painted.append((run.kind, run.spec["framing"]))
        images = {image["id"]: image for image in (await film.element(kind))["images"]}
        assert images[answer["candidate_id"]]["is_selected"] is False
        assert file_of(images[answer["candidate_id"]]["image_url"]) == file_of(answer["image_url"])
    assert painted == [("text_to_image", "front_view"), ("image_to_image", "scene"), ("text_to_image", "scene")]
    wrong = {"element_type": "scene", "element_id": (await film.element("character"))["id"], "user_prompt": "x"}
    await refused(film.post("regenerate/image", wrong), 1004, "element_id")


@shows("POST /material-packages/{package_id}/switch-voice", "element_type", "element_id", "voice_id")
async def test_another_voice_speaks_the_lines_of_whom_it_is_given(plane: Plane, film: Film) -> None:
    user = film.user
    voice = (await user.get("/assets/voices", params={"voice_type": "dialogue", "language": "zh"}))["list"][-1]["id"]
    character = await film.element("character")

    async def heard() -> dict[str, set[str]]:
        audio = [await user.get(f"/timeline-clips/{clip['id']}/audio") for clip in await clips(user, film.project_id)]
        return {
            "narration": {a["narration"]["voice_id"] for a in audio if a.get("narration", {}).get("text_content")},
            "dialogue": {line["voice_id"] for a in audio for line in a.get("dialogue", [])},
        }

    before = await heard()
    for kind, element_id, part in (
        ("character", character["id"], "dialogue"),
        ("narration", film.package_id, "narration"),
    ):
        spoken = len(ran(plane, film.project_id, "speech"))
        await film.post("switch-voice", {"element_type": kind, "element_id": element_id, "voice_id": voice})
        assert await heard() == before | {part: {voice}}
        before = await heard()
        await idle(plane, film.project_id)
        assert len(ran(plane, film.project_id, "speech")) > spoken
    voices = {v["voice_id"]: v for v in (await film.element("character"))["voices"]}
    assert voices[voice]["is_selected"] is True
    # The voice that was there is a candidate and can be chosen again.
    former = next(v for v in voices.values() if not v["is_selected"])
    choice = {"element_type": "character", "element_id": character["id"], "candidate_type": "voice"}
    await film.post("select-candidate", choice | {"candidate_id": former["id"]})
    assert (await heard())["dialogue"] == {former["voice_id"]}
    await refused(film.post("select-candidate", choice | {"candidate_id": "cvo_unknown"}), 1004, "candidate_id")
    wrong = {"element_type": "narration", "element_id": character["id"], "voice_id": voice}
    await refused(film.post("switch-voice", wrong), 1004, "element_id")


@shows(REPLACE, "asset_type", "element_id", "asset_id")
async def test_a_character_of_the_library_plays_the_part(plane: Plane, film: Film) -> None:
    asset = await a_character(film.user, character_name="苏晚", appearance="白裙，赤脚", description="邻家的姐姐")
    before = await film.element("character")
    request = {"asset_type": "character", "element_id": before["id"], "asset_id": asset["id"]}
    await film.post("replace-from-asset", request)
    await idle(plane, film.project_id)
    after = await film.element("character")
    assert (after["character_name"], after["appearance"], after["character_type"]) == (
        "苏晚",
        "白裙，赤脚",
        before["character_type"],
    )
    front = next(image for image in after["images"] if image["is_selected"] and image["image_type"] == "front_view")
    assert await same_file(film.user, front["image_url"], asset["image_url"])
    assert {i["image_type"] for i in after["images"] if i["is_selected"]} == {"front_view", "three_view", "detail"}
    assert (await film.element("storyboard"))["dialogue"].startswith("苏晚：")
    assert (await film.user.get(f"/assets/characters/{asset['id']}"))["usage_count"] == 1
    # The shots that are painted from now on show them, after their picture.
    clip = (await clips(film.user, film.project_id))[-1]
    await film.user.post(f"/timeline-clips/{clip['id']}/regenerate-image", {"user_prompt": "近一些"})
    await idle(plane, film.project_id)
    (subject,) = ran(plane, film.project_id, "text_to_image")[-1].spec["subjects"]
    assert (subject["name"], subject["appearance"], len(subject["reference_keys"])) == ("苏晚", "白裙，赤脚", 1)
    # Who was there before is a candidate.
    old, _ = await film.texts("character")
    assert old["fields"]["name"] == before["character_name"]
    await refused(film.post("replace-from-asset", request | {"element_id": "elm_unknown"}), 1004, "element_id")
    await refused(film.post("replace-from-asset", request | {"asset_type": "style"}), 1004, "asset_id")


async def same_file(user: Client, url: str, other: str) -> bool:
    async with user.session.get(url) as one, user.session.get(other) as two:
        return await one.read() == await two.read()


async def test_a_style_of_the_library_is_what_is_painted_in_next(plane: Plane, film: Film) -> None:
    asset = await a_style(film.user, style_name="剪纸", visual_keywords=["red", "paper cut"])
    style = await film.element("artstyle")
    await film.post("replace-from-asset", {"asset_type": "style", "element_id": style["id"], "asset_id": asset["id"]})
    await idle(plane, film.project_id)
    after = await film.element("artstyle")
    assert (after["style_name"], after["id"]) == ("剪纸", style["id"])
    assert file_of(after["reference_image_url"]) != file_of(style["reference_image_url"])
    scene = await film.element("scene")
    wish = {"element_type": "scene", "element_id": scene["id"], "user_prompt": "月亮", "prompt": "渔港"}
    await film.post("regenerate/image", wish)
    await idle(plane, film.project_id)
    assert ran(plane, film.project_id)[-1].spec["style"]["visual_keywords"] == ["red", "paper cut"]


async def test_a_voice_of_the_library_is_a_characters_or_the_narrators(film: Film) -> None:
    voice = await a_voice(film.user)
    character = await film.element("character")
    for element_id in (character["id"], film.package_id):
        request = {"asset_type": "voice", "element_id": element_id, "asset_id": voice["id"]}
        await film.post("replace-from-asset", request)
    selected = [v["voice_id"] for v in (await film.element("character"))["voices"] if v["is_selected"]]
    assert selected == [voice["id"]]
    audio = [
        await film.user.get(f"/timeline-clips/{clip['id']}/audio") for clip in await clips(film.user, film.project_id)
    ]
    assert {a["narration"]["voice_id"] for a in audio if "narration" in a} == {voice["id"]}
    asked = [about for speaker, about in await said(film.user, film.project_id) if speaker == "user"]
    assert asked[-2:] == ["switch_voice", "switch_voice"]


async def test_only_what_one_can_see_takes_a_place(plane: Plane, film: Film) -> None:
    stranger = await plane.new_user("collector")
    foreign = await a_character(stranger)
    request = {"asset_type": "character", "element_id": (await film.element("character"))["id"]}
    await refused(film.post("replace-from-asset", request | {"asset_id": foreign["id"]}), 1004, "asset_id")
    taken = await a_character(film.user, character_name="重名")
    await film.post("replace-from-asset", request | {"asset_id": taken["id"]})
    assert len((await materials(film.user, film.package_id))["characters"]) == 1
    plane.farm.hold.add("script")
    project_id = (await film.user.post("/input/submit", submission()))["project_id"]
    try:
        begun = (await film.user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
        path = f"/material-packages/{begun}/replace-from-asset"
        await refused(film.user.post(path, request | {"asset_id": taken["id"]}), 1005, "package_id")
    finally:
        plane.farm.release()
