"""What the entries of one trace tell about its transaction. Pure: bytes in, words out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.domain.records import EntryRecord
from gateway.domain.transaction import Status
from gateway.ledger.state.entries import column_findings
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told_exceptions import ToldExceptions
from gateway.ledger.state.told_problems import ToldProblem
from gateway.ledger.state.told_steps import ToldSteps

STATUSES: Final = frozenset(status.value for status in Status)


@dataclass(frozen=True, slots=True)
class Number:
    """A document's number in one system, as `linked` and `posted` tell it together; `ended` as `unlinked` tells it."""

    document_id: str
    system_id: str
    document_type: str
    document_number: str
    mirror: bool = False
    ended: bool = False


@dataclass(slots=True)
class Told:
    """A transaction as its entries tell it.

    `given`: by system, the numbers that were posted and not yet linked, oldest first. `pin`: the system to which it
    pinned its lineage and has not given it back. `erased`: commitments of what was erased of its payloads.
    """

    transaction_id: str
    entries: int = 0
    seqs_run: bool = True
    accepted: Mapping[str, Any] | None = None
    routed: Mapping[str, Any] | None = None
    status: str | None = None
    document_type: str | None = None
    document_number: str | None = None
    given: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    numbers: list[Number] = field(default_factory=list)
    pin: str | None = None
    pinned_at: int | None = None
    erased: set[str] = field(default_factory=set)
    legs: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """What was routed leg by leg, by step: then the transaction itself has no system, no pin and no number."""
    leg_numbers: dict[tuple[int, str], str] = field(default_factory=dict)
    """Numbers of posted legs, by step and direction."""
    exceptions: ToldExceptions = field(default_factory=ToldExceptions)
    problem: ToldProblem = field(default_factory=ToldProblem)
    steps: ToldSteps = field(default_factory=ToldSteps)
    columns: list[Finding] = field(default_factory=list)
    """Where columns of its entries say otherwise than their bodies."""
    dispatched: bool = False

    @classmethod
    def by(cls, transaction_id: str, entries: Sequence[EntryRecord]) -> Told:
        """Read the entries of a trace, which are in the order of their `seq`."""
        told = cls(transaction_id)
        for entry in entries:
            body = json.loads(entry.body)
            told.columns += column_findings(entry, body)
            told._take(body)
        return told

    def _take(self, body: Mapping[str, Any]) -> None:
        self.entries += 1
        self.seqs_run = self.seqs_run and body.get("seq") == self.entries
        kind = body["kind"]
        # while something is undone, the transaction stays `compensating`, however its undos fare
        if kind in STATUSES and (body.get("direction") != "undo" or kind == "in_doubt"):
            self.status = kind
        self.problem.take(body)
        self.steps.take(body)
        match kind:
            case "accepted":
                self.accepted = body
            case "routed" if self.dispatched:
                pass  # let go after it was held: it stays with its system, by the decision that put it there
            case "routed" if "step" in body:
                self.legs[body["step"]] = body
            case "routed":
                self.routed = body
            case "dispatched":
                self.dispatched = True
            case "posted":
                self._posted(body)
            case "linked":
                self._linked(body)
            case "unlinked":
                self._unlinked(body)
            case "pinned" if "step" not in body:
                self.pin, self.pinned_at = body["systemId"], body["at"]
            case "pin_released" if "step" not in body:
                self.pin = None
            case "exception_opened":
                self.exceptions.opened(body)
            case "exception_moved":
                self.exceptions.moved(body)
            case "erased":
                self.erased.update(body.get("payloadHashes", ()))

    def _posted(self, body: Mapping[str, Any]) -> None:
        erp = body.get("erp", {})
        kind, number = erp.get("documentType"), erp.get("documentNumber")
        if self.legs:
            self.leg_numbers[body["step"], body.get("direction", "do")] = number
        elif body.get("direction") != "undo":
            self.document_type, self.document_number = kind, number
        if kind is not None and number is not None:
            self.given.setdefault(body["systemId"], []).append((kind, number))

    def _linked(self, body: Mapping[str, Any]) -> None:
        """`linked` names the system; the number is that of the `posted` before it."""
        given = self.given.get(body["systemId"])
        if given:
            kind, number = given.pop(0)
            self.numbers.append(Number(body["documentId"], body["systemId"], kind, number, bool(body.get("mirror"))))

    def _unlinked(self, body: Mapping[str, Any]) -> None:
        """What was taken back is called nothing any more in that system."""
        name = (body["documentId"], body["systemId"])
        self.numbers = [
            replace(one, ended=True) if (one.document_id, one.system_id) == name else one for one in self.numbers
        ]
