"""Projects: made, listed, shown, deleted; and what was said about them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.contract.fields import shows
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.watching import clips, idle, said, used

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def names(user: Client, query: str = "") -> list[str]:
    return [item["name"] for item in (await user.get(f"/projects{query}"))["list"]]


@shows("POST /projects", "name", "space_type", "team_space_id")
@shows("GET /projects", "space_type", "team_space_id")
async def test_a_project_belongs_to_the_space_that_is_named(user: Client) -> None:
    team = (await user.post("/teams", {"name": "剧组"}))["id"]
    own = await user.post("/projects", {"name": "我的", "space_type": "personal"})
    shared = await user.post("/projects", {"name": "大家的", "space_type": "team", "team_space_id": team})
    assert (own["status"], own["stage"], own["input_config"]["duration"]) == ("draft", "input", -1)
    assert own == await user.get(f"/projects/{own['id']}")
    assert await names(user, "?space_type=personal") == ["我的"]
    assert await names(user, f"?space_type=team&team_space_id={team}") == ["大家的"]
    await user.post("/team/switch", {"space_type": "team", "space_id": team})
    assert await names(user) == ["大家的"]
    assert shared["id"] in {item["id"] for item in (await user.get("/projects"))["list"]}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_space_that_is_not_ones_own_is_refused(plane: Plane, user: Client, method: str) -> None:
    other = await plane.new_user(f"owner-{user.name}-{method.lower()}")
    team = (await other.post("/teams", {"name": "他们"}))["id"]

    async def ask(**named: str) -> Any:
        return await (user.get("/projects", params=named) if method == "GET" else user.post("/projects", named))

    for named, code, field in (
        ({"space_type": "team"}, 1001, "team_space_id"),
        ({"space_type": "team", "team_space_id": team}, 1004, "team_space_id"),
        ({"space_type": "personal", "team_space_id": team}, 1001, "team_space_id"),
    ):
        with pytest.raises(ApiError, match=field) as refused:
            await ask(**named)
        assert refused.value.code == code


async def test_a_project_nobody_named_gets_a_name_that_gives_way_to_the_story(user: Client) -> None:
    first, second = [await user.post("/projects") for _ in range(2)]
    assert [first["name"], second["name"]] == ["未命名项目 1", "未命名项目 2"]
    english = await user.post("/projects", headers={"Accept-Language": "en"})
    assert english["name"] == "Untitled project 3"
    await user.post("/input/submit", submission(project_id=first["id"]))
    await user.put(f"/projects/{second['id']}", {"name": "定了的名字"})
    await user.post("/input/submit", submission(project_id=second["id"]))
    for project in (first, second):
        await user.post("/generation/start", {"project_id": project["id"]})
        await user.until(f"/generation/progress/{project['id']}", lambda a: a["status"] == "completed")
    titled = (await user.get(f"/projects/{first['id']}"))["name"]
    assert titled not in {first["name"], ""}
    assert "…" not in titled
    assert (await user.get(f"/projects/{second['id']}"))["name"] == "定了的名字"


@shows("GET /projects", "status", "keyword", "page", "page_size")
@shows("PUT /projects/{project_id}", "name", "description", "tags")
async def test_projects_are_found_by_status_and_keyword_page_by_page(user: Client) -> None:
    ids = [(await user.post("/projects", {"name": name}))["id"] for name in ("海边的灯塔", "山中的灯火", "Harbour")]
    await user.put(f"/projects/{ids[2]}", {"name": "Harbour Lights", "description": "港", "tags": ["夜", "海"]})
    changed = await user.get(f"/projects/{ids[2]}")
    assert (changed["name"], changed["description"], changed["tags"]) == ("Harbour Lights", "港", ["夜", "海"])
    assert await names(user, "?keyword=灯") == ["山中的灯火", "海边的灯塔"]
    assert await names(user, "?keyword=LIGHT") == ["Harbour Lights"]
    assert await names(user, "?status=generating") == []
    assert len(await names(user, "?status=draft")) == 3
    pages = [await user.get(f"/projects?page={page}&page_size=2") for page in (1, 2)]
    assert [[item["id"] for item in page["list"]] for page in pages] == [[ids[2], ids[1]], [ids[0]]]
    assert [page["total"] for page in pages] == [3, 3]


async def test_the_count_follows_whatever_adds_or_removes_projects(plane: Plane, user: Client) -> None:
    made = [(await user.post("/projects"))["id"] for _ in range(3)]
    async with plane.services.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO projects (id, tenant_id, user_id, name, auto_named, description, tags, status, stage,"
                " progress, event_seq, edit_count, created_at, updated_at)"
                " SELECT 'prj_bulk' || n, tenant_id, user_id, 'bulk', false, '', '[]', 'draft', 'input', 0, 0, 0,"
                " now(), now() FROM projects, generate_series(1, 50) AS n WHERE id = :id"
            ),
            {"id": made[0]},
        )
    assert (await user.get("/projects"))["total"] == 53
    async with plane.services.database.transaction() as session:
        await session.execute(text("DELETE FROM projects WHERE id LIKE 'prj_bulk%'"))
    await user.call("DELETE", f"/projects/{made[1]}")
    assert (await user.get("/projects"))["total"] == 2


async def test_a_project_is_one_query_and_a_list_always_as_many(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    await idle(plane)
    statements: list[str] = []

    def note(statement: str) -> None:
        if any(table in statement for table in ("FROM projects", "FROM sessions", "project_counts")):
            statements.append(statement)

    def by_session(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        note(statement)

    def by_driver(connection: Any, *rest: Any) -> None:
        connection.driver_connection.add_query_logger(asked_directly)

    def asked_directly(logged: Any) -> None:
        note(logged.query)

    async def asked(path: str) -> int:
        await asyncio.sleep(0)  # the driver tells soon
        statements.clear()
        await user.get(path)
        await asyncio.sleep(0)
        return len(statements)

    engine = plane.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", by_session)
    event.listen(engine, "checkout", by_driver)
    try:
        one = await asked(f"/projects/{project_id}")
        few = await asked("/projects")
        for _ in range(5):
            await user.post("/projects")
        many = await asked("/projects")
    finally:
        event.remove(engine, "before_cursor_execute", by_session)
        event.remove(engine, "checkout", by_driver)
    assert one == 1
    assert 2 <= few == many <= 3


async def test_figures_of_a_project_are_those_of_its_timeline(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)

    async def figures() -> tuple[float, float, int]:
        timeline = await user.get(f"/projects/{project_id}/timeline")
        metadata = (await user.get(f"/projects/{project_id}"))["metadata"]
        return timeline["total_duration"], metadata["total_duration"], metadata["video_count"]

    shown, kept, videos = await figures()
    assert (kept, videos) == (shown, 0)
    (clip, *_) = await clips(user, project_id)
    await user.put(f"/timeline-clips/{clip['id']}/duration", {"duration": 11.0})
    started = await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
    await user.until(f"/video-generation-tasks/{started['generation_id']}", lambda a: a["status"] == "completed")
    longer, kept, videos = await figures()
    assert longer > shown + 3
    assert (kept, videos) == (longer, 1)


async def test_a_deleted_project_is_gone_and_what_ran_for_it_is_refunded(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    await idle(plane)
    (clip, *_) = await clips(user, project_id)
    spent = await used(user)
    plane.farm.hold |= {"image_to_video", "speech", "script"}
    try:
        await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
        await user.put(f"/timeline-clips/{clip['id']}/narration", {"text_content": "说不完的话。"})
        await user.post("/generation/start", {"project_id": project_id})
        assert await used(user) > spent
        await user.call("DELETE", f"/projects/{project_id}")
    finally:
        plane.farm.release()
    await idle(plane)
    assert await used(user) == spent
    assert (await user.get("/projects"))["list"] == []
    for path in (
        f"/projects/{project_id}",
        f"/projects/{project_id}/timeline",
        f"/projects/{project_id}/conversations",
        f"/material-packages/{package_id}",
        f"/generation/progress/{project_id}",
        f"/timeline-clips/{clip['id']}/candidates",
    ):
        with pytest.raises(ApiError) as gone:
            await user.get(path)
        assert gone.value.code == 1004, path
    async with plane.services.database.transaction() as session:
        failed = await session.scalar(
            text("SELECT count(*) FROM tasks WHERE project_id = :id AND reaction_failures > 0"), {"id": project_id}
        )
    assert failed == 0


async def test_projects_that_are_deleted_while_tasks_end_lose_nothing(plane: Plane, user: Client) -> None:
    """Deleting locks jobs before the project, as reactions do: no deadlock, no reservation left open."""
    ids = [(await user.post("/input/submit", submission()))["project_id"] for _ in range(3)]
    await asyncio.gather(*(user.post("/generation/start", {"project_id": project_id}) for project_id in ids))
    await asyncio.sleep(0.4)
    await asyncio.gather(*(user.call("DELETE", f"/projects/{project_id}") for project_id in ids))
    await idle(plane)
    async with plane.services.database.transaction() as session:
        open_ones = await session.scalar(
            text(
                "SELECT count(*) FROM quota_ledger AS entry JOIN tasks ON tasks.id = entry.reservation_id"
                " WHERE tasks.project_id = ANY(:ids) AND entry.entry = 'reserve' AND NOT EXISTS (SELECT 1 FROM"
                " quota_ledger AS other WHERE other.reservation_id = entry.reservation_id AND other.entry <> 'reserve')"
            ),
            {"ids": ids},
        )
    assert open_ones == 0


@shows("POST /generation/start", "project_id")
async def test_the_conversation_tells_what_was_asked_and_done_in_order(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    assert await said(user, project_id) == [
        ("user", "submit"),
        ("user", "start"),
        ("system", "generation.completed"),
    ]
    told = (await user.get(f"/projects/{project_id}/conversations"))["list"]
    assert told[0]["message_content"] == submission()["content"]
    assert told[2]["context_data"]["material_package_id"] == package_id
    await user.post(f"/material-packages/{package_id}/save-new", {"package_name": "第二版"})
    await user.post(f"/material-packages/{package_id}/switch")
    assert [about for _, about in await said(user, project_id)][3:] == ["save_new", "switch"]
