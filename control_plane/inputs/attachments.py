"""What a user says of an attachment, and taking it away."""

from typing import Any

import orjson

from control_plane.accounts.actor import Actor
from control_plane.errors import AlreadyExists, InvalidParameter
from control_plane.inputs import tables
from control_plane.inputs.schemas import AttachmentItem, UpdateAttachment
from control_plane.projects.rules import Stage
from control_plane.projects.tables import lock_project
from control_plane.work import Work

METADATA_MAX_BYTES = 8192
METADATA_MAX_DEPTH = 5


async def attachment(work: Work, actor: Actor, attachment_id: str) -> AttachmentItem:
    return shown(await tables.load_attachment(work.session, actor, attachment_id))


async def update(work: Work, actor: Actor, attachment_id: str, request: UpdateAttachment) -> AttachmentItem:
    """Change the label, which the next generation goes by, or replace the metadata. An empty label removes it."""
    row = await tables.load_attachment(work.session, actor, attachment_id, lock=True)
    if request.label is not None:
        row.label = request.label.strip() or None
    if request.metadata is not None:
        _check_metadata(request.metadata)
        row.metadata_ = request.metadata
    await work.session.flush()
    return shown(row)


def _check_metadata(metadata: dict[str, Any]) -> None:
    if len(orjson.dumps(metadata)) > METADATA_MAX_BYTES:
        raise InvalidParameter(
            f"最多 {METADATA_MAX_BYTES} 字节", f"at most {METADATA_MAX_BYTES} bytes", field="metadata"
        )

    def is_deep(value: Any, room: int) -> bool:
        if not isinstance(value, dict | list):
            return False
        items = value.values() if isinstance(value, dict) else value
        return room == 0 or any(is_deep(item, room - 1) for item in items)

    if is_deep(metadata, METADATA_MAX_DEPTH):
        raise InvalidParameter(
            f"最多嵌套 {METADATA_MAX_DEPTH} 层", f"at most {METADATA_MAX_DEPTH} levels deep", field="metadata"
        )


async def delete(work: Work, actor: Actor, attachment_id: str) -> None:
    """Take an attachment from its project. The stored file stays for what was made from it.

    Raises AlreadyExists while the project is being generated: the generation goes by what is attached.
    """
    project_id = (await tables.load_attachment(work.session, actor, attachment_id)).project_id
    project = await lock_project(work.session, project_id) if project_id is not None else None
    row = await tables.load_attachment(work.session, actor, attachment_id, lock=True)
    if project is not None and row.project_id == project.id and project.stage == Stage.GENERATING:
        raise AlreadyExists("正在生成，稍后再删", "it is being generated", field="attachment_id")
    await work.session.delete(row)


def shown(row: tables.AttachmentRow) -> AttachmentItem:
    return AttachmentItem(
        id=row.id,
        file_name=row.file_name,
        file_type=row.file_type,
        file_category=row.file_category,
        file_url=row.artifact_id,
        file_size=row.file_size,
        label=row.label,
        metadata=row.metadata_,
        created_at=row.created_at,
    )
