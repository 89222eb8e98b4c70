"""The `tracestate` header: what tracing systems of callers want to get back.

Source: https://www.w3.org/TR/trace-context/#tracestate-header (level 1, section 3.3).
"""

from __future__ import annotations

import re
from typing import Final

MOST_MEMBERS: Final = 32
MOST_BYTES: Final = 8_192
"""32 members as long as they may be have some 16 kB, more than all headers may have; tracers use some hundred bytes."""

_MEMBER: Final = re.compile(
    rb"\A(?P<key>[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    rb"=[ !-+\--<>-~]{0,255}[!-+\--<>-~]\Z"
)


def read_trace_state(header: bytes | None) -> bytes | None:
    """The list as it is passed on, without empty members. None where there is none, or one that must be discarded:
    more than 32 members, a key twice, a member out of form."""
    if header is None or len(header) > MOST_BYTES:
        return None
    members = [member for part in header.split(b",") if (member := part.strip(b" \t"))]
    if not 0 < len(members) <= MOST_MEMBERS:
        return None
    keys = set()
    for member in members:
        found = _MEMBER.match(member)
        if found is None:
            return None
        keys.add(found["key"])
    return b",".join(members) if len(keys) == len(members) else None
