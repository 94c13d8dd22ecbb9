"""Small films with a storyboard, as tests of the timeline make them."""

import asyncio
from typing import Any

from sqlalchemy import text

from tests.integration.control_plane import files
from tests.integration.control_plane.conftest import Client, Plane, generated

BOARD = """镜号,景别,场景,画面,角色,旁白,对白,时长,运镜,转场
1,中景,海边,傍晚的海滩上的安安,安安,海浪轻轻地唱着歌。,我听见了大海的声音！,3,固定,切
2,远景,海边,傍晚的海滩,,,,2,固定,切
3,远景,森林,清晨的森林,,,,2,固定,切
"""
SILENT = "\n".join(
    ["镜号,景别,场景,画面,时长", "1,远景,海边,傍晚的海滩,2", "2,远景,海边,海滩和灯塔,2", "3,远景,海边,海边的小船,2"]
)
EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}
OVER = {"completed", "failed", "cancelled"}


async def board(user: Client, content: str = SILENT) -> str:
    """A project of three clips."""
    project_id, _ = await generated(user, content=content, input_type="storyboard")
    return project_id


async def clips(user: Client, project_id: str) -> list[dict[str, Any]]:
    return list((await user.get(f"/projects/{project_id}/timeline"))["clips"])


async def used(user: Client) -> int:
    return int((await user.get("/user/me"))["quota_info"]["used"])


async def idle(plane: Plane) -> None:
    async with asyncio.timeout(30):
        while True:
            async with plane.services.database.transaction() as session:
                if not await session.scalar(text("SELECT count(*) FROM tasks WHERE applied_at IS NULL")):
                    return
            await asyncio.sleep(0.05)


async def upload(user: Client, data: bytes, name: str = "voice.wav") -> str:
    """The address of an uploaded sound."""
    return str((await files.upload(user, data, name, "audio/wav", "audio"))["file_url"])
