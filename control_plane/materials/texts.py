"""The texts that an element has had: one is its text now, the others are candidates."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.materials import tables
from runtime.ids import new_id


async def replace(session: AsyncSession, element: tables.ElementRow, data: dict[str, Any]) -> None:
    """Give an element another text; the one it had becomes a candidate."""
    if data != element.data:
        await choose(session, element, await add(session, element, data))


async def add(
    session: AsyncSession, element: tables.ElementRow, data: dict[str, Any] | None, *, wish: str = ""
) -> tables.TextCandidateRow:
    """Another text of an element, or one that is being made where there is no ``data`` yet."""
    rows = await tables.texts_of(session, [element.id])
    current = next((row for row in rows if row.is_selected), None)
    position = len(rows)
    if current is None:
        # The first other text: from now on the one that was there is a candidate too.
        session.add(_row(element, position, element.data, is_selected=True))
        position += 1
    elif current.data != element.data:
        current.data = element.data
    row = _row(element, position, data, wish=wish, status="completed" if data is not None else "processing")
    session.add(row)
    await session.flush()
    return row


def _row(
    element: tables.ElementRow, position: int, data: dict[str, Any] | None, **more: Any
) -> tables.TextCandidateRow:
    return tables.TextCandidateRow(id=new_id("txt"), element_id=element.id, position=position, data=data, **more)


async def choose(session: AsyncSession, element: tables.ElementRow, chosen: tables.TextCandidateRow) -> None:
    """Make a finished candidate the element's text."""
    if chosen.data is None:
        raise ValueError(f"text {chosen.id} is not there yet")
    for row in await tables.texts_of(session, [element.id]):
        if row.is_selected and row.id != chosen.id:
            row.data = element.data  # with what was changed in passing, such as the name of who is in a shot
        row.is_selected = row.id == chosen.id
    element.data = chosen.data
    await session.flush()
