"""Whose address counts behind proxies."""

from ipaddress import ip_network

import pytest

from control_plane.web.client_ip import limited_as, rightmost_untrusted
from runtime.settings import Settings

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # Somebody who is no proxy of ours says what they like.
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        # The client wrote the first, our proxy the second.
        ("10.0.0.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("2001:db8::1", "2001:db9::7,10.0.0.2", "2001:db9::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        # All of them ours: the one farthest away.
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_rightmost_that_no_trusted_proxy_vouches_beyond(peer: str, forwarded: str, client: str) -> None:
    assert rightmost_untrusted(peer, forwarded.split(","), TRUSTED) == client


def test_an_ipv6_client_is_limited_by_its_network() -> None:
    assert limited_as("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert limited_as("192.0.2.7") == "192.0.2.7"
    assert limited_as("") == ""


def test_the_setting_lists_networks_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELFARM_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
    assert Settings().trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"))
