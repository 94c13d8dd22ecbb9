"""The timeline of a package: clips, what is spoken in them, their video candidates; and the project's music."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.materials.tables import PackageRow
from control_plane.projects.tables import ProjectRow, granted_in_project
from runtime.database import Base, utc_now

UNFINISHED = ("pending", "processing")
BATCH_PREFIX = "vbt_"
"""Of the ids of batches, by which they are told from those of single videos."""


class ClipRow(Base):
    """One shot on the timeline. ``user_duration_s`` is what the user set, if anything; ``edit`` holds the fields of
    ClipEdit that were set."""

    __tablename__ = "timeline_clips"

    id: Mapped[str] = mapped_column(primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("material_packages.id", ondelete="CASCADE"), index=True)
    element_id: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"))
    position: Mapped[int]
    shot_number: Mapped[int]
    planned_s: Mapped[float]
    user_duration_s: Mapped[float | None]
    camera_movement: Mapped[str]
    transition: Mapped[str]
    transition_s: Mapped[float]
    edit: Mapped[dict[str, Any]] = mapped_column(default=dict)
    selected_video_id: Mapped[str | None]


class SpeechLineRow(Base):
    """The narration (position 0) or a dialogue line of a clip. Without a voice of its own it has the narrator's or its
    character's. ``revision`` counts changes: a result made for an older one is dropped."""

    __tablename__ = "speech_lines"

    id: Mapped[str] = mapped_column(primary_key=True)
    clip_id: Mapped[str] = mapped_column(ForeignKey("timeline_clips.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    kind: Mapped[str]
    character_name: Mapped[str | None]
    text: Mapped[str]
    voice_asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id"))
    speed: Mapped[float] = mapped_column(default=1.0)
    volume: Mapped[float] = mapped_column(default=1.0)
    emotion: Mapped[str] = mapped_column(default="neutral")
    status: Mapped[str] = mapped_column(default="pending")
    error_message: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=1)
    artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    duration_s: Mapped[float | None]
    words: Mapped[list[Any]] = mapped_column(default=list)
    is_custom_audio: Mapped[bool] = mapped_column(default=False)

    @property
    def is_removed(self) -> bool:
        """A line that was taken out keeps its row, so that its id can be given words again."""
        return not self.text and not self.is_custom_audio


class VideoBatchRow(Base):
    """Videos that were asked for together. ``total_clips`` counts those of clips that were deleted since, too."""

    __tablename__ = "video_batches"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    model_id: Mapped[str]
    total_clips: Mapped[int]
    total_quota: Mapped[int]
    cancelled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class VideoRow(Base):
    """A video candidate of a clip; its id is the API's generation_id."""

    __tablename__ = "videos"

    id: Mapped[str] = mapped_column(primary_key=True)
    clip_id: Mapped[str] = mapped_column(ForeignKey("timeline_clips.id", ondelete="CASCADE"), index=True)
    model_id: Mapped[str]
    prompt: Mapped[str]
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    thumbnail_artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    duration_s: Mapped[float]
    quota_consumed: Mapped[int]
    status: Mapped[str] = mapped_column(default="pending")
    error_message: Mapped[str | None]
    task_id: Mapped[str | None]
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("video_batches.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    completed_at: Mapped[datetime | None]


class BgmRow(Base):
    """The project's music. It stays with the project when packages are switched."""

    __tablename__ = "project_bgm"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    music_name: Mapped[str | None]
    source: Mapped[str | None]
    volume: Mapped[float] = mapped_column(default=0.5)
    is_loop: Mapped[bool] = mapped_column(default=True)
    fade_in_s: Mapped[float] = mapped_column(default=0.0)
    fade_out_s: Mapped[float] = mapped_column(default=0.0)


class BgmCandidateRow(Base):
    __tablename__ = "bgm_candidates"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), unique=True)
    prompt: Mapped[str]
    status: Mapped[str] = mapped_column(default="processing")
    duration_s: Mapped[float | None]
    error_message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def load_clip(session: AsyncSession, actor: Actor, clip_id: str) -> tuple[ClipRow, PackageRow, ProjectRow]:
    """A clip with its package and project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(ClipRow, PackageRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(PackageRow, PackageRow.id == ClipRow.package_id)
        .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
        .where(ClipRow.id == clip_id)
    )
    clip, package, project = await granted_in_project(
        session, actor, statement, "片段不存在", "no such clip", "clip_id"
    )
    return clip, package, project


async def load_video(session: AsyncSession, actor: Actor, video_id: str) -> tuple[VideoRow, ClipRow, ProjectRow]:
    """A video candidate with its clip and project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(VideoRow, ClipRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(ClipRow, ClipRow.id == VideoRow.clip_id)
        .join(PackageRow, PackageRow.id == ClipRow.package_id)
        .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
        .where(VideoRow.id == video_id)
    )
    video, clip, project = await granted_in_project(
        session, actor, statement, "视频任务不存在", "no such video task", "task_id"
    )
    return video, clip, project


