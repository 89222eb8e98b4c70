"""What a candidate would have done with live traffic: counters by slice, and some documents of each.

Roots are decided by the candidate's tables; follow-ups go where their root goes and are only counted. Amounts are exact
and never added up over currencies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.cutover.traffic import facts_of_entry
from gateway.domain.traffic import RoutedEntry
from routing_rules import Conflict, Decision, DomainNotServed, Facts, Rulebook, UnknownNode, decide

SAMPLES: Final = 20
"""Documents that are named of each slice, the first that differ."""
MOST_COUNTERS: Final = 20_000
"""Counters of one observation; what would need more is counted without its slice."""
SAME: Final = "same"
STAGE: Final = "stage"
"""The system is the same, the stage is not."""
FOLLOWED: Final = "followed"
UNDETERMINED: Final = "undetermined"

_Key = tuple[str, str, str, str, str]
"""Domain, business unit, geography, kind, currency."""


class DarkFindings:
    """Counters and samples; `as_text` and `read` keep them between two looks."""

    def __init__(self) -> None:
        self._counts: dict[_Key, tuple[int, Decimal]] = {}
        self._samples: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.documents = 0

    @classmethod
    def read(cls, text: str) -> DarkFindings:
        """What `as_text` wrote; "" is nothing yet."""
        found = cls()
        if text:
            kept = json.loads(text)
            found.documents = kept["documents"]
            for *key, documents, amount in kept["counts"]:
                domain, unit, place, kind, currency = key
                found._counts[domain, unit, place, kind, currency] = (documents, Decimal(amount))
            for domain, unit, place, samples in kept["samples"]:
                found._samples[domain, unit, place] = samples
        return found

    def as_text(self) -> str:
        """JSON."""
        counts = [[*key, documents, f"{amount:f}"] for key, (documents, amount) in sorted(self._counts.items())]
        samples = [[*key, named] for key, named in sorted(self._samples.items())]
        return json.dumps({"documents": self.documents, "counts": counts, "samples": samples}, separators=(",", ":"))

    def take(self, candidate: Rulebook, entry: RoutedEntry) -> None:
        """Evaluate the candidate on one routed document, beside what was decided."""
        body: dict[str, Any] = json.loads(entry.body)
        facts, undetermined = facts_of_entry(body)
        self.documents += 1
        if body.get("pinned") is True:
            self._count(candidate, facts, FOLLOWED)
            return
        if undetermined:
            self._count(candidate, facts, UNDETERMINED)
            return
        kind, told = _judged(candidate, facts, body)
        self._count(candidate, facts, kind)
        if kind != SAME:
            named = self._samples.setdefault(self._slice(candidate, facts, kind), [])
            if len(named) < SAMPLES:
                named.append({"transactionId": entry.trace, "kind": kind, "routedTo": _routed_to(body), **told})

    def _count(self, candidate: Rulebook, facts: Facts, kind: str) -> None:
        key = (*self._slice(candidate, facts, kind), kind, facts.currency or "")
        documents, amount = self._counts.get(key, (0, Decimal(0)))
        self._counts[key] = (documents + 1, amount + (facts.amount or 0))

    def _slice(self, candidate: Rulebook, facts: Facts, kind: str) -> tuple[str, str, str]:
        place = (
            facts.domain,
            facts.business_unit or candidate.business_units.root,
            facts.geography or candidate.geographies.root,
        )
        if len(self._counts) >= MOST_COUNTERS and (*place, kind, facts.currency or "") not in self._counts:
            return "", "", ""
        return place

    def as_json(self) -> dict[str, Any]:
        """In wire words: one member for each slice, with its counters and samples."""
        slices: dict[tuple[str, str, str], dict[str, Any]] = {}
        for (domain, unit, place, kind, currency), (documents, amount) in sorted(self._counts.items()):
            found = slices.setdefault(
                (domain, unit, place),
                {
                    "domain": domain,
                    "businessUnit": unit,
                    "geography": place,
                    "counts": [],
                    "samples": self._samples.get((domain, unit, place), []),
                },
            )
            found["counts"].append(
                {"kind": kind, "currencyCode": currency, "documents": documents, "amount": f"{amount:f}"}
            )
        different = sum(
            documents
            for (*_, kind, _currency), (documents, _amount) in self._counts.items()
            if kind not in {SAME, FOLLOWED, UNDETERMINED}
        )
        return {"documents": self.documents, "differentDocuments": different, "slices": list(slices.values())}


def _judged(candidate: Rulebook, facts: Facts, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What kind of difference there is, and what the candidate says."""
    try:
        answer = decide(candidate, facts)
    except UnknownNode:
        return "unknown_node", {"candidate": None}
    except DomainNotServed:
        return "domain_not_served", {"candidate": None}
    if not isinstance(answer, Decision):
        return ("conflict" if isinstance(answer, Conflict) else "gap"), {"candidate": None}
    told = {"candidate": {"systemId": answer.system_id, "stage": answer.stage.value, "row": answer.row_id}}
    routed = _routed_to(body)
    if routed["systemId"] == answer.system_id:
        return (SAME if routed["stage"] == answer.stage.value else STAGE), told
    system = candidate.systems.get(routed["systemId"])
    if system is None or system.side is not answer.side:
        return f"to_{answer.side.value}", told
    return f"within_{answer.side.value}", told


def _routed_to(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided; of a contract that the gateway keeps, the system that the table named."""
    rule = body.get("rule") or {}
    return {
        "systemId": body.get("ruledSystemId") or body.get("systemId"),
        "stage": body.get("stage"),
        "row": rule.get("row"),
    }
