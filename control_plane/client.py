"""A client of the public HTTP API: envelope, tokens, retries while a server restarts, events, downloads."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import orjson

_API = "/api/v1"
_RETRY_FOR_S = 60.0
_RETRY_LOGIN_FOR_S = 5.0
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 3.0
_AWAY = frozenset({502, 503, 504})
_NOT_LOGGED_IN = 1002
_CHUNK_BYTES = 1 << 18


class ClientError(RuntimeError):
    """The server's refusal (`code` of the API) or its silence (`code` None); the message is for the user."""

    def __init__(self, message: str, code: int | None = None) -> None:
        self.code = code
        super().__init__(message)


class NotReadyError(ClientError):
    """The file behind a URL is still being made."""


class ApiClient:
    """One user's requests to one server. Use as an asynchronous context manager.

    A request that fails because the server is away is repeated for about a minute, a login, before which there is
    nothing to lose, for a few seconds. To make that safe, a POST that creates or spends takes a `key`: the server
    carries it out once.
    """

    def __init__(self, server: str, *, language: str = "en") -> None:
        self.server = server.rstrip("/")
        self._headers = {"Accept-Language": language}
        self._token: str | None = None
        self._refresh_token: str | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        self._session = aiohttp.ClientSession(
            timeout=timeout, json_serialize=lambda value: orjson.dumps(value).decode()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def login(self, username: str, password: str) -> None:
        credentials = {"username": username, "password": password}
        answer = await self.request("POST", "/auth/login", credentials, retry_for_s=_RETRY_LOGIN_FOR_S)
        self._keep(answer)

    async def get(self, path: str, *, language: str | None = None) -> dict[str, Any]:
        return await self.request("GET", path, language=language)

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self.request("PUT", path, body)

    async def post(self, path: str, body: dict[str, Any] | None = None, *, key: str) -> dict[str, Any]:
        return await self.request("POST", path, body or {}, key=key)

    async def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        language: str | None = None,
        retry_for_s: float | None = None,
    ) -> dict[str, Any]:
        """The `data` of the answer. Raises ClientError."""
        may_refresh = self._refresh_token is not None
        async for _ in _tries(f"{method} {path} of {self.server}", retry_for_s):
            headers = dict(self._headers)
            if language:
                headers["Accept-Language"] = language
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            if key:
                headers["Idempotency-Key"] = key
            try:
                async with self._http.request(
                    method, self.server + _API + path, json=body, headers=headers
                ) as response:
                    if response.status in _AWAY:
                        continue
                    if response.status == 429:
                        await asyncio.sleep(min(float(response.headers.get("Retry-After", "1")), 5.0))
                        continue
                    answer = await _envelope(response)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
                continue
            if answer["code"] == _NOT_LOGGED_IN and may_refresh:
                may_refresh = False
                await self._refresh()
                continue
            if answer["code"] != 0:
                raise ClientError(str(answer["message"]), int(answer["code"]))
            return answer["data"] or {}
        raise ClientError(f"{self.server} does not answer")

    async def events(self, project_id: str) -> AsyncIterator[dict[str, Any]]:
        """Events of a project, for ever: a lost connection is made again, and what was missed comes first."""
        last_id: Any = None
        for attempt in itertools.count():
            if attempt:
                await asyncio.sleep(min(_FIRST_DELAY_S * 2 ** min(attempt, 16), _LONGEST_DELAY_S))
            try:
                async with self._http.ws_connect(
                    f"{self.server}/ws", params={"token": self._token or ""}, heartbeat=20
                ) as socket:
                    subscription = {"action": "subscribe", "channel": "project", "project_id": project_id}
                    if last_id is not None:
                        subscription["last_event_id"] = last_id
                    await socket.send_json(subscription)
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            event = orjson.loads(message.data)
                            if "event" in event:
                                last_id = event.get("id") or last_id
                                yield event
            except (aiohttp.ClientError, TimeoutError):
                continue

    async def probe_file(self, url: str) -> None:
        """Raises NotReadyError while the file of a signed URL is being made."""
        async for _ in _tries(f"GET {urlsplit(url).path}"):
            try:
                async with self._http.get(self._own(url), headers={"Range": "bytes=0-0"}) as response:
                    if response.status in _AWAY:
                        continue
                    await _check_file(response)
                    return
            except (aiohttp.ClientConnectionError, TimeoutError):
                continue

    async def download(self, url: str, target: Path, report: Callable[[float], None] | None = None) -> int:
        """Fetch a signed URL into a file that appears whole or not at all; the size in bytes.

        Raises ClientError, and OSError when the file cannot be written.
        """
        partial = target.with_name(f".{target.name}.part")
        async for _ in _tries(f"GET {urlsplit(url).path}"):
            try:
                async with self._http.get(self._own(url)) as response:
                    if response.status in _AWAY:
                        continue
                    await _check_file(response)
                    size = 0
                    with partial.open("wb") as file:
                        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                            size += await asyncio.to_thread(file.write, chunk)
                            if report and response.content_length:
                                report(size / response.content_length)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
                continue
            partial.replace(target)
            return size
        raise ClientError(f"{self.server} does not answer")

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use `async with ApiClient(…)`")
        return self._session

    def _own(self, url: str) -> str:
        """A file's URL at the address that we know works; the server's public one may be for others."""
        parts, own = urlsplit(url), urlsplit(self.server)
        return parts._replace(scheme=own.scheme, netloc=own.netloc).geturl()

    async def _refresh(self) -> None:
        spent, self._refresh_token, self._token = self._refresh_token, None, None
        self._keep(await self.request("POST", "/auth/refresh", {"refresh_token": spent}))

    def _keep(self, tokens: dict[str, Any]) -> None:
        self._token, self._refresh_token = tokens["session_token"], tokens["refresh_token"]


async def _tries(what: str, retry_for_s: float | None = None) -> AsyncIterator[int]:
    """Yield until the server had its time to come back. Raises ClientError then."""
    loop = asyncio.get_running_loop()
    retry_for_s = _RETRY_FOR_S if retry_for_s is None else retry_for_s
    give_up = loop.time() + retry_for_s
    for attempt in itertools.count():
        yield attempt
        if loop.time() >= give_up:
            raise ClientError(f"no answer to {what} for {retry_for_s:.0f} s")
        await asyncio.sleep(min(_FIRST_DELAY_S * 2**attempt, _LONGEST_DELAY_S))


async def _envelope(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        answer = orjson.loads(await response.read())
    except orjson.JSONDecodeError as error:
        raise ClientError(f"{response.url.origin()} is not a Reelfarm server (HTTP {response.status})") from error
    if not isinstance(answer, dict) or "code" not in answer:
        raise ClientError(f"{response.url.origin()} is not a Reelfarm server (HTTP {response.status})")
    return answer


async def _check_file(response: aiohttp.ClientResponse) -> None:
    if response.status == 404 and "Retry-After" in response.headers:
        raise NotReadyError("the file is still being made", 1004)
    if response.status not in {200, 206}:
        answer = await _envelope(response)
        raise ClientError(str(answer["message"]), int(answer["code"]))
