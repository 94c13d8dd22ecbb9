"""Following and cancelling the generation of videos, a single one or a batch."""

from collections.abc import Sequence
from datetime import datetime

from control_plane.accounts.actor import Actor
from control_plane.errors import AlreadyExists
from control_plane.exports import waiting
from control_plane.projects import conversations
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import VideoTask
from control_plane.web import reasons
from control_plane.work import Work
from runtime.database import utc_now
from scheduler import queue
from scheduler.task import TaskState, TaskView


async def video_task(work: Work, actor: Actor, task_id: str) -> VideoTask:
    """A batch, or a video of its own as a batch of one."""
    if task_id.startswith(tables.BATCH_PREFIX):
        batch, _ = await tables.load_batch(work.session, actor, task_id)
        videos = await tables.videos_of_batch(work.session, batch.id)
        return await _shown(work, batch, videos)
    video, _, _ = await tables.load_video(work.session, actor, task_id)
    alone = tables.VideoBatchRow(
        id=video.id, model_id=video.model_id, total_clips=1, total_quota=video.quota_consumed, cancelled_at=None
    )
    return await _shown(work, alone, [video])


async def _shown(work: Work, batch: tables.VideoBatchRow, videos: Sequence[tables.VideoRow]) -> VideoTask:
    views = await queue.find_tasks(work.session, [video.task_id for video in videos if video.task_id])
    # The videos of clips that were deleted are gone: they count as cancelled.
    states = [_state(video, views) for video in videos] + ["cancelled"] * (batch.total_clips - len(videos))
    status = rules.batch_status(states, was_cancelled=batch.cancelled_at is not None)
    model = work.services.catalog.get(batch.model_id)
    started = [view.started_at for view in views.values() if view.started_at is not None]
    ended = [video.completed_at for video in videos if video.completed_at is not None]
    is_over = status in {"completed", "failed", "cancelled"}
    return VideoTask(
        task_id=batch.id,
        model_id=batch.model_id,
        model_name=model.display_name if model else batch.model_id,
        total_clips=batch.total_clips,
        completed_clips=states.count("completed"),
        failed_clips=states.count("failed"),
        total_quota=batch.total_quota,
        status=status,
        started_at=min(started, default=None),
        completed_at=max(ended, default=None) if is_over else None,
    )


def _state(video: tables.VideoRow, views: dict[str, TaskView]) -> str:
    view = views.get(video.task_id or "")
    if video.status == "pending" and view is not None and view.state is not TaskState.QUEUED:
        return "processing"
    return video.status


async def cancel(work: Work, actor: Actor, task_id: str) -> None:
    """Stop a batch or a single video; what is not done costs nothing, what is done stays. Raises AlreadyExists where
    everything is over."""
    # Tasks before the project, as reactions lock them.
    await queue.cancel_tasks(work.session, await tables.video_tasks_of(work.session, actor, task_id))
    work.wakes_scheduler = True
    now = utc_now()
    if task_id.startswith(tables.BATCH_PREFIX):
        batch, project = await tables.load_batch(work.session, actor, task_id)
        videos = await tables.videos_of_batch(work.session, batch.id)
    else:
        video, _, project = await tables.load_video(work.session, actor, task_id)
        batch, videos = None, [video]
    unfinished = [video for video in videos if video.status in tables.UNFINISHED]
    if not unfinished:
        raise AlreadyExists("视频任务已结束", "the videos are over", field="task_id")
    for video in unfinished:
        _mark_cancelled(video, now)
    if batch is not None:
        batch.cancelled_at = now
    await conversations.asked(work, project.id, "取消生成视频", "cancel_videos", task_id=task_id)
    await build.settle_status(work, project)
    await waiting.start_waiting(work, project)


def _mark_cancelled(video: tables.VideoRow, now: datetime) -> None:
    video.status, video.error_message, video.completed_at = "cancelled", reasons.both("已取消", "cancelled"), now
