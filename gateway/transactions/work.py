"""A transaction in hand: one write unit, its lease held, its row locked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.domain.legs import with_step
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.transactions.dispatch import LeaseLost
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit

ACTOR = "gateway"


@dataclass(slots=True)
class Work:
    """What every step under a lease needs. It lives as long as its unit. `ruled`: whether the rules were asked, so that
    the unit counts only if they are in force."""

    unit: WriteUnit
    parts: LineParts
    journal: Journal
    job: JobRecord
    ruled: bool = False

    @classmethod
    async def take(cls, unit: WriteUnit, parts: LineParts, transaction_id: str, epoch: int) -> Work:
        """Lock job and transaction, if the epoch is still ours. Raises LeaseLost: somebody else goes on."""
        job = await unit.job(transaction_id)
        if job is None or job.epoch != epoch:
            raise LeaseLost(f"epoch {epoch} of {transaction_id} is over")
        record = await unit.transaction(transaction_id)
        if record is None:
            raise LeaseLost(f"{transaction_id} is gone")
        return cls(unit, parts, Journal(parts.tools, record, ACTOR), job)

    @property
    def record(self) -> TransactionRecord:
        """The transaction as it stands after what was noted so far."""
        return self.journal.record

    @property
    def now(self) -> int:
        """µs."""
        return self.parts.tools.clock.now()

    async def save(self) -> TransactionRecord:
        """Write entries, events and the record into the unit."""
        record = await self.journal.flush(self.unit)
        await self.unit.update_transaction(record)
        return record

    async def put_back(
        self, *, due_at: int, tries: int, waiting_for: str | None = None, system_id: str | None = None
    ) -> None:
        """Give the lease back and look again at `due_at` (µs). `system_id`: where the job goes, if that has changed."""
        self.job = replace(
            self.job,
            due_at=due_at,
            lease_owner=None,
            lease_until=0,
            tries=tries,
            waiting_for=waiting_for,
            system_id=self.job.system_id if system_id is None else system_id,
        )
        await self.unit.update_job(self.job)

    def show(self, step: StepRecord) -> None:
        """Let the legs, if there are any, say how this step stands; before what is noted of it is announced."""
        legs = self.record.legs
        if legs is not None:
            self.journal.change(legs=with_step(legs, step, self.record.posting_date))

    async def keep_step(self, step: StepRecord) -> None:
        """Write how the step stands."""
        self.show(step)
        await self.unit.update_step(step)

    async def insert_step(self, step: StepRecord) -> None:
        """Write a step that is begun."""
        self.show(step)
        await self.unit.insert_step(step)

    async def keep(self, lease_until: int, system_id: str | None = None) -> None:
        """Hold the lease until then (µs), for a call. `system_id`: where it goes, if that has changed."""
        self.job = replace(
            self.job,
            lease_owner=self.parts.tools.process_id,
            lease_until=lease_until,
            waiting_for=None,
            system_id=self.job.system_id if system_id is None else system_id,
        )
        await self.unit.update_job(self.job)
