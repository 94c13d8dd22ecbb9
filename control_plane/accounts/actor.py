"""Who asks, and for what kind of access."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from control_plane.errors import Forbidden

Role = Literal["admin", "editor", "viewer"]


class Access(StrEnum):
    """What an endpoint needs of who calls it.

    READ, WRITE and MANAGE are roles in the tenant that owns the resource (viewer, editor, admin; everybody is the
    admin of the own personal space) and are checked where it is loaded; see access.py. Without a resource in the
    request they are checked against the current space.
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


def check_role(role: Role, needs: Access) -> None:
    """Raises Forbidden where an endpoint that needs this access is closed to the role."""
    if needs in ROLES and role not in ROLES[needs]:
        raise Forbidden(f"需要 {ROLES[needs][0]} 权限", f"needs the role {ROLES[needs][0]}")


@dataclass(frozen=True)
class Space:
    """The tenant that owns what a request creates, and what the user is there. A personal space has the user's id."""

    tenant_id: str
    role: Role


@dataclass(frozen=True)
class Actor:
    """A logged-in user as one request sees it. ``needs`` is the access that the endpoint declared. ``space`` and
    ``language`` (the stored preference) are absent where the path names a resource that is only read: whoever loads it
    checks the session in the same query."""

    user_id: str
    session_id: str
    needs: Access
    space: Space | None = None
    language: str | None = None

    @property
    def tenant_id(self) -> str:
        """The current space's tenant.

        Raises Forbidden where the actor may not do there what the endpoint declared, so that nothing is made in a
        space by whoever only reads it; RuntimeError where the session was not loaded.
        """
        if self.space is None:
            raise RuntimeError("the current space of this request was not loaded")
        check_role(self.space.role, self.needs)
        return self.space.tenant_id
