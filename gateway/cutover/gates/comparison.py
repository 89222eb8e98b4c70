"""The gate `comparison`: what legacy confirmed of documents in `validate` is what their canonical form says.

Compared is the canonical document with legacy's read-back: amount, currency, company code and posting date, as the
entries `routed` and `posted` hold them. This evidence is called `translated`: it shows that the canonical form lost
nothing that legacy knows, not that the cloud would take the document. Where the cloud has a call that checks without
posting the gate can pass on it; where it has none, `pilot` needs a waiver of this gate. Source: docs/rules.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import Any, Final

from adapters.port import Capabilities, Operation
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.thresholds import ThresholdInvalid, threshold
from gateway.cutover.traffic import facts_of_entry
from gateway.cutover.traffic_ports import TrafficReads
from gateway.domain.traffic import RoutedEntry, TrafficCursor
from routing_rules import Change, Decision, DomainNotServed, Facts, Outcome, Rulebook, Stage, UnknownNode, decide
from routing_rules.follow_ups import FROM_PILOT

TRANSLATED: Final = "translated"
"""What the evidence is called. It is never called validated."""
COMPARED: Final = ("amount", "currencyCode", "companyCode", "postingDate")
EXAMPLES: Final = 20
"""Mismatches that the evidence names."""

_PAGE: Final = 500
_DAY: Final = 86_400_000_000
_MARK: Final = b'"stage":"validate"'
"""Canonical JSON has no spaces, so entries of other stages need not be parsed."""


@dataclass(slots=True)
class _Counts:
    """Of one domain."""

    compared: int = 0
    mismatched: int = 0
    unconfirmed: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


class ComparisonGate:
    """Judges changes out of `validate`, one domain at a time. `capabilities`: what each system's driver can do."""

    name = "comparison"

    def __init__(self, reads: TrafficReads, capabilities: Callable[[], Mapping[str, Capabilities]]) -> None:
        self._reads = reads
        self._capabilities = capabilities

    def guards(self, candidate: Candidate) -> bool:
        """What goes from `validate` to where the cloud receives documents."""
        return any(map(_leaves_validate, candidate.changes))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        targets = _targets(candidate.changes)
        try:
            limits = {name: threshold(candidate.base, f"comparison_{name}") for name in _LIMITS}
        except ThresholdInvalid as error:
            return [GateResult(gate=self.name, passed=False, why=str(error))]
        since = candidate.effective_at - int(limits["days"] * _DAY)
        found = await self._compare(candidate.rulebook, set(targets), since, candidate.effective_at)
        return [self._judged(domain, targets[domain], found[domain], limits) for domain in sorted(targets)]

    async def _compare(self, candidate: Rulebook, domains: set[str], since: int, until: int) -> dict[str, _Counts]:
        found = {domain: _Counts() for domain in domains}
        after = TrafficCursor(since)
        while page := await self._reads.routed_entries(after, until, _PAGE):
            after = TrafficCursor(page[-1].at, page[-1].trace, page[-1].seq)
            await self._compare_page([one for one in page if _MARK in one.body], candidate, found)
            await asyncio.sleep(0)
        return found

    async def _compare_page(
        self, page: Sequence[RoutedEntry], candidate: Rulebook, found: Mapping[str, _Counts]
    ) -> None:
        concerned: list[tuple[str, Facts, dict[str, Any]]] = []
        for one in page:
            body = json.loads(one.body)
            facts, undetermined = facts_of_entry(body)
            if facts.domain in found and not undetermined and not body.get("pinned") and _moves(candidate, facts):
                concerned.append((one.trace, facts, body["facts"]))
        posted = await self._reads.posted_bodies([trace for trace, _, _ in concerned]) if concerned else {}
        for trace, facts, recorded in concerned:
            body_posted = posted.get(trace)
            confirmed = json.loads(body_posted).get("confirmed") if body_posted is not None else None
            _count(found[facts.domain], trace, recorded, confirmed)

    def _judged(
        self, domain: str, targets: Sequence[str], counts: _Counts, limits: Mapping[str, Decimal]
    ) -> GateResult:
        most, least = limits["mismatch_percent"], limits["documents"]
        silent = [one for one in targets if not self._can_validate(one, domain)]
        evidence = {
            "evidence": TRANSLATED,
            "comparedFields": list(COMPARED),
            "compared": counts.compared,
            "mismatched": counts.mismatched,
            "unconfirmed": counts.unconfirmed,
            "limitPercent": f"{most:f}",
            "withoutNonPostingCall": silent,
            "mismatches": counts.examples,
        }
        told = f"{counts.mismatched:,} of {counts.compared:,} translated documents differ from legacy's read-back"
        complaints: list[str] = []
        if not counts.compared or counts.compared < least:
            complaints.append(f"{counts.compared:,} documents could be compared, {least} are asked for: wait for more")
        elif counts.mismatched * 100 > most * counts.compared:
            complaints.append(f"{told}, more than {most} %: mend the translation or the data")
        if silent:
            complaints.append(
                f"{', '.join(silent)} has no call that checks {domain} without posting, so they are translated only: "
                "the step to pilot needs a waiver of this gate"
            )
        why = "; ".join(complaints) or told
        return GateResult(gate=self.name, passed=not complaints, why=why, evidence=evidence, subject=domain)

    def _can_validate(self, system_id: str, domain: str) -> bool:
        able = self._capabilities().get(system_id, {}).get((domain, Operation.CREATE))
        return able is not None and able.supported and able.can_validate


_LIMITS: Final = ("mismatch_percent", "days", "documents")


def _leaves_validate(change: Change) -> bool:
    before, after = change.before, change.after
    return (
        isinstance(before, Outcome)
        and isinstance(after, Outcome)
        and before.stage is Stage.VALIDATE
        and after.stage in FROM_PILOT
    )


def _targets(changes: Sequence[Change]) -> dict[str, list[str]]:
    """By domain: the cloud systems that begin to receive documents."""
    found: dict[str, set[str]] = {}
    for change in changes:
        if _leaves_validate(change) and isinstance(change.after, Outcome) and change.after.cloud_system is not None:
            found.setdefault(change.domain, set()).add(change.after.cloud_system)
    return {domain: sorted(systems) for domain, systems in found.items()}


def _moves(candidate: Rulebook, facts: Facts) -> bool:
    """Whether the candidate takes such a document out of `validate`."""
    try:
        answer = decide(candidate, facts)
    except (DomainNotServed, UnknownNode):
        return False
    return isinstance(answer, Decision) and answer.stage in FROM_PILOT


def _count(counts: _Counts, trace: str, recorded: Mapping[str, Any], confirmed: Mapping[str, Any] | None) -> None:
    read = {name: confirmed[name] for name in COMPARED if name in confirmed} if confirmed else {}
    if not read:
        counts.unconfirmed += 1
        return
    counts.compared += 1
    # What legacy did not read back is no mismatch; what the document never had is one if legacy says it has it.
    differ = {name: [recorded.get(name), value] for name, value in read.items() if not _same(recorded.get(name), value)}
    if differ:
        counts.mismatched += 1
        if len(counts.examples) < EXAMPLES:
            counts.examples.append({"transactionId": trace, "differs": differ})


def _same(canonical: Any, read_back: Any) -> bool:
    if canonical == read_back:
        return True
    try:
        return Decimal(str(canonical)) == Decimal(str(read_back))
    except DecimalException:
        return False
