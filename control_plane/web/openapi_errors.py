"""Which errors an endpoint can answer: what its declaration implies, and what it names in ``errors``."""

from control_plane.accounts.actor import Access
from control_plane.errors import (
    AlreadyExists,
    ApiError,
    Forbidden,
    InvalidParameter,
    NoModel,
    NotFound,
    NotLoggedIn,
    QuotaExceeded,
    StorageFull,
    Unavailable,
)
from control_plane.web.routes import Endpoint, Method

_NEEDS_A_ROLE = {Access.WRITE, Access.MANAGE, Access.PLATFORM}
"""Everybody who sees a tenant may read there."""


def errors_of(endpoint: Endpoint) -> list[type[ApiError]]:
    """Without doubles, by status and code."""
    found: set[type[ApiError]] = {InvalidParameter, ApiError, Unavailable, *endpoint.errors}
    if endpoint.access is not Access.PUBLIC:
        found.add(NotLoggedIn)
        if endpoint.method is Method.POST:
            found.add(AlreadyExists)  # its Idempotency-Key was used for something else
    if endpoint.access in _NEEDS_A_ROLE:
        found.add(Forbidden)
    if endpoint.spends:
        found |= {QuotaExceeded, StorageFull, NoModel}
    if endpoint.names_a_resource:
        found.add(NotFound)
    return sorted(found, key=lambda error: (error.status, error.code))
