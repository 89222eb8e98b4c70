"""Batches that were cut and that nobody sends again: their lines do not wait for ever.

What waits is refused as a document is whose parent is late on NATS. It is not looked at once more: with which scope its
sender may submit by now only a request of that sender tells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import structlog

from gateway.domain.batches import BatchLineRecord, BatchRecord
from gateway.errors import Problem
from gateway.intake.batch import PATH
from gateway.intake.lines import told
from gateway.intake.ports import BatchReads, BatchStore, BatchUnit, IntakeCounts
from gateway.store.errors import Fenced
from gateway.transactions.parts import SECOND, Tools

MOST: Final = 100
"""Batches of one look; the next one finds the others."""
_LINES: Final = 500
"""Lines that are refused in one commit."""

_log = structlog.get_logger(__name__)


class CutBatchReads(BatchReads, Protocol):
    """Finds them."""

    async def open_batches(self, before: int, most: int) -> Sequence[BatchRecord]:
        """Open, and not carried on since then (µs); the oldest first."""
        ...


class CutBatches:
    """Ends them `after_s` seconds after their last line was dealt with."""

    def __init__(
        self, store: BatchStore, reads: CutBatchReads, tools: Tools, counts: IntakeCounts, after_s: float
    ) -> None:
        self._store = store
        self._reads = reads
        self._tools = tools
        self._counts = counts
        self._after_s = after_s

    async def end(self) -> Sequence[str]:
        """Once; which were ended. Cut between its commits, the next look goes on. Raises StoreUnavailable."""
        before = self._tools.clock.now() - int(self._after_s * SECOND)
        found = await self._reads.open_batches(before, MOST)
        return [one.batch_id for one in found if await self._end(one)]

    async def _end(self, batch: BatchRecord) -> bool:
        """False where a request carries it on by now."""
        try:
            while page := await self._reads.waiting_batch_lines(batch.batch_id, 0, _LINES):
                # as it stands: until all lines are refused, it is found again
                await self._write(batch, [self._refused(one) for one in page])
            await self._write(replace(batch, state="cut", updated_at=self._tools.clock.now()), ())
        except Fenced:
            _log.info("batch_carried_on", batch=batch.batch_id)
            return False
        return True

    async def _write(self, batch: BatchRecord, refused: Sequence[BatchLineRecord]) -> None:
        async def unit(unit: BatchUnit) -> None:
            await unit.carry_batch_on(batch)
            if refused:
                await unit.decide_batch_lines(refused)

        await self._store.write(unit)
        if refused:
            self._counts.batch_lines({"refused": len(refused)})

    def _refused(self, line: BatchLineRecord) -> BatchLineRecord:
        problem = Problem(
            "unknown-reference",
            "A document that this one refers to was not known, and the batch was cut and not sent again in time.",
            remedy="Send this line again, alone or in another batch, together with what it refers to.",
        )
        body = told(problem, f"{PATH}/{line.batch_id}", "")
        text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
        return BatchLineRecord(line.batch_id, line.line_number, "refused", problem=text)
