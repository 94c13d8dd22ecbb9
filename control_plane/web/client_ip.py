"""Who is at the other end, behind the proxies that the operator trusts."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_ip_of(request: web.Request, trusted: Sequence[Network]) -> str:
    """The client's address; empty on a unix socket. ``X-Forwarded-For`` counts only as far as trusted proxies wrote
    it: a client can put anything to the left of what they append."""
    address = request.remote or ""
    if not trusted:
        return address
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    return rightmost_untrusted(address, forwarded, trusted)


def rightmost_untrusted(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Walk from the peer towards the client until somebody is not a trusted proxy, or what follows is no address."""
    reached = peer
    for text in reversed(forwarded):
        address = _parsed(reached)
        if address is None or not any(address in network for network in trusted):
            return reached
        following = _parsed(text)
        if following is None:
            return reached
        reached = str(following)
    return reached


def limited_as(client_ip: str) -> str:
    """What a rate limit counts by: an IPv4 address, or the /64 that an IPv6 client has to itself."""
    address = _parsed(client_ip)
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else client_ip


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
