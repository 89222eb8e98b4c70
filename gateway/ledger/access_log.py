"""The access log: every question about the ledger, and every export, is an entry of the ledger itself.

It is committed before the answer's first byte is sent, for what is written afterwards is lost with the process, and
with it the trace of somebody who did read. If it cannot be written, nothing is answered (503). Of an export the rows
and the hash are known at its end only: so it has two entries, one before its first byte and one after its last.

An entry holds the person's commitment, a salted commitment of the question (which is an erasable payload beside), the
number of rows, the log's size, and the SHA-256 of the answer's bytes: whoever kept an answer can show that it is ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gateway.domain.accesses import AccessKind, AccessRecord, AccessState
from gateway.domain.drafts import PersonRecord
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.identity import payload_commitment, person_commitment
from gateway.domain.records import EntryRecord, PayloadRecord
from gateway.store.store import Store, StoreUnit


class AccessTools(Protocol):
    """What is drawn outside of units. `gateway.transactions.parts.Tools` is one."""

    @property
    def clock(self) -> Any: ...
    @property
    def ids(self) -> Any: ...
    @property
    def randomness(self) -> Any: ...
    @property
    def commitment_key(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. `person`: the person behind the client, else the client. `teams`: the person's."""

    client: str
    person: str
    issuer: str
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: `resource` as the address names it, `filter` what narrows it. `log_size`: of the log as it was
    asked."""

    resource: str
    filter: Mapping[str, Any]
    log_size: int


class AccessLog:
    """Records who asks what."""

    def __init__(self, store: Store, tools: AccessTools) -> None:
        self._store = store
        self._tools = tools

    def new_id(self) -> str:
        """Of a question that will be recorded."""
        return str(self._tools.ids.new("qry"))

    def new_pack_id(self) -> str:
        """Of an evidence pack that will be recorded."""
        return str(self._tools.ids.new("evd"))

    def now(self) -> int:
        """µs since 1970 UTC."""
        return int(self._tools.clock.now())

    def commitment_of(self, person: str) -> str:
        """What the ledger holds of a person."""
        return person_commitment(self._tools.commitment_key, person)

    async def queried(self, query_id: str, who: Asker, question: Question, rows: int, answer_hash: str) -> None:
        """Record a question with its answer, which may be sent once this has returned."""
        await self._begin(query_id, "queried", "answered", who, question, rows, answer_hash)

    async def export_begins(self, query_id: str, who: Asker, question: Question) -> AccessRecord:
        """Record an export, whose first byte may be sent once this has returned."""
        return await self._begin(query_id, "exported", "begun", who, question, 0, None)

    async def export_ends(self, record: AccessRecord, rows: int, answer_hash: str, *, broken: bool) -> None:
        """Record how it ended; `broken`: not all of it was given out."""
        now = self._tools.clock.now()
        ended = replace(
            record,
            state="broken" if broken else "ended",
            row_count=rows,
            answer_hash=answer_hash,
            ended_at=now,
            entry_count=record.entry_count + 1,
        )
        members = {"state": ended.state, "rows": rows, "answerHash": answer_hash}
        entry = _entry(ended, now, members)

        async def unit(unit: StoreUnit) -> None:
            await unit.insert_entries([entry])
            await unit.end_access(ended)

        await self._store.write(unit)

    async def _begin(
        self,
        query_id: str,
        kind: AccessKind,
        state: AccessState,
        who: Asker,
        question: Question,
        rows: int,
        answer_hash: str | None,
    ) -> AccessRecord:
        now, salt = self._tools.clock.now(), self._tools.randomness.salt()
        told = {"resource": question.resource, "filter": dict(question.filter)}
        body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        record = AccessRecord(
            query_id=query_id,
            kind=kind,
            state=state,
            resource=question.resource,
            asked_at=now,
            client=who.client,
            person=self.commitment_of(who.person),
            issuer=who.issuer,
            teams=json.dumps(sorted(who.teams)),
            payload_id=str(self._tools.ids.new("pay")),
            log_size=question.log_size,
            row_count=rows,
            answer_hash=answer_hash,
            ended_at=now if state == "answered" else None,
        )
        members = {
            "queryId": query_id,
            "person": record.person,
            "resource": question.resource,
            "filterHash": payload_commitment(salt, body),
            "logSize": question.log_size,
            "state": state,
            "rows": rows if state == "answered" else None,
            "answerHash": answer_hash,
        }
        entry = _entry(record, now, members)

        async def unit(unit: StoreUnit) -> None:
            await unit.ensure_person(PersonRecord(record.person, who.person))
            await unit.insert_payload(PayloadRecord(record.payload_id, salt, body))
            await unit.insert_access(record)
            await unit.insert_entries([entry])

        await self._store.write(unit)
        return record


def _entry(record: AccessRecord, at: int, members: Mapping[str, Any]) -> EntryRecord:
    kind = EntryKind(record.kind)
    return ledger_entry(
        kind, trace=record.query_id, seq=record.entry_count, at=at, actor=record.client, members=members
    )
