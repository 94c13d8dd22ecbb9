"""Telling a project's watchers what happened."""

from typing import Any

from control_plane.events import tables
from control_plane.events.schemas import EVENT_NAMES, EVENTS, EventData
from control_plane.web.models import to_json
from control_plane.web.signing import Signer
from control_plane.work import Work


async def append(work: Work, project_id: str, data: EventData) -> None:
    """Write an event row with what it is about, in the same transaction; watchers hear of it after the commit."""
    await work.session.flush()
    seq = await tables.append(
        work.session, project_id, EVENT_NAMES[type(data)], data.model_dump(mode="json", exclude_none=True)
    )
    work.events[project_id] = seq


def message(event: str, project_id: str, event_id: str, data: dict[str, Any], signer: Signer) -> dict[str, Any]:
    """What a client gets. ``id`` is where a replay would continue: everything up to it has been sent."""
    return {
        "id": event_id,
        "event": event,
        "project_id": project_id,
        "data": to_json(EVENTS[event].model_validate(data), signer),
    }
