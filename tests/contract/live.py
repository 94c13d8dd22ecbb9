"""Calls endpoints for real and holds what goes in and comes out against the contract."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from control_plane.app import ENDPOINTS
from tests.contract.interfaces import agreed, kept, name_of, options, wrong
from tests.integration.control_plane.conftest import ApiError, Client

DECLARED = {name_of(endpoint) for endpoint in ENDPOINTS}

MODULES = {
    "accounts": r"/auth/|/user/|/team/",
    "projects": r"/projects(/:project_id)?$",
    "inputs": r"/input/|/attachments|/projects/:project_id/attachments|/config-templates",
    "materials": r"/generation/|/material-packages|/projects/:project_id/(material-packages|conversations)",
    "timeline": r"/timeline-clips|/video-generation-tasks|/projects/:project_id/(timeline|generate|bgm)",
    "exports": r"/export-|/projects/:project_id/export",
    "assets": r"/assets/",
}


def endpoints_of(module: str) -> set[str]:
    return {name for name in kept()["endpoints"] if re.match(MODULES[module], name.partition(" ")[2])}


class Walk:
    """A user who calls each endpoint of a module. An endpoint that is not there, or answers otherwise than agreed, is
    a problem; the walk goes on with an answer made up from the contract."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.called: set[str] = set()
        self.problems: list[str] = []

    async def __call__(
        self,
        endpoint: str,
        *ids: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        client: Client | None = None,
    ) -> Any:
        method, _, path = endpoint.partition(" ")
        agreement = agreed()["endpoints"].get(endpoint, {})
        self.called.add(endpoint)
        if endpoint not in DECLARED:
            self.problems.append(f"{endpoint} is not there")
            return sample(agreement.get("response"))
        for part, sent in (("request", body), ("query", query)):
            if sent is not None and endpoint in agreed()["endpoints"]:
                self._note(endpoint, wrong(agreement.get(part, {}), sent, part))
        values = iter(ids)
        path = re.sub(r":\w+", lambda _: next(values), path)
        parameters = [
            (name, str(item).lower() if isinstance(item, bool) else str(item))
            for name, value in (query or {}).items()
            for item in (value if isinstance(value, list) else [value])
        ]
        try:
            answer = await (client or self.client).call(method, path, body, params=parameters)
        except ApiError as error:
            self.problems.append(f"{endpoint} answered {error}")
            return sample(agreement.get("response"))
        if endpoint in agreed()["endpoints"]:
            expected = agreement.get("response")
            self._note(endpoint, wrong(expected, answer) if expected else [])
            if not expected and answer is not None:
                self.problems.append(f"{endpoint} answers more than success: {answer}")
        return answer

    def _note(self, endpoint: str, found: list[str]) -> None:
        self.problems += [f"{endpoint}: {problem}" for problem in found]

    async def until(self, endpoint: str, *ids: str, done: Callable[[Any], bool]) -> Any:
        """Ask until the answer is as wanted; a minute at most."""
        known = len(self.problems)
        async with asyncio.timeout(60):
            while True:
                answer = await self(endpoint, *ids)
                if done(answer) or len(self.problems) > known:
                    return answer
                await asyncio.sleep(0.05)

    async def ready(self, url: str) -> None:
        """Wait for a file that is being made."""
        async with asyncio.timeout(60):
            while True:
                async with self.client.session.get(url) as answer:
                    if answer.status == 200:
                        return
                    assert "Retry-After" in answer.headers, await answer.text()
                await asyncio.sleep(0.05)

    def finish(self, module: str) -> None:
        """Everything was called and was as agreed."""
        missed = [f"{endpoint} was not called" for endpoint in endpoints_of(module) - self.called]
        problems = sorted({*self.problems, *missed})
        assert not problems, "\n".join(problems)


def sample(found: Any) -> Any:
    """A value of a type."""
    if isinstance(found, dict):
        return {name.removesuffix("?"): sample(part) for name, part in found.items() if name != "*"}
    if isinstance(found, list):
        return [sample(found[0])]
    allowed = options(found) if found else None
    return sorted(allowed)[0] if allowed else {"number": 1, "boolean": True, None: None}.get(found, "sample_1")


class Events:
    """What a WebSocket client of one project hears, each message held against the contract."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []
        self.problems: list[str] = []

    async def until(self, name: str, *, within_s: float = 60) -> dict[str, Any]:
        """Listen until an event of this name comes."""
        async with asyncio.timeout(within_s):
            while True:
                message = await self._socket.receive_json()
                self.heard.append(message)
                self._check(message)
                if message["event"] == name:
                    return dict(message["data"])

    def _check(self, message: dict[str, Any]) -> None:
        name = message["event"]
        if set(message) != {"id", "event", "project_id", "data"}:
            self.problems.append(f"{name} has the fields {sorted(message)}")
        wanted = agreed()["events"].get(name)
        if wanted is None:
            self.problems.append(f"{name} is not in the contract")
        else:
            self.problems += [f"{name}: {problem}" for problem in wrong(wanted, message["data"])]


@asynccontextmanager
async def listening(client: Client, project_id: str) -> AsyncIterator[Events]:
    address = client.url.replace("http", "ws") + f"/ws?token={client.token}"
    async with client.session.ws_connect(address) as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project_id})
        answer = await socket.receive_json()
        assert answer["event"] == "subscribed", answer
        yield Events(socket)
