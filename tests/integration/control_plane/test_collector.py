"""Nothing that is referred to is ever collected, and everything else is in the end."""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from control_plane.accounts.service import create_user
from control_plane.accounts.tables import SessionRow, UserRow
from control_plane.app import make_services
from control_plane.artifacts import collector, disk, uploads
from control_plane.artifacts import tables as artifacts
from control_plane.artifacts.references import KEY_PATTERN, referring_columns
from control_plane.assets.tables import AssetRow
from control_plane.errors import StorageFull, TooManyRequests
from control_plane.events.tables import EventRow
from control_plane.housekeeping import run_once
from control_plane.materials.tables import PackageRow
from control_plane.projects.tables import ProjectRow
from control_plane.timeline.tables import BgmRow
from control_plane.web.idempotency import IdempotencyRow
from control_plane.work import Services, unit_of_work
from models.specs import StoredArtifact
from runtime.artifacts import content_key
from runtime.database import utc_now
from runtime.ids import new_id
from runtime.settings import Settings
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission

DAY = timedelta(days=1)


@pytest.fixture
async def services(database_url: str, tmp_path: Path, embedded_redis_url: str) -> AsyncIterator[Services]:
    made = make_services(
        Settings.model_validate(
            {
                "database_url": database_url,
                "redis_url": embedded_redis_url,
                "artifacts_url": f"file://{tmp_path}/artifacts",
                "secret_key": "test secret of more than thirty-two characters",
                "retention_s": 3600,
                "tenant_disk_bytes": 10_000,
            }
        )
    )
    yield made
    await made.redis.aclose()
    await made.database.close()


async def store(services: Services, content: bytes) -> StoredArtifact:
    sha256 = hashlib.sha256(content).hexdigest()
    key = content_key(sha256, ".bin")
    await services.store.put_bytes_async(key, content)
    return StoredArtifact(key=key, media_type="image/png", size=len(content), sha256=sha256)


async def keep(services: Services, tenant_id: str, content: bytes) -> tuple[str, str]:
    """Artifact id and key."""
    stored = await store(services, content)
    async with unit_of_work(services) as work:
        return await artifacts.keep(work.session, tenant_id, "file.bin", stored), stored.key


async def everything(services: Services) -> tuple[set[str], set[str]]:
    """The ids of all rows and the keys of all objects."""
    async with services.database.transaction() as session:
        ids = set(await session.scalars(select(artifacts.ArtifactRow.id)))
    keys = {found.key async for batch in services.store.list_async("content") for found in batch}
    return ids, keys


async def check_accounts(services: Services) -> None:
    async with services.database.transaction() as session:
        accounts = {row.tenant_id: row.used_bytes for row in await session.scalars(select(artifacts.DiskAccountRow))}
        expected = await disk.counted_anew(session)
    assert {tenant: used for tenant, used in accounts.items() if used} == expected


class World:
    """Projects of two tenants that refer to files in every way there is."""

    WAYS = ("bgm", "thumbnail", "asset", "event", "source key", "source id", "avatar", "answer")

    def __init__(self, services: Services, chance: random.Random) -> None:
        self.services = services
        self.chance = chance
        self.references: dict[str, tuple[str, str, str]] = {}
        """What refers, by a name of its own: (way, artifact id, key)."""
        self.users: list[str] = []

    async def refer(self, artifact_id: str, key: str) -> None:
        way, user_id, name = self.chance.choice(self.WAYS), self.chance.choice(self.users), new_id("x")
        async with self.services.database.transaction() as session:
            project = ProjectRow(id=name, tenant_id=user_id, user_id=user_id, name="", status="draft", stage="input")
            if way == "thumbnail":
                project.thumbnail_artifact_id = artifact_id
            session.add(project)
            await session.flush()
            if way == "bgm":
                session.add(BgmRow(project_id=name, artifact_id=artifact_id))
            elif way == "event":
                session.add(EventRow(project_id=name, seq=1, event="x", data={"a": [{"b": artifact_id}]}))
            elif way.startswith("source"):
                found = {"images": [["label", key]]} if way == "source key" else {"audio": artifact_id}
                session.add(
                    PackageRow(id=name, project_id=name, version=1, package_name="", source=found, narrator_voice_id="")
                )
            elif way == "asset":
                session.add(
                    AssetRow(
                        id=name,
                        tenant_id=user_id,
                        asset_type="style",
                        name="",
                        description="",
                        attributes={},
                        content_artifact_id=artifact_id,
                    )
                )
            elif way == "avatar":
                await session.execute(
                    update(UserRow).where(UserRow.id == user_id).values(avatar_artifact_id=artifact_id)
                )
                for other, (kind, _, _) in list(self.references.items()):
                    if kind == f"avatar {user_id}":
                        del self.references[other]
                way = f"avatar {user_id}"
            elif way == "answer":
                session.add(IdempotencyRow(user_id=user_id, key=name, fingerprint="", answer={"file_url": artifact_id}))
        self.references[name] = (way, artifact_id, key)

    async def forget(self, name: str) -> None:
        way, _, _ = self.references.pop(name)
        async with self.services.database.transaction() as session:
            await session.execute(delete(ProjectRow).where(ProjectRow.id == name))
            await session.execute(delete(AssetRow).where(AssetRow.id == name))
            await session.execute(delete(IdempotencyRow).where(IdempotencyRow.key == name))
            if way.startswith("avatar "):
                await session.execute(update(UserRow).where(UserRow.id == way[7:]).values(avatar_artifact_id=None))


