"""Templates of configurations: kept by a space, and filling what a submission leaves out."""

from typing import Any

from control_plane.accounts.access import hold_space
from control_plane.accounts.actor import Actor
from control_plane.assets import tables as assets
from control_plane.errors import InvalidParameter, NotFound
from control_plane.inputs import rules, tables
from control_plane.inputs.checks import check_model, check_ratio
from control_plane.inputs.schemas import (
    ConfigData,
    ConfigTemplate,
    ConfigTemplateList,
    CreateConfigTemplate,
    CreationConfig,
    UpdateConfigTemplate,
)
from control_plane.work import Work
from runtime.ids import new_id

MOST_TEMPLATES = 100


async def list_templates(work: Work, actor: Actor) -> ConfigTemplateList:
    return ConfigTemplateList(list=[_shown(row) for row in await tables.templates_of(work.session, actor.tenant_id)])


async def template(work: Work, actor: Actor, template_id: str) -> ConfigTemplate:
    return _shown(await tables.load_template(work.session, actor, template_id))


async def create(work: Work, actor: Actor, request: CreateConfigTemplate) -> ConfigTemplate:
    """Raises InvalidParameter for a configuration that no project could have."""
    tenant_id = await hold_space(work.session, actor)
    config = await _checked(work, actor, request.config_data)
    await tables.lock_templates(work.session, tenant_id)
    if await tables.count_templates(work.session, tenant_id) >= MOST_TEMPLATES:
        raise InvalidParameter(f"最多 {MOST_TEMPLATES} 个模板", f"at most {MOST_TEMPLATES} templates")
    if request.is_default:
        await tables.clear_default(work.session, tenant_id)
    row = tables.ConfigTemplateRow(
        id=new_id("tpl"),
        tenant_id=tenant_id,
        template_name=request.template_name.strip(),
        config_data=config,
        is_default=bool(request.is_default),
    )
    work.session.add(row)
    await work.session.flush()
    return _shown(row)


async def update(work: Work, actor: Actor, template_id: str, request: UpdateConfigTemplate) -> ConfigTemplate:
    """Change a template; ``config_data`` replaces the whole configuration."""
    row = await _locked(work, actor, template_id)
    if request.template_name is not None:
        row.template_name = request.template_name.strip()
    if request.config_data is not None:
        row.config_data = await _checked(work, actor, request.config_data)
    if request.is_default and not row.is_default:
        await tables.clear_default(work.session, row.tenant_id)
    if request.is_default is not None:
        row.is_default = request.is_default
    await work.session.flush()
    return _shown(row)


async def delete(work: Work, actor: Actor, template_id: str) -> None:
    """Remove a template; what was submitted with it stays as it is."""
    await work.session.delete(await _locked(work, actor, template_id))


async def _locked(work: Work, actor: Actor, template_id: str) -> tables.ConfigTemplateRow:
    row = await tables.load_template(work.session, actor, template_id)
    await tables.lock_templates(work.session, row.tenant_id)
    return await tables.load_template(work.session, actor, template_id)  # it may have changed meanwhile


async def _checked(work: Work, actor: Actor, config: ConfigData) -> dict[str, Any]:
    """The fields that were given, each of them good for a submission."""
    if config.model_id is not None:
        check_model(work, config.model_id, "text_to_image", field="config_data.model_id")
    if config.aspect_ratio is not None:
        check_ratio(config.aspect_ratio, field="config_data.aspect_ratio")
    if config.duration is not None and config.duration != rules.SMART_DURATION:
        low, high = rules.CUSTOM_DURATION_S
        if not low <= config.duration <= high:
            raise InvalidParameter(
                f"{rules.SMART_DURATION}（智能）或 {low:g} 到 {high:g} 秒",
                f"must be {rules.SMART_DURATION} (smart) or {low:g} to {high:g} seconds",
                field="config_data.duration",
            )
    if config.style_id is not None and not await _has_style(work, actor, config.style_id):
        raise InvalidParameter(
            f"没有 {config.style_id}", f"there is no {config.style_id}", field="config_data.style_id"
        )
    return config.model_dump(exclude_none=True)


async def _has_style(work: Work, actor: Actor, style_id: str) -> bool:
    return await assets.visible_asset(work.session, actor, "style", style_id) is not None


async def filled(
    work: Work, actor: Actor, config: CreationConfig, template_id: str | None, tenant_id: str
) -> tuple[CreationConfig, str | None]:
    """The configuration with what it leaves out taken from the template named or else from the space's default one,
    and the id of the template that was used.

    A template's style or model that has gone since is left out. Raises NotFound for a template that is not there.
    """
    if template_id is not None:
        row = await tables.readable_template(work.session, actor, template_id)
        if row is None:
            raise NotFound("模板不存在", "no such template", field="template_id")
    else:
        row = await tables.default_template(work.session, tenant_id)
    if row is None:
        return config, None
    kept = ConfigData.model_validate(row.config_data)
    model_ids = [model.id for model in work.services.catalog.for_task("text_to_image")]
    offered: dict[str, Any] = {
        "text_to_image_model": kept.model_id if kept.model_id in model_ids else None,
        "style_id": kept.style_id if kept.style_id and await _has_style(work, actor, kept.style_id) else None,
        "aspect_ratio": kept.aspect_ratio,
        "language": kept.language,
        "subtitle_enabled": kept.subtitle_enabled,
    }
    if config.duration_type is None and config.duration_seconds is None and kept.duration is not None:
        is_smart = kept.duration == rules.SMART_DURATION
        offered["duration_type"] = "smart" if is_smart else "custom"
        offered["duration_seconds"] = None if is_smart else kept.duration
    taken = {name: value for name, value in offered.items() if value is not None and getattr(config, name) is None}
    used = row.id if taken or template_id is not None else None
    return config.model_copy(update=taken), used


def _shown(row: tables.ConfigTemplateRow) -> ConfigTemplate:
    return ConfigTemplate(
        id=row.id,
        template_name=row.template_name,
        is_default=row.is_default,
        config_data=row.config_data,
        usage_count=row.usage_count,
        created_at=row.created_at,
    )
