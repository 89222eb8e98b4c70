"""Where a request comes from, behind proxies that the operator names."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
_IPV6_PREFIX: Final = 64
"""What one subscriber is given at least (RFC 6177), so single IPv6 addresses count for nothing."""


def client_address(peer: str, forwarded_for: bytes | None, proxies: Sequence[Network]) -> str:
    """The address of the caller: the peer, or what trusted proxies say of it in X-Forwarded-For.

    Read from its end, for everything before what our own proxies added may be the caller's invention.
    """
    found = _address(peer)
    if found is None:
        return peer[:64]
    told = [] if forwarded_for is None else forwarded_for.decode("latin-1").split(",")
    while told and any(found in network for network in proxies):
        before = _address(told.pop().strip())
        if before is None:
            break
        found = before
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
