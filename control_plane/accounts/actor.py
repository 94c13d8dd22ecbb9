"""Who asks, and for what kind of access."""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """What an endpoint needs. READ and WRITE are checked against the project's owner where it is loaded."""

    PUBLIC = "public"
    USER = "user"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Actor:
    """A logged-in user as one request sees it. ``tenant_id`` owns what the request creates; ``needs`` is the access
    that the endpoint declared."""

    user_id: str
    tenant_id: str
    session_id: str
    needs: Access
