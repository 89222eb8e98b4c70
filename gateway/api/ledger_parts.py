"""What answers auditors' questions; handed in with the application's parts."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.access_log import AccessLog
from gateway.ledger.evidence.desk import EvidenceDesk
from gateway.store.ledger_reads import LedgerReads


@dataclass(frozen=True, slots=True)
class LedgerParts:
    """`origin`: the log's name. `evidence`: makes evidence packs; None where no key signs them."""

    reads: LedgerReads
    accesses: AccessLog
    origin: str
    evidence: EvidenceDesk | None = None
