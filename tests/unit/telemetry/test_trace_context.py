"""traceparent as W3C Trace Context has it."""

from __future__ import annotations

import pytest

from gateway.telemetry import fresh_trace, parse_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "flags"),
    [(f"00-{TRACE}-{SPAN}-01", 1), (f"00-{TRACE}-{SPAN}-00", 0), (f"cc-{TRACE}-{SPAN}-03-later", 1)],
)
def test_valid(header: str, flags: int) -> None:
    found = parse_traceparent(header.encode())
    assert found is not None
    assert (found.trace_id, found.span_id, found.flags) == (TRACE, SPAN, flags)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
    ],
)
def test_invalid(header: str) -> None:
    assert parse_traceparent(header.encode()) is None


def test_children_and_fresh_traces() -> None:
    parent = parse_traceparent(f"00-{TRACE}-{SPAN}-01".encode())
    assert parent is not None
    child = parent.child()
    assert child.trace_id == TRACE
    assert child.span_id != SPAN
    assert parse_traceparent(child.traceparent.encode()) == child
    assert fresh_trace().trace_id != fresh_trace().trace_id
