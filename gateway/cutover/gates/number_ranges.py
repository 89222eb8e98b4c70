"""Gate `number_ranges`: the systems give numbers from declared ranges that have none in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.gate_ports import GateReads
from gateway.cutover.gates.moves import STAGES, Move, moves_of
from gateway.domain.gate_evidence import NumbersSeen
from gateway.transactions.home import HOME
from routing_rules import Rulebook, Stage

POLICY: Final = "number_ranges"
MOST_RANGES: Final = 1_000
MOST_DIGITS: Final = 64
MASTERS: Final = frozenset({"customer", "product"})
"""Types whose numbers are judged only where a range is declared for them: masters often bear numbers that people or
another system chose, and the gateway knows every one of them by its cross-reference."""
_MEMBERS: Final = frozenset({"system", "document_type", "from", "until"})
_PART: Final = "/"
"""Between the parts of a number that more than a range makes: an accounting document of SAP is number, company code and
fiscal year, and the range gives the first."""


class RangesInvalid(ValueError):
    """`policies.number_ranges` is no list of ranges; says which entry and what it lacks."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers that a system gives to a type of document. Both ends belong to it; digits only."""

    system_id: str
    document_type: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.system_id}/{self.document_type} {self.first} to {self.last}"


class NumberRanges:
    """Guards moves from below `pilot` to `pilot` or beyond, and those that bring a new system in: from then on two
    systems give numbers to documents of one family. Two ERPs may issue the same digits, and the gateway always keeps
    the system beside the number; people and printed papers do not."""

    name = "number_ranges"

    def __init__(self, reads: GateReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """Some move makes a second system give numbers."""
        return any(_starts(move) for move in moves_of(candidate))

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for all: ranges belong to systems, not to slices."""
        try:
            ranges = declared(candidate.rulebook)
        except RangesInvalid as invalid:
            return [GateResult(gate=self.name, passed=False, why=str(invalid))]
        systems = sorted(
            {
                one
                for move in moves_of(candidate)
                if _starts(move)
                for one in (move.after.legacy_system, move.after.cloud_system)
                if one is not None
            }
        )
        seen = await self._reads.numbers_seen()
        complaints = [*_undeclared(systems, ranges), *_overlapping(ranges), *_outside(ranges, seen, systems)]
        evidence: dict[str, Any] = {
            "ranges": [
                {
                    "systemId": one.system_id,
                    "documentType": one.document_type,
                    "first": str(one.first),
                    "last": str(one.last),
                }
                for one in ranges
            ],
            "numbersSeen": sum(one.numbers for one in seen),
            "complaints": complaints,
        }
        why = "; ".join(complaints) or "declared ranges have no number in common, and every number seen lies in its own"
        return [GateResult(gate=self.name, passed=not complaints, why=why, evidence=evidence)]


def declared(rulebook: Rulebook) -> tuple[NumberRange, ...]:
    """The ranges of `policies.number_ranges`. Raises RangesInvalid."""
    entries = rulebook.governance.policies.get(POLICY)
    if not isinstance(entries, list | tuple) or not entries:
        raise RangesInvalid(
            f"the rulebook declares no policies.{POLICY}; list system, document_type, from and until of each range"
        )
    if len(entries) > MOST_RANGES:
        raise RangesInvalid(f"policies.{POLICY} has more than {MOST_RANGES} entries")
    return tuple(_read(at, entry, rulebook) for at, entry in enumerate(entries, start=1))


def _read(at: int, entry: object, rulebook: Rulebook) -> NumberRange:
    where = f"entry {at} of policies.{POLICY}"
    if not isinstance(entry, Mapping) or set(entry) != _MEMBERS:
        raise RangesInvalid(f"{where} must have exactly {', '.join(sorted(_MEMBERS))}")
    ends = [str(entry["from"]), str(entry["until"])]
    if not all(end.isascii() and end.isdigit() and len(end) <= MOST_DIGITS for end in ends):
        raise RangesInvalid(f"{where}: from and until must be digits, at most {MOST_DIGITS}")
    first, last = (int(end) for end in ends)
    if first > last:
        raise RangesInvalid(f"{where}: it ends before it begins")
    if str(entry["system"]) not in rulebook.systems:
        raise RangesInvalid(f"{where}: the rulebook has no system '{str(entry['system'])[:40]}'")
    return NumberRange(str(entry["system"]), str(entry["document_type"]), first, last)


def _starts(move: Move) -> bool:
    pilot = STAGES.index(Stage.PILOT)
    below = move.before is None or STAGES.index(move.before.stage) < pilot
    reaches = STAGES.index(move.after.stage) >= pilot
    return reaches and (below or bool(move.new_systems))


def _undeclared(systems: Sequence[str], ranges: Sequence[NumberRange]) -> Iterator[str]:
    for system_id in systems:
        if not any(one.system_id == system_id for one in ranges):
            yield f"no range is declared for system {system_id}"


def _overlapping(ranges: Sequence[NumberRange]) -> Iterator[str]:
    for one, other in combinations(ranges, 2):
        alike = one.document_type == other.document_type and one.system_id != other.system_id
        if alike and one.first <= other.last and other.first <= one.last:
            yield f"{one} and {other} have numbers in common"


def _outside(ranges: Sequence[NumberRange], seen: Sequence[NumbersSeen], systems: Sequence[str]) -> Iterator[str]:
    """Numbers of one length are ordered as their texts are, so both ends speak for all between them. An end inside a
    range and the other inside of another of the same system is accepted: what lies between may too."""
    for one in seen:
        if one.system_id == HOME or one.system_id not in systems:
            continue
        own = [it for it in ranges if (it.system_id, it.document_type) == (one.system_id, one.document_type)]
        if not own and one.document_type in MASTERS:
            continue
        if not own:
            yield f"{one.numbers} {one.document_type} number(s) of {one.system_id} have no declared range"
            continue
        for text in dict.fromkeys((one.smallest, one.largest)):
            given = text.partition(_PART)[0]
            digits = given.isascii() and given.isdigit()
            if not digits or not any(it.first <= int(given) <= it.last for it in own):
                yield f"{one.system_id}/{one.document_type} {text} lies outside of what is declared"