async def load_batch(session: AsyncSession, actor: Actor, batch_id: str) -> tuple[VideoBatchRow, ProjectRow]:
    """A batch of videos with its project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(VideoBatchRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(ProjectRow, ProjectRow.id == VideoBatchRow.project_id)
        .where(VideoBatchRow.id == batch_id)
    )
    batch, project = await granted_in_project(
        session, actor, statement, "视频任务不存在", "no such video task", "task_id"
    )
    return batch, project


async def video_tasks_of(session: AsyncSession, actor: Actor, task_id: str) -> list[str]:
    """The queue's tasks of a batch or a single video, without locking anything. Raises NotFound and Forbidden."""
    missing = NotFound("视频任务不存在", "no such video task", field="task_id")
    visible = may_see(actor, ProjectRow.tenant_id)
    role = role_in(actor, ProjectRow.tenant_id)
    if task_id.startswith(BATCH_PREFIX):
        statement = (
            select(VideoBatchRow.id, role)
            .join(ProjectRow, ProjectRow.id == VideoBatchRow.project_id)
            .where(VideoBatchRow.id == task_id, visible)
        )
        which = VideoRow.batch_id == task_id
    else:
        statement = (
            select(VideoRow.id, role)
            .join(ClipRow, ClipRow.id == VideoRow.clip_id)
            .join(PackageRow, PackageRow.id == ClipRow.package_id)
            .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
            .where(VideoRow.id == task_id, visible)
        )
        which = VideoRow.id == task_id
    await granted(session, actor, statement, missing)
    rows = await session.scalars(select(VideoRow.task_id).where(which, VideoRow.task_id.is_not(None)))
    return [task for task in rows if task is not None]


async def project_of_clip(session: AsyncSession, actor: Actor, clip_id: str) -> str:
    """The project that a clip is in, without locking anything. Raises NotFound and Forbidden."""
    statement = (
        select(PackageRow.project_id, role_in(actor, ProjectRow.tenant_id))
        .join(ClipRow, ClipRow.package_id == PackageRow.id)
        .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
        .where(ClipRow.id == clip_id, may_see(actor, ProjectRow.tenant_id))
    )
    missing = NotFound("片段不存在", "no such clip", field="clip_id")
    (project_id,) = await granted(session, actor, statement, missing)
    return str(project_id)


async def clips_of(session: AsyncSession, package_id: str) -> list[ClipRow]:
    rows = await session.scalars(select(ClipRow).where(ClipRow.package_id == package_id).order_by(ClipRow.position))
    return list(rows)


async def lines_of(session: AsyncSession, clip_ids: list[str]) -> list[SpeechLineRow]:
    rows = await session.scalars(
        select(SpeechLineRow)
        .where(SpeechLineRow.clip_id.in_(clip_ids))
        .order_by(SpeechLineRow.clip_id, SpeechLineRow.position)
    )
    return list(rows)


async def line_ids_of(session: AsyncSession, clip_id: str, kind: str | None = None) -> list[str]:
    """For those who cancel what is spoken before they lock the project: the lines themselves are loaded afterwards."""
    statement = select(SpeechLineRow.id).where(SpeechLineRow.clip_id == clip_id)
    if kind is not None:
        statement = statement.where(SpeechLineRow.kind == kind)
    return list(await session.scalars(statement))


async def videos_of(session: AsyncSession, clip_ids: list[str]) -> list[VideoRow]:
    rows = await session.scalars(
        select(VideoRow).where(VideoRow.clip_id.in_(clip_ids)).order_by(VideoRow.created_at, VideoRow.id)
    )
    return list(rows)


async def videos_of_batch(session: AsyncSession, batch_id: str) -> list[VideoRow]:
    rows = await session.scalars(
        select(VideoRow)
        .where(VideoRow.batch_id == batch_id)
        .order_by(VideoRow.id)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def line_by_id(session: AsyncSession, line_id: str) -> SpeechLineRow | None:
    return await session.get(SpeechLineRow, line_id, populate_existing=True)


async def video_by_id(session: AsyncSession, video_id: str) -> VideoRow | None:
    return await session.get(VideoRow, video_id, populate_existing=True)


async def bgm_of(session: AsyncSession, project_id: str) -> BgmRow | None:
    return await session.get(BgmRow, project_id, populate_existing=True)


async def bgm_candidate(session: AsyncSession, candidate_id: str) -> BgmCandidateRow | None:
    return await session.get(BgmCandidateRow, candidate_id, populate_existing=True)


async def bgm_candidate_by_artifact(session: AsyncSession, artifact_id: str) -> BgmCandidateRow | None:
    return await session.scalar(select(BgmCandidateRow).where(BgmCandidateRow.artifact_id == artifact_id))
