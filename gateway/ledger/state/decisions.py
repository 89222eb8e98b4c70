"""Comparing what was decided of a transaction, and why it was refused, with what its entries tell. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.domain.identity import content_hash
from gateway.domain.records import TransactionRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.ruled import Ruled
from gateway.ledger.state.told import Told

_LEFT: Final = frozenset({"type", "title", "status", "code", "detail"})
"""Members of a refusal whose words were erased."""
_ERASED: Final = "erased"


def decision_findings(record: TransactionRecord, told: Told, ruled: Ruled) -> Iterator[Finding]:
    """When it was accepted, what it replaces, on which side it goes and in which words that was decided."""
    subject, accepted, routed = record.transaction_id, told.accepted, told.routed
    if accepted is not None:
        yield from unlike_time(subject, "accepted_at", record.accepted_at, accepted["at"])
        yield from unlike(subject, "replaces", record.replaces, accepted.get("replaces"))
    if routed is None:
        for what, stored in (("side", record.side), ("explanation", record.explanation)):
            yield from unlike(subject, what, stored, None)
    else:
        yield from unlike(subject, "explanation", record.explanation, routed.get("explanation"))
        # what the gateway keeps itself is on the side of the system that was named
        system_id = routed.get("ruledSystemId", routed.get("systemId"))
        if not ruled.may_be_side(system_id, record.side):
            yield Finding(subject, "side", record.side, f"{system_id}, which was never there")
    for leg in json.loads(record.legs) if record.legs is not None else ():
        goes = leg["routedTo"]
        if not ruled.may_be_side(goes["systemId"], goes["side"]):
            yield Finding(subject, f"side of leg {leg['step']}", goes["side"], f"{goes['systemId']}, never there")


def problem_findings(record: TransactionRecord, told: Told) -> Iterator[Finding]:
    """A refusal in other words than the ERP's, one that is gone, or one that nobody told. Its words are not repeated:
    they may name people."""
    subject, said = record.transaction_id, told.problem
    if said.hashed is not None:
        stored = None if record.problem is None else content_hash(record.problem.encode())
        if said.hashed in told.erased:
            if not _is_what_is_left(record.problem, said.code):
                yield Finding(subject, "problem", stored and f"hashed {stored}", f"{said.code}, its words erased")
        elif stored != said.hashed:
            yield Finding(subject, "problem", stored and f"hashed {stored}", f"hashed {said.hashed}")
        return
    if said.codes is not None and _code(record.problem) not in said.codes:
        shown = sorted(one or "none" for one in said.codes)
        yield Finding(subject, "problem", None if record.problem is None else "there", " or ".join(shown))


def _members(problem: str) -> Mapping[str, Any]:
    try:
        members = json.loads(problem)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _code(problem: str | None) -> str | None:
    return None if problem is None else str(_members(problem).get("code"))


def _is_what_is_left(problem: str | None, code: str | None) -> bool:
    members = _members(problem or "")
    return members.get("detail") == _ERASED and members.get("code") == code and members.keys() <= _LEFT
