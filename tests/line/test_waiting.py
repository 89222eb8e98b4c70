"""A caller who waits is answered with what was accepted, whatever the database says while it waits."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.domain.transaction import Status
from gateway.errors import StoreUnavailable
from gateway.transactions.line import Line
from tests.line.rig import Rig, order


class _Blind:
    """Reads of a database that is away."""

    def __init__(self, reads: Any) -> None:
        self._reads, self.asked = reads, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reads, name)

    async def transaction(self, *_: Any) -> None:
        self.asked += 1
        raise StoreUnavailable("the database is away")


async def test_what_is_not_read_again_was_accepted_all_the_same(rig: Rig):
    reads = _Blind(rig.store.reads)
    rig.line = Line(rig.store, reads, rig.parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order(), wait_s=1.2)
    assert reads.asked > 0
    assert answer.transaction.status is Status.DISPATCHED
    rig.legacy.gate.set()
    assert await rig.line.drain(5)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
