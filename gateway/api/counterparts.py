"""What an answer says twice: in a header, and in its body for callers that cannot read headers of answers.

Salesforce External Services are such callers. Both forms are made here, from what the exchange knows, so that
neither can be forgotten: the door adds the headers, `json_answer` and the problem documents the members.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.api.exchange import Exchange

MEMBERS: Final = frozenset({"rateLimit", "deprecation", "preferenceApplied", "traceState"})
"""Members of every JSON answer that are not the resource's own."""


def headers_of(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """What the door adds to every answer."""
    found = [(b"traceparent", exchange.trace.traceparent.encode("ascii"))]
    if exchange.trace_state is not None:
        found.append((b"tracestate", exchange.trace_state))
    if exchange.quota is not None:
        found += exchange.quota.headers
    if exchange.preference_applied is not None:
        found.append((b"preference-applied", exchange.preference_applied.encode("ascii")))
    if exchange.deprecation is not None:
        found += exchange.deprecation.headers
    return found


def members_of(exchange: Exchange) -> dict[str, Any]:
    """The same for the body. `traceId` stands beside them: it is the resource's own in some answers.

    `rateLimit` is null where there is no limit; the others are there only where their header is.
    """
    found: dict[str, Any] = {"rateLimit": None if exchange.quota is None else exchange.quota.member}
    if exchange.trace_state is not None:
        found["traceState"] = exchange.trace_state.decode("ascii")
    if exchange.preference_applied is not None:
        found["preferenceApplied"] = exchange.preference_applied
    if exchange.deprecation is not None:
        found["deprecation"] = exchange.deprecation.member
    return found
