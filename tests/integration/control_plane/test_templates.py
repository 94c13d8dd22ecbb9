"""Templates of configurations: what they fill in, how often, and who may change them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from runtime.ids import new_id
from tests.contract.fields import shows
from tests.integration.control_plane.assets import a_style, refused, team_of
from tests.integration.control_plane.conftest import STORY, ApiError, Client, Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = {
    "model_id": "draft-painter",
    "style_id": "style_ink-wash",
    "aspect_ratio": "9:16",
    "duration": 30,
    "language": "en",
    "subtitle_enabled": False,
}


async def kept(user: Client, config: dict[str, Any] | None = None, **more: Any) -> Any:
    body = {"template_name": "竖屏", "config_data": WHOLE if config is None else config}
    return await user.post("/config-templates", body | more)


async def submitted(plane: Plane, user: Client, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a submission was taken as."""
    body = {"input_mode": "general", "input_type": "text", "content": STORY, "config": config}
    project_id = (await user.post("/input/submit", body | more))["project_id"]
    async with plane.services.database.transaction() as session:
        row = await session.execute(
            text("SELECT config, language, subtitle_enabled FROM inputs WHERE project_id = :id"), {"id": project_id}
        )
        config, language, subtitles = row.one()
    shown = (await user.get(f"/projects/{project_id}"))["input_config"]
    assert shown["aspect_ratio"] == config["aspect_ratio"]
    assert (shown["language"], shown["subtitle_enabled"]) == (language, subtitles)
    return {**config, "language": language, "subtitle_enabled": subtitles}


FILLED = {
    "text_to_image_model": "draft-painter",
    "style_id": "style_ink-wash",
    "aspect_ratio": "9:16",
    "duration_type": "custom",
    "duration_seconds": 30.0,
    "language": "en",
    "subtitle_enabled": False,
}


@shows(
    "POST /config-templates",
    "template_name",
    "config_data.model_id",
    "config_data.style_id",
    "config_data.aspect_ratio",
    "config_data.duration",
    "config_data.language",
    "config_data.subtitle_enabled",
)
@shows("POST /input/submit", "template_id")
async def test_a_template_fills_what_a_submission_leaves_out(plane: Plane, user: Client) -> None:
    made = await kept(user)
    assert (made["template_name"], made["config_data"], made["is_default"]) == ("竖屏", WHOLE, False)
    assert (
        (await user.get("/config-templates"))["list"] == [made] == [await user.get(f"/config-templates/{made['id']}")]
    )
    assert await submitted(plane, user, {}, template_id=made["id"]) == FILLED
    said = {
        "style_id": "style_oil",
        "aspect_ratio": "4:3",
        "duration_type": "smart",
        "language": "zh",
        "subtitle_enabled": True,
    }
    taken = await submitted(plane, user, said, template_id=made["id"])
    assert taken == said | {"text_to_image_model": "draft-painter"}
    assert (await user.get("/config-templates"))["list"][0]["usage_count"] == 2


@shows(
    "PUT /config-templates/{template_id}",
    "template_name",
    "config_data.model_id",
    "config_data.style_id",
    "config_data.aspect_ratio",
    "config_data.duration",
    "config_data.language",
    "config_data.subtitle_enabled",
)
async def test_a_template_is_changed_and_deleted(plane: Plane, user: Client) -> None:
    made = await kept(user, {"aspect_ratio": "16:9", "duration": -1})
    path = f"/config-templates/{made['id']}"
    smart = await submitted(plane, user, {}, template_id=made["id"])
    assert (smart["aspect_ratio"], smart["duration_type"], smart["language"]) == ("16:9", "smart", "zh")
    assert "style_id" not in smart
    assert "text_to_image_model" not in smart
    changed = await user.put(path, {"template_name": "横屏", "config_data": WHOLE})
    assert (changed["template_name"], changed["config_data"], changed["usage_count"]) == ("横屏", WHOLE, 1)
    assert await submitted(plane, user, {}, template_id=made["id"]) == FILLED
    await user.call("DELETE", path)
    for call in (user.get(path), user.call("DELETE", path), submitted(plane, user, {}, template_id=made["id"])):
        assert (await refused(call)).code == 1004
    assert (await user.get("/config-templates"))["list"] == []


