"""No token, password or code is in any log line, whatever level and whatever fails."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from monitoring.logs import configure_logging
from tests.integration.control_plane.conftest import PASSWORD, Client, Plane
from tests.integration.control_plane.test_accounts import refused, settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    configure_logging("test", "DEBUG", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


async def test_a_login_a_socket_and_a_reset_leave_no_secret_in_the_log(
    plane: Plane, user: Client, log: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = await plane.anonymous.post("/auth/login", {"username": user.name, "password": PASSWORD})
    token, refresh_token = login["session_token"], login["refresh_token"]
    client = Client(user.session, user.url, token)
    async with client.session.ws_connect(f"{user.url}/ws?token={token}") as socket:
        await socket.send_json({"action": "ping"})
        await socket.receive_json(timeout=10)
    team = await client.post("/teams", {"name": "crew"})
    code = (await client.post(f"/teams/{team['id']}/invites"))["invite_code"]
    await refused(client.post("/team/join", {"invite_code": code}), 1005)
    with settings(plane, reset_delivery="file", data_dir=tmp_path):
        await plane.anonymous.post("/auth/reset-password/request", {"username": user.name})
    letter = json.loads(next((tmp_path / "password-resets").glob("*")).read_text())
    refreshed = await plane.anonymous.post("/auth/refresh", {"refresh_token": refresh_token})
    new_password = "battery staple"
    await plane.anonymous.post("/auth/reset-password", {"token": letter["token"], "new_password": new_password})

    # An unforeseen failure, where both the statement and the database's refusal hold a row's values.
    with monkeypatch.context() as patch, settings(plane, registration="open"):
        patch.setattr("control_plane.accounts.service.utc_now", lambda: None)
        body = {"username": "log-1", "password": PASSWORD, "email": "private@example.org"}
        await refused(plane.anonymous.post("/auth/register", body), 1000)
    monkeypatch.setattr("control_plane.events.socket.Client", None)
    async with client.session.get(
        f"{user.url}/ws?token={(await plane.anonymous.login(user.name, new_password)).token}",
        headers={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        | {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    ):
        pass

    lines = log.getvalue()
    assert "request failed" in lines
    assert "/ws?token=[redacted]" in lines  # the server's access log was heard
    secrets = [PASSWORD, new_password, token, code, letter["token"], refresh_token, *refreshed.values()]
    secrets += [part for secret in (token, refresh_token) for part in secret.split(".")[1:]]
    assert [secret for secret in secrets if secret in lines] == []
    assert "$argon2id$" not in lines
    assert "[parameters: " not in lines
