"""Holds every answer of a test's server against the specification that the server gives of itself."""

from collections import Counter
from functools import cache
from typing import Any

import jsonschema_rs
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from control_plane.app import ENDPOINTS
from control_plane.web.openapi import openapi_document

METHODS = {"get", "post", "put", "delete"}


@cache
def document() -> dict[str, Any]:
    return openapi_document(ENDPOINTS, "http://127.0.0.1")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything in it."""
    return [
        (method, path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@cache
def answer_validator(method: str, path: str, status: str) -> jsonschema_rs.Validator | None:
    """Of the body of an answer; None for a status that the specification does not name."""
    response = document()["paths"][path][method]["responses"].get(status)
    if response is None:
        return None
    schema = response["content"]["application/json"]["schema"]
    whole = {**schema, "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


class Watch:
    """A middleware outside all others. ``surprises`` are statuses, codes and bodies that the specification of their
    endpoint does not allow. ``answers`` counts what was answered, by endpoint and status."""

    def __init__(self) -> None:
        self.surprises: set[str] = set()
        self.answers: Counter[tuple[str, int]] = Counter()

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            self.look(request, response)
            return response

        return watch

    def look(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        path, method = resource.canonical if resource else "", request.method.lower()
        operation = document()["paths"].get(path, {}).get(method)
        has_body = isinstance(response, web.Response) and isinstance(response.body, bytes)
        if operation is None or not has_body or response.content_type != "application/json":
            return  # a file's bytes
        answer = orjson.loads(response.body)
        where = f"{request.method} {path.removeprefix('/api/v1')}"
        self.answers[where, response.status] += 1
        validator = answer_validator(method, path, str(response.status))
        if validator is None:
            self.surprises.add(
                f"{where}: undeclared error {response.status}, code {answer['code']}: {answer['message']}"
            )
            return
        for error in validator.iter_errors(answer):
            self.surprises.add(
                f"{where}: {response.status}: {'.'.join(map(str, error.instance_path))}: {error.message}"
            )
