"""The specification is valid, whole and true to what is registered; its page needs nothing from elsewhere."""

import re

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from control_plane.app import ENDPOINTS
from control_plane.web.routes import API_PREFIX
from tests.contract.watch import document, operations
from tests.integration.control_plane.conftest import Client, Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_is_valid_and_served_to_everybody(plane: Plane) -> None:
    async with plane.anonymous.session.get(f"{plane.anonymous.url}/api/v1/openapi.json") as answer:
        assert answer.content_type == "application/json"
        served = await answer.json()
    OpenAPIV31SpecValidator(served).validate()
    assert served["servers"] == [{"url": plane.services.signer.public_url}]
    assert served | {"servers": []} == document() | {"servers": []}


async def test_it_has_every_endpoint_once() -> None:
    told = {(method.upper(), path) for method, path, _ in operations() if path.startswith(API_PREFIX)}
    assert told == {(endpoint.method.value, API_PREFIX + endpoint.path) for endpoint in ENDPOINTS}
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    assert {"/files/{artifact_id}", "/uploads/{upload_id}"} <= set(document()["paths"])


async def test_every_example_is_valid() -> None:
    components = {"components": document()["components"]}
    wrong = []
    for method, path, operation in operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        contents = [content for body in bodies for content in body.get("content", {}).values()]
        for content in (content for content in contents if "example" in content):
            validator = jsonschema_rs.Draft202012Validator(content["schema"] | components, validate_formats=True)
            wrong += [f"{method} {path}: {error.message}" for error in validator.iter_errors(content["example"])]
    assert wrong == []


async def test_requests_are_closed_and_no_answer_says_null() -> None:
    schemas = document()["components"]["schemas"]
    for name, schema in schemas.items():
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name
    answers = {endpoint.response.__name__ for endpoint in ENDPOINTS} & set(schemas)
    assert answers
    for name in answers:
        assert '"null"' not in str(schemas[name]).replace("'", '"'), name


async def test_the_page_and_its_parts_come_from_here_under_a_strict_policy(plane: Plane, user: Client) -> None:
    async with user.session.get(f"{user.url}/docs") as answer:
        html, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"<script(?![^>]*src=)|https?:|//", html.replace("<!doctype", ""))
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        async with user.session.get(f"{user.url}/{address}") as part:
            assert (part.status, len(await part.read()) > 100) == (200, True), address
    async with user.session.get(f"{user.url}/docs/../__init__.py") as answer:
        assert answer.status == 404
