"""Whatever is sent, the answer is the envelope with code 1001 or 1004 and the name of the field; never a 500."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from yarl import URL

from tests.integration.control_plane.conftest import Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = b"[" * 100_000 + b"]" * 100_000
HUGE = b"1" + b"0" * 30
ENDLESS = b"9" * 10_000


async def send(user: Client, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """The status and the envelope; the path goes out as it is written."""
    url = URL(f"{user.url}/api/v1{path}", encoded=True)
    sent = {"Authorization": f"Bearer {user.token}", "Accept-Language": "en", **headers}
    async with user.session.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
        text = await answer.text()
        assert "Traceback" not in text
        assert answer.content_type == "application/json", text
        body = json.loads(text)
    assert set(body) == {"code", "message", "data"}
    assert body["data"] is None
    return answer.status, body


async def refused(user: Client, path: str, data: Any, field: str, method: str = "PUT") -> None:
    status, body = await send(user, method, path, data, **{"Content-Type": "application/json"})
    assert (status, body["code"]) == (400, 1001), body
    assert f": {field}: " in body["message"], body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def user(plane: Plane) -> Client:
    """One for all of these: nothing here is meant to change anything."""
    return await plane.new_user("strict")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def project(user: Client) -> str:
    return "/projects/" + str((await user.post("/input/submit", submission()))["project_id"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": 5}', "name"),
        (b'{"name": ["a"]}', "name"),
        (b'{"name": {}}', "name"),
        (b'{"name": true}', "name"),
        (b'{"name": ""}', "name"),
        (b'{"tags": "a"}', "tags"),
        (b'{"tags": [1]}', "tags.0"),
        (b'{"tags": {"0": "a"}}', "tags"),
        (b'{"tags": ["a\\u0000"]}', "tags.0"),
        (b'{"name": "' + b"a" * 201 + b'"}', "name"),
        (b'{"nom": "a"}', "nom"),
        (b'{"' + b"n" * 100_000 + b'": 1}', "n" * 100),
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"name": "\\ud800"}', "body"),
        (b'{"name": "\xff\xfe"}', "body"),
        (b'{"name": "\xed\xa0\x80"}', "body"),
        (b'\xef\xbb\xbf{"name": "a"}', "body"),
        (b'{"name": NaN}', "name"),
        (b'{"name": ', "body"),
        (b'{"name": "a"} {}', "body"),
        (b'{"name": "a",}', "body"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"name"', "body"),
        (b"5", "body"),
        (b"", "Content-Type"),
        (DEEP, "body"),
        (b'{"tags": ' + DEEP + b"}", "body"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
async def test_a_body_that_is_not_as_declared_is_refused_by_name(
    user: Client, project: str, body: bytes, field: str
) -> None:
    if not body:  # nothing at all is no change; a claim of content is refused
        assert (await user.put(project)) is None
        return
    await refused(user, project, body, field)


@pytest.mark.parametrize(
    "number", [b"-1", b"0", b"NaN", b"Infinity", b"-Infinity", b"1e400", HUGE, ENDLESS, b'"1"', b"true"]
)
async def test_a_number_out_of_its_range_is_refused_by_name(user: Client, number: bytes) -> None:
    attachment = b'{"file_name":"a","file_type":"image/png","file_category":"image","file_url":"u","file_size":%s}'
    field = "body" if number == ENDLESS else "file_size"
    await refused(user, "/attachments", attachment % number, field, "POST")
    config = b'{"aspect_ratio":"16:9","duration_type":"custom","duration_seconds":%s}' % number
    body = b'{"input_mode":"general","input_type":"text","content":"a","config":%s}' % config
    field = "body" if number == ENDLESS else "config.duration_seconds"
    await refused(user, "/input/submit", body, field, "POST")


async def test_an_unknown_enum_value_is_refused_with_the_known_ones(user: Client) -> None:
    body = json.dumps(submission(config={"duration_type": "long"})).encode()
    headers = {"Content-Type": "application/json"}
    status, answer = await send(user, "POST", "/input/submit", body, **headers)
    assert (status, answer["code"]) == (400, 1001)
    assert "config.duration_type" in answer["message"]
    assert "'smart' or 'custom'" in answer["message"]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/json; charset=utf-16", "application/jsonp", "x"]
)
async def test_another_content_type_is_refused(user: Client, project: str, content_type: str) -> None:
    status, body = await send(user, "PUT", project, b'{"name": "a"}', **{"Content-Type": content_type})
    assert (status, body["code"]) == (400, 1001)
    assert "Content-Type" in body["message"]


async def _chunks(size: int) -> AsyncIterator[bytes]:
    yield b'{"name": "'
    for _ in range(size // 65536):
        yield b"a" * 65536
    yield b'"}'


async def test_a_body_over_the_limit_is_refused_however_it_is_sent(user: Client, project: str) -> None:
    await refused(user, project, b'{"name": "' + b"a" * 3_000_000 + b'"}', "body")
    await refused(user, project, _chunks(3_000_000), "body")
    bomb = gzip.compress(b'{"name": "' + b"a" * 50_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, answer = await send(user, "PUT", project, bomb, **headers)
    assert (status, answer["code"]) == (400, 1001)
    assert "body" in answer["message"]
    status, answer = await send(user, "PUT", project, b"no gzip", **headers)
    assert (status, answer["code"]) == (400, 1001)


async def test_a_get_takes_no_body_and_an_action_no_unknown_one(user: Client, project: str) -> None:
    await refused(user, project, b'{"name": "a"}', "body", "GET")
    await refused(user, "/export-tasks/exp_x/cancel", b'{"now": true}', "now", "POST")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1000001", "page"),
        (f"page={'9' * 5000}", "page"),
        ("page=1.0", "page"),
        ("page=1e3", "page"),
        ("page=%2B1", "page"),
        ("page=+1", "page"),
        ("page=01", "page"),
        ("page=1_0", "page"),
        ("page=%D9%A1", "page"),
        ("page=", "page"),
        ("page", "page"),
        ("page=NaN", "page"),
        ("page=null", "page"),
        ("page=1&page=2", "page"),
        ("page[]=1", "page[]"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("status=done", "status"),
        ("status=draft&status=draft", "status"),
        ("keyword=" + "a" * 101, "keyword"),
        ("keyword=a%00b", "keyword"),
        ("sort=name", "sort"),
    ],
)
async def test_a_query_that_is_not_as_declared_is_refused_by_name(user: Client, query: str, field: str) -> None:
    status, body = await send(user, "GET", f"/projects?{query}")
    assert (status, body["code"]) == (400, 1001), body
    assert f": {field}: " in body["message"], body


@pytest.mark.parametrize("flag", ["1", "yes", "True", "TRUE", "on", "", "null"])
async def test_a_boolean_of_a_query_is_true_or_false(user: Client, flag: str) -> None:
    status, body = await send(user, "GET", f"/assets/voices?is_preset={flag}")
    assert (status, body["code"]) == (400, 1001)
    assert "is_preset: must be true or false" in body["message"]
    assert (await user.get("/assets/voices?is_preset=true"))["total"] > 0


async def test_bytes_in_a_query_that_are_no_utf8_harm_nothing(user: Client) -> None:
    headers = {"Authorization": f"Bearer {user.token}"}
    url = URL(f"{user.url}/api/v1/projects?keyword=%FF%FE%ED%A0%80", encoded=True)
    async with user.session.get(url, headers=headers) as answer:
        assert answer.status in {200, 400}
        assert set(await answer.json()) == {"code", "message", "data"}


async def test_a_query_of_an_endpoint_without_one_is_refused(user: Client, project: str) -> None:
    status, body = await send(user, "GET", f"{project}?verbose=true")
    assert (status, body["code"]) == (400, 1001)
    assert "verbose" in body["message"]


@pytest.mark.parametrize(
    "project_id",
    [
        "a" * 10_000,
        "a" * 65,
        "%00",
        "prj_%00x",
        "prj%2F..%2Fx",
        "%E6%B5%B7",
        "%FF",
        "%ED%A0%80",
        "prj_x'--",
        "prj_x;x",
        "%20",
        "prj_nothing",
        "%F0%9F%8E%89",
    ],
    ids=lambda value: value[:12],
)
async def test_an_id_that_is_none_is_not_found(user: Client, project_id: str) -> None:
    for path in (f"/projects/{project_id}", f"/projects/{project_id}/timeline", f"/generation/progress/{project_id}"):
        status, body = await send(user, "GET", path)
        assert (status, body["code"]) == (404, 1004), body
        assert "project_id" in body["message"], body


async def test_missing_ids_and_unknown_paths_are_not_found(user: Client) -> None:
    for path in ("/projects/", "/projects//timeline", "/projects/../user/me", "/", "/nothing", "/Projects"):
        status, body = await send(user, "GET", path)
        assert (status, body["code"]) == (404, 1004), path


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_another_method_is_refused_in_the_envelope(user: Client, method: str) -> None:
    url, headers = f"{user.url}/api/v1/input/options", {"Authorization": f"Bearer {user.token}"}
    async with user.session.request(method, url, headers=headers) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET"
        assert answer.content_type == "application/json"
        if method != "HEAD":
            assert (await answer.json())["code"] == 1001


async def test_odd_headers_harm_nothing(user: Client) -> None:
    for headers in ({"Authorization": "Bearer " + "a" * 20_000}, {"Authorization": "Bearer \xe9\xff"}):
        async with user.session.get(f"{user.url}/api/v1/user/me", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 1002)
    for key in ("", "a" * 201, "\xe9\x85", "a\tb"):
        status, body = await send(
            user, "POST", "/input/submit", b"{}", **{"Content-Type": "application/json", "Idempotency-Key": key}
        )
        assert (status, body["code"]) == (400, 1001)
