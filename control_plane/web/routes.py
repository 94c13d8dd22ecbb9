"""How an endpoint is declared. A module's routes.py makes one ``Routes`` and decorates its handlers.

    routes = Routes("inputs")

    @routes.post("/input/submit", access=Access.WRITE, body=SubmitRequest, response=SubmitResponse)
    async def submit(call: Call, body: SubmitRequest) -> SubmitResponse: ...

The declaration is all there is to know of an endpoint: the handler is reached only with a parsed body or query and an
actor that has logged in, and whatever it loads is loaded with the access that the declaration names.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from control_plane.accounts.actor import Access, Actor
from control_plane.errors import ApiError, NotLoggedIn
from control_plane.web.models import Empty, RequestModel
from control_plane.web.reasons import tells_why
from control_plane.work import Services, Work

API_PREFIX = "/api/v1"


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@dataclass
class Call:
    """One request: who asks, the transaction, and the ids of the path."""

    work: Work
    path: dict[str, str]
    language: str
    client_ip: str
    maybe_actor: Actor | None

    @property
    def actor(self) -> Actor:
        if self.maybe_actor is None:
            raise NotLoggedIn()
        return self.maybe_actor

    @property
    def services(self) -> Services:
        return self.work.services


@dataclass(frozen=True)
class Gate:
    """Requests that compute while they hold a connection to the database. So many of them at once in a process; the
    others wait before they take one, so that connections are left for the requests that are quick."""

    name: str
    at_once: int


PASSWORDS = Gate("passwords", 4)
FILES = Gate("files", 2)
"""A picture of the largest size takes about 400 MB of memory while it is looked into."""

_RESOURCES = {"project_id", "team_space_id"}

Handler = Callable[..., Awaitable[BaseModel | None]]


@dataclass(frozen=True)
class Endpoint:
    module: str
    method: Method
    path: str
    handler: Handler
    access: Access
    body: type[RequestModel] | None
    query: type[RequestModel] | None
    response: type[BaseModel]
    summary: str
    errors: tuple[type[ApiError], ...] = ()
    """What the handler raises beyond what the declaration implies; see openapi_errors.py."""
    spends: bool = False
    """Whether it can reserve quota, so that an exhausted one or a full disk refuses it."""
    secrets: Callable[[Services, dict[str, Any]], dict[str, Any]] | None = None
    """Makes the fields of the answer that may not be stored from those that may; see idempotency.py."""
    transacts: bool = True
    """Whether it runs in a transaction. A GET does not, unless it declares that it counts or locks something."""
    gate: Gate | None = None
    """Where it waits for its turn, if it is slow."""

    @property
    def names_a_resource(self) -> bool:
        """Whether path, body or query names what is to be loaded or where something is to be made, so that the
        current space decides nothing before the handler has looked."""
        models = [model for model in (self.body, self.query) if model is not None]
        return "{" in self.path or any(_RESOURCES & model.model_fields.keys() for model in models)

    @property
    def loads_what_it_reads(self) -> bool:
        return "{" in self.path and self.access is Access.READ and self.method is Method.GET

    @property
    def speaks(self) -> bool:
        """Whether the handler uses ``call.language``, or the answer says why something failed: the user's settings are
        loaded for it."""
        return "language" in self.handler.__code__.co_names or tells_why(self.response)


class Routes:
    """The endpoints of one module, in the order of their declaration."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self.endpoints)

    def get(self, path: str, **declaration: Any) -> Callable[[Handler], Handler]:
        return self._add(Method.GET, path, **declaration)

    def post(self, path: str, **declaration: Any) -> Callable[[Handler], Handler]:
        return self._add(Method.POST, path, **declaration)

    def put(self, path: str, **declaration: Any) -> Callable[[Handler], Handler]:
        return self._add(Method.PUT, path, **declaration)

    def delete(self, path: str, **declaration: Any) -> Callable[[Handler], Handler]:
        return self._add(Method.DELETE, path, **declaration)

    def _add(
        self,
        method: Method,
        path: str,
        *,
        access: Access,
        body: type[RequestModel] | None = None,
        query: type[RequestModel] | None = None,
        response: type[BaseModel] = Empty,
        errors: tuple[type[ApiError], ...] = (),
        spends: bool = False,
        secrets: Callable[[Services, dict[str, Any]], dict[str, Any]] | None = None,
        transacts: bool | None = None,
        gate: Gate | None = None,
    ) -> Callable[[Handler], Handler]:
        if transacts is None:
            transacts = method is not Method.GET

        def declare(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().split("\n")[0]
            self.endpoints.append(
                Endpoint(
                    module=self.module,
                    method=method,
                    path=path,
                    handler=handler,
                    access=access,
                    body=body,
                    query=query,
                    response=response,
                    summary=summary,
                    errors=errors,
                    spends=spends,
                    secrets=secrets,
                    transacts=transacts,
                    gate=gate,
                )
            )
            return handler

        return declare
