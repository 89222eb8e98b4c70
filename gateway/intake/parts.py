"""What documents in batches are taken in with."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.intake.ports import BatchReads, BatchStore, IntakeCounts
from gateway.transactions.commands import Submissions
from gateway.transactions.parts import Tools


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """`submissions`: the line, which accepts each document as if it had come alone. `counts`: what is told how
    many lines came to what."""

    store: BatchStore
    reads: BatchReads
    submissions: Submissions
    tools: Tools
    counts: IntakeCounts | None = None
