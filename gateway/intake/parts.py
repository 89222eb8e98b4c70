"""What documents in batches are taken in with."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.intake.ports import BatchReads, BatchStore
from gateway.transactions.commands import Submissions
from gateway.transactions.parts import Tools


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """`submissions`: the line, which accepts each document as if it had come alone."""

    store: BatchStore
    reads: BatchReads
    submissions: Submissions
    tools: Tools
