"""Jobs that fail as nobody expected: they are put off, so that the others of their lane get their turn."""

from __future__ import annotations

from dataclasses import replace

from gateway.domain.records import JobRecord
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.settle import backoff_s


async def put_off_failed(store: Store, parts: LineParts, job: JobRecord) -> None:
    """End the lease of a job that this process could not carry on, and look at it again after the backoff.

    Nothing of the transaction is read: that may be what fails. Who has claimed the job since goes on with it.
    Raises StoreUnavailable: then the lease ends by itself.
    """

    async def unit_of_work(unit: WriteUnit) -> None:
        held = await unit.job(job.transaction_id)
        if held is None or held.epoch != job.epoch:
            return
        due_at = parts.tools.clock.now() + int(backoff_s(parts, held.tries) * SECOND)
        tries = held.tries + 1
        await unit.update_job(replace(held, lease_owner=None, lease_until=0, due_at=due_at, tries=tries))

    await store.write(unit_of_work)
