"""What tests of generations look at: the tasks that ran, the files that are shown, the steps."""

import asyncio
from collections import Counter
from typing import Any

from sqlalchemy import text

from scheduler.ports import Assignment
from tests.integration.control_plane.conftest import Client, Plane


async def idle(plane: Plane, project_id: str | None = None) -> None:
    """Wait until every task of users' projects, or of one, was applied."""
    which = "project_id = :project" if project_id else "project_id <> ''"
    async with asyncio.timeout(60):
        while True:
            async with plane.services.database.transaction() as session:
                statement = text(f"SELECT count(*) FROM tasks WHERE applied_at IS NULL AND {which}")
                if not await session.scalar(statement, {"project": project_id} if project_id else {}):
                    return
            await asyncio.sleep(0.05)


def ran(plane: Plane, project_id: str, kind: str | None = None) -> list[Assignment]:
    return [run for run in plane.farm.ran if run.project_id == project_id and kind in {None, run.kind}]


def counted(runs: list[Assignment]) -> Counter[str]:
    """How many tasks of which kind: scripts by their step, pictures by what they frame."""
    return Counter(str(run.spec.get("step") or run.spec.get("framing") or run.kind) for run in runs)


async def steps(user: Client, project_id: str) -> dict[str, Any]:
    progress = await user.get(f"/generation/progress/{project_id}")
    return {task["task_type"]: task for task in progress["tasks"]}


async def over(user: Client, project_id: str) -> Any:
    """The progress once nothing is generated any more."""
    return await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")


async def materials(user: Client, package_id: str) -> Any:
    return (await user.get(f"/material-packages/{package_id}"))["materials"]


def file_of(url: str) -> str:
    """The artifact that a signed URL names."""
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]


def shown(element: dict[str, Any]) -> set[str]:
    """The selected pictures of an element."""
    if "images" in element:
        return {file_of(image["image_url"]) for image in element["images"] if image["is_selected"]}
    return {file_of(element["reference_image_url"])}


def files_of(found: dict[str, Any], *kinds: str) -> dict[str, set[str]]:
    """The selected pictures by kind of element."""
    elements = {
        "art_style": [found["art_style"]],
        "characters": found.get("characters", []),
        "scenes": found.get("scenes", []),
        "storyboards": found.get("storyboards", []),
    }
    return {kind: set().union(*(shown(element) for element in elements[kind])) for kind in kinds or elements}


async def clips(user: Client, project_id: str) -> list[dict[str, Any]]:
    return list((await user.get(f"/projects/{project_id}/timeline"))["clips"])


async def said(user: Client, project_id: str) -> list[tuple[str, str]]:
    """The conversation: who, and what it was about."""
    told = (await user.get(f"/projects/{project_id}/conversations"))["list"]
    assert [message["display_order"] for message in told] == list(range(1, len(told) + 1))
    return [
        (message["message_type"], (about := message.get("context_data", {})).get("action") or about.get("event", ""))
        for message in told
    ]


async def used(user: Client) -> int:
    return int((await user.get("/user/me"))["quota_info"]["used"])
