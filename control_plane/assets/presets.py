"""The library's presets: read from presets.toml and the catalog's voices, written to the database when a server starts.

Their pictures and sounds are only promised then; see previews.py.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import text

from control_plane.artifacts import tables as artifacts
from control_plane.assets import rules, tables
from control_plane.work import Work
from models.catalog import Catalog
from models.specs import ArtStyle
from runtime.database import utc_now

_PRESETS_PATH = Path(__file__).with_name("presets.toml")
_SYNC_LOCK = 0x5265656C  # any constant: it only has to be the same in every process
_OF_VOICES = {"language", "gender", "age_range", "tone", "use"}
MUSIC_S = 30.0
"""It loops without a seam."""
MADE_BY = {"voice": "speech", "music": "music", "style": "text_to_image", "character": "text_to_image"}
"""What kind of task makes an asset's preview."""


async def sync_presets(work: Work) -> None:
    """Bring the presets in line with what ships: add what is missing, take over what was reworded, withdraw what is
    gone. Several processes may call it at once."""
    await work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SYNC_LOCK})
    known = await tables.presets(work.session)
    shipped = {row["id"]: row for row in preset_rows(work.services.catalog)}
    for asset_id, asset in known.items():
        for field, value in shipped.get(asset_id, {}).items():
            if getattr(asset, field) != value:
                setattr(asset, field, value)
        if asset_id in shipped:
            asset.deleted_at = None
        elif asset.deleted_at is None:
            asset.deleted_at = utc_now()
    catalog = work.services.catalog  # what there is no model for waits until there is one
    missing = [
        row
        for asset_id, row in shipped.items()
        if asset_id not in known and catalog.first_for(MADE_BY[row["asset_type"]])
    ]
    for row in missing:
        content = await artifacts.promise(work.session, artifacts.PUBLIC_TENANT, row["id"])
        has_picture = row["asset_type"] in {"style", "character"}
        thumbnail = await artifacts.promise(work.session, artifacts.PUBLIC_TENANT, row["id"]) if has_picture else None
        asset = tables.AssetRow(
            **row,
            tenant_id=artifacts.PUBLIC_TENANT,
            content_artifact_id=content,
            thumbnail_artifact_id=thumbnail,
            is_preset=True,
        )
        work.session.add(asset)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(_PRESETS_PATH.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def style_families() -> dict[str, str]:
    """Which family of styles a technique belongs to, by the shipped styles' first keywords."""
    return {rules.search_key(style["visual_keywords"][0]): style["category"] for style in _shipped()["style"]}


def preset_rows(catalog: Catalog) -> list[dict[str, Any]]:
    """The presets as columns of the library's table."""
    rows = [
        _preset_row(asset_type, f"{asset_type}_{entry['id']}", order, entry)
        for asset_type in ("style", "character", "music")
        for order, entry in enumerate(_shipped()[asset_type])
    ]
    for order, (model, voice) in enumerate((m, v) for m in catalog.for_task("speech") for v in m.voice):
        entry = voice.model_dump(include=_OF_VOICES) | {"voice": voice.id, "model": model.id}
        rows.append(_preset_row("voice", f"voice_{voice.id}", order, {"name": voice.display_name, **entry}))
    return rows


def _preset_row(asset_type: str, asset_id: str, order: int, entry: dict[str, Any]) -> dict[str, Any]:
    attributes = {key: value for key, value in entry.items() if key not in {"id", "name", "description"}}
    category = None
    if asset_type == "style":
        category = f"style.{attributes['category']}"
        attributes["color_palette"] = {"colors": attributes["palette"]}
    elif asset_type == "character":
        category = rules.character_category(attributes["gender"], attributes["age"])
    elif asset_type == "voice":
        category = rules.voice_category(attributes["language"], attributes["use"])
    else:
        attributes["duration_s"] = MUSIC_S
    name, description = entry["name"], entry.get("description", "")
    return {
        "id": asset_id,
        "asset_type": asset_type,
        "name": name,
        "description": description,
        "attributes": attributes,
        "category_id": category,
        "search_text": search_text(asset_type, name, description, attributes),
        "display_order": order,
    }


_SEARCHED = {
    "style": ("name_en", "visual_keywords"),
    "character": ("name_en", "personality", "appearance"),
    "voice": ("tone",),
    "music": ("name_en", "genre", "mood", "instruments"),
}


def search_text(asset_type: str, name: str, description: str, attributes: Mapping[str, Any]) -> str:
    """What a keyword is looked for in."""
    return rules.search_text(name, description, *(attributes.get(key) for key in _SEARCHED[asset_type]))


def style_of(name: str, description: str, attributes: dict[str, Any]) -> ArtStyle:
    """A style asset as an engine understands it."""
    return ArtStyle(
        style_name=name,
        description=description,
        prompt_template=attributes.get("prompt_template", ""),
        visual_keywords=attributes.get("visual_keywords", []),
        palette=attributes.get("palette", []),
    )
