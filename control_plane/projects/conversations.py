"""What the user asked of a project and what the system did, in order: written with what it tells of, in one
transaction."""

from typing import Any, Literal

from sqlalchemy import func, insert, select

from control_plane.accounts.actor import Actor
from control_plane.projects import tables
from control_plane.projects.schemas import Conversation, ConversationList
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id

MAX_CONTENT = 2000
"""Characters of a message; the whole of a submitted text is in the input."""


async def record(
    work: Work,
    project_id: str,
    speaker: Literal["user", "system"],
    content: str,
    context: dict[str, Any] | None = None,
) -> None:
    """Add a message to a project's conversation. The caller holds the project's lock, as every request that changes it
    and every reaction does, so that messages have the order of what they tell of."""
    if len(content) > MAX_CONTENT:
        content = content[: MAX_CONTENT - 1] + "…"
    row = tables.ConversationRow
    last = select(func.coalesce(func.max(row.display_order), 0)).where(row.project_id == project_id)
    await work.session.flush()
    await work.session.execute(
        insert(row).values(
            id=new_id("msg"),
            project_id=project_id,
            display_order=last.scalar_subquery() + 1,
            message_type=speaker,
            message_content=content,
            context_data=context,
            created_at=utc_now(),
        )
    )


async def asked(work: Work, project_id: str, content: str, action: str, **about: Any) -> None:
    """What a user asked for."""
    await record(work, project_id, "user", content, {"action": action, **about})


async def happened(work: Work, project_id: str, content: str, event: str, **about: Any) -> None:
    """What came of it."""
    await record(work, project_id, "system", content, {"event": event, **about})


async def conversations(work: Work, actor: Actor, project_id: str) -> ConversationList:
    project = await tables.load_project(work.session, actor, project_id)
    return ConversationList(
        list=[
            Conversation(
                id=row.id,
                message_type=row.message_type,
                message_content=row.message_content,
                context_data=row.context_data,
                display_order=row.display_order,
                created_at=row.created_at,
            )
            for row in await tables.conversation_of(work.session, project.id)
        ]
    )
