"""The creation input, attachments and templates, as agreed."""

import pytest

from tests.contract.live import Walk
from tests.integration.control_plane.conftest import Client, submission
from tests.integration.control_plane.test_bad_input import png

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_inputs(user: Client) -> None:
    walk = Walk(user)
    choices = await walk("GET /input/options")
    assert {"16:9", "9:16", "4:3", "2.35:1", "19:16"} <= {ratio["ratio"] for ratio in choices["aspect_ratios"]}
    assert {"label": "智能", "value": -1} in choices["durations"]
    upload = await walk("GET /attachments/upload-config")
    async with user.session.put(upload["upload_url"], data=png()) as answer:
        assert answer.status == 200
    file = {"file_name": "a.png", "file_type": "image/png", "file_category": "image", "file_size": len(png())}
    attachment = await walk("POST /attachments", body=file | {"file_url": upload["file_url"]})
    await walk("PUT /attachments/:attachment_id", attachment["id"], body={"label": "背景", "metadata": {"from": "me"}})
    config = {
        "text_to_image_model": next(m["id"] for m in choices["models"]["text_to_image"]),
        "style_id": choices["styles"][0]["id"],
        "subject_id": choices["subjects"][0]["id"],
        "duration_type": "custom",
        "duration_seconds": 15,
    }
    body = submission(config=config, attachments=[{"id": attachment["id"], "label": "林晓雨"}])
    submitted = await walk("POST /input/submit", body=body)
    listed = await walk("GET /projects/:project_id/attachments", submitted["project_id"], query={"category": "image"})
    assert [item["label"] for item in listed["list"]] == ["林晓雨"]
    await walk("DELETE /attachments/:attachment_id", attachment["id"])
    template = {"template_name": "竖屏", "config_data": {"aspect_ratio": "9:16", "duration": 30}, "is_default": True}
    await walk("POST /config-templates", body=template)
    await walk("GET /config-templates")
    walk.finish("inputs")
