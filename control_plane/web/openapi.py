"""OpenAPI 3.1, generated from the endpoints' declarations."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from control_plane.accounts.actor import Access
from control_plane.errors import ApiError
from control_plane.web.examples import example_of
from control_plane.web.idempotency import MAX_KEY_LENGTH
from control_plane.web.openapi_errors import errors_of
from control_plane.web.openapi_files import FILE_PATHS
from control_plane.web.parsing import ID_PATTERN
from control_plane.web.routes import API_PREFIX, Endpoint, Method

_REF = "#/components/schemas/{model}"
_DESCRIPTION = """\
Every answer is an envelope: `code` is 0 with `data` on success; otherwise `code` says what went wrong, `message` says
it in Chinese, or in English under `Accept-Language: en`, with the name of the field at fault, and `data` is null.
Optional fields are left out when they are absent. Times are ISO 8601 in UTC.

Events come by WebSocket from `/ws?token=…`: send
`{"action": "subscribe", "channel": "project", "project_id": "…", "last_event_id": "…"}`.
"""


class _Schemas(GenerateJsonSchema):
    """Answers leave absent fields out and never say null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if self.mode == "serialization" or found.get("default", False) is None:
            found.pop("default", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def openapi_document(endpoints: Iterable[Endpoint], public_url: str) -> dict[str, Any]:
    endpoints = tuple(endpoints)
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for endpoint in endpoints:
        wanted += [(model, "validation") for model in (endpoint.body, endpoint.query) if model is not None]
        wanted.append((endpoint.response, "serialization"))
    references, definitions = models_json_schema(wanted, ref_template=_REF, schema_generator=_Schemas)
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references, schemas)
        paths.setdefault(API_PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    queries = {endpoint.query for endpoint in endpoints if endpoint.query is not None}
    for query in queries:  # told parameter by parameter
        schemas.pop(_name(references[query, "validation"]))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reelfarm",
            "version": version("reelfarm"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys([*(endpoint.module for endpoint in endpoints), "files"])],
        "paths": paths | FILE_PATHS,
        "components": {
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `session_token` of a login.",
                }
            },
            "schemas": schemas,
        },
    }


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _operation(endpoint: Endpoint, references: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.module}.{endpoint.handler.__name__}",
        "tags": [endpoint.module],
        "summary": endpoint.summary,
        "description": _permission(endpoint.access),
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, references, schemas), _LANGUAGE],
        "responses": {"200": _success(endpoint, references, schemas)} | _failures(errors_of(endpoint)),
    }
    if endpoint.access is Access.PUBLIC:
        operation["security"] = []
    elif endpoint.method is Method.POST:
        operation["parameters"].append(_IDEMPOTENCY_KEY)
    if endpoint.body is not None:
        schema = references[endpoint.body, "validation"]
        operation["requestBody"] = {
            "required": any(field.is_required() for field in endpoint.body.model_fields.values()),
            "content": {"application/json": {"schema": schema, "example": example_of(schema, schemas)}},
        }
    return operation


def _permission(access: Access) -> str:
    return {
        Access.PUBLIC: "Needs no login.",
        Access.USER: "For every user.",
        Access.READ: "For those who may see the space it belongs to.",
        Access.WRITE: "For editors and admins of the space it belongs to.",
        Access.MANAGE: "For admins of the space it belongs to.",
        Access.PLATFORM: "For platform admins.",
    }[access]


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": ID_PATTERN},
            "example": example_of({"type": "string"}, {}, name),
        }
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint, references: Any, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    model = schemas[_name(references[endpoint.query, "validation"])]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in model.get("required", []),
            "schema": _without_null(schema),
        }
        for name, schema in model["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: a parameter is there or not."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if not options:
        return schema
    return options[0] | rest if len(options) == 1 else {"anyOf": options} | rest


def _success(endpoint: Endpoint, references: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    data = references[endpoint.response, "serialization"]
    returns_nothing = not endpoint.response.model_fields
    envelope = {
        "type": "object",
        "required": ["code", "message", "data"],
        "additionalProperties": False,
        "properties": {
            "code": {"const": 0},
            "message": {"const": "success"},
            "data": {"type": "null"} if returns_nothing else data,
        },
    }
    example = {"code": 0, "message": "success", "data": None if returns_nothing else example_of(data, schemas)}
    return {
        "description": "Done." if returns_nothing else endpoint.response.__name__,
        "content": {"application/json": {"schema": envelope, "example": example}},
    }


def _failures(errors: Iterable[type[ApiError]]) -> dict[str, Any]:
    """By status; several errors can share one, told apart by their codes."""
    by_status: dict[str, list[type[ApiError]]] = {}
    for error in errors:
        by_status.setdefault(str(error.status), []).append(error)
    return {status: failure(found) for status, found in by_status.items()}


def failure(errors: list[type[ApiError]]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "; ".join(f"{error.code}: {error.en}" for error in errors),
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["code", "message", "data"],
                    "additionalProperties": False,
                    "properties": {
                        "code": {"enum": sorted({error.code for error in errors})},
                        "message": {"type": "string"},
                        "data": {"type": "null"},
                    },
                },
                "example": {"code": errors[0].code, "message": errors[0].zh, "data": None},
            }
        },
    }
    if errors[0].status == 429:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return response


_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "English messages and names for a client that prefers English, Chinese ones otherwise.",
    "schema": {"type": "string", "default": "zh"},
    "example": "en",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request sent twice with one key is carried out once and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}
