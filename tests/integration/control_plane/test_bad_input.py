"""Bad input gets a clear error that names the field, and never a 500."""

import io
import json
import time
from typing import Any

import jwt
import pytest
from PIL import Image

from control_plane.accounts.tokens import _key
from tests.integration.control_plane.conftest import PASSWORD, ApiError, Client, Plane, generated, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def test_a_wrong_password_and_an_unknown_user_are_told_alike(plane: Plane, user: Client) -> None:
    wrong = await refused(plane.anonymous.login(user.name, "wrong password"))
    unknown = await refused(plane.anonymous.login("nobody", PASSWORD))
    assert (wrong.status, wrong.code) == (401, 1002)
    assert wrong.message == unknown.message


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_no_token_or_nonsense_is_not_logged_in(plane: Plane, token: str) -> None:
    error = await refused(Client(plane.anonymous.session, plane.anonymous.url, token).get("/user/me"))
    assert (error.status, error.code) == (401, 1002)


async def test_an_expired_or_forged_token_is_refused(plane: Plane, user: Client) -> None:
    claims = jwt.decode(user.token, options={"verify_signature": False})
    expired = jwt.encode(claims | {"exp": int(time.time()) - 1}, _key(plane.services.settings), "HS256")
    forged = jwt.encode(claims, "k" * 64, "HS256")
    for token, word in ((expired, "过期"), (forged, "无效")):
        error = await refused(Client(user.session, user.url, token).get("/user/me"))
        assert (error.status, error.code) == (401, 1002)
        assert word in error.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": ""}, "content"),
        ({"content": "  \n\t"}, "content"),
        ({"content": "🎉🎉😀"}, "content"),
        ({"content": "海" * 200_000}, "content"),
        ({"content": "a\u0000b"}, "content"),
        ({"content": 5}, "content"),
        ({"input_type": "poem"}, "input_type"),
        ({"config": {"aspect_ratio": "3:1"}}, "config.aspect_ratio"),
        ({"config": {"duration_type": "custom"}}, "config.duration_seconds"),
        ({"config": {"duration_type": "custom", "duration_seconds": 1e9}}, "config.duration_seconds"),
        ({"config": {"duration_type": "custom", "duration_seconds": True}}, "config.duration_seconds"),
        ({"config": {"style_id": "style_nothing"}}, "config.style_id"),
        ({"config": {"subject_id": "character_nobody"}}, "config.subject_id"),
        ({"config": {"text_to_image_model": "draft-speech"}}, "config.text_to_image_model"),
        ({"config": {"colour": "red"}}, "config.colour"),
        ({"attachments": [{"id": "att_none"}]}, "attachments.0.id"),
        ({"project_id": "prj_nothing"}, "project_id"),
    ],
)
async def test_a_bad_submission_names_its_field(user: Client, change: dict[str, Any], field: str) -> None:
    error = await refused(user.post("/input/submit", submission(**change)))
    assert error.status in {400, 404}
    assert field in error.message
    assert (await user.get("/projects"))["total"] == 0


@pytest.mark.parametrize(
    ("input_type", "content", "line"),
    [
        ("script", "INT. ROOM - DAY\n\nA man waits.\n\n/* never closed\n", "5"),
        ("storyboard", "shot,description,duration\n1,The sea,3\n2,The town,soon\n", "3"),
        ("storyboard", '{"shots": [{"description": "a"},]}', "1"),
    ],
)
async def test_a_broken_script_or_storyboard_says_the_line(
    user: Client, input_type: str, content: str, line: str
) -> None:
    error = await refused(user.post("/input/submit", submission(content, input_type=input_type)))
    assert (error.status, error.code) == (400, 1001)
    assert line in error.message


@pytest.mark.parametrize(
    "content",
    [
        "no sentence end here and it simply goes on",
        "مرحبا يا صديقي. كان البحر هادئا في المساء.",
        "A \u202eright to left\u202c trick, a bell\u0007 and a tab\t. The sea was calm.",
    ],
)
async def test_odd_text_is_rendered_all_the_same(user: Client, content: str) -> None:
    await generated(user, content=content)


async def test_a_body_that_is_no_json_is_refused(user: Client) -> None:
    for data, content_type in (
        (b"{", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 5000, "application/json"),
        (b"{}", "text/plain"),
        (b"", "application/json"),
    ):
        async with user.session.post(
            f"{user.url}/api/v1/input/submit",
            data=data,
            headers={"Authorization": f"Bearer {user.token}", "Content-Type": content_type},
        ) as answer:
            body = json.loads(await answer.read())
            assert (answer.status, body["code"]) == (400, 1001), (data, body)


async def test_a_body_over_the_limit_is_refused(user: Client) -> None:
    async with user.session.post(
        f"{user.url}/api/v1/input/submit",
        data=b'{"content": "' + b"a" * 4_000_000 + b'"}',
        headers={"Authorization": f"Bearer {user.token}", "Content-Type": "application/json"},
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 1001)


async def test_messages_follow_the_clients_language(user: Client) -> None:
    bad = submission(config={"aspect_ratio": "3:1"})
    chinese = await refused(user.post("/input/submit", bad))
    english = await refused(user.post("/input/submit", bad, headers={"Accept-Language": "en-GB"}))
    assert "参数错误" in chinese.message
    assert english.message.startswith("invalid parameter: config.aspect_ratio: 3:1 is not one of")


