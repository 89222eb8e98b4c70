"""W3C Trace Context (level 1): the `traceparent` that comes in and goes out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

_TRACEPARENT: Final = re.compile(rb"\A([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?\Z")
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace. Ids are lower-case hexadecimal, 32 and 16 digits; `flags` bit 0 is 'sampled'."""

    trace_id: str
    span_id: str
    flags: int

    @property
    def traceparent(self) -> str:
        """As a header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def child(self) -> TraceContext:
        """A new place below this one."""
        return TraceContext(self.trace_id, os.urandom(8).hex(), self.flags)


def parse_traceparent(header: bytes) -> TraceContext | None:
    """The caller's place in its trace; None if the header is not valid, which starts a new trace (section 3.2.2).

    A later version may append fields and is read as version 00; version ff is invalid (section 3.2.2.1).
    """
    found = _TRACEPARENT.match(header)
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    if version == b"ff" or (version == b"00" and rest is not None):
        return None
    trace, span = trace_id.decode(), span_id.decode()
    if trace == _NO_TRACE or span == _NO_SPAN:
        return None
    return TraceContext(trace, span, int(flags, 16) & 1)


def fresh_trace() -> TraceContext:
    """A new trace that nobody has asked to sample."""
    raw = os.urandom(24).hex()
    return TraceContext(raw[:32], raw[32:], 0)
