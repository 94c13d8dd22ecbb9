"""Every route, asked by everybody: the answer is what its declared access says. Generated from the route table."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import WSServerHandshakeError
from pydantic import BaseModel

from control_plane.accounts.actor import Access
from control_plane.app import ENDPOINTS, make_app
from control_plane.web.routes import API_PREFIX, Endpoint
from control_plane.work import Services, Work
from tests.integration.control_plane import walk
from tests.integration.control_plane.conftest import ApiError, Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEAM = tuple[walk.Team, dict[str, Client]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(plane: Plane) -> TEAM:
    return await walk.prepare(plane)


@asynccontextmanager
async def undone(services: Services) -> AsyncIterator[Work]:
    """A unit of work that is written and then rolled back, so that the walk changes nothing and has no order."""
    async with services.database.sessions() as session:
        yield Work(session, services)
        await session.flush()


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


async def _answer(team: walk.Team, caller: Client, endpoint: Endpoint) -> ApiError | None:
    path = endpoint.path
    for parameter in re.findall(r"{(\w+)}", endpoint.path):
        path = path.replace(f"{{{parameter}}}", await team.id_of(endpoint.path, parameter))

    async def of(model: type[BaseModel] | None) -> dict[str, object] | None:
        return None if model is None else await walk.filled(team, model)

    body = (await of(endpoint.body) or {}) | walk.BODIES.get(name_of(endpoint), {})
    query = {name: str(value) for name, value in (await of(endpoint.query) or {}).items() if value is not None}
    try:
        await caller.call(endpoint.method, path, None if endpoint.body is None else body, params=query)
    except ApiError as error:
        return error
    return None


@pytest.mark.parametrize(
    "endpoint", [pytest.param(e, id=name_of(e)) for e in ENDPOINTS if e.access is not Access.PUBLIC]
)
async def test_each_caller_is_answered_as_the_endpoint_declares(
    team: TEAM, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, callers = team
    for parameter in re.findall(r"{(\w+)}", endpoint.path):
        await prepared.id_of(endpoint.path, parameter)  # made for good
    monkeypatch.setattr("control_plane.web.handler.unit_of_work", undone)
    for name, caller in callers.items():
        error = await _answer(prepared, caller, endpoint)
        got = (error.status, error.code) if error else (200, 0)
        if name in {"nobody", "logged out"}:
            assert got == (401, 1002), f"{name}: {error}"
        elif walk.may(endpoint.access, name) or _is_at_home(endpoint, name):
            assert got[0] not in {401, 403}, f"{name}: {error}"
            assert got[0] < 500, f"{name}: {error}"
            if error is not None and got[0] == 404:
                _names_something_else(endpoint, error, name)
        elif name in {"stranger", "operator"} and endpoint.access is not Access.PLATFORM:
            assert got == (404, 1004), f"{name}: {error}"
        else:
            assert got == (403, 1003), f"{name}: {error}"


def _is_at_home(endpoint: Endpoint, caller: str) -> bool:
    """Whether a stranger acts in the own space, since the request names nothing of the team's."""
    return (
        caller in {"stranger", "operator"}
        and endpoint.access is not Access.PLATFORM
        and not walk.names_what_the_team_owns(endpoint)
    )


def _names_something_else(endpoint: Endpoint, error: ApiError, caller: str) -> None:
    """Whoever may do it may still have named in the body what is not there, never in the path."""
    field = error.message.split("：")[1] if "：" in error.message else ""
    here = {*re.findall(r"{(\w+)}", endpoint.path), *walk.NAMED_IN_BODIES}
    assert field and field not in here, f"{caller}: {error}"


async def test_only_these_endpoints_are_open_to_everybody() -> None:
    assert {name_of(e) for e in ENDPOINTS if e.access is Access.PUBLIC} == walk.PUBLIC


async def test_whoever_only_reads_changes_nothing() -> None:
    changed = {name_of(e) for e in ENDPOINTS if e.access is Access.READ and e.transacts}
    assert changed == walk.CHANGED_BY_READERS


async def test_every_route_is_an_endpoint_or_known(plane: Plane) -> None:
    declared = {f"{e.method} {API_PREFIX}{e.path}" for e in ENDPOINTS}
    app = make_app(plane.services.settings)
    routes = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method not in {"HEAD", "OPTIONS"}
    }
    assert routes - declared - walk.OTHER_ROUTES.keys() == set()


