"""What must have held before anything was sent again: the rule of posting exactly once, by what really happened.

Where the ERP does not refuse a second document of a reference itself, a further attempt needs two empty inquiries, and
the last of them was asked when the longest execution was over, counted from when the connection of each attempt before
was closed, or its sender ended. Where it does, one empty inquiry is enough. What certainly posted nothing needs none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from tests.simulation.erp import LONGEST_EXECUTION_S
from tests.simulation.sendings import Sending

_LONGEST: Final = int(LONGEST_EXECUTION_S * 1_000_000)


def check_resends(world: Any) -> list[str]:
    """Every violation in a sentence."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rows = world.rows(
        "SELECT trace, body FROM ledger_entries WHERE kind IN ('dispatched', 'inquired', 'unknown') ORDER BY trace, seq"
    )
    for trace, body in rows:
        traces[trace].append(json.loads(body))
    found: list[str] = []
    for entries in traces.values():
        found += _sent_again_with_proof(world, entries)
    return found


def _sent_again_with_proof(world: Any, entries: list[dict[str, Any]]) -> Iterator[str]:
    empty: dict[tuple[int, str], int] = defaultdict(int)
    for entry in entries:
        step = entry["step"], entry.get("direction", "do")
        match entry["kind"]:
            case "unknown":
                empty[step] = 0
            case "inquired":
                empty[step] = 0 if entry["hits"] else empty[step] + 1
            case "dispatched" if entry["attempt"] > 1:
                reference = entry["erp"]["reference"]
                before = [one for one in world.sendings[reference] if one.begun < entry["at"]]
                yield from _proven(world, entry, before)
                if entry["after"] == "proven-not-posted":
                    need = 1 if before and all(one.unique for one in before) else 2
                    if before and empty[step] < need:
                        yield f"{_named(entry)} after {empty[step]} empty inquiries on record"
                empty[step] = 0


def _proven(world: Any, entry: dict[str, Any], before: list[Sending]) -> Iterator[str]:
    asked = [
        one for one in world.inquiries[entry["erp"]["reference"]] if one.answered_at < entry["at"] and not one.hits
    ]
    for one in before:
        if one.certain:
            continue
        since = [inquiry.asked_at for inquiry in asked if inquiry.asked_at > one.begun]
        if len(since) < (1 if one.unique else 2):
            yield f"{_named(entry)} after {len(since)} empty inquiries"
        elif not one.unique and one.closed_at is None:
            yield f"{_named(entry)} while an attempt before it may still be sent"
        elif not one.unique and max(since) <= (one.closed_at or 0) + _LONGEST:
            waited = (max(since) - (one.closed_at or 0)) / 1_000_000
            yield f"{_named(entry)}, and nobody asked later than {waited:.1f} s after the attempt before it was closed"


def _named(entry: dict[str, Any]) -> str:
    return f"attempt {entry['attempt']} at step {entry['step']} of {entry['trace']} was sent"
