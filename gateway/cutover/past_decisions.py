"""How a transaction was decided then, and how it would be decided now: as-of questions by activation number.

*Then*: the recorded facts through the stored text of the rulebook under whose activation the entry was written; it must
give what the entry says, for ever. *Now*: the same facts through what is in force. A follow-up goes where its lineage
is pinned, so it is its root's decision that is explained.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.cutover.kept_files import FilesReads, RowPlaces
from gateway.cutover.traffic import facts_of_entry
from gateway.domain.entries import EntryKind
from gateway.domain.facts import wire_members
from gateway.domain.months import month_without
from gateway.domain.queries import Visible
from gateway.domain.records import EntryRecord, TransactionRecord
from gateway.domain.wire import instant
from gateway.errors import Problem
from routing_rules import (
    Conflict,
    Decision,
    DomainNotServed,
    Facts,
    Gap,
    Rulebook,
    RulebookInvalid,
    UnknownNode,
    decide,
    miss_of,
)
from routing_rules.canonical_text import rulebook_from_canonical

KEPT: Final = 4
"""Rulebooks of the past that are held compiled; reading a large one takes a second."""


class PastReads(FilesReads, Protocol):
    """What is asked of the record."""

    async def entries(self, trace: str) -> Sequence[EntryRecord]: ...
    async def lineage_entries(self, lineage_id: str) -> Sequence[EntryRecord]: ...
    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None: ...


Now = Callable[[Facts], Mapping[str, Any]]
"""How facts would be decided now, in wire words. Raises Problem where nothing can be decided."""


@dataclass(frozen=True, slots=True)
class _Governing:
    """The `routed` entry that decided, and of which transaction it is."""

    trace: str
    body: Mapping[str, Any]


class PastDecisions:
    """Explains transactions that were routed. Rulebooks of the past are read once and kept."""

    def __init__(self, reads: PastReads) -> None:
        self._reads = reads
        self._books: OrderedDict[int, Rulebook] = OrderedDict()
        self._places = RowPlaces(reads)

    async def explain(
        self, record: TransactionRecord, visible: Visible, now: Now, why_not: str | None = None
    ) -> dict[str, Any]:
        """The stored decision, the same as of then, and as of now, in wire words. `why_not`: a row of the table as of
        then. Raises Problem `not-found` (it was not routed; there is no such row)."""
        entries = await self._reads.entries(record.transaction_id)
        own = _routed(entries)
        month = month_without(record.transaction_id, [one.seq for one in entries])
        if own is None and month is not None:
            raise Problem(
                "not-found",
                f"The entries of the transaction {record.transaction_id} are in the archive of {month}.",
                remedy="Its decision can be read there, or here once the month is attached again.",
            )
        if own is None:
            raise Problem("not-found", f"The transaction {record.transaction_id} was not routed so far.")
        governing = own if own.body.get("pinned") is not True else await self._root(record, visible)
        told: dict[str, Any] = {
            "transactionId": record.transaction_id,
            "decidedAt": instant(own.body["at"]),
            "governingTransactionId": None if governing is None else governing.trace,
            "stored": _stored(own.body),
            "reproduced": None,
            "asOfThen": None,
            "asOfNow": None,
            "wouldDiffer": None,
            "remark": None,
        }
        if governing is None:
            remark = "its lineage was pinned before it came, by a decision that is archived, not here or not visible"
            return told | {"remark": remark}
        facts, undetermined = facts_of_entry(governing.body)
        if undetermined:
            return told | {"remark": f"not recorded: {', '.join(undetermined)}"}
        told |= await self._then(governing.body, facts, why_not) | _as_of_now(governing.body, facts, now)
        for clock in ("asOfThen", "asOfNow"):
            if told[clock] is not None:
                told[clock] = await self._places.told(told[clock])
        return told

    async def _root(self, record: TransactionRecord, visible: Visible) -> _Governing | None:
        """The root's decision: a root that was refused and replaced is not the one that pinned the lineage."""
        roots = [
            one
            for one in await self._reads.lineage_entries(record.lineage_id)
            if one.kind == EntryKind.ROUTED.value and json.loads(one.body).get("pinned") is not True
        ]
        if not roots or await self._reads.transaction(roots[-1].trace, visible) is None:
            return None
        return _Governing(roots[-1].trace, json.loads(roots[-1].body))

    async def _then(self, body: Mapping[str, Any], facts: Facts, why_not: str | None) -> dict[str, Any]:
        number = body["rule"]["activationNumber"]
        try:
            book = await self._book(number)
            answer = decide(book, facts)
        except (RulebookInvalid, DomainNotServed, UnknownNode) as error:
            return {"reproduced": False, "remark": f"activation {number} cannot be read as it was: {error}"}
        return {
            "reproduced": _says(answer) == _stored_choice(body),
            "asOfThen": wire_members(_explained(book, facts, answer, why_not)) | {"activationNumber": number},
        }

    async def _book(self, number: int) -> Rulebook:
        known = self._books.get(number)
        if known is None:
            found = await self._reads.activation(number)
            if found is None:
                raise Problem("not-found", f"There is no activation {number}.")
            known = await asyncio.to_thread(rulebook_from_canonical, found.rules, found.governance)
            self._books[number] = known
            if len(self._books) > KEPT:
                self._books.popitem(last=False)
        self._books.move_to_end(number)
        return known


def _routed(entries: Sequence[EntryRecord]) -> _Governing | None:
    """The first one: what is routed once more keeps its pin."""
    found = next((one for one in entries if one.kind == EntryKind.ROUTED.value), None)
    return None if found is None else _Governing(found.trace, json.loads(found.body))


def _stored(body: Mapping[str, Any]) -> dict[str, Any]:
    rule = body.get("rule") or {}
    return {
        "systemId": body.get("systemId"),
        "ruledSystemId": body.get("ruledSystemId"),
        "stage": body.get("stage"),
        "row": rule.get("row"),
        "tableVersion": rule.get("tableVersion"),
        "activationNumber": rule.get("activationNumber"),
        "pinned": body.get("pinned") is True,
        "explanation": body.get("explanation"),
    }


def _stored_choice(body: Mapping[str, Any]) -> tuple[Any, ...]:
    stored = _stored(body)
    system_id = stored["ruledSystemId"] or stored["systemId"]
    return system_id, stored["stage"], stored["row"], stored["tableVersion"]


def _says(answer: Decision | Gap | Conflict) -> tuple[Any, ...] | None:
    if not isinstance(answer, Decision):
        return None
    return answer.system_id, answer.stage.value, answer.row_id, answer.table_version


def _explained(book: Rulebook, facts: Facts, answer: Decision | Gap | Conflict, why_not: str | None) -> dict[str, Any]:
    told: dict[str, Any] = answer.explanation.as_json()
    if why_not is None:
        return told
    try:
        miss = miss_of(book.index(facts.domain), facts, why_not)
    except KeyError as error:
        raise Problem("not-found", f"The table of {facts.domain} had no row {why_not} then.") from error
    return told | {"why_not": None if miss is None else miss.as_json()}


def _as_of_now(body: Mapping[str, Any], facts: Facts, now: Now) -> dict[str, Any]:
    try:
        told = now(facts)
    except Problem as refused:
        return {"asOfNow": None, "wouldDiffer": True, "remark": f"now it would be refused: {refused.detail}"}
    target = told.get("target") or {}
    system_id = told.get("ruledSystemId") or target.get("systemId")
    was, *_ = _stored_choice(body)
    return {"asOfNow": told, "wouldDiffer": system_id != was or told.get("stage") != body.get("stage")}
