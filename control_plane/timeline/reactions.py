"""A line was spoken, a clip's video rendered, music composed."""

from control_plane.artifacts import tables as artifacts
from control_plane.events import service as events
from control_plane.events.schemas import AudioCompleted, BgmCompleted, VideoCompleted, VideoFailed
from control_plane.exports import waiting
from control_plane.materials import generation
from control_plane.materials import tables as materials
from control_plane.projects import tables as projects
from control_plane.reactions import reaction
from control_plane.timeline import audio, build, tables, videos
from control_plane.work import Work
from models.specs import MusicResult, ScriptStep, SpeechResult, VideoResult
from runtime.database import utc_now
from scheduler.task import FinishedTask, TaskState


@reaction(build.SPEECH_REACTION)
async def line_spoken(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    package = await materials.package_by_id(work.session, task.context["package_id"])
    line = await tables.line_by_id(work.session, task.context["line_id"])
    if project is None or package is None:
        return
    succeeded = task.state is TaskState.SUCCEEDED
    # A line that was changed while this was spoken waits for its newer take; the step still counts this one.
    if line is not None and line.revision == task.context["revision"]:
        await _keep_speech(work, line, task)
    step = task.context.get("step")
    if step is not None:
        if succeeded:
            await generation.finish_one(work, project, package, ScriptStep(step))
        else:
            message = task.error_message or task.outcome.value
            await generation.fail(work, project, package, ScriptStep(step), message)
    await build.settle_status(work, project)
    await waiting.start_waiting(work, project)


async def _keep_speech(work: Work, line: tables.SpeechLineRow, task: FinishedTask) -> None:
    if task.state is TaskState.SUCCEEDED and line.artifact_id is not None:
        result = SpeechResult.model_validate(task.result)
        await artifacts.fulfil(work.session, line.artifact_id, result.audio)
        line.status, line.duration_s = "completed", result.duration_s
        line.words = [word.model_dump() for word in result.words]
    else:
        line.status, line.error_message = "failed", task.error_message or task.outcome.value
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


@reaction(videos.VIDEO_REACTION)
async def video_rendered(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    video = await tables.video_by_id(work.session, task.context["video_id"])
    if project is None or video is None:
        return
    clip_id, shot_number = task.context["clip_id"], task.context["shot_number"]
    video.completed_at = utc_now()
    if task.state is TaskState.SUCCEEDED:
        result = VideoResult.model_validate(task.result)
        await artifacts.fulfil(work.session, video.artifact_id, result.video)
        await artifacts.fulfil(work.session, video.thumbnail_artifact_id, result.thumbnail)
        video.status = "completed"
        clip = await work.session.get(tables.ClipRow, clip_id)
        if clip is not None and clip.selected_video_id is None:
            clip.selected_video_id = video.id
            await build.edited(work, project)
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
        video.status = "cancelled" if task.state is TaskState.CANCELLED else "failed"
        video.error_message = task.error_message or task.outcome.value
        await events.append(
            work,
            project.id,
            VideoFailed(
                clip_id=clip_id,
                shot_number=shot_number,
                generation_id=video.id,
                error_message=video.error_message,
            ),
        )
    await build.settle_status(work, project)
    await waiting.start_waiting(work, project)


@reaction(audio.MUSIC_REACTION)
async def music_composed(work: Work, task: FinishedTask) -> None:
    project = await work.session.get(projects.ProjectRow, task.project_id)
    candidate = await tables.bgm_candidate(work.session, task.context["candidate_id"])
    if project is None or candidate is None:
        return
    if task.state is TaskState.SUCCEEDED:
        result = MusicResult.model_validate(task.result)
        await artifacts.fulfil(work.session, candidate.artifact_id, result.audio)
        candidate.status, candidate.duration_s = "completed", result.duration_s
    else:
        candidate.status, candidate.error_message = "failed", task.error_message or task.outcome.value
    done = candidate.status == "completed"
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
