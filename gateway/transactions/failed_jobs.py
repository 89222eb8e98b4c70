"""Jobs that this process could not carry on: it lets go of them, so that nobody need wait for the end of a lease, and
the others of their lane get their turn."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.errors import StoreUnavailable
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.settle import backoff_s

_log = structlog.get_logger(__name__)


async def let_go(store: Store, parts: LineParts, transaction_id: str, epoch: int) -> None:
    """End the lease that this process holds under `epoch`, and have the job looked at again after the backoff.

    To be called only when nothing is under way any more for this transaction here. It raises nothing but a
    cancellation: what no store takes ends with the lease.
    """
    try:
        await put_off(store, parts, transaction_id, epoch)
    except StoreUnavailable as error:
        _log.warning("lease_kept", transaction=transaction_id, error=str(error))
    except Exception:
        # one bad job must not stop the others, whose turn comes before its lease ends and it is claimed again
        _log.exception("lease_kept", transaction=transaction_id)


async def put_off(store: Store, parts: LineParts, transaction_id: str, epoch: int) -> None:
    """As `let_go`; raises StoreUnavailable.

    Nothing of the transaction is read: that may be what failed. Who has claimed the job since goes on with it. It
    counts for the backoff, whatever the reason: a store may refuse what one transaction writes and take this.
    """

    async def unit_of_work(unit: WriteUnit) -> None:
        held = await unit.job(transaction_id)
        if held is None or held.epoch != epoch or held.lease_owner is None:
            return
        due_at = parts.tools.clock.now() + int(backoff_s(parts, held.tries) * SECOND)
        await unit.update_job(replace(held, lease_owner=None, lease_until=0, due_at=due_at, tries=held.tries + 1))

    await store.write(unit_of_work)
