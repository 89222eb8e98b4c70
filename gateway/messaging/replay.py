"""Sending events again, to a subject of the asker's own: the same bytes, with the same ids, in the order of each
lineage.

They come from the outbox, which keeps an event for 7 days after the stream has acknowledged it; what is older is in the
API. They are published plainly, not into a stream of ours: who asks listens, or has a stream on the subject. No message
id is given, for a stream of the asker's would drop what it was sent twice within its window; the event's own id tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from gateway.domain.caller import Caller
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.events import ABSENT, STATUS_PREFIX
from gateway.domain.identity import payload_commitment, person_commitment
from gateway.domain.queries import Visible
from gateway.domain.records import EntryRecord, OutboxRecord, PayloadRecord
from gateway.errors import FieldError, Problem
from gateway.messaging.nats import NatsConnection
from gateway.messaging.relay_settings import RelaySettings
from gateway.transactions.parts import SECOND, Tools

T = TypeVar("T")

PREFIX: Final = "erp.replay"
SUBJECT: Final = rf"{re.escape(PREFIX)}(\.[A-Za-z0-9_-]{{1,64}}){{2,8}}"
"""`erp.replay.<client>.`, and up to seven tokens."""
MOST: Final = 10_000
"""Events of one replay."""
_AT_ONCE: Final = 500
_TOKENS: Final = 6
_KEEP_S: Final = RelaySettings().keep_s


@dataclass(frozen=True, slots=True)
class ReplayWanted:
    """Which events: of a lineage, of a time (µs since 1970, `until` excluded), or of both; of one domain if named."""

    subject: str
    lineage_id: str | None = None
    since: int | None = None
    until: int | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was sent. `kept_from` (µs): events from then on are all kept, of older ones perhaps none. `complete`:
    whether nothing of what was asked for can be missing."""

    replay_id: str
    subject: str
    events: int
    kept_from: int
    complete: bool


class ReplayUnit(Protocol):
    """What is written of a replay."""

    async def insert_payload(self, record: PayloadRecord) -> None: ...
    async def insert_entries(self, records: Sequence[EntryRecord]) -> None: ...


class ReplayStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[ReplayUnit], Awaitable[T]]) -> T: ...


class KeptEvents(Protocol):
    """`gateway.store.outbox.StoreOutbox` is one."""

    async def kept(
        self, lineage_id: str | None, since: int | None, until: int | None, most: int
    ) -> Sequence[OutboxRecord]:
        """In the order of each lineage."""
        ...


class Replays:
    """Sends events again."""

    def __init__(
        self,
        store: ReplayStore,
        events: KeptEvents,
        connection: NatsConnection,
        tools: Tools,
        keep_s: float = _KEEP_S,
    ) -> None:
        """`keep_s`: the relay's, which forgets older ones."""
        self._store = store
        self._keep_s = keep_s
        self._events = events
        self._connection = connection
        self._tools = tools

    async def replay(self, caller: Caller, visible: Visible, wanted: ReplayWanted) -> Replayed:
        """Record that it was asked for, and send what the caller may see.

        Raises Problem: invalid-request (not the caller's subject), too-large; StoreUnavailable;
        NatsUnavailable: some may have been sent.
        """
        if not wanted.subject.startswith(f"{PREFIX}.{caller.client}.") or re.fullmatch(SUBJECT, wanted.subject) is None:
            below = f"{PREFIX}.{caller.client}."
            error = FieldError("natsSubject", f"is not below {below}", f"Use {below} and up to seven tokens.")
            raise Problem("invalid-request", f"natsSubject is not below {below}", errors=(error,))
        kept_from = self._tools.clock.now() - int(self._keep_s * SECOND)
        found = await self._events.kept(wanted.lineage_id, wanted.since, wanted.until, MOST + 1)
        if len(found) > MOST:
            raise Problem(
                "too-large", f"These are more than {MOST} events.", remedy="Ask for a shorter time, one after another."
            )
        seen = [one for one in found if _is_seen(one, visible, wanted.domain)]
        replay_id = await self._recorded(caller, wanted, len(seen))
        for begin in range(0, len(seen), _AT_ONCE):
            async with self._connection.exchange() as exchange:
                for one in seen[begin : begin + _AT_ONCE]:
                    await exchange.publish(wanted.subject, one.body)
                await exchange.flush()
        return Replayed(replay_id, wanted.subject, len(seen), kept_from, _is_complete(wanted, found, kept_from))

    async def _recorded(self, caller: Caller, wanted: ReplayWanted, count: int) -> str:
        """The entry holds a commitment of what was asked, which lies beside the ledger."""
        tools = self._tools
        replay_id, salt, now = tools.ids.new("rpl"), tools.randomness.salt(), tools.clock.now()
        asked = {
            "subject": wanted.subject,
            "lineageId": wanted.lineage_id,
            "since": wanted.since,
            "until": wanted.until,
            "domain": wanted.domain,
        }
        body = json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()
        members = {
            "replayId": replay_id,
            "person": person_commitment(tools.commitment_key, caller.person_or_client),
            "filterHash": payload_commitment(salt, body),
            "events": count,
        }
        payload = PayloadRecord(tools.ids.new("pay"), salt, body)
        entry = ledger_entry(EntryKind.REPLAYED, trace=replay_id, seq=1, at=now, actor=caller.client, members=members)

        async def unit(unit: ReplayUnit) -> None:
            await unit.insert_payload(payload)
            await unit.insert_entries([entry])

        await self._store.write(unit)
        return replay_id


def _is_complete(wanted: ReplayWanted, found: Sequence[OutboxRecord], kept_from: int) -> bool:
    """Whether it reaches no further back than all is kept; of a lineage also where its very first event is there."""
    if wanted.since is not None and wanted.since >= kept_from:
        return True
    return wanted.lineage_id is not None and bool(found) and found[0].sequence == 1


def _is_seen(event: OutboxRecord, visible: Visible, domain: str | None) -> bool:
    """Status events by the nodes in their subject; others only for whom nothing is hidden."""
    parts = event.subject.split(".")
    is_status = event.subject.startswith(f"{STATUS_PREFIX}.") and len(parts) == _TOKENS
    if domain is not None and not (is_status and parts[2] == domain):
        return False
    if visible.business_units is None and visible.geographies is None:
        return True
    return is_status and all(
        allowed is None or (node != ABSENT and node in allowed)
        for node, allowed in ((parts[3], visible.business_units), (parts[4], visible.geographies))
    )
