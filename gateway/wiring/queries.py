"""Auditors' questions in one process: what answers them, what fills the index, what counts uses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.api.ledger_parts import LedgerParts
from gateway.domain.waiting_callers import WaitingCallers
from gateway.errors import GatewayError
from gateway.ledger.access_log import AccessLog
from gateway.ledger.api_uses import ApiUses
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.evidence.desk import EvidenceDesk
from gateway.ledger.note_keys import Signer
from gateway.ledger.scope_uses import ScopeUses
from gateway.store.store import Store
from gateway.transactions.parts import Tools

FINISH_S: Final = 5.0
"""How long a stopping process fills the index; the next start does the rest."""


@dataclass(frozen=True, slots=True)
class Queries:
    """What runs, and what is asked."""

    parts: LedgerParts
    indexer: EntryIndexer
    uses: ScopeUses
    api_uses: ApiUses

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to fill the index, and to keep what was counted."""
        return [
            asyncio.create_task(self.indexer.run(), name="indexer"),
            asyncio.create_task(self.uses.run(), name="scope_uses"),
            asyncio.create_task(self.api_uses.run(), name="api_uses"),
        ]

    async def finish(self) -> None:
        """At the end of the process, after the last entries have got their places."""
        with contextlib.suppress(TimeoutError, GatewayError):
            async with asyncio.timeout(FINISH_S):
                await self.uses.flush()
                await self.api_uses.flush()
                await self.indexer.finish()


def open_queries(
    store: Store,
    tools: Tools,
    origin: str,
    leads: Callable[[], bool],
    evidence_signer: Callable[[], Signer],
    ends: list[Callable[[], Awaitable[object]]],
    callers: WaitingCallers,
) -> Queries:
    """`leads`: whether this process gives entries their places, and so fills the index too. `evidence_signer`: reads
    the key of evidence packs. `callers`: to whom the filling of the index gives way."""
    accesses = AccessLog(store, tools)
    queries = Queries(
        LedgerParts(store.ledger, accesses, origin, EvidenceDesk(store, accesses, origin, evidence_signer)),
        EntryIndexer(store, leads, callers),
        ScopeUses(store, tools.clock, tools.commitment_key),
        ApiUses(store, tools.clock),
    )
    ends.append(queries.finish)
    return queries
