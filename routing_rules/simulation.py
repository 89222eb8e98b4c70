"""Recorded documents through two versions: what would move, how many, how much money.

Each root is decided by the version in force and by the candidate. A follow-up goes where its root went under the same
version, if the root lies in the window; else its lineage is pinned, and it stays. What cannot be decided again, because
a fact was not recorded or no row matches, is counted apart with its money. Source: docs/rules.md, 'Simulation'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from routing_rules.answers import Conflict, Decision, Verdict
from routing_rules.decide import decide
from routing_rules.facts import Facts
from routing_rules.index import UnknownNode
from routing_rules.model import Side, Stage, System
from routing_rules.rulebook import DomainNotServed, Rulebook
from routing_rules.share import bucket_of, in_share
from routing_rules.simulation_records import RecordedDocument
from routing_rules.simulation_result import LargeMove, Moved, Simulation
from routing_rules.simulation_totals import Calls, Largest, OpenLineages, Sums, UnmatchedDocuments, peaks

LARGEST: Final = 20
"""Moved documents that are named, for each currency: amounts of two currencies cannot be compared."""
VALIDATION_CALLS: Final = 1
"""Calls to the cloud for each new root at stage ``validate``, besides those of its plan."""

_DIRECTIONS: Final = {
    (Side.LEGACY, Side.CLOUD): "to_cloud",
    (Side.CLOUD, Side.LEGACY): "to_legacy",
    (Side.CLOUD, Side.CLOUD): "within_cloud",
    (Side.LEGACY, Side.LEGACY): "within_legacy",
}


class _Sent(NamedTuple):
    """Where a root goes under both versions."""

    before: Verdict
    after: Verdict


def simulate(in_force: Rulebook, candidate: Rulebook, documents: Iterable[RecordedDocument]) -> Simulation:
    """Replay documents, given in the order in which they were routed, through both versions.

    Memory grows with the lineages of the window and with the keys of the result, not with the documents.
    """
    replay = Replay(in_force, candidate)
    for one in documents:
        replay.take(one)
    return replay.result()


class Replay:
    """A simulation under way, for documents that come page by page; `take` them in the order of their routing."""

    def __init__(self, in_force: Rulebook, candidate: Rulebook) -> None:
        self._in_force = in_force
        self._candidate = candidate
        self._systems: dict[str, System] = {**in_force.systems, **candidate.systems}
        self._lineages: dict[str, _Sent | None] = {}
        self._known: dict[tuple[int, int], _Sent] = {}
        self._documents = self._decided = self._followed = self._pinned = self._moves = 0
        self._first: int | None = None
        self._last: int | None = None
        self._moved, self._kept, self._pins, self._undetermined = Sums(), Sums(), Sums(), Sums()
        self._unmatched = (UnmatchedDocuments(), UnmatchedDocuments())
        self._open = (OpenLineages(), OpenLineages())
        self._calls: tuple[Calls, Calls] = ({}, {})
        self._largest = Largest(LARGEST)

    def take(self, one: RecordedDocument) -> None:
        """One document more."""
        self._documents += 1
        minute = one.minute
        if self._first is None or minute < self._first:
            self._first = minute
        if self._last is None or minute > self._last:
            self._last = minute
        if one.is_root:
            sent = self._decide(one)
            self._lineages[one.lineage_id] = sent
            if sent is not None:
                self._decided += 1
                self._send(one, sent)
                self._validate(one, sent)
        elif one.lineage_id in self._lineages:
            root = self._lineages[one.lineage_id]
            if root is None:
                self._leave(one, "root")
            else:
                self._followed += 1
                self._send(one, root)
        else:
            self._stay(one)

    def _decide(self, one: RecordedDocument) -> _Sent | None:
        """Where a root goes; None, and counted, if either version cannot say."""
        if one.undetermined:
            self._leave(one, "|".join(sorted(one.undetermined)))
            return None
        facts = one.facts
        before = self._answer(0, self._in_force, one)
        after = self._answer(1, self._candidate, one)
        if before is None or after is None:
            return None
        outcome = after.row.outcome
        if facts.root_external_id is None and outcome.allow != before.row.outcome.allow and not _in_share(after, facts):
            # Recorded is whether an allow-list named the root, not its name: another list may say otherwise.
            if outcome.allow:
                self._leave(one, "allow_hit")
                return None
            if facts.recorded_allow_hit:
                unlisted = replace(facts, recorded_allow_hit=False)
                after = self._answer(1, self._candidate, replace(one, facts=unlisted)) or after
        key = (id(before), id(after))
        sent = self._known.get(key)
        if sent is None:
            sent = self._known[key] = _Sent(before, after)
        return sent

    def _answer(self, version: int, rulebook: Rulebook, one: RecordedDocument) -> Verdict | None:
        facts = one.facts
        try:
            answer = decide(rulebook, facts)
        except UnknownNode:
            kind = "unknown_node"
        except DomainNotServed:
            kind = "domain_not_served"
        else:
            if isinstance(answer, Decision):
                return answer.verdict
            kind = "conflict" if isinstance(answer, Conflict) else "gap"
        self._unmatched[version].add(kind, facts.currency or "", facts.amount, one.transaction_id)
        return None

    def _send(self, one: RecordedDocument, sent: _Sent) -> None:
        """Count a document where both versions send it."""
        before, after = sent
        facts = one.facts
        currency, amount = facts.currency or "", facts.amount
        if before.system_id == after.system_id:
            self._kept.add((before.system_id, currency), amount)
        else:
            self._moves += 1
            self._move(one, before, after, currency, amount)
        # One after the other and not in a loop: this is done for every document.
        calls, at = self._calls[0], (before.system_id, one.minute)
        calls[at] = calls.get(at, 0) + one.calls
        calls, at = self._calls[1], (after.system_id, one.minute)
        calls[at] = calls.get(at, 0) + one.calls
        if one.open_amount and one.customer is not None:
            for lineages, verdict in zip(self._open, sent, strict=True):
                lineages.add(one.customer, verdict.side, currency, one.open_amount)

    def _move(
        self, one: RecordedDocument, before: Verdict, after: Verdict, currency: str, amount: Decimal | None
    ) -> None:
        facts = one.facts
        direction = _DIRECTIONS[before.side, after.side]
        key = (
            direction,
            before.system_id,
            after.system_id,
            facts.domain,
            facts.business_unit or self._candidate.business_units.root,
            facts.geography or self._candidate.geographies.root,
            facts.company_code or "",
            one.period or _month(facts),
            currency,
        )
        self._moved.add(key, amount)
        if amount is not None:
            self._largest.add(currency, amount, (one.transaction_id, facts.domain, direction, before, after))

    def _validate(self, one: RecordedDocument, sent: _Sent) -> None:
        for calls, verdict in zip(self._calls, sent, strict=True):
            outcome = verdict.row.outcome
            if outcome.stage is Stage.VALIDATE and outcome.cloud_system is not None:
                at = (outcome.cloud_system, one.minute)
                calls[at] = calls.get(at, 0) + VALIDATION_CALLS

    def _stay(self, one: RecordedDocument) -> None:
        """A follow-up whose root lies before the window."""
        system_id, facts = one.pinned_system, one.facts
        if system_id is None:
            self._leave(one, "pin")
            return
        self._pinned += 1
        self._pins.add((system_id, facts.currency or ""), facts.amount)
        system = self._systems.get(system_id)
        for calls, lineages in zip(self._calls, self._open, strict=True):
            calls[system_id, one.minute] = calls.get((system_id, one.minute), 0) + one.calls
            if one.open_amount and one.customer is not None and system is not None:
                lineages.add(one.customer, system.side, facts.currency or "", one.open_amount)

    def _leave(self, one: RecordedDocument, what: str) -> None:
        """Counted apart: this was not recorded, so nothing can be said of the document."""
        self._undetermined.add((what, one.facts.currency or ""), one.facts.amount)

    def result(self) -> Simulation:
        """Everything so far."""
        totals = Sums()
        moved: list[Moved] = []
        for key, documents, amount in self._moved.items():
            direction, source, target, domain, unit, place, company, period, currency = key
            totals.add_all((direction, currency), documents, amount)
            moved.append(
                Moved(
                    direction=direction,
                    from_system=source,
                    to_system=target,
                    domain=domain,
                    business_unit=unit,
                    geography=place,
                    company_code=company,
                    period=period,
                    currency=currency,
                    documents=documents,
                    amount=amount,
                )
            )
        return Simulation(
            in_force=self._in_force.version,
            candidate=self._candidate.version,
            first_minute=self._first,
            last_minute=self._last,
            documents=self._documents,
            decided=self._decided,
            followed=self._followed,
            pinned=self._pinned,
            moved_documents=self._moves,
            moved=tuple(moved),
            moved_totals=totals.totals(),
            kept_totals=self._kept.totals(),
            pinned_totals=self._pins.totals(),
            undetermined=self._undetermined.totals(),
            unmatched_in_force=self._unmatched[0].found(),
            unmatched_candidate=self._unmatched[1].found(),
            open_in_both_in_force=self._open[0].found(),
            open_in_both_candidate=self._open[1].found(),
            peaks=peaks(self._systems.values(), *self._calls),
            largest=tuple(
                LargeMove(
                    transaction_id=transaction_id,
                    domain=domain,
                    direction=direction,
                    from_system=before.system_id,
                    to_system=after.system_id,
                    row_before=before.row.id,
                    row_after=after.row.id,
                    currency=currency,
                    amount=amount,
                )
                for currency, amount, (transaction_id, domain, direction, before, after) in self._largest.found()
            ),
        )


def _in_share(verdict: Verdict, facts: Facts) -> bool:
    """Whatever an allow-list says, the root goes there: its stage takes all, its bucket is in the pilot's share, or its
    posting date lies before the cutover."""
    outcome = verdict.row.outcome
    if verdict.before_cutover or outcome.stage is not Stage.PILOT or outcome.share is None:
        return True
    return in_share(bucket_of(facts), outcome.share)


def _month(facts: Facts) -> str:
    day = facts.posting_date
    return "" if day is None else f"{day.year:04d}-{day.month:02d}"
