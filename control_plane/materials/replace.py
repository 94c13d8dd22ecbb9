"""Putting an asset of the library in the place of a package's style, character or voice."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.assets.presets import style_of
from control_plane.assets.rules import fill_template
from control_plane.errors import AlreadyExists, NotFound
from control_plane.materials import elements, modify, pictures, prompts, service, tables, texts
from control_plane.materials.rules import CHARACTER_FRAMINGS
from control_plane.materials.schemas import ReplaceRequest
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.work import Work
from models.specs import Character, Framing, ScriptStep


async def replace_from_asset(work: Work, actor: Actor, package_id: str, request: ReplaceRequest) -> None:
    """Raises NotFound, InvalidParameter, AlreadyExists and QuotaExceeded."""
    package, project = await tables.load_package(work.session, actor, package_id)
    if package.status == "generating":
        raise AlreadyExists("正在生成，请等待或先取消", "it is being generated: wait or cancel", field="package_id")
    asset = await assets.visible_asset(work.session, actor, request.asset_type, request.asset_id)
    if asset is None:
        raise NotFound("没有此资产", "no such asset", field="asset_id")
    if request.asset_type == "voice":
        kind = "narration" if request.element_id == package.id else "character"
        await service.give_voice(work, project, package, kind, request.element_id, asset)
        return
    kind = "artstyle" if request.asset_type == "style" else "character"
    element = await tables.element_in(work.session, package.id, kind, request.element_id)
    if element is None:
        raise NotFound("元素不存在", "no such element in this package", field="element_id")
    data = _style(asset) if kind == "artstyle" else await _character(work, element, asset)
    told = {"action": "replace", "element_id": element.id, "asset_id": asset.id}
    await conversations.record(work, project.id, "user", f"用资产“{asset.name}”替换", told)
    await assets.count_use(work.session, asset.id)
    row = await texts.add(work.session, element, data)
    await modify.apply(work, project, package, element, row)
    await _show(work, project, package, element, asset)


def _style(asset: assets.AssetRow) -> dict[str, object]:
    return style_of(asset.name, asset.description, asset.attributes).model_dump(mode="json")


async def _character(work: Work, element: tables.ElementRow, asset: assets.AssetRow) -> dict[str, object]:
    """The asset as a character that has the element's part in the film."""
    if await modify.is_name_taken(work, element, {"name": asset.name}):
        raise AlreadyExists("素材包中已有同名角色", "another character has this name", field="asset_id")
    attributes = asset.attributes
    was = Character.model_validate(element.data)
    return Character(
        name=asset.name,
        character_type=was.character_type,
        description=asset.description,
        personality=attributes.get("personality", []),
        appearance=fill_template(attributes.get("prompt_template", ""), attributes.get("appearance", "")),
        voice_style=was.voice_style,
        gender=attributes.get("gender", "other"),
        age=attributes.get("age", "adult"),
    ).model_dump(mode="json")


async def _show(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    asset: assets.AssetRow,
) -> None:
    """The asset's own picture where it has one, which is then a reference of the shots too; the rest is painted. The
    pictures of preset characters are in no film's style, so all of theirs are painted."""
    keys = await artifacts.keys_of(work.session, [asset.content_artifact_id] if asset.content_artifact_id else [])
    own_picture = keys.get(asset.content_artifact_id or "")
    if element.kind == "character" and asset.is_preset:
        own_picture = None
    framing = Framing.FRONT_VIEW if element.kind == "character" else Framing.STYLE
    if own_picture is not None and asset.content_artifact_id is not None:
        image = await pictures.new_take(work, project, element, framing, asset.name)
        image.artifact_id, image.status = asset.content_artifact_id, "completed"
        image.thumbnail_artifact_id = asset.thumbnail_artifact_id or asset.content_artifact_id
        if element.kind == "character":
            package.source = {
                **package.source,
                "pictures": [*package.source["pictures"], [asset.name, own_picture]],
            }
        await work.session.flush()
    parts = await prompts.load_parts(work.session, package)
    step = ScriptStep.CHARACTERS if element.kind == "character" else ScriptStep.ARTSTYLE
    wanted = set(CHARACTER_FRAMINGS if element.kind == "character" else [Framing.STYLE])
    if own_picture is not None:
        wanted.discard(framing)
    for row, kind, spec in elements.pictures_of(parts.made_anew(step), step, [element], {}):
        if kind in wanted:
            image = await pictures.new_take(work, project, row, kind, spec.prompt, take=parts.take_of(step))
            await pictures.enqueue_candidate(work, project, package, row, image, "text_to_image", spec)
