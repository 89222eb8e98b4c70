"""Claiming: due jobs become this process's own for as long as a lease."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gateway.domain.lanes import Opening
from gateway.domain.records import JobRecord
from gateway.transactions.parts import SECOND, Tools
from gateway.transactions.ports import WriteUnit

CLAIM_LEASE_S = 120.0
"""Lease of a claimed job until its first dispatch sets its own."""
OWN_CALL_S = 1.0
"""How long a job rests that this process's own call still holds open."""


async def claim(
    unit: WriteUnit, tools: Tools, openings: Sequence[Opening], *, everywhere: bool, busy: Collection[str]
) -> Sequence[JobRecord]:
    """Claim due jobs for which there are places, within a unit of work.

    `everywhere`: also what was forgotten by processes that ended. `busy`: the transactions that this process works on;
    their jobs are given back.
    """
    now = tools.clock.now()
    if everywhere:
        await unit.revive_jobs(now)
    claimed = await unit.claim_jobs(tools.process_id, now, now + int(CLAIM_LEASE_S * SECOND), openings)
    # A process that stalled past its own lease may claim what its own call still holds open: that call ends first,
    # by its time limit, and the job comes round again, to this process or to another.
    own = [job for job in claimed if job.transaction_id in busy]
    for job in own:
        await unit.update_job(replace(job, lease_owner=None, lease_until=0, due_at=now + int(OWN_CALL_S * SECOND)))
    return [job for job in claimed if job not in own]
