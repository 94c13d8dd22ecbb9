"""Timelines, videos and sound, as agreed; with the progress of a video."""

import orjson
import pytest

from runtime import redis as channels
from tests.contract.live import Walk, listening
from tests.integration.control_plane.conftest import Client, Plane, generated

pytestmark = pytest.mark.asyncio(loop_scope="module")


SPEECH = {"text_content": "很久很久以前。", "speech_speed": 1.1, "volume": 0.9, "emotion": "calm"}


async def test_timeline(plane: Plane, user: Client) -> None:
    walk = Walk(user)
    project, _ = await generated(user)
    timeline = await walk("GET /projects/:project_id/timeline", project)
    clip, *others = [found["id"] for found in timeline["clips"]]
    await walk("PUT /timeline-clips/:clip_id/duration", clip, body={"duration": 4.5})
    edit = {"zoom_level": 1.5, "filter_type": "sepia", "transform_params": {"flip_horizontal": True}}
    await walk("PUT /timeline-clips/:clip_id/edit-config", clip, body=edit)
    await walk("POST /projects/:project_id/timeline/reorder", project, body={"clip_ids": [*others, clip]})

    painted = await walk("POST /timeline-clips/:clip_id/regenerate-image", clip, body={"user_prompt": "更亮"})
    model = (await user.get("/input/options"))["models"]["image_to_video"][0]["id"]
    plane.farm.hold.add("image_to_video")
    async with listening(user, project) as events:
        video = await walk(
            "POST /timeline-clips/:clip_id/generate-video", clip, body={"model_id": model, "prompt": "慢慢推近"}
        )
        await _report(plane, project, clip)
        told = await events.until("video.progress")
        assert (told["clip_id"], told["status"], told["progress"]) == (clip, "processing", 40)
        plane.farm.release()
        await events.until("video.completed")
    assert events.problems == []
    await walk("GET /video-generation-tasks/:task_id", video["generation_id"])
    found = await walk("GET /timeline-clips/:clip_id/candidates", clip)
    assert {image["id"] for image in found["images"]} >= {painted["candidate_id"]}
    only = await walk("GET /timeline-clips/:clip_id/candidates", clip, query={"candidate_type": "video"})
    assert set(only) == {"videos"}
    choice = {"candidate_type": "video", "candidate_id": video["generation_id"]}
    await walk("POST /timeline-clips/:clip_id/apply-candidate", clip, body=choice)
    batch = await walk(
        "POST /projects/:project_id/generate-batch-videos", project, body={"model_id": model, "clip_ids": others[:1]}
    )
    await walk("GET /video-generation-tasks/:task_id", batch["task_id"])

    audio = await walk("GET /timeline-clips/:clip_id/audio", clip)
    await walk("PUT /timeline-clips/:clip_id/narration", clip, body=SPEECH)
    speaker, line = await _a_line(walk, [clip, *others])
    await walk("PUT /timeline-clips/:clip_id/dialogue/:dialogue_id", speaker, line, body=SPEECH)
    audio = await walk.until(
        "GET /timeline-clips/:clip_id/audio", clip, done=lambda a: a["narration"]["generation_status"] == "completed"
    )
    music = await walk("POST /projects/:project_id/generate-bgm", project, body={"prompt": "安静的钢琴"})
    await walk.ready(music["audio_url"])
    body = {"audio_url": music["audio_url"], "source": "ai_generated", "volume": 0.4, "is_loop": True}
    await walk("PUT /projects/:project_id/bgm", project, body=body | {"fade_in_duration": 1, "fade_out_duration": 2})
    bgm = await walk("GET /projects/:project_id/bgm", project)
    assert (bgm["volume"], bgm["source"]) == (0.4, "ai_generated")
    await walk.ready(audio["narration"]["audio_url"])
    own = {"audio_url": audio["narration"]["audio_url"]}
    await walk("POST /timeline-clips/:clip_id/narration/custom-audio", clip, body=own)
    await walk("DELETE /timeline-clips/:clip_id", others[0])
    walk.finish("timeline")


async def _a_line(walk: Walk, clips: list[str]) -> tuple[str, str]:
    """A clip in which somebody speaks, and what they say."""
    for clip in clips:
        audio = await walk("GET /timeline-clips/:clip_id/audio", clip)
        for line in audio.get("dialogue", []):
            return clip, line["id"]
    raise AssertionError("nobody speaks")


async def _report(plane: Plane, project: str, clip: str) -> None:
    """What a worker publishes while it renders."""
    context = {"clip_id": clip, "shot_number": 1}
    report = {"project_id": project, "reaction": "timeline.video", "context": context, "fraction": 0.4}
    await plane.services.redis.publish(channels.PROGRESS, orjson.dumps(report))
