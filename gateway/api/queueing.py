"""How a request is queued: what Prefer (RFC 7240) and Priority (RFC 9218) say, and what is agreed with its client."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from gateway.api.exchange import Exchange
from gateway.api.preferences import preferred
from gateway.domain.caller import Caller
from gateway.domain.lanes import DEFAULT_PRIORITY, LEAST_URGENT, Lane, Queueing

_URGENCY: Final = re.compile(rb"(?:\A|,)[ \t]*u=([0-7])[ \t]*(?=;|,|\Z)")


def urgency(priority: bytes | None) -> int:
    """The urgency, 0 to 7. What cannot be read counts as not said (RFC 9218 section 4); of two the last counts (RFC
    8941 section 4.2.2)."""
    found = _URGENCY.findall(priority) if priority is not None and len(priority) <= 256 else []
    return int(found[-1]) if found else DEFAULT_PRIORITY


def queued(exchange: Exchange, caller: Caller, bulk_clients: Container[str]) -> tuple[float, Queueing]:
    """Seconds that the caller waits, and how its request is queued; notes what was done of its preferences.

    `respond-async` without a wait is accepted alone, in the lane `standard`; in `bulk` if it says that it is for the
    background (urgency 7), or if that is agreed for its client.
    """
    wait_s, exchange.preference_applied = preferred(exchange.header(b"prefer"))
    priority = urgency(exchange.header(b"priority"))
    if exchange.preference_applied is None or "respond-async" not in exchange.preference_applied:
        return wait_s, Queueing(priority=priority)
    in_background = priority == LEAST_URGENT or caller.client in bulk_clients
    return wait_s, Queueing(Lane.BULK if in_background else Lane.STANDARD, priority, alone=True)
