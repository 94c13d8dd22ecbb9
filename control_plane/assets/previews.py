"""What the library shows of its assets: pictures of styles and characters, voices and music to listen to.

The farm makes them when it has nothing else to do, and nobody pays. A preset's is made the first time somebody sees
the preset in the library or opens its file; until then its artifacts are only promised.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_

from control_plane.assets import tables
from control_plane.assets.presets import MADE_BY, style_of
from control_plane.work import Work, unit_of_work
from models.catalog import Catalog
from models.specs import ArtStyle, Framing, ImageSpec, Language, MusicSpec, ShotType, SpeechSpec, Subject
from scheduler import queue
from scheduler.task import NewTask

PREVIEW_REACTION = "assets.preview"
PREVIEW_PRIORITY = -100
_SAMPLE_TEXT: dict[Language, str] = {
    "zh": "你好，很高兴为你讲这个故事。",
    "en": "Hello, I am glad to tell you this story.",
}


async def ask_for(work: Work, assets: Sequence[tables.AssetRow]) -> None:
    """Have made what is shown of those presets among ``assets`` that nobody has seen yet. For work that only reads:
    what this writes is committed."""
    unseen = [asset.id for asset in assets if asset.is_preset and asset.preview_asked_at is None]
    if unseen:
        # Whoever held a connection while waiting for another one could wait for itself.
        await work.close_reader()
        async with unit_of_work(work.services) as asking:
            await _ask(asking, tables.AssetRow.id.in_(unseen))


async def ask_for_file(work: Work, artifact_id: str) -> None:
    """Somebody wants a file that is not there yet: have it made if it is a preset's."""
    row = tables.AssetRow
    await _ask(work, or_(row.content_artifact_id == artifact_id, row.thumbnail_artifact_id == artifact_id))


async def _ask(work: Work, which: ColumnElement[bool]) -> None:
    """Of those who ask at once, one finds the presets and the others, once that one has committed, none."""
    served = [asset_type for asset_type, kind in MADE_BY.items() if work.services.catalog.first_for(kind)]
    unseen = await tables.lock_unseen_presets(work.session, which, served)
    if unseen:
        await enqueue(work, unseen)
        await tables.note_preview_asked(work.session, [asset.id for asset in unseen])


async def enqueue(work: Work, assets: Sequence[tables.AssetRow]) -> None:
    """The tasks that make these assets' previews, all of one tenant. Raises NoModelError."""
    job_id = await queue.create_job(work.session, kind="previews", project_id="", tenant_id=assets[0].tenant_id)
    tasks = [_task(work.services.catalog, asset, job_id) for asset in assets]
    work.note_queued(tasks, await queue.enqueue(work.session, tasks))


def _task(catalog: Catalog, asset: tables.AssetRow, job_id: str) -> NewTask:
    kind = MADE_BY[asset.asset_type]
    return NewTask(
        kind=kind,
        spec=_spec(asset),
        model=asset.attributes["model"] if asset.asset_type == "voice" else catalog.default_for(kind).id,
        job_id=job_id,
        project_id="",
        tenant_id=asset.tenant_id,
        reaction=PREVIEW_REACTION,
        label=f"preview of {asset.id}",
        context={"content": asset.content_artifact_id, "thumbnail": asset.thumbnail_artifact_id},
        # Music takes longer than all the pictures, which are seen first.
        priority=PREVIEW_PRIORITY - (kind == "music"),
    )


def _spec(asset: tables.AssetRow) -> ImageSpec | SpeechSpec | MusicSpec:
    attributes = asset.attributes
    if asset.asset_type == "voice":
        return SpeechSpec(
            text=_SAMPLE_TEXT[attributes["language"]],
            language=attributes["language"],
            voice=attributes["voice"],
        )
    if asset.asset_type == "music":
        return MusicSpec(mood=attributes["mood"], genre=attributes["genre"], duration_s=attributes["duration_s"])
    if asset.asset_type == "style":
        return ImageSpec(
            prompt="sunset over the sea, a lighthouse, a girl looking at the sea",
            width=640,
            height=360,
            shot_type=ShotType.WIDE,
            style=style_of(asset.name, asset.description, attributes),
        )
    return ImageSpec(
        prompt=asset.description,
        width=480,
        height=640,
        framing=Framing.FRONT_VIEW,
        style=ArtStyle(style_name="flat", visual_keywords=["flat"], palette=[]),
        subjects=[
            Subject(
                name=asset.name,
                appearance=attributes["appearance"],
                gender=attributes["gender"],
                age=attributes["age"],
            )
        ],
    )
