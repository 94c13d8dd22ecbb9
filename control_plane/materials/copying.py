"""Saving a package as a new version: everything in it and its timeline, under new ids."""

from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.materials import pictures, tables
from control_plane.projects import tables as projects
from control_plane.timeline import build
from control_plane.timeline import tables as timeline
from control_plane.work import Work
from runtime.database import Base, utc_now
from runtime.ids import new_id

RowT = TypeVar("RowT", bound=Base)


async def copy_package(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, name: str | None
) -> tables.PackageRow:
    """Copy elements, pictures, voices, clips, lines and videos, and activate the copy. Files are shared, not copied.
    Pictures and videos that are still being made belong to the original alone. Raises QuotaExceeded."""
    session = work.session
    version = await tables.next_version(session, project.id)
    copy = _copy(
        package,
        id=new_id("pkg"),
        version=version,
        package_name=name or f"{project.name} v{version}",
        is_active=False,
        job_id=None,
        status="completed",
        created_at=utc_now(),
    )
    session.add(copy)
    await session.flush()
    elements = await copy_elements(session, await tables.elements_of(session, package.id), copy)
    await _copy_timeline(work, project, package, copy, elements)
    await tables.activate(session, copy)
    return copy


async def copy_elements(
    session: AsyncSession, elements: list[tables.ElementRow], package: tables.PackageRow
) -> dict[str, str]:
    """Elements with their texts, voices and finished pictures, into another package; returns new ids by former ones."""
    ids = {row.id: new_id("elm") for row in elements}
    for element in elements:
        session.add(_copy(element, id=ids[element.id], package_id=package.id))
    await session.flush()
    for image in await tables.images_of(session, list(ids)):
        if image.status == "completed":
            session.add(_copy(image, id=new_id("img"), element_id=ids[image.element_id]))
    for text in await tables.texts_of(session, list(ids)):
        if text.status == "completed":
            session.add(_copy(text, id=new_id("txt"), element_id=ids[text.element_id]))
    for voice in await tables.voices_of(session, list(ids)):
        session.add(_copy(voice, id=new_id("cvo"), element_id=ids[voice.element_id]))
    await session.flush()
    await pictures.show_last_finished(session, package.id)
    return ids


async def _copy_timeline(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    copy: tables.PackageRow,
    elements: dict[str, str],
) -> None:
    session = work.session
    clips = {row.id: new_id("clp") for row in await timeline.clips_of(session, package.id)}
    videos = {
        row.id: new_id("gen") for row in await timeline.videos_of(session, list(clips)) if row.status == "completed"
    }
    for clip in await timeline.clips_of(session, package.id):
        session.add(
            _copy(
                clip,
                id=clips[clip.id],
                package_id=copy.id,
                element_id=elements[clip.element_id],
                selected_video_id=videos.get(clip.selected_video_id or ""),
            )
        )
    await session.flush()
    unspoken = []
    for line in await timeline.lines_of(session, list(clips)):
        line_copy = _copy(line, id=new_id("aud"), clip_id=clips[line.clip_id])
        session.add(line_copy)
        if line.status in timeline.UNFINISHED:
            unspoken.append(line_copy)
    for video in await timeline.videos_of(session, list(clips)):
        if video.id in videos:
            session.add(_copy(video, id=videos[video.id], clip_id=clips[video.clip_id], batch_id=None))
    await session.flush()
    # What is being spoken now is being spoken for the original.
    await build.speak(work, project, copy, unspoken)


def _copy(row: RowT, **changes: Any) -> RowT:
    values = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    return type(row)(**{**values, **changes})