@pytest.mark.parametrize("seed", range(6))
async def test_random_references_are_kept_and_everything_else_goes(services: Services, seed: int) -> None:
    chance = random.Random(seed)
    world = World(services, chance)
    async with services.database.transaction() as session:
        for name in ("one", "two"):
            world.users.append(await create_user(session, username=name, password="correct horse"))
    known: list[tuple[str, str]] = []
    now = utc_now()
    for _ in range(10):
        for _ in range(chance.randrange(6)):
            # Few contents, so that rows of both tenants share them.
            content = b"x" * chance.randrange(1, 9)
            known.append(await keep(services, chance.choice(world.users), content))
            if chance.random() < 0.7:
                await world.refer(*known[-1])
        alive, _ = await everything(services)
        for pair in [pair for pair in known if pair[0] in alive and chance.random() < 0.2]:
            # As a request does: it reads the row, and refers to it by and by.
            async with services.database.transaction() as session:
                await session.execute(
                    update(artifacts.ArtifactRow)
                    .where(artifacts.ArtifactRow.id == pair[0])
                    .values(unreferenced_since=None)
                )
            await world.refer(*pair)
        for name in [name for name in world.references if chance.random() < 0.3]:
            await world.forget(name)
        now += timedelta(hours=chance.choice([0, 0.5, 30]))
        await collector.collect(services, now)
        ids, keys = await everything(services)
        for way, artifact_id, key in world.references.values():
            assert key in keys, way
            assert artifact_id in ids, way
        assert {pair[1] for pair in known if pair[0] in ids} <= keys
        await check_accounts(services)
    for name in list(world.references):
        await world.forget(name)
    for _ in range(2):
        now += 2 * DAY
        await collector.collect(services, now)
    assert await everything(services) == (set(), set())
    await check_accounts(services)


async def test_a_file_is_kept_for_the_retention_time_after_its_last_reference(services: Services) -> None:
    artifact_id, key = await keep(services, "t", b"content")
    now = utc_now() + 2 * DAY
    await collector.collect(services, now)
    await collector.collect(services, now + timedelta(minutes=59))
    assert await everything(services) == ({artifact_id}, {key})
    await collector.collect(services, now + timedelta(minutes=61))
    assert await everything(services) == (set(), set())


async def test_an_object_without_a_row_is_kept_while_it_is_young(services: Services) -> None:
    stored = await store(services, b"just stored by a worker")
    await collector.collect(services, utc_now())
    assert (await everything(services))[1] == {stored.key}
    await collector.collect(services, utc_now() + 2 * DAY)
    assert (await everything(services))[1] == set()


async def test_storing_the_same_content_again_makes_it_young(services: Services, tmp_path: Path) -> None:
    stored = await store(services, b"made twice")
    path = services.store.local_path(stored.key)
    assert path is not None
    long_ago = (utc_now() - 3 * DAY).timestamp()
    os.utime(path, (long_ago, long_ago))
    source = tmp_path / "again"
    source.write_bytes(b"made twice")
    services.store.keep_file(stored.key, source)
    await collector.collect(services, utc_now())
    assert (await everything(services))[1] == {stored.key}


async def test_a_result_that_names_a_collected_object_is_told(services: Services) -> None:
    stored = await store(services, b"too late")
    await collector.collect(services, utc_now() + 2 * DAY)
    with pytest.raises(artifacts.ObjectGoneError):
        async with unit_of_work(services) as work:
            await artifacts.keep(work.session, "t", "file.bin", stored)
    await store(services, b"too late")  # the task ran again
    async with unit_of_work(services) as work:
        await artifacts.keep(work.session, "t", "file.bin", stored)


