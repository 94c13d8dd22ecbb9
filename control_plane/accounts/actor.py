"""Who asks, and for what kind of access."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Role = Literal["admin", "editor", "viewer"]


class Access(StrEnum):
    """What an endpoint needs of who calls it.

    READ, WRITE and MANAGE are roles in the tenant that owns the resource (viewer, editor, admin; everybody is the
    admin of the own personal space) and are checked where it is loaded; see access.py. Without a resource in the path
    they are checked against the current space.
    """

    PUBLIC = "public"
    USER = "user"
    READ = "read"
    WRITE = "write"
    MANAGE = "manage"
    PLATFORM = "platform"


ROLES: dict[Access, tuple[Role, ...]] = {
    Access.READ: ("viewer", "editor", "admin"),
    Access.WRITE: ("editor", "admin"),
    Access.MANAGE: ("admin",),
}


@dataclass(frozen=True)
class Space:
    """The tenant that owns what a request creates, and what the user is there. A personal space has the user's id."""

    tenant_id: str
    role: Role


@dataclass(frozen=True)
class Actor:
    """A logged-in user as one request sees it. ``needs`` is the access that the endpoint declared. ``space`` is absent
    where the path names a resource that is only read: whoever loads it checks the session in the same query."""

    user_id: str
    session_id: str
    needs: Access
    space: Space | None = None

    @property
    def tenant_id(self) -> str:
        """The current space's tenant. Raises RuntimeError where the session was not loaded."""
        if self.space is None:
            raise RuntimeError("the current space of this request was not loaded")
        return self.space.tenant_id
