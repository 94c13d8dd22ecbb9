"""Texts of elements: edited by hand, written again, gone back to; and what follows from them elsewhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from control_plane.quota.tables import QuotaAccountRow
from models.specs import ScriptResult
from scheduler.ports import Assignment
from scheduler.task import OutcomeClass
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import ApiError, Plane, generated
from tests.integration.control_plane.versions import Film
from tests.integration.control_plane.watching import clips, idle, materials, ran, said, used

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO = "\n".join(
    [
        "镜号,景别,场景,画面,角色,对白,时长",
        "1,中景,海边,沙滩上的安安,安安,你好！,2",
        "2,中景,海边,沙滩上的小北,小北,你好！,2",
    ]
)
MODIFY = "POST /material-packages/{package_id}/modify/text"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def first(plane: Plane) -> Film:
    user = await plane.new_user("writer")
    return Film(user, *await generated(user))


@pytest_asyncio.fixture(loop_scope="module")
async def film(first: Film) -> Film:
    """A version of a test's own."""
    return await first.copy()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def of_two(plane: Plane) -> Film:
    """A film with two characters."""
    user = await plane.new_user("writer-of-two")
    return Film(user, *await generated(user, content=TWO, input_type="storyboard"))


@contextmanager
def writing(plane: Plane, field: str) -> Iterator[None]:
    """An engine that writes the wish, and which try it is, into a field of the element it is to write again."""

    def write(assignment: Assignment) -> dict[str, Any]:
        part = assignment.spec["rewrite"] | {field: f"{assignment.spec['instruction']}#{assignment.spec['take']}"}
        kind = {"storyline": "storyline", "artstyle": "art_style", "characters": "characters", "scenes": "scenes"}
        name = kind.get(assignment.spec["step"], "shots")
        whole = {name: part if name in {"storyline", "art_style"} else [part]}
        return {"result": ScriptResult.model_validate(whole).model_dump(mode="json")}

    plane.farm.instead["script"] = write
    try:
        yield
    finally:
        plane.farm.instead.clear()


MAIN = {
    "storyline": ("content", "晨雾里，渔船回来了。"),
    "artstyle": ("description", "淡墨，留白"),
    "character": ("appearance", "穿银色铠甲的女孩"),
    "scene": ("description", "退潮后的沙滩，满是贝壳"),
    "storyboard": ("description", "她弯腰拾起一枚贝壳"),
}


@shows(MODIFY, "element_type", "element_id", "modification_type", "new_content")
@shows("GET /material-packages/{package_id}/text-candidates", "element_id")
@pytest.mark.parametrize("kind", MAIN)
async def test_a_text_is_the_main_field_and_the_former_one_a_candidate(film: Film, kind: str) -> None:
    field, words = MAIN[kind]
    before = await film.element(kind)
    answer = await film.edit(kind, words)
    assert (answer["content"], answer["status"]) == (words, "completed")
    after = await film.element(kind)
    assert after == before | {field: words} | ({"summary": after["summary"]} if kind == "storyline" else {})
    old, new = await film.texts(kind)
    assert [(old["content"], old["is_selected"]), (new["content"], new["is_selected"])] == [
        (before[field], False),
        (words, True),
    ]
    assert new["id"] == answer["candidate_id"]


FIELDS: dict[str, dict[str, Any]] = {
    "storyline": {"title": "归航", "summary": "船回来了", "genre": "drama", "tone": "warm"},
    "artstyle": {"style_name": "木刻", "prompt_template": "{prompt}, woodcut"},
    "character": {
        "character_name": "小满",
        "character_type": "supporting",
        "description": "渔家的女儿",
        "personality": ["倔强"],
        "voice_style": "清亮",
    },
    "scene": {
        "scene_name": "栈桥",
        "scene_type": "abstract",
        "atmosphere": "空旷",
        "lighting": "逆光",
        "camera_angle": "低角度",
    },
    "storyboard": {"shot_type": "wide", "action": "回头", "duration": 7.5, "camera_movement": "pan_left"},
}


@pytest.mark.parametrize("kind", FIELDS)
async def test_an_object_names_the_fields_to_change(film: Film, kind: str) -> None:
    before = await film.element(kind)
    await film.edit(kind, json.dumps(FIELDS[kind]))
    after = await film.element(kind)
    assert {field: after[field] for field in FIELDS[kind]} == FIELDS[kind]
    assert {field for field in after if after[field] != before.get(field)} == set(FIELDS[kind])


async def test_another_name_is_used_wherever_the_old_one_was(film: Film) -> None:
    old = (await film.element("character"))["character_name"]
    await film.edit("character", json.dumps({"character_name": "小满"}))
    shot = await film.element("storyboard")
    assert shot["dialogue"].startswith("小满：")
    assert old not in shot["description"]
    spoken = [line for clip in await clips(film.user, film.project_id) for line in await lines(film, clip["id"])]
    assert {line["character_name"] for line in spoken} == {"小满"}
    assert {line["character_id"] for line in spoken} == {(await film.element("character"))["id"]}
    await film.edit("scene", json.dumps({"scene_name": "栈桥"}))
    assert (await film.element("storyboard"))["scene_id"] == (await film.element("scene"))["id"]


