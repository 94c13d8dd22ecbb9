"""Removing files that nothing refers to any more. ADR 10 says why no order of events loses one that is needed.

First rows: one that nobody refers to is marked, and deleted when it still is unreferenced after the retention time.
Then objects: one whose key has no row and that is older than the grace time. All of it may be killed anywhere.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import references
from control_plane.artifacts.tables import ArtifactRow, CollectedObjectRow, UploadRow, lock_key
from control_plane.artifacts.uploads import upload_key
from control_plane.work import Services
from runtime.artifacts import CONTENT, LOGS, MANIFESTS, UPLOADS, StoredObject

UPLOAD_LIFE = timedelta(hours=4)
"""Of an object that no open upload counts: longer than an upload and its registration may take together."""

_SCRATCH_LIFE = timedelta(days=1)
_BATCH = 500


@dataclass
class Collected:
    """How much of each was removed."""

    rows: int = 0
    objects: int = 0
    uploads: int = 0
    attempt_files: int = 0
    scratch: int = 0


async def collect(services: Services, now: datetime) -> Collected:
    """One pass. ``now`` is what ages are reckoned from; marks are made as of it."""
    settings = services.settings
    collected = Collected()
    collected.rows = await sweep_rows(services, now, timedelta(seconds=settings.retention_s))
    collected.objects = await sweep_objects(services, now, timedelta(seconds=settings.object_grace_s))
    collected.uploads = await _forget_uploads(services, now)
    collected.uploads += await _delete_older(services, UPLOADS, now - UPLOAD_LIFE)
    attempts_before = now - timedelta(seconds=settings.attempt_retention_s)
    collected.attempt_files = await _delete_older(services, LOGS, attempts_before)
    collected.attempt_files += await _delete_older(services, MANIFESTS, attempts_before)
    collected.scratch = services.store.clear_scratch(now - _SCRATCH_LIFE)
    return collected


async def sweep_rows(services: Services, now: datetime, retention: timedelta) -> int:
    """Mark what nothing refers to, unmark what something does again, delete what has been marked long enough."""
    async with services.database.transaction() as session:
        # One statement sees one state of all tables: a reference that moves from one to another is seen in one of them,
        # and a row that is not yet committed with its first reference is not seen at all.
        await session.execute(
            text(
                f"WITH referenced AS MATERIALIZED ({references.referenced_ids()}) "
                "UPDATE artifacts SET unreferenced_since = "
                "CASE WHEN unreferenced_since IS NULL THEN CAST(:now AS timestamptz) END "
                "WHERE (unreferenced_since IS NOT NULL) = (id IN (SELECT found FROM referenced))"
            ),
            {"now": now},
        )
    return await _delete_marked(services, now - retention)


async def _delete_marked(services: Services, before: datetime) -> int:
    deleted, skipped = 0, [""]
    while True:
        async with services.database.transaction() as session:
            ids = list(
                await session.scalars(
                    select(ArtifactRow.id)
                    .where(ArtifactRow.unreferenced_since <= before, ArtifactRow.id.not_in(skipped))
                    .order_by(ArtifactRow.tenant_id, ArtifactRow.id)
                    .limit(_BATCH)
                )
            )
            if not ids:
                return deleted
            try:
                async with session.begin_nested():
                    deleted += await _delete_rows(session, ids, before)
            except IntegrityError:
                # One of them is referred to again; the database itself keeps what a foreign key names.
                for artifact_id in ids:
                    try:
                        async with session.begin_nested():
                            deleted += await _delete_rows(session, [artifact_id], before)
                    except IntegrityError:
                        skipped.append(artifact_id)


async def _delete_rows(session: AsyncSession, ids: list[str], before: datetime) -> int:
    """Rows that are still marked: whoever took one up meanwhile has removed its mark."""
    result = await session.execute(
        delete(ArtifactRow).where(ArtifactRow.id.in_(ids), ArtifactRow.unreferenced_since <= before)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


async def sweep_objects(services: Services, now: datetime, grace: timedelta) -> int:
    """Delete objects that are older than the grace time and whose key neither a row nor a text holds."""
    deleted, before = 0, now - grace
    async with services.database.transaction() as session:
        needed = set(await session.scalars(text(references.keys_in_texts())))
    async for batch in _old_objects(services, CONTENT, before):
        keys = [found.key for found in batch if found.key not in needed]
        async with services.database.transaction() as session:
            held = set(await session.scalars(select(ArtifactRow.key).where(ArtifactRow.key.in_(keys))))
        for key in keys:
            if key not in held:
                deleted += await _delete_object(services, key, now, before)
    async with services.database.transaction() as session:
        await session.execute(delete(CollectedObjectRow).where(CollectedObjectRow.collected_at < before))
    return deleted


async def _delete_object(services: Services, key: str, now: datetime, before: datetime) -> bool:
    """In two steps: that it goes is known before it goes, so that nobody names it in between without looking."""
    async with services.database.transaction() as session:
        if await _is_held(session, key):
            return False
        noted = insert(CollectedObjectRow).values(key=key, collected_at=now)
        await session.execute(
            noted.on_conflict_do_update(index_elements=[CollectedObjectRow.key], set_={"collected_at": now})
        )
    async with services.database.transaction() as session:
        if await _is_held(session, key):
            return False
        found = await services.store.info_async(key)
        if found is None or found.changed_at >= before:
            return False
        await services.store.delete_async(key)
        return True


async def _is_held(session: AsyncSession, key: str) -> bool:
    """Whether a row names it; until the end of the transaction no other can."""
    await lock_key(session, key, shared=False)
    return await session.scalar(select(ArtifactRow.id).where(ArtifactRow.key == key).limit(1)) is not None


async def _forget_uploads(services: Services, now: datetime) -> int:
    """Those whose time is over, with what was sent."""
    forgotten = 0
    while True:
        async with services.database.transaction() as session:
            ids = list(await session.scalars(select(UploadRow.id).where(UploadRow.expires_at <= now).limit(_BATCH)))
            for upload_id in ids:
                await services.store.delete_async(upload_key(upload_id))
            await session.execute(delete(UploadRow).where(UploadRow.id.in_(ids)))
        if not ids:
            return forgotten
        forgotten += len(ids)


async def _delete_older(services: Services, folder: str, before: datetime) -> int:
    deleted = 0
    async for batch in _old_objects(services, folder, before):
        for found in batch:
            await services.store.delete_async(found.key)
            deleted += 1
    return deleted


async def _old_objects(services: Services, folder: str, before: datetime) -> AsyncIterator[list[StoredObject]]:
    async for batch in services.store.list_async(folder):
        yield [found for found in batch if found.changed_at < before]
