"""Material packages: the versions of what a film is made of, their steps, elements, pictures and voices."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import role_in
from control_plane.accounts.actor import Actor
from control_plane.projects.tables import ProjectRow, granted_in_project
from runtime.database import Base, utc_now
from runtime.ids import new_id


class PackageRow(Base):
    """``source`` is the input as it was when the generation started: later changes of the input leave it alone."""

    __tablename__ = "material_packages"
    __table_args__ = (
        UniqueConstraint("project_id", "version"),
        Index("uq_material_packages_active", "project_id", unique=True, postgresql_where=text("is_active")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    package_name: Mapped[str]
    status: Mapped[str] = mapped_column(default="generating")
    is_active: Mapped[bool] = mapped_column(default=False)
    summary: Mapped[str | None]
    source: Mapped[dict[str, Any]]
    narrator_voice_id: Mapped[str]
    job_id: Mapped[str | None]
    generation_started_at: Mapped[datetime] = mapped_column(default=utc_now)
    generated_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StepRow(Base):
    """One of the five steps, complete when ``done`` reaches ``total``: its script task and what that asked for. One
    whose script stays as it is ``makes`` its pictures alone. ``run`` counts how often it was begun: results of an
    earlier run are dropped. One that ``awaits_sheets`` asks for its pictures once the characters and scenes that they
    show have theirs."""

    __tablename__ = "generation_steps"
    __table_args__ = (UniqueConstraint("package_id", "step"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("material_packages.id", ondelete="CASCADE"))
    step: Mapped[str]
    display_order: Mapped[int]
    status: Mapped[str] = mapped_column(default="pending")
    makes: Mapped[str] = mapped_column(default="script")
    run: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    awaits_sheets: Mapped[bool] = mapped_column(default=False)
    error_message: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ElementRow(Base):
    """A storyline, art style, character, scene or shot; ``data`` is its spec of models.specs as it is now, ``origin``
    the one that the script step wrote: by it the same thing is known again when the step is run again."""

    __tablename__ = "elements"

    id: Mapped[str] = mapped_column(primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("material_packages.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    position: Mapped[int]
    data: Mapped[dict[str, Any]]
    origin: Mapped[dict[str, Any]]
    is_selected: Mapped[bool] = mapped_column(default=True)


class TextCandidateRow(Base):
    """What an element's text is (the selected one), was, or is being made: ``data`` is absent until it is there."""

    __tablename__ = "text_candidates"
    __table_args__ = (UniqueConstraint("element_id", "position"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    element_id: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"))
    position: Mapped[int]
    data: Mapped[dict[str, Any] | None]
    wish: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="completed")
    error_message: Mapped[str | None]
    is_selected: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ImageRow(Base):
    """A picture of an element: the selected one, or a candidate. ``wish`` is what the user asked it to change,
    ``take`` which take of its step it shows."""

    __tablename__ = "images"

    id: Mapped[str] = mapped_column(primary_key=True)
    element_id: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"), index=True)
    image_type: Mapped[str]
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    thumbnail_artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    depth_artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    prompt: Mapped[str]
    wish: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="processing")
    error_message: Mapped[str | None]
    is_selected: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    take: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CharacterVoiceRow(Base):
    """A voice asset given to a character; one is selected."""

    __tablename__ = "character_voices"

    id: Mapped[str] = mapped_column(primary_key=True)
    element_id: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"), index=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id"))
    is_selected: Mapped[bool] = mapped_column(default=False)


async def load_package(session: AsyncSession, actor: Actor, package_id: str) -> tuple[PackageRow, ProjectRow]:
    """A package with its project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(PackageRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
        .where(PackageRow.id == package_id)
    )
    package, project = await granted_in_project(
        session, actor, statement, "素材包不存在", "no such material package", "package_id"
    )
    return package, project


async def package_by_id(session: AsyncSession, package_id: str) -> PackageRow | None:
    return await session.get(PackageRow, package_id, populate_existing=True)


async def packages_of(session: AsyncSession, project_id: str) -> list[PackageRow]:
    rows = await session.scalars(
        select(PackageRow).where(PackageRow.project_id == project_id).order_by(PackageRow.version)
    )
    return list(rows)


async def active_package(session: AsyncSession, project_id: str) -> PackageRow | None:
    return await session.scalar(select(PackageRow).where(PackageRow.project_id == project_id, PackageRow.is_active))


async def previous_package(session: AsyncSession, package: PackageRow) -> PackageRow | None:
    """The active package, or where that is this one, the one that was finished last before."""
    return await session.scalar(
        select(PackageRow)
        .where(
            PackageRow.project_id == package.project_id,
            PackageRow.id != package.id,
            PackageRow.generated_at.is_not(None),
        )
        .order_by(PackageRow.is_active.desc(), PackageRow.generated_at.desc(), PackageRow.version.desc())
        .limit(1)
    )


async def generating_package(session: AsyncSession, project_id: str) -> PackageRow | None:
    return await session.scalar(
        select(PackageRow)
        .where(PackageRow.project_id == project_id, PackageRow.status == "generating")
        .order_by(PackageRow.version.desc())
        .limit(1)
    )


async def latest_generation(session: AsyncSession, project_id: str) -> PackageRow | None:
    """The package whose generation or repetition of a step began last; copies were not generated."""
    return await session.scalar(
        select(PackageRow)
        .where(PackageRow.project_id == project_id, PackageRow.job_id.is_not(None))
        .order_by(PackageRow.generation_started_at.desc(), PackageRow.version.desc())
        .limit(1)
    )


async def next_version(session: AsyncSession, project_id: str) -> int:
    """The caller holds the project's lock."""
    highest = await session.scalar(select(func.max(PackageRow.version)).where(PackageRow.project_id == project_id))
    return (highest or 0) + 1