async def lines(film: Film, clip_id: str) -> list[dict[str, Any]]:
    return list((await film.user.get(f"/timeline-clips/{clip_id}/audio")).get("dialogue", []))


async def test_an_edited_shot_changes_its_clip_and_is_spoken_again(plane: Plane, film: Film) -> None:
    name = (await film.element("character"))["character_name"]
    shot = await film.element("storyboard")
    clip = (await clips(film.user, film.project_id))[shot["shot_number"] - 1]
    (before,) = await lines(film, clip["id"])
    spoken = len(ran(plane, film.project_id, "speech"))
    await film.edit("storyboard", json.dumps({"duration": 9.0, "dialogue": f"{name}：风停了。\n{name}：走吧。"}))
    await idle(plane, film.project_id)
    clip = (await clips(film.user, film.project_id))[shot["shot_number"] - 1]
    assert (clip["duration"], clip["dialogue"]) == (9.0, f"{name}：风停了。\n{name}：走吧。")
    now = await lines(film, clip["id"])
    assert [(line["text_content"], line["generation_status"]) for line in now] == [
        ("风停了。", "completed"),
        ("走吧。", "completed"),
    ]
    assert before["audio_url"].split("?")[0] not in {line["audio_url"].split("?")[0] for line in now}
    assert len(ran(plane, film.project_id, "speech")) == spoken + 2
    assert (await film.user.get(f"/projects/{film.project_id}"))["status"] in {"editing", "completed"}


@pytest.mark.parametrize(
    ("kind", "content", "field"),
    [
        ("character", '{"character_name": " "}', "new_content.character_name"),
        ("character", '{"height": 3}', "new_content.height"),
        ("character", "{}", "new_content"),
        ("character", '{"personality": "倔强"}', "new_content.personality"),
        ("scene", '{"scene_type": "space"}', "new_content.scene_type"),
        ("scene", "{", "new_content"),
        ("storyboard", '{"duration": 0}', "new_content.duration"),
        ("storyboard", '{"scene_id": "elm_elsewhere"}', "new_content.scene_id"),
        ("storyboard", '{"dialogue": "没有人说话"}', "new_content.dialogue"),
        ("storyboard", '{"dialogue": "陌生人：你好"}', "new_content.dialogue"),
    ],
)
async def test_an_edit_that_cannot_be_names_its_field(first: Film, kind: str, content: str, field: str) -> None:
    before = await first.element(kind)
    with pytest.raises(ApiError, match=field) as refused:
        await first.edit(kind, content)
    assert refused.value.code == 1001
    assert await first.element(kind) == before


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"new_content": None}, 1001, "new_content"),
        ({"user_prompt": "更短"}, 1001, "user_prompt"),
        ({"modification_type": "regenerate"}, 1001, "new_content"),
        ({"element_type": "scene"}, 1004, "element_id"),
        ({"element_id": "elm_unknown"}, 1004, "element_id"),
    ],
)
async def test_a_request_that_contradicts_itself_is_refused(
    first: Film, change: dict[str, Any], code: int, field: str
) -> None:
    request = {
        "element_type": "character",
        "element_id": (await first.element("character"))["id"],
        "modification_type": "text_edit",
        "new_content": "高个子",
    } | change
    request = {name: value for name, value in request.items() if value is not None}
    with pytest.raises(ApiError, match=field) as refused:
        await first.user.post(f"{first.path}/modify/text", request)
    assert refused.value.code == code


@shows(MODIFY, "user_prompt")
@shows(
    "POST /material-packages/{package_id}/select-candidate",
    "element_type",
    "element_id",
    "candidate_type",
    "candidate_id",
)
async def test_a_text_is_written_again_as_wished_and_the_former_can_be_chosen(plane: Plane, film: Film) -> None:
    before, spent = await film.element("scene"), await used(film.user)
    with writing(plane, "description"):
        answer = await film.rewrite("scene", "下雪")
        assert (answer["content"], answer["status"]) == (before["description"], "processing")
        done = await film.over("scene", answer["candidate_id"])
        second = await film.rewrite("scene")
        await film.over("scene", second["candidate_id"])
    assert (done["user_prompt"], done["status"], done["content"]) == ("下雪", "completed", "下雪#1")
    assert (await film.element("scene"))["description"] == "#2"
    assert await used(film.user) > spent
    old, *written = await film.texts("scene")
    assert [(row["content"], row["is_selected"]) for row in written] == [("下雪#1", False), ("#2", True)]
    choice = {"element_type": "scene", "element_id": before["id"], "candidate_type": "text"}
    await film.user.post(f"{film.path}/select-candidate", choice | {"candidate_id": old["id"]})
    assert await film.element("scene") == before
    about = (await said(film.user, film.project_id))[-5:]
    assert about == [
        ("user", "regenerate"),
        ("system", "candidate.completed"),
        ("user", "regenerate"),
        ("system", "candidate.completed"),
        ("user", "select"),
    ]
    with pytest.raises(ApiError, match="candidate_id") as refused:
        await film.user.post(f"{film.path}/select-candidate", choice | {"candidate_id": "txt_unknown"})
    assert refused.value.code == 1004


