"""The API document's whole creation flow, its sixteen steps in order: exact shapes, real effects."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.acceptance import film_shapes, shapes
from tests.acceptance.film import decode
from tests.acceptance.listener import Listener
from tests.acceptance.product import PASSWORD, STORY, Api, Refused, Server, wait_for
from tests.acceptance.several import api_processes
from tests.acceptance.shapes import check

pytestmark = pytest.mark.timeout(400)

STEPS = ["storyline", "artstyle", "characters", "scenes", "storyboard"]


def _check_event(event: dict[str, Any], project_id: str) -> None:
    shape = check(film_shapes.Event, event)
    assert shape.project_id == project_id
    assert shape.event in film_shapes.EVENTS or shape.event in film_shapes.ADDED_EVENTS
    if shape.event in film_shapes.EVENTS:
        check(film_shapes.EVENTS[shape.event], shape.data)


def _png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 320), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_whole_flow_with_two_api_processes(server: Server, tmp_path: Path) -> None:
    """Whichever process answers: no step leans on what another one holds in memory."""
    server.new_user("zhao")
    with api_processes(server, 2) as proxy:
        create_a_film(Api(proxy.url), "zhao", tmp_path)
    assert min(proxy.dealt.get(port, 0) for port in proxy.ports) > 20


def create_a_film(anonymous: Api, name: str, tmp_path: Path) -> None:
    """The flow of the document as one user goes through it."""

    # 1 log in
    login = check(shapes.Login, anonymous.post("/auth/login", {"username": name, "password": PASSWORD}))
    assert (login.user.username, login.current_space.type) == (name, "personal")
    api = Api(anonymous.url, login.session_token)

    # 2 options
    options = check(shapes.Options, api.get("/input/options"))
    assert {ratio.ratio for ratio in options.aspect_ratios} == {"16:9", "9:16", "4:3", "2.35:1", "19:16"}
    assert options.durations[0] == shapes.Duration(label="智能", value=-1)
    assert len(options.styles) >= 3
    assert [model.is_default for model in options.models.text_to_image].count(True) == 1

    # 3 upload a reference picture
    config = check(shapes.UploadConfig, api.get("/attachments/upload-config"))
    assert {"image/jpeg", "image/png"} <= set(config.allowed_types)
    picture = _png("#c02040")
    attachment = check(shapes.Attachment, api.upload(picture, "参考图.png", "image/png", "image"))
    assert (attachment.upload_status, attachment.file_size) == ("completed", len(picture))
    assert api.fetch(attachment.file_url) == picture

    # 4 submit
    body: dict[str, Any] = {
        "input_mode": "general",
        "input_type": "text",
        "content": STORY,
        "attachments": [{"id": attachment.id, "label": "林晓雨"}],
        "config": {
            "style_id": options.styles[0].id,
            "aspect_ratio": "16:9",
            "duration_type": "custom",
            "duration_seconds": 8,
        },
    }
    submitted = check(shapes.Submitted, api.post("/input/submit", body))
    project_id = submitted.project_id
    with pytest.raises(Refused, match="1001") as refused:
        api.post("/input/submit", body | {"config": body["config"] | {"aspect_ratio": "3:1"}})
    assert "aspect_ratio" in refused.value.message

    listener = Listener(api, project_id)
    with listener.listening():
        # 5 start
        started = check(shapes.Started, api.post("/generation/start", {"project_id": project_id}))
        again = check(shapes.Started, api.post("/generation/start", {"project_id": project_id}))
        assert again == started

        # 6 progress, by polling and by WebSocket
        seen = [0]

        def progress() -> shapes.Progress | None:
            answer = check(shapes.Progress, api.get(f"/generation/progress/{project_id}"))
            assert [task.task_type for task in answer.tasks] == STEPS
            assert answer.progress >= seen[-1]
            seen.append(answer.progress)
            assert answer.status != "failed"
            return answer if answer.status == "completed" else None

        done = wait_for("the materials", progress)
        assert done.progress == 100
        assert {task.status for task in done.tasks} == {"completed"}
        completed = listener.wait_for("generation.completed")

        # 7 the package
        package = check(shapes.Package, api.get(f"/material-packages/{started.material_package_id}"))
        materials = package.materials
        assert (package.status, package.version) == ("completed", "1")
        assert materials.storyline
        assert materials.art_style
        assert materials.characters
        assert materials.scenes
        assert materials.storyboards
        assert completed["data"]["package_name"] == package.package_name
        assert len(completed["data"]["materials"]["storyboards"]) == len(materials.storyboards)
        for shot in materials.storyboards:
            assert shot.reference_image_url
            assert Image.open(io.BytesIO(api.fetch(shot.reference_image_url) or b"")).size == (1280, 720)

        # 8 another picture of a character
        hero = next(person for person in materials.characters if person.character_name == "林晓雨")
        front = next(image for image in hero.images if image.image_type == "front_view")
        wish = {"element_type": "character", "element_id": hero.id, "user_prompt": "换成绿色的长裙"}
        path = f"/material-packages/{package.id}"
        candidate = check(shapes.Regenerated, api.post(f"{path}/regenerate/image", wish))
        assert api.wait_for_file(candidate.image_url) != api.fetch(front.image_url)
        choice = {"element_type": "character", "element_id": hero.id, "candidate_type": "image"}
        api.post(f"{path}/select-candidate", choice | {"candidate_id": candidate.candidate_id})
        images = check(shapes.Package, api.get(path)).materials.characters or []
        chosen = next(person for person in images if person.id == hero.id).images
        assert {image.id for image in chosen if image.is_selected and image.image_type == "front_view"} == {
            candidate.candidate_id
        }

        # 9 save as a new version
        saved = check(shapes.Saved, api.post(f"{path}/save-new", {"package_name": "绿裙版"}))
        assert saved.version == 2
        copy = check(shapes.Package, api.get(f"/material-packages/{saved.new_package_id}"))
        assert (copy.package_name, copy.version) == ("绿裙版", "2")

        # 10 the timeline
        timeline = check(film_shapes.Timeline, api.get(f"/projects/{project_id}/timeline"))
        assert len(timeline.clips) == len(materials.storyboards)
        assert timeline.clips[-1].end_time == pytest.approx(timeline.total_duration, abs=0.01)
        assert {clip.clip_type for clip in timeline.clips} == {"image"}
        first = timeline.clips[0]

        # 11 a clip's video
        model = next(model.id for model in options.models.image_to_video if model.is_default)
        answer = api.post(f"/timeline-clips/{first.id}/generate-video", {"model_id": model, "prompt": "镜头缓缓推进"})
        video = check(film_shapes.VideoStarted, answer)
        assert video.quota_consumed > 0
        listener.wait_for("video.completed")
        task = check(film_shapes.VideoTask, api.get(f"/video-generation-tasks/{video.generation_id}"))
        assert (task.status, task.completed_clips, task.total_clips) == ("completed", 1, 1)
        clip = check(film_shapes.Timeline, api.get(f"/projects/{project_id}/timeline")).clips[0]
        assert (clip.clip_type, clip.selected_video_id) == ("video", video.generation_id)

        # 12 the narration
        words = "傍晚的海边，风很轻。"
        change = {"text_content": words, "speech_speed": 1.1, "volume": 0.9, "emotion": "calm"}
        spoken = check(film_shapes.SpeechStarted, api.put(f"/timeline-clips/{first.id}/narration", change))
        assert 0.5 < spoken.estimated_duration < 10

        def narrated() -> film_shapes.Narration | None:
            audio = check(film_shapes.ClipAudio, api.get(f"/timeline-clips/{first.id}/audio"))
            assert audio.narration
            return audio.narration if audio.narration.generation_status == "completed" else None

        narration = wait_for("the narration", narrated)
        assert (narration.text_content, narration.speech_speed, narration.volume) == (words, 1.1, 0.9)
        assert narration.emotion == "calm"
        assert narration.audio_url

        # 13 the music
        music = check(
            film_shapes.BgmStarted, api.post(f"/projects/{project_id}/generate-bgm", {"prompt": "温柔的钢琴"})
        )
        api.put(f"/projects/{project_id}/bgm", {"audio_url": music.audio_url, "volume": 0.4, "source": "ai_generated"})
        bgm = check(film_shapes.Bgm, api.get(f"/projects/{project_id}/bgm"))
        assert (bgm.volume, bgm.source, bgm.is_selected) == (0.4, "ai_generated", True)

        # 14 export, which waits for the music
        export = {
            "task_name": "海滨故事",
            "config": {
                "resolution": "720p",
                "width": 1280,
                "height": 720,
                "format": "MP4",
                "aspect_ratio": "16:9",
                "fps": 24,
                "subtitle": {"enabled": True, "burn_in": True, "format": "SRT"},
                "cover": {"enabled": True, "cover_type": "auto_generate", "title_text": "海滨故事"},
            },
        }
        exporting = check(film_shapes.ExportStarted, api.post(f"/projects/{project_id}/export", export))

        # 15 its progress
        def exported() -> film_shapes.ExportTask | None:
            task = check(film_shapes.ExportTask, api.get(f"/export-tasks/{exporting.export_task_id}"))
            assert task.status in {"pending", "processing", "completed"}
            assert (task.progress == 100) == (task.status == "completed")
            return task if task.status == "completed" else None

        finished = wait_for("the export", exported)
        assert (finished.project_id, finished.task_name) == (project_id, "海滨故事")
        told = listener.wait_for("export.completed")

    # 16 download
    files = check(film_shapes.ExportFiles, api.get(f"/projects/{project_id}/export-files")).list
    assert {(file.file_type, file.file_size) for file in files} == {
        (file["file_type"], file["file_size"]) for file in told["data"]["files"]
    }
    film_file = next(file for file in files if file.file_type == "video")
    link = check(film_shapes.Download, api.get(f"/export-files/{film_file.id}/download-url"))
    path_of_film = tmp_path / "film.mp4"
    path_of_film.write_bytes(api.fetch(link.download_url) or b"")
    assert path_of_film.stat().st_size == film_file.file_size
    film = decode(path_of_film)
    assert film.duration_s == pytest.approx(film_file.duration or 0, abs=0.1)
    counted = check(film_shapes.ExportFiles, api.get(f"/projects/{project_id}/export-files")).list
    assert {file.id: file.download_count for file in counted}[film_file.id] == 1

    # What the WebSocket told: the document's shapes, ids that only rise, and all of it again for one who was away.
    for event in listener.heard:
        _check_event(event, project_id)
    ids = [int(event["id"]) for event in listener.heard]
    assert ids == sorted(ids)
    assert {"generation.progress", "generation.completed", "candidate.completed", "export.completed"} <= {
        event["event"] for event in listener.heard
    }
    late = Listener(api, project_id, last_event_id="0")
    with late.listening():
        late.wait_for("export.completed")
    lasting = [event["event"] for event in listener.heard if not event["event"].endswith(".progress")]
    assert [event["event"] for event in late.heard if not event["event"].endswith(".progress")] == lasting
