"""Assets of a library as tests make them."""

from typing import Any

import pytest
from sqlalchemy import text

from runtime.database import utc_now
from runtime.ids import new_id
from tests.integration.control_plane.conftest import ApiError, Client, Plane
from tests.integration.control_plane.files import (
    upload_picture,
    upload_sound,
)

KINDS = ("characters", "styles", "voices", "music")


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def a_character(user: Client, **changes: Any) -> Any:
    body = {"character_name": "白鹿", "character_type": "female"} | changes
    if "image_url" not in body:
        body["image_url"] = (await upload_picture(user))["file_url"]
    return await user.post("/assets/characters", body)


async def a_style(user: Client, **changes: Any) -> Any:
    return await user.post("/assets/styles", {"style_name": "敦煌", "prompt_template": "{prompt}, mural"} | changes)


async def a_voice(user: Client, **changes: Any) -> Any:
    body = {"voice_name": "我的声音", "voice_type": "dialogue"} | changes
    if "audio_sample_url" not in body:
        body["audio_sample_url"] = (await upload_sound(user))["file_url"]
    return await user.post("/assets/voices", body)


async def a_piece(user: Client, **changes: Any) -> Any:
    body = {"music_name": "渔舟", "duration": 2.0} | changes
    if "audio_url" not in body:
        body["audio_url"] = (await upload_sound(user, 2.0))["file_url"]
    return await user.post("/assets/music", body)


async def own(user: Client, kind: str) -> list[Any]:
    return list((await user.get(f"/assets/{kind}?is_preset=false"))["list"])


async def team_of(plane: Plane, **roles: Client) -> str:
    """A team whose members work in its space."""
    team_id = new_id("team")
    async with plane.services.database.transaction() as session:
        now = utc_now()
        await session.execute(
            text("INSERT INTO teams (id, name, created_at, updated_at) VALUES (:id, 'team', :now, :now)"),
            {"id": team_id, "now": now},
        )
        for role, member in roles.items():
            user_id = (await member.get("/user/me"))["id"]
            await session.execute(
                text("INSERT INTO memberships (team_id, user_id, role, created_at) VALUES (:team, :user, :role, :now)"),
                {"team": team_id, "user": user_id, "role": role, "now": now},
            )
            await session.execute(
                text("UPDATE sessions SET space_id = :team WHERE user_id = :user"), {"team": team_id, "user": user_id}
            )
    return team_id


# --- presets