async def test_of_two_that_are_written_at_once_the_later_one_counts(plane: Plane, film: Film) -> None:
    plane.farm.hold.add("script")
    with writing(plane, "title"):
        try:
            first, second = [await film.rewrite("storyline", wish) for wish in ("甲", "乙")]
        finally:
            plane.farm.release()
        await film.over("storyline", first["candidate_id"])
    assert (await film.element("storyline"))["title"] == "乙#2"
    assert [row["is_selected"] for row in await film.texts("storyline")] == [False, False, True]
    assert second["candidate_id"] == (await film.texts("storyline"))[-1]["id"]


async def pair(film: Film) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two characters of the film."""
    one, other, *_ = (await materials(film.user, film.package_id))["characters"]
    return one, other


async def modify(film: Film, element_id: str, **request: str) -> str:
    body = {"element_type": "character", "element_id": element_id, **request}
    return str((await film.post("modify/text", body))["candidate_id"])


async def names(film: Film) -> list[str]:
    return [person["character_name"] for person in await pair(film)]


async def test_a_former_name_that_somebody_else_has_now_cannot_be_chosen(of_two: Film) -> None:
    film = await of_two.copy()
    one, other = await pair(film)
    for who, name in ((one, "小满"), (other, one["character_name"])):
        content = json.dumps({"character_name": name})
        await modify(film, who["id"], modification_type="text_edit", new_content=content)
    former = (await film.texts("character"))[0]
    choice = {"element_type": "character", "candidate_type": "text"}
    choice |= {"element_id": one["id"], "candidate_id": former["id"]}
    with pytest.raises(ApiError, match="candidate_id") as refused:
        await film.post("select-candidate", choice)
    assert refused.value.code == 1005
    assert await names(film) == ["小满", one["character_name"]]


async def test_two_who_are_written_again_do_not_become_namesakes(plane: Plane, of_two: Film) -> None:
    """The later text is there to choose once the name is free."""
    film = await of_two.copy()
    one, other = await pair(film)
    with writing(plane, "name"):
        for who in (one, other):
            made = await modify(film, who["id"], modification_type="regenerate", user_prompt="阿福")
            await idle(plane, film.project_id)
    assert await names(film) == ["阿福#1", other["character_name"]]
    assert "名称" in (await film.user.get(f"/projects/{film.project_id}/conversations"))["list"][-1]["message_content"]
    content = json.dumps({"character_name": "小满"})
    await modify(film, one["id"], modification_type="text_edit", new_content=content)
    choice = {"element_type": "character", "candidate_type": "text", "element_id": other["id"], "candidate_id": made}
    await film.post("select-candidate", choice)
    assert await names(film) == ["小满", "阿福#1"]


async def test_a_text_that_was_not_written_changes_nothing_and_says_why(plane: Plane, film: Film) -> None:
    before, spent = await film.element("character"), await used(film.user)

    crash = {"outcome": OutcomeClass.TASK, "error_message": "IndexError: list index out of range"}
    plane.farm.instead["script"] = lambda assignment: crash
    try:
        answer = await film.rewrite("character", "戴帽子")
        failed = await film.over("character", answer["candidate_id"])
    finally:
        plane.farm.instead.clear()
    assert (failed["status"], failed["error_message"]) == ("failed", "生成失败，请重试")
    english = await film.user.get(
        f"{film.path}/text-candidates", params={"element_id": before["id"]}, headers={"Accept-Language": "en"}
    )
    assert english["list"][-1]["error_message"] == "it could not be made, try again"
    assert await film.element("character") == before
    assert await used(film.user) == spent
    choice = {"element_type": "character", "element_id": before["id"], "candidate_type": "text"}
    with pytest.raises(ApiError, match="candidate_id") as refused:
        await film.user.post(f"{film.path}/select-candidate", choice | {"candidate_id": failed["id"]})
    assert refused.value.code == 1005


async def test_a_shot_nobody_can_pay_to_speak_becomes_a_candidate(plane: Plane) -> None:
    user = await plane.new_user("thrifty", daily_limit=1000)
    film = Film(user, *await generated(user))
    await idle(plane, film.project_id)
    shot = await film.element("storyboard")
    plane.farm.hold.add("script")
    with writing(plane, "narration"):
        try:
            answer = await film.rewrite("storyboard", "多说几句")
            async with plane.services.database.transaction() as session:
                await session.execute(
                    update(QuotaAccountRow)
                    .where(QuotaAccountRow.tenant_id == (await user.get("/user/me"))["id"])
                    .values(daily_limit=QuotaAccountRow.used)
                )
        finally:
            plane.farm.release()
        done = await film.over("storyboard", answer["candidate_id"])
    assert (done["status"], done["is_selected"]) == ("completed", False)
    assert await film.element("storyboard") == shot