async def test_a_row_that_is_just_being_written_saves_its_object(services: Services) -> None:
    """The collector has looked and found no row; one appears before it deletes."""
    stored = await store(services, b"in the last moment")
    before = utc_now() + DAY
    async with unit_of_work(services) as work:
        await artifacts.keep(work.session, "t", "file.bin", stored)
        deleting = asyncio.create_task(collector._delete_object(services, stored.key, utc_now(), before))
        done, _ = await asyncio.wait([deleting], timeout=0.3)
        assert not done  # it waits for the transaction that names the key
    assert await deleting is False
    assert (await everything(services))[1] == {stored.key}


async def test_results_that_wait_to_be_applied_are_kept(services: Services) -> None:
    stored = await store(services, b"rendered, not applied")
    async with services.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO jobs (id, kind, project_id, tenant_id, state, created_at) "
                "VALUES ('job', 'x', 'p', 't', 'active', now())"
            )
        )
        await session.execute(
            text(
                "INSERT INTO tasks (id, job_id, project_id, tenant_id, kind, model, spec, units, shape, batch, label, "
                "reaction, context, priority, weight, state, epoch, task_failures, farm_failures, progress, "
                "created_at, reaction_failures) VALUES ('task', 'job', 'p', 't', 'image', 'm', "
                "CAST(:spec AS jsonb), 1, '', '', '', 'r', '{}', 0, 1, 'queued', 0, 0, 0, 0, now(), 0)"
            ),
            {"spec": f'{{"references": ["{stored.key}"]}}'},
        )
    await collector.collect(services, utc_now() + 2 * DAY)
    assert (await everything(services))[1] == {stored.key}
    async with services.database.transaction() as session:
        await session.execute(text("UPDATE tasks SET applied_at = now()"))
    await collector.collect(services, utc_now() + 2 * DAY)
    assert (await everything(services))[1] == set()


async def test_stale_uploads_logs_and_what_killed_processes_left_go(services: Services) -> None:
    for key in ("uploads/upl_1", "logs/t/1.log", "manifests/t/1.json"):
        await services.store.put_bytes_async(key, b"x")
    with services.store.scratch() as directory:
        (directory / "half").write_bytes(b"x")
        await collector.collect(services, utc_now() + timedelta(hours=3))
        assert (directory / "half").exists()
        assert await services.store.size_async("uploads/upl_1") == 1
        collected = await collector.collect(services, utc_now() + 30 * DAY)
        assert (collected.uploads, collected.attempt_files, collected.scratch) == (1, 2, 1)
        assert not directory.exists()


async def test_uploads_that_wait_to_be_registered_take_room_and_are_forgotten(services: Services) -> None:
    settings = services.settings.model_copy(update={"upload_max_bytes": 4000, "max_open_uploads": 4})
    issued: list[str] = []

    async def issue(tenant_id: str = "t") -> None:
        async with services.database.transaction() as session:
            issued.append(await uploads.issue(session, settings, tenant_id, 3600))

    await keep(services, "t", b"x" * 2000)
    # Of 10,000 bytes: two of them leave nothing, however many ask at once.
    answers = await asyncio.gather(*(issue() for _ in range(6)), return_exceptions=True)
    assert [type(answer) for answer in answers if answer is not None] == [StorageFull] * 4
    await issue("other")
    async with services.database.transaction() as session:
        await disk.set_limit(session, "t", 10**6)
    await issue()
    await issue()
    with pytest.raises(TooManyRequests):
        await issue()
    async with services.database.transaction() as session:
        await uploads.close(session, issued[0])
    await issue()
    for upload_id in issued:
        await services.store.put_bytes_async(uploads.upload_key(upload_id), b"x")
    await collector.collect(services, utc_now())
    with pytest.raises(TooManyRequests):
        await issue()
    later = utc_now() + timedelta(minutes=61)
    # The one that was closed is an object without a row, which goes by its age.
    assert (await collector.collect(services, later)).uploads == len(issued) - 1
    assert [found.key async for batch in services.store.list_async("uploads") for found in batch] == [
        uploads.upload_key(issued[0])
    ]
    async with services.database.transaction() as session:
        assert list(await session.scalars(select(artifacts.UploadRow))) == []


