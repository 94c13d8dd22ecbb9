"""Opaque ids with a readable prefix: ``prj_01jd…``. ULIDs sort by creation time; nothing may rely on that order."""

from ulid import ULID


def new_id(prefix: str) -> str:
    """A new id such as ``prj_01jdq0…``: the prefix, an underscore and a lower-case ULID."""
    return f"{prefix}_{str(ULID()).lower()}"
