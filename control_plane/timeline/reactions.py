"""A line was spoken, a clip's video rendered, music composed."""

from control_plane.artifacts import tables as artifacts
from control_plane.events import service as events
from control_plane.events.schemas import AudioCompleted, BgmCompleted, VideoCompleted, VideoFailed
from control_plane.exports import waiting
from control_plane.materials import generation
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.reactions import drop, reaction
from control_plane.timeline import build, music, tables, videos
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import MusicResult, SpeechResult, VideoResult
from runtime.database import utc_now
from scheduler.task import FinishedTask, TaskState


@reaction(build.SPEECH_REACTION)
async def line_spoken(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    package = await materials.package_by_id(work.session, task.context["package_id"])
    line = await tables.line_by_id(work.session, task.context["line_id"])
    if project is None or package is None:
        return
    is_wanted = line is not None and line.revision == task.context["revision"]
    # A line that was changed while this was spoken waits for its newer take, one whose clip was deleted for none: the
    # step counts them as done, however this one ended.
    succeeded = task.state is TaskState.SUCCEEDED or not is_wanted
    if line is None:
        await drop(work, task)
    elif is_wanted:
        await _keep_speech(work, line, task)
        if "step" not in task.context:
            await _tell_of_speech(work, project, line)
    if "step" in task.context:
        step = await materials.step_of_task(work.session, package.id, task.context)
        if step is None:
            await drop(work, task)
        elif succeeded:
            await generation.finish_one(work, project, package, step)
        else:
            await generation.fail(work, project, package, step, reasons.why(task))
    await build.settle_status(work, project)
    await waiting.start_waiting(work, project)


async def _keep_speech(work: Work, line: tables.SpeechLineRow, task: FinishedTask) -> None:
    if task.state is TaskState.SUCCEEDED and line.artifact_id is not None:
        result = SpeechResult.model_validate(task.result)
        await artifacts.fulfil(work.session, line.artifact_id, result.audio, result.provenance)
        line.status, line.duration_s = "completed", result.duration_s
        line.words = [word.model_dump() for word in result.words]
    else:
        line.status, line.error_message = "failed", reasons.why(task)
    done = line.status == "completed"
    await events.append(
        work,
        task.project_id,
        AudioCompleted(
            clip_id=line.clip_id,
            audio_id=line.id,
            status="completed" if done else "failed",
            audio_url=line.artifact_id if done else None,
            duration=line.duration_s,
            error_message=line.error_message,
        ),
    )


async def _tell_of_speech(work: Work, project: projects.ProjectRow, line: tables.SpeechLineRow) -> None:
    """What a user asked for; the lines of a generation are told of as a whole."""
    done = line.status == "completed"
    content = "配音已完成" if done else f"配音失败：{reasons.spoken(line.error_message or '', 'zh')}"
    about = {"clip_id": line.clip_id, "audio_id": line.id, "status": line.status}
    await conversations.happened(work, project.id, content, "audio.completed", **about)


@reaction(videos.VIDEO_REACTION)
async def video_rendered(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    video = await tables.video_by_id(work.session, task.context["video_id"])
    clip = await work.session.get(tables.ClipRow, task.context["clip_id"], populate_existing=True)
    if project is None or video is None or clip is None or video.status == "cancelled":
        # Cancelled or deleted while it was rendered: nobody gets it, so nobody pays for it.
        await drop(work, task)
    if project is None or video is None or clip is None:
        return
    clip_id, shot_number = clip.id, clip.shot_number
    about = {"clip_id": clip_id, "generation_id": video.id}
    video.completed_at = utc_now()
    if task.state is TaskState.SUCCEEDED and video.status != "cancelled":
        result = VideoResult.model_validate(task.result)
        await artifacts.fulfil(work.session, video.artifact_id, result.video, result.provenance)
        await artifacts.fulfil(work.session, video.thumbnail_artifact_id, result.thumbnail, result.provenance)
        video.status = "completed"
        if clip.selected_video_id is None:
            clip.selected_video_id = video.id
            await build.edited(work, project)
        await conversations.happened(work, project.id, f"镜头 {shot_number} 的视频已生成", "video.completed", **about)
        await events.append(
            work,
            project.id,
            VideoCompleted(
                clip_id=clip_id,
                shot_number=shot_number,
                generation_id=video.id,
                video_url=video.artifact_id,
                thumbnail_url=video.thumbnail_artifact_id,
            ),
        )
    else:
        if video.status != "cancelled":
            video.status = "cancelled" if task.state is TaskState.CANCELLED else "failed"
            video.error_message = reasons.why(task)
            content = f"镜头 {shot_number} 的视频未能生成：{reasons.spoken(video.error_message, 'zh')}"
            await conversations.happened(work, project.id, content, "video.failed", **about)
        await events.append(
            work,
            project.id,
            VideoFailed(
                clip_id=clip_id,
                shot_number=shot_number,
                generation_id=video.id,
                error_message=video.error_message or reasons.why(task),
            ),
        )
    await build.settle_status(work, project)
    await waiting.start_waiting(work, project)


@reaction(music.MUSIC_REACTION)
async def music_composed(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    candidate = await tables.bgm_candidate(work.session, task.context["candidate_id"])
    if project is None or candidate is None:
        return
    if task.state is TaskState.SUCCEEDED:
        result = MusicResult.model_validate(task.result)
        await artifacts.fulfil(work.session, candidate.artifact_id, result.audio, result.provenance)
        candidate.status, candidate.duration_s = "completed", result.duration_s
    else:
        candidate.status, candidate.error_message = "failed", reasons.why(task)
    done = candidate.status == "completed"
    content = "配乐已生成" if done else f"配乐未能生成：{reasons.spoken(candidate.error_message or '', 'zh')}"
    about = {"candidate_id": candidate.id, "status": candidate.status}
    await conversations.happened(work, project.id, content, "bgm.completed", **about)
    await events.append(
        work,
        project.id,
        BgmCompleted(
            candidate_id=candidate.id,
            status="completed" if done else "failed",
            audio_url=candidate.artifact_id if done else None,
            duration=candidate.duration_s,
            error_message=candidate.error_message,
        ),
    )
    await waiting.start_waiting(work, project)
