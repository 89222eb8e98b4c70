"""Jobs that this process could not carry on: it lets go of them, so that nobody need wait for the end of a lease, and
the others of their lane get their turn."""

from __future__ import annotations

from dataclasses import replace

from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.settle import backoff_s


async def put_off(store: Store, parts: LineParts, transaction_id: str, epoch: int, *, failed: bool) -> None:
    """End the lease that this process holds under `epoch`, and have the job looked at again after the backoff.

    To be called only when nothing is under way any more for this transaction here. Nothing of the transaction is read:
    that may be what failed. Who has claimed the job since goes on with it. `failed`: as nobody expected, which counts
    for the backoff; that the store was away, or the lease too short, says nothing of the job.
    Raises StoreUnavailable: then the lease ends by itself.
    """

    async def unit_of_work(unit: WriteUnit) -> None:
        held = await unit.job(transaction_id)
        if held is None or held.epoch != epoch or held.lease_owner is None:
            return
        due_at = parts.tools.clock.now() + int(backoff_s(parts, held.tries) * SECOND)
        tries = held.tries + 1 if failed else held.tries
        await unit.update_job(replace(held, lease_owner=None, lease_until=0, due_at=due_at, tries=tries))

    await store.write(unit_of_work)
