"""What auditors ask of the record: entries, documents by any of their names, who asked what."""

from __future__ import annotations

from gateway.store.accesses import AccessReads
from gateway.store.api_uses import ApiUseReads
from gateway.store.archived_reads import ArchivedReads
from gateway.store.evidence_reads import EvidenceReads
from gateway.store.named_documents import NamedDocumentReads
from gateway.store.operational_views import OperationalViewReads
from gateway.store.progress_reads import ProgressReads


class LedgerReads(
    ArchivedReads,
    NamedDocumentReads,
    AccessReads,
    ApiUseReads,
    EvidenceReads,
    ProgressReads,
    OperationalViewReads,
):
    """All of it, on one reader."""