async def activate(session: AsyncSession, package: PackageRow) -> None:
    """Make it the project's one active package."""
    await session.flush()
    await session.execute(
        update(PackageRow)
        .where(PackageRow.project_id == package.project_id, PackageRow.is_active, PackageRow.id != package.id)
        .values(is_active=False)
    )
    package.is_active = True
    await session.flush()


async def steps_of(session: AsyncSession, package_id: str) -> list[StepRow]:
    rows = await session.scalars(
        select(StepRow).where(StepRow.package_id == package_id).order_by(StepRow.display_order)
    )
    return list(rows)


async def step_of_task(session: AsyncSession, package_id: str, context: dict[str, Any]) -> StepRow | None:
    """The step that a task of this context was queued for; None where the step was begun anew or skipped since."""
    row = await session.scalar(
        select(StepRow)
        .where(StepRow.package_id == package_id, StepRow.step == context["step"])
        .execution_options(populate_existing=True)
    )
    return row if row is not None and row.run == context.get("run", 1) and row.status != "skipped" else None


async def elements_of(session: AsyncSession, package_id: str, kind: str | None = None) -> list[ElementRow]:
    statement = select(ElementRow).where(ElementRow.package_id == package_id)
    if kind is not None:
        statement = statement.where(ElementRow.kind == kind)
    return list(await session.scalars(statement.order_by(ElementRow.kind, ElementRow.position)))


async def element_in(session: AsyncSession, package_id: str, kind: str, element_id: str) -> ElementRow | None:
    return await session.scalar(
        select(ElementRow).where(
            ElementRow.id == element_id, ElementRow.package_id == package_id, ElementRow.kind == kind
        )
    )


async def images_of(session: AsyncSession, element_ids: list[str]) -> list[ImageRow]:
    """Pictures of the elements, the oldest first."""
    rows = await session.scalars(
        select(ImageRow)
        .where(ImageRow.element_id.in_(element_ids))
        .order_by(ImageRow.element_id, ImageRow.position, ImageRow.created_at, ImageRow.id)
    )
    return list(rows)


async def image_by_id(session: AsyncSession, image_id: str) -> ImageRow | None:
    return await session.get(ImageRow, image_id, populate_existing=True)


async def select_image(session: AsyncSession, image: ImageRow) -> None:
    """Make it the one selected picture of its type of its element."""
    await session.execute(
        update(ImageRow)
        .where(
            ImageRow.element_id == image.element_id,
            ImageRow.image_type == image.image_type,
            ImageRow.id != image.id,
        )
        .values(is_selected=False)
    )
    image.is_selected = True
    await session.flush()


async def voices_of(session: AsyncSession, element_ids: list[str]) -> list[CharacterVoiceRow]:
    rows = await session.scalars(
        select(CharacterVoiceRow)
        .where(CharacterVoiceRow.element_id.in_(element_ids))
        .order_by(CharacterVoiceRow.element_id, CharacterVoiceRow.id)
    )
    return list(rows)


async def choose_voice(session: AsyncSession, element_id: str, asset_id: str) -> None:
    """Select a voice for a character, adding it to its candidates where it is new."""
    voices = await voices_of(session, [element_id])
    for voice in voices:
        voice.is_selected = voice.asset_id == asset_id
    if all(voice.asset_id != asset_id for voice in voices):
        session.add(CharacterVoiceRow(id=new_id("cvo"), element_id=element_id, asset_id=asset_id, is_selected=True))
    await session.flush()


async def load_step(session: AsyncSession, actor: Actor, step_id: str) -> tuple[StepRow, PackageRow, ProjectRow]:
    """A step with its package and project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(StepRow, PackageRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(PackageRow, PackageRow.id == StepRow.package_id)
        .join(ProjectRow, ProjectRow.id == PackageRow.project_id)
        .where(StepRow.id == step_id)
    )
    step, package, project = await granted_in_project(
        session, actor, statement, "生成步骤不存在", "no such step of a generation", "task_id"
    )
    return step, package, project


async def texts_of(session: AsyncSession, element_ids: list[str]) -> list[TextCandidateRow]:
    """Texts of the elements, the oldest first."""
    rows = await session.scalars(
        select(TextCandidateRow)
        .where(TextCandidateRow.element_id.in_(element_ids))
        .order_by(TextCandidateRow.element_id, TextCandidateRow.position)
    )
    return list(rows)


async def text_by_id(session: AsyncSession, text_id: str) -> TextCandidateRow | None:
    return await session.get(TextCandidateRow, text_id, populate_existing=True)


async def element_by_id(session: AsyncSession, element_id: str) -> ElementRow | None:
    return await session.get(ElementRow, element_id, populate_existing=True)