@pytest.mark.parametrize(
    ("input_type", "content", "zh", "en"),
    [
        (
            "storyboard",
            "画面,时长\n海,很久\n",
            "content：第 2 行“时长”列",
            "content: line 2, column '时长': '很久' is not",
        ),
        ("script", "INT. A - DAY\n\n@ANN\n\nWalks.", "content：第 3 行：角色", "content: line 3: the cue 'ANN'"),
    ],
)
async def test_what_is_wrong_with_a_content_follows_the_clients_language_too(
    user: Client, input_type: str, content: str, zh: str, en: str
) -> None:
    bad = submission(content, input_type=input_type)
    chinese = await refused(user.post("/input/submit", bad, headers={"Accept-Language": "zh-CN"}))
    english = await refused(user.post("/input/submit", bad, headers={"Accept-Language": "en-GB"}))
    assert zh in chinese.message
    assert en in english.message


async def test_a_strangers_project_does_not_exist(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    clip_id = (await user.get(f"/projects/{project_id}/timeline"))["clips"][0]["id"]
    stranger = await plane.new_user("stranger")
    calls = [
        stranger.get(f"/projects/{project_id}"),
        stranger.get(f"/projects/{project_id}/timeline"),
        stranger.get(f"/projects/{project_id}/attachments"),
        stranger.get(f"/generation/progress/{project_id}"),
        stranger.get(f"/material-packages/{package_id}"),
        stranger.get(f"/timeline-clips/{clip_id}/audio"),
        stranger.post("/generation/start", {"project_id": project_id}),
        stranger.post(f"/material-packages/{package_id}/save-new"),
        stranger.post(f"/timeline-clips/{clip_id}/generate-video", {"model_id": "draft-motion"}),
        stranger.put(f"/timeline-clips/{clip_id}/narration", {"text_content": "x"}),
        stranger.put(f"/projects/{project_id}/bgm", {"volume": 1}),
        stranger.post("/input/submit", submission(project_id=project_id)),
    ]
    for call in calls:
        error = await refused(call)
        assert (error.status, error.code) == (404, 1004), error.message
    assert (await stranger.get("/projects"))["total"] == 0


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, "PNG")
    return buffer.getvalue()


async def upload(user: Client, data: bytes) -> str:
    config = await user.get("/attachments/upload-config")
    async with user.session.put(config["upload_url"], data=data) as answer:
        assert answer.status == 200, await answer.text()
    return str(config["file_url"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"file_type": "image/jpeg"}, "file_type"),
        ({"file_category": "audio"}, "file_category"),
        ({"file_size": 1}, "file_size"),
        ({"file_hash": "0" * 64}, "file_hash"),
        ({"file_url": "https://example.org/cat.png"}, "file_url"),
        ({"file_type": "image/svg+xml"}, "file_type"),
    ],
)
async def test_an_upload_that_is_not_what_it_claims_is_refused(
    user: Client, changes: dict[str, Any], field: str
) -> None:
    file_url = await upload(user, png())
    request = {
        "file_name": "a.png",
        "file_type": "image/png",
        "file_category": "image",
        "file_size": len(png()),
        "file_url": file_url,
    }
    error = await refused(user.post("/attachments", request | changes))
    assert error.status == 400
    assert error.code in {1001, 1007}
    assert field in error.message
    # Nothing was taken in, so the true claim still works, and once only.
    await user.post("/attachments", request)
    assert (await refused(user.post("/attachments", request))).code == 1005


async def test_signed_urls_are_needed_and_expire(plane: Plane, user: Client) -> None:
    config = await user.get("/attachments/upload-config")
    for url in (config["upload_url"].replace("sig=", "sig=x"), config["file_url"]):
        async with user.session.put(url, data=b"x") as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, 1003)


async def test_a_full_disk_is_said_and_harms_nothing(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = await user.get("/attachments/upload-config")
    with monkeypatch.context() as patch:
        patch.setattr("runtime.artifacts._free_bytes", lambda _root: 1000)
        async with user.session.put(config["upload_url"], data=png()) as answer:
            assert answer.status == 507
            assert "存储空间不足" in (await answer.json())["message"]
    async with user.session.put(config["upload_url"], data=png()) as answer:
        assert answer.status == 200


async def test_unknown_paths_and_methods_answer_the_envelope(user: Client) -> None:
    assert (await refused(user.get("/nothing"))).code == 1004
    error = await refused(user.call("DELETE", "/input/options"))
    assert (error.status, error.code) == (405, 1001)


async def test_nul_and_nonsense_in_addresses_are_not_found(user: Client) -> None:
    assert (await refused(user.get("/projects/%00"))).code == 1004
    async with user.session.get(f"{user.url}/files/art_x?exp=9999999999&sig=%C3%A9") as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, 1003)


async def test_documents_count_towards_the_length_of_the_text(user: Client) -> None:
    text = ("海" * 29_999 + "。").encode()
    file_url = await upload(user, text)
    attachment = await user.post(
        "/attachments",
        {
            "file_name": "long.txt",
            "file_type": "text/plain",
            "file_category": "document",
            "file_size": len(text),
            "file_url": file_url,
        },
    )
    body = submission("山。" * 15_000, attachments=[{"id": attachment["id"]}])
    project_id = (await user.post("/input/submit", body))["project_id"]
    error = await refused(user.post("/generation/start", {"project_id": project_id}))
    assert (error.code, "attachments" in error.message) == (1001, True)