async def test_rows_whose_time_is_over_go_and_one_process_does_it(services: Services) -> None:
    async with services.database.transaction() as session:
        user_id = await create_user(session, username="old", password="correct horse")
        session.add(ProjectRow(id="p", tenant_id=user_id, user_id=user_id, name="", status="draft", stage="input"))
        await session.flush()
        old, young = utc_now() - 40 * DAY, utc_now()
        for name, moment in (("old", old), ("young", young)):
            seq = 1 if name == "old" else 2
            session.add(EventRow(project_id="p", seq=seq, event="x", data={}, created_at=moment))
            session.add(IdempotencyRow(user_id=user_id, key=name, fingerprint="", answer=None, created_at=moment))
            session.add(SessionRow(id=name, user_id=user_id, refresh_hash="", expires_at=moment + DAY))
            session.add(
                SessionRow(
                    id=f"revoked {name}",
                    user_id=user_id,
                    refresh_hash="",
                    expires_at=young + DAY,
                    revoked_at=moment,
                )
            )
    assert sorted(await asyncio.gather(*(run_once(services, young) for _ in range(3)))).count(True) >= 1
    async with services.database.transaction() as session:
        assert list(await session.scalars(select(EventRow.seq))) == [2]
        assert list(await session.scalars(select(IdempotencyRow.key))) == ["young"]
        assert set(await session.scalars(select(SessionRow.id))) == {"young", "revoked young"}
    async with services.database.engine.connect() as other:
        assert await run_once(services, young)
        await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": 0x686F757365})
        assert not await run_once(services, young)


async def test_what_two_rows_share_is_counted_once_and_the_limit_holds(services: Services) -> None:
    await asyncio.gather(*(keep(services, "t", b"x" * 4000) for _ in range(8)))
    await keep(services, "t", b"y" * 5000)
    await keep(services, "other", b"x" * 4000)
    await check_accounts(services)
    settings = services.settings
    async with services.database.transaction() as session:
        assert await disk.usage(session, "t", settings) == (9000, 10_000)
        assert await disk.usage(session, "nobody", settings) == (0, 10_000)
        await disk.check(session, settings, "t", 1000)
        with pytest.raises(StorageFull) as caught:
            await disk.check(session, settings, "t", 1001)
        assert (caught.value.status, caught.value.code) == (507, 1000)
        await disk.set_limit(session, "t", 20_000)
        await disk.check(session, settings, "t", 1001)
        await disk.set_limit(session, "nobody", 0)
        with pytest.raises(StorageFull):
            await disk.check(session, settings, "nobody", 1)
        await disk.set_limit(session, "t", None)
        assert await disk.usage(session, "t", settings) == (9000, 10_000)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_reference_is_looked_for_wherever_one_is_stored(plane: Plane, user: Client) -> None:
    """A column that holds an artifact's id or key, wherever a film leaves one, is among those that are searched."""
    await generated(user)
    known = set(referring_columns()) | {("artifacts", "id"), ("artifacts", "key")}
    bookkeeping = {"disk_objects", "collected_objects", "attempts"}
    async with plane.services.database.transaction() as session:
        columns = await session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
                "AND data_type IN ('character varying', 'text', 'jsonb')"
            )
        )
        for table, column in list(columns):
            if table in bookkeeping or (table, column) in known:
                continue
            found = await session.scalar(
                text(f"""SELECT "{column}"::text FROM "{table}" WHERE "{column}"::text ~ :pattern LIMIT 1"""),
                {"pattern": f"art_[0-9a-z]{{26}}|{KEY_PATTERN}"},
            )
            assert found is None, (table, column)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tenant_without_room_can_neither_upload_nor_generate_but_finishes(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    user_id = (await user.get("/user/me"))["id"]

    async def limit(limit_bytes: int | None) -> None:
        async with plane.services.database.transaction() as session:
            await disk.set_limit(session, user_id, limit_bytes)

    await limit(0)
    for call in (
        user.get("/attachments/upload-config"),
        user.post("/generation/start", {"project_id": project_id}),
    ):
        with pytest.raises(ApiError) as caught:
            await call
        assert (caught.value.status, caught.value.code) == (507, 1000)
    await limit(1)
    await user.get("/attachments/upload-config")
    with pytest.raises(ApiError) as caught:
        await user.get("/attachments/upload-config")  # the first may still be sent
    assert (caught.value.status, caught.value.code) == (507, 1000)
    await user.post("/generation/start", {"project_id": project_id})
    done = await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert done["status"] == "completed"
