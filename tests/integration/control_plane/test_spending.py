"""What spends is refused without quota and without room on the disk, as its endpoint declares; the rest is not."""

from typing import Any

import pytest

from control_plane.app import ENDPOINTS
from control_plane.artifacts import disk
from control_plane.quota import service as quota
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.walk import EXPORT, VIDEO
from tests.integration.control_plane.watching import idle, steps

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = {"quota": (402, 1006), "disk": (507, 1000)}


async def limit(plane: Plane, user: Client, what: str, value: int | None) -> None:
    """Leave a user nothing (0), or what every user has (None)."""
    tenant = (await user.get("/user/me"))["id"]
    async with plane.services.database.transaction() as session:
        if what == "quota":
            await quota.set_daily_limit(session, tenant, 5000 if value is None else value)
        else:
            await disk.set_limit(session, tenant, value)


async def refusal(user: Client, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, int]:
    try:
        await user.call(method, path, body)
    except ApiError as error:
        return error.status, error.code
    return 200, 0


async def spending(plane: Plane, user: Client) -> dict[str, tuple[str, dict[str, Any] | None]]:
    """By endpoint a request that spends: its path and body."""
    project_id, package_id = await generated(user)
    draft = (await user.post("/input/submit", submission()))["project_id"]
    await idle(plane, project_id)
    package, project = f"/material-packages/{package_id}", f"/projects/{project_id}"
    made = (await user.get(package))["materials"]
    voices = (await user.get("/assets/voices"))["list"]
    clips = (await user.get(f"{project}/timeline"))["clips"]
    spoken = {clip["id"]: await user.get(f"/timeline-clips/{clip['id']}/audio") for clip in clips}
    talking, line = next((clip, audio["dialogue"][0]) for clip, audio in spoken.items() if audio.get("dialogue"))
    clip = f"/timeline-clips/{clips[0]['id']}"
    # An export to try again, a voice to go back to.
    plane.farm.hold.add("encode")
    export = (await user.post(f"{project}/export", {"config": EXPORT}))["export_task_id"]
    await user.post(f"/export-tasks/{export}/cancel")
    plane.farm.release()
    shot = made["storyboards"][0]["id"]
    edit = {"element_type": "storyboard", "element_id": shot, "modification_type": "text_edit"}
    await user.post(f"{package}/modify/text", edit | {"new_content": '{"narration": "海浪一声接一声。"}'})
    texts = (await user.get(f"{package}/text-candidates?element_id={shot}"))["list"]
    await idle(plane, project_id)
    stood = await steps(user, project_id)
    wish = {"user_prompt": "更暖一些"}
    text = {"text_content": "海浪拍岸。"}
    return {
        "POST /generation/start": ("/generation/start", {"project_id": draft}),
        "POST /generation/retry/{task_id}": (f"/generation/retry/{stood['storyboard']['task_id']}", None),
        "POST /generation/skip/{task_id}": (f"/generation/skip/{stood['scenes']['task_id']}", None),
        "POST /material-packages/{package_id}/modify/text": (
            f"{package}/modify/text",
            {"element_type": "storyboard", "element_id": shot, "modification_type": "regenerate"},
        ),
        "POST /material-packages/{package_id}/replace-from-asset": (
            f"{package}/replace-from-asset",
            {"asset_type": "voice", "element_id": package_id, "asset_id": voices[-1]["id"]},
        ),
        "POST /material-packages/{package_id}/regenerate/image": (
            f"{package}/regenerate/image",
            {"element_type": "scene", "element_id": made["scenes"][0]["id"], **wish},
        ),
        "POST /material-packages/{package_id}/select-candidate": (
            f"{package}/select-candidate",
            {
                "element_type": "storyboard",
                "element_id": shot,
                "candidate_type": "text",
                "candidate_id": next(row["id"] for row in texts if not row["is_selected"]),
            },
        ),
        "POST /material-packages/{package_id}/switch-voice": (
            f"{package}/switch-voice",
            {"element_type": "narration", "element_id": package_id, "voice_id": voices[-1]["id"]},
        ),
        "POST /material-packages/{package_id}/save-new": (f"{package}/save-new", {}),
        "POST /timeline-clips/{clip_id}/generate-video": (f"{clip}/generate-video", VIDEO),
        "POST /projects/{project_id}/generate-batch-videos": (f"{project}/generate-batch-videos", VIDEO),
        "POST /timeline-clips/{clip_id}/regenerate-image": (f"{clip}/regenerate-image", wish),
        "PUT /timeline-clips/{clip_id}/narration": (f"{clip}/narration", text),
        "PUT /timeline-clips/{clip_id}/dialogue/{dialogue_id}": (
            f"/timeline-clips/{talking}/dialogue/{line['id']}",
            text,
        ),
        "POST /projects/{project_id}/generate-bgm": (f"{project}/generate-bgm", {}),
        "POST /projects/{project_id}/export": (f"{project}/export", {"config": EXPORT}),
        "POST /export-tasks/{task_id}/retry": (f"/export-tasks/{export}/retry", None),
    }


async def test_whatever_spends_is_refused_without_quota_and_without_room(plane: Plane, user: Client) -> None:
    requests = await spending(plane, user)
    assert requests.keys() == {f"{e.method} {e.path}" for e in ENDPOINTS if e.spends}
    # A copy of a package has its lines spoken where those of the original are not there yet.
    copying = {"POST /material-packages/{package_id}/save-new"}

    async def all_refused(names: set[str]) -> None:
        for what, wanted in LIMITS.items():
            await limit(plane, user, what, 0)
            got = {name: await refusal(user, name.split()[0], *requests[name]) for name in names}
            await limit(plane, user, what, None)
            assert got == dict.fromkeys(names, wanted)

    await all_refused(requests.keys() - copying)
    plane.farm.hold.add("speech")
    await user.put(*requests["PUT /timeline-clips/{clip_id}/narration"])
    await all_refused(copying)
    plane.farm.release()


@pytest.mark.parametrize("what", LIMITS)
async def test_a_change_that_lets_an_export_start_is_made_though_the_export_fails(
    plane: Plane, user: Client, what: str
) -> None:
    project_id, _ = await generated(user)
    await idle(plane, project_id)
    timeline = f"/projects/{project_id}/timeline"
    clip, *rest = [clip["id"] for clip in (await user.get(timeline))["clips"]]
    plane.farm.hold.add("speech")
    await user.put(f"/timeline-clips/{clip}/narration", {"text_content": "海浪拍岸。"})
    export = (await user.post(f"/projects/{project_id}/export", {"config": EXPORT}))["export_task_id"]
    await limit(plane, user, what, 0)
    await user.call("DELETE", f"/timeline-clips/{clip}")
    assert [clip["id"] for clip in (await user.get(timeline))["clips"]] == rest
    failed = await user.get(f"/export-tasks/{export}")
    assert failed["status"] == "failed"
    assert failed["error_message"].startswith({"quota": "配额不足", "disk": "存储空间不足"}[what])
    await limit(plane, user, what, None)
    plane.farm.release()
    await user.post(f"/export-tasks/{export}/retry")
