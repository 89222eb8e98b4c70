"""What the entries of one trace tell about its exceptions and the moves made there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_ENDS: Final = frozenset({"returned", "closed"})
"""States of an exception that end the move which the entry names, and say nothing else of it."""


@dataclass(slots=True)
class ToldMove:
    """A move: who asked for it, and who approved it (commitments). `reason_hash`: of why, and with what."""

    move: str
    asked_person: str | None
    approved_person: str | None
    reason_hash: str | None
    allowed: bool = False
    """Whether it was approved, or needed no second person."""


@dataclass(slots=True)
class ToldException:
    """An exception as its entries tell it. `owner`: team and person, None until somebody was named: the team that it
    was opened for comes from the rules. `words_hash`: of what the ERP said last; `earlier_hashes`: of what it said
    before. Times: of the entries."""

    reason_code: str
    cause: str | None
    system_id: str | None
    words_hash: str | None
    opened_at: int
    closed_at: int | None = None
    state: str = "open"
    outcome: str | None = None
    replaced_by: str | None = None
    owner: tuple[str | None, str | None] | None = None
    earlier_hashes: set[str] = field(default_factory=set)
    moves: dict[str, ToldMove] = field(default_factory=dict)

    def say(self, words_hash: str) -> None:
        """The ERP said something new."""
        if self.words_hash is not None:
            self.earlier_hashes.add(self.words_hash)
        self.words_hash = words_hash


@dataclass(slots=True)
class ToldExceptions:
    """All of a trace, by id. `open_id`: the one in which the transaction stands before a person."""

    by_id: dict[str, ToldException] = field(default_factory=dict)
    open_id: str | None = None

    def opened(self, body: Mapping[str, Any]) -> None:
        """An entry `exception_opened`."""
        self.open_id = body["exceptionId"]
        self.by_id[body["exceptionId"]] = ToldException(
            body["reasonCode"], body.get("cause"), body.get("systemId"), body.get("wordsHash"), body["at"]
        )

    def moved(self, body: Mapping[str, Any]) -> None:
        """An entry `exception_moved`. Of an exception that was never opened it tells nothing."""
        known = self.by_id.get(body["exceptionId"])
        if known is None:
            return
        match body.get("state"):
            case "closed":
                known.state, known.outcome, known.closed_at = "closed", body["outcome"], body["at"]
                known.replaced_by = body.get("replacedByTransactionId")
                self.open_id = None if self.open_id == body["exceptionId"] else self.open_id
            case "returned":
                known.reason_code, known.cause = body["reasonCode"], body.get("cause")
                # entries of earlier versions do not say it: the system stayed what it was
                known.system_id = body.get("systemId", known.system_id)
                if "wordsHash" in body:
                    known.say(body["wordsHash"])
            case "assigned":
                known.owner = (body.get("ownerTeam"), body.get("ownerPerson"))
        if "moveId" in body and body.get("state") not in _ENDS:
            _take(known.moves, body)


def _take(moves: dict[str, ToldMove], body: Mapping[str, Any]) -> None:
    move = moves.setdefault(body["moveId"], ToldMove(body["move"], body.get("person"), None, body.get("reasonHash")))
    move.approved_person = body.get("approvedPerson", move.approved_person)
    move.allowed = move.allowed or body.get("state") == "approved"