@shows("POST /config-templates", "is_default")
@shows("PUT /config-templates/{template_id}", "is_default")
async def test_the_default_fills_in_by_itself_and_there_is_one(plane: Plane, user: Client) -> None:
    bare = {"aspect_ratio": "16:9", "duration_type": "smart"}
    first = await kept(user, {"style_id": "style_oil"}, is_default=True)
    assert (await submitted(plane, user, bare))["style_id"] == "style_oil"
    second = await kept(user, {"style_id": "style_clay"})
    assert (await submitted(plane, user, bare))["style_id"] == "style_oil"
    await user.put(f"/config-templates/{second['id']}", {"is_default": True})
    listed = (await user.get("/config-templates"))["list"]
    assert [(item["id"], item["is_default"]) for item in listed] == [(second["id"], True), (first["id"], False)]
    assert (await submitted(plane, user, bare))["style_id"] == "style_clay"
    assert (await submitted(plane, user, bare | {"style_id": "style_anime"}))["style_id"] == "style_anime"
    await user.put(f"/config-templates/{second['id']}", {"is_default": False})
    assert "style_id" not in await submitted(plane, user, bare)
    counts = {item["id"]: item["usage_count"] for item in (await user.get("/config-templates"))["list"]}
    assert counts == {first["id"]: 2, second["id"]: 1}  # one submission said everything itself


async def test_what_nothing_fills_in_is_required(user: Client) -> None:
    body = {"input_mode": "general", "input_type": "text", "content": STORY}
    for config, field in (({"duration_type": "smart"}, "aspect_ratio"), ({"aspect_ratio": "16:9"}, "duration_type")):
        error = await refused(user.post("/input/submit", body | {"config": config}))
        assert (error.code, f"config.{field}" in error.message) == (1001, True)
    assert (await user.get("/projects"))["total"] == 0


async def test_a_style_that_is_gone_is_no_longer_filled_in(plane: Plane, user: Client) -> None:
    style = await a_style(user)
    made = await kept(user, WHOLE | {"style_id": style["id"]})
    await user.call("DELETE", f"/assets/styles/{style['id']}")
    taken = await submitted(plane, user, {}, template_id=made["id"])
    assert "style_id" not in taken
    assert taken["aspect_ratio"] == "9:16"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"model_id": "draft-speech"}, "config_data.model_id"),
        ({"model_id": "no-model"}, "config_data.model_id"),
        ({"style_id": "style_nothing"}, "config_data.style_id"),
        ({"aspect_ratio": "3:1"}, "config_data.aspect_ratio"),
        ({"duration": 3}, "config_data.duration"),
        ({"duration": 1e9}, "config_data.duration"),
        ({"duration": -2}, "config_data.duration"),
        ({"language": "fr"}, "config_data.language"),
        ({"subtitle_enabled": "yes"}, "config_data.subtitle_enabled"),
        ({"colour": "red"}, "config_data.colour"),
    ],
)
async def test_a_configuration_that_no_project_could_have_is_refused(
    user: Client, config: dict[str, Any], field: str
) -> None:
    made = await kept(user)
    for call in (kept(user, config), user.put(f"/config-templates/{made['id']}", {"config_data": config})):
        error = await refused(call)
        assert (error.code, field in error.message) == (1001, True)
    assert (await user.get("/config-templates"))["list"] == [made]


async def test_two_that_choose_a_default_at_once_take_turns(user: Client) -> None:
    made = [await kept(user) for _ in range(4)]
    calls = [user.put(f"/config-templates/{one['id']}", {"is_default": True}) for one in made]
    await asyncio.gather(*calls, *(kept(user, is_default=True) for _ in range(4)))
    listed = (await user.get("/config-templates"))["list"]
    assert [item["is_default"] for item in listed] == [True] + [False] * 7


async def test_a_teams_templates_are_its_own(plane: Plane) -> None:
    editor, viewer, stranger = [await plane.new_user(f"{name}-{new_id('x')}") for name in "evs"]
    await team_of(plane, editor=editor, viewer=viewer)
    made = await kept(editor, is_default=True)
    path = f"/config-templates/{made['id']}"
    assert (await viewer.get("/config-templates"))["list"] == [made] == [await viewer.get(path)]
    for call in (viewer.put(path, {"template_name": "x"}), viewer.call("DELETE", path), kept(viewer)):
        assert (await refused(call)).code == 1003
    for call in (stranger.get(path), stranger.put(path, {"template_name": "x"}), stranger.call("DELETE", path)):
        assert (await refused(call)).code == 1004
    theirs = await refused(submitted(plane, stranger, {}, template_id=made["id"]))
    assert (theirs.code, "template_id" in theirs.message) == (1004, True)
    assert (await stranger.get("/config-templates"))["list"] == []
    assert (await submitted(plane, editor, {}))["aspect_ratio"] == "9:16"


async def test_templates_of_a_space_are_bounded(plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_plane.inputs.templates.MOST_TEMPLATES", 2)
    for _ in range(2):
        await kept(user)
    with pytest.raises(ApiError) as caught:
        await kept(user)
    assert caught.value.code == 1001
