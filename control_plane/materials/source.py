"""What a generation is made from: the input as it is when it starts, with everything it names, as plain data."""

from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.assets.presets import style_of
from control_plane.assets.rules import fill_template
from control_plane.errors import InvalidParameter
from control_plane.inputs import tables as input_tables
from control_plane.work import Work
from models.specs import Character


async def snapshot(work: Work, source: input_tables.InputRow) -> dict[str, object]:
    """The input with everything it names, as plain data."""
    config = source.config
    attachments = await input_tables.project_attachments(work.session, source.project_id)
    keys = await artifacts.keys_of(work.session, [row.artifact_id for row in attachments])
    documents = [
        (await work.services.store.get_bytes_async(keys[row.artifact_id])).decode("utf-8-sig")
        for row in attachments
        if row.file_category == "document" and row.artifact_id in keys
    ]
    limit = work.services.settings.content_max_chars
    length = len(source.content) + sum(map(len, documents))
    if length > limit:
        raise InvalidParameter(
            f"正文与文档共 {length} 个字符，最多 {limit} 个",
            f"text and documents have {length} characters together, at most {limit}",
            field="attachments",
        )
    style = await assets.asset_by_id(work.session, config["style_id"]) if config.get("style_id") else None
    subject = await assets.asset_by_id(work.session, config["subject_id"]) if config.get("subject_id") else None
    pictures = [
        [row.label, keys[row.artifact_id]]
        for row in attachments
        if row.file_category == "image" and row.artifact_id in keys
    ]
    if subject is not None and subject.content_artifact_id and not subject.is_preset:
        own = await artifacts.keys_of(work.session, [subject.content_artifact_id])
        pictures += [[subject.name, key] for key in own.values()]
    return {
        "input_mode": source.input_mode,
        "input_type": source.input_type,
        "content": source.content,
        "documents": documents,
        "language": source.language,
        "subtitle_enabled": source.subtitle_enabled,
        "config": config,
        "seed": source.seed,
        "pictures": pictures,
        "audio": next((row.artifact_id for row in attachments if row.file_category == "audio"), None),
        "fixed_style": style_of(style.name, style.description, style.attributes).model_dump() if style else None,
        "fixed_protagonist": _protagonist(subject).model_dump() if subject else None,
    }


def _protagonist(subject: assets.AssetRow) -> Character:
    return Character(
        name=subject.name,
        character_type="protagonist",
        description=subject.description,
        personality=subject.attributes.get("personality", []),
        appearance=fill_template(
            subject.attributes.get("prompt_template", ""), subject.attributes.get("appearance", "")
        ),
        gender=subject.attributes.get("gender", "other"),
        age=subject.attributes.get("age", "adult"),
    )
