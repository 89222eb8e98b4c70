"""An order of which the ERP says something else each time it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.domain.exceptions import ExceptionRecord
from gateway.domain.records import PayloadRecord
from gateway.store.store import Store
from tests.line.by_hand import show
from tests.line.dead_ends import ask, the_one
from tests.line.rig import Rig, order

TIMES: Final = 3


async def said_again(rig: Rig) -> tuple[str, ExceptionRecord, list[PayloadRecord]]:
    """An order that somebody cancelled in the ERP before it was inquired, and of which the ERP says something else at
    each retry: the transaction, its exception, and all that was said."""
    rig.legacy.script = ["lost_answer"]
    transaction_id = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    show(rig.legacy, rig.legacy.book[0], cancelled=True)
    await rig.until(1.1)
    said = [await payload_of(rig.store, (await the_one(rig)).payload_id)]
    for number in range(1, TIMES):
        first = rig.legacy.book[0]
        rig.legacy.book.append(replace(first, number=first.number.model_copy(update={"document_number": f"H{number}"})))
        await ask(rig, "retry")
        await rig.settle()
        await rig.until(500.0)
        said.append(await payload_of(rig.store, (await the_one(rig)).payload_id))
    assert len({one.body for one in said}) == TIMES
    return transaction_id, await the_one(rig), said


async def payload_of(store: Store, payload_id: str | None) -> PayloadRecord:
    found = await store.reads.payload(payload_id or "")
    assert found is not None
    return found
