"""The library's presets: read from presets.toml and the catalog's voices, written to the database when a server starts.

Their pictures and sounds are rendered by the farm, once, at the lowest priority.
"""

import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy import text

from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables
from control_plane.work import Work
from models.catalog import Catalog
from models.specs import ArtStyle, Framing, ImageSpec, Language, ShotType, SpeechSpec, Subject
from scheduler import queue
from scheduler.task import NewTask

_PRESETS_PATH = Path(__file__).with_name("presets.toml")
_SYNC_LOCK = 0x5265656C  # any constant: it only has to be the same in every process
PREVIEW_REACTION = "assets.preview"
PREVIEW_PRIORITY = -100
_SAMPLE_TEXT: dict[Language, str] = {
    "zh": "你好，很高兴为你讲这个故事。",
    "en": "Hello, I am glad to tell you this story.",
}


async def sync_presets(work: Work) -> None:
    """Add the presets that are missing and have their previews rendered. Several processes may call it at once."""
    await work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SYNC_LOCK})
    known = await tables.preset_ids(work.session)
    rows = [row for row in _preset_rows(work.services.catalog) if row["id"] not in known]
    if not rows:
        return
    job_id = await queue.create_job(work.session, kind="previews", project_id="", tenant_id=artifacts.PUBLIC_TENANT)
    tasks = []
    for row in rows:
        content = await artifacts.promise(work.session, artifacts.PUBLIC_TENANT, row["id"])
        has_picture = row["asset_type"] in {"style", "character"}
        thumbnail = await artifacts.promise(work.session, artifacts.PUBLIC_TENANT, row["id"]) if has_picture else None
        work.session.add(
            tables.AssetRow(
                **row,
                tenant_id=artifacts.PUBLIC_TENANT,
                content_artifact_id=content,
                thumbnail_artifact_id=thumbnail,
                is_preset=True,
            )
        )
        tasks.append(_preview_task(work.services.catalog, row, job_id, content, thumbnail))
    work.note_queued(tasks, await queue.enqueue(work.session, tasks))


def _preset_rows(catalog: Catalog) -> list[dict[str, Any]]:
    presets = tomllib.loads(_PRESETS_PATH.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = []
    for asset_type in ("style", "character"):
        for order, entry in enumerate(presets[asset_type]):
            shared = {key: entry.pop(key) for key in ("name", "description")}
            asset_id = f"{asset_type}_{entry.pop('id')}"
            rows.append(
                {
                    "id": asset_id,
                    "asset_type": asset_type,
                    **shared,
                    "attributes": entry,
                    "display_order": order,
                }
            )
    for order, (model, voice) in enumerate((m, v) for m in catalog.for_task("speech") for v in m.voice):
        attributes = voice.model_dump(exclude={"id", "display_name"}) | {"voice": voice.id, "model": model.id}
        rows.append(
            {
                "id": f"voice_{voice.id}",
                "asset_type": "voice",
                "name": voice.display_name,
                "description": "",
                "attributes": attributes,
                "display_order": order,
            }
        )
    return rows


def _preview_task(catalog: Catalog, row: dict[str, Any], job_id: str, content: str, thumbnail: str | None) -> NewTask:
    attributes = row["attributes"]
    spec: ImageSpec | SpeechSpec
    if row["asset_type"] == "voice":
        kind, model = "speech", attributes["model"]
        spec = SpeechSpec(
            text=_SAMPLE_TEXT[attributes["language"]],
            language=attributes["language"],
            voice=attributes["voice"],
        )
    elif row["asset_type"] == "style":
        kind, model = "text_to_image", catalog.default_for("text_to_image").id
        spec = ImageSpec(
            prompt="sunset over the sea, a lighthouse, a girl looking at the sea",
            width=640,
            height=360,
            shot_type=ShotType.WIDE,
            style=style_of(row["name"], row["description"], attributes),
        )
    else:
        kind, model = "text_to_image", catalog.default_for("text_to_image").id
        spec = ImageSpec(
            prompt=row["description"],
            width=480,
            height=640,
            framing=Framing.FRONT_VIEW,
            style=ArtStyle(style_name="flat", visual_keywords=["flat"], palette=[]),
            subjects=[
                Subject(
                    name=row["name"],
                    appearance=attributes["appearance"],
                    gender=attributes["gender"],
                    age=attributes["age"],
                )
            ],
        )
    return NewTask(
        kind=kind,
        spec=spec,
        model=model,
        job_id=job_id,
        project_id="",
        tenant_id=artifacts.PUBLIC_TENANT,
        reaction=PREVIEW_REACTION,
        label=f"preview of {row['id']}",
        context={"content": content, "thumbnail": thumbnail},
        priority=PREVIEW_PRIORITY,
    )


def style_of(name: str, description: str, attributes: dict[str, Any]) -> ArtStyle:
    """A style asset as an engine understands it."""
    return ArtStyle(
        style_name=name,
        description=description,
        prompt_template=attributes.get("prompt_template", ""),
        visual_keywords=attributes.get("visual_keywords", []),
        palette=attributes.get("palette", []),
    )