@pytest.mark.parametrize("path", [r.split()[1] for r, kind in walk.OTHER_ROUTES.items() if kind == "socket"])
async def test_a_socket_opens_for_a_session_and_subscribes_by_membership(team: TEAM, path: str) -> None:
    prepared, callers = team
    subscribe = {"action": "subscribe", "channel": "project", "project_id": prepared.project_id}
    for name, caller in callers.items():
        url = f"{caller.url}{path}?token={caller.token}"
        if name in {"nobody", "logged out"}:
            with pytest.raises(WSServerHandshakeError) as caught:
                await caller.session.ws_connect(url)
            assert caught.value.status == 401, name
            continue
        async with caller.session.ws_connect(url) as socket:
            await socket.send_json(subscribe)
            answer = await socket.receive_json(timeout=10)
        refused = name in {"stranger", "operator"}
        assert (answer["event"], answer.get("code")) == (("error", 1004) if refused else ("subscribed", None)), name


async def test_a_file_is_reached_by_its_signature_and_by_nothing_else(team: TEAM) -> None:
    prepared, callers = team
    signed = prepared.known["image"]
    for name, caller in callers.items():
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        for url, status in ((signed, 200), (signed.split("?")[0], 403), (signed.replace("sig=", "sig=x"), 403)):
            async with caller.session.get(url, headers=headers) as answer:
                assert answer.status == status, name
        async with caller.session.put(signed.replace("/files/art_", "/uploads/upl_"), headers=headers) as answer:
            assert answer.status == 403, name


async def test_whoever_reads_a_team_makes_nothing_in_it_and_everything_at_home(team: TEAM) -> None:
    prepared, callers = team
    viewer = callers["viewer"]
    with pytest.raises(ApiError) as caught:
        await viewer.post("/input/submit", submission())
    assert (caught.value.status, caught.value.code) == (403, 1003)
    login = await viewer.login("walk-viewer")
    made = await login.post("/input/submit", submission())
    # A project is whose it is, wherever a session works just now.
    assert (await viewer.get(f"/projects/{made['project_id']}"))["id"] == made["project_id"]
    await viewer.put(f"/projects/{made['project_id']}", {"name": "mine"})
    await viewer.post("/input/submit", submission(project_id=made["project_id"]))
    assert made["project_id"] not in [p["id"] for p in (await viewer.get("/projects"))["list"]]
    assert [p["id"] for p in (await viewer.get("/projects"))["list"]] == [prepared.project_id]


async def test_an_attachment_is_taken_by_nobody_outside_of_its_space(team: TEAM) -> None:
    prepared, callers = team
    made = await walk.attachment(prepared.admin)
    named = [{"id": made["id"], "label": "主角"}]
    home = (await prepared.admin.post("/input/submit", submission(attachments=named)))["project_id"]
    listed = await prepared.admin.get(f"/projects/{home}/attachments")
    taken = [{"id": made["id"], "label": "偷"}]
    # Each from the own space: a stranger, those who read the team, and those who write it too.
    for name in ("stranger", "viewer", "editor", "admin"):
        caller = await callers[name].login(f"walk-{name}")
        own = (await caller.post("/input/submit", submission()))["project_id"]
        for named_project in ({}, {"project_id": own}):
            with pytest.raises(ApiError, match=r"attachments\.0\.id") as caught:
                await caller.post("/input/submit", submission(attachments=taken, **named_project))
            assert (caught.value.status, caught.value.code) == (400, 1001), name
    for name, code in (("stranger", 1004), ("viewer", 1003)):
        with pytest.raises(ApiError) as caught:
            await callers[name].post("/input/submit", submission(attachments=taken, project_id=home))
        assert caught.value.code == code, name
    assert await prepared.admin.get(f"/projects/{home}/attachments") == listed
    own = (await callers["editor"].post("/input/submit", submission(attachments=taken)))["project_id"]
    assert [row["label"] for row in (await callers["viewer"].get(f"/projects/{own}/attachments"))["list"]] == ["偷"]
    await prepared.admin.call("DELETE", f"/projects/{own}")
    await prepared.admin.call("DELETE", f"/projects/{home}")
