"""Comparing the roots of lineages with what the entries tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.domain.records import DocumentRecord, LineageRecord
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told import Told


def root_findings(
    lineage: LineageRecord, documents: Iterable[DocumentRecord], told: Iterable[Told]
) -> Iterator[Finding]:
    """A root that is none: neither created without following anything, nor imported. `documents`, `told`: of it alone.

    A document that is sent again may join the lineage of another one, so that its first has its root elsewhere.
    """
    roots = {one.document_id for one in documents if one.transaction_id is None}
    for one in told:
        body = one.accepted or {}
        if body.get("operation") == "create" and "parentTransactionId" not in body:
            roots.add(body["documentId"])
    if roots and lineage.root_document_id not in roots:
        yield Finding(lineage.lineage_id, "root_document_id", lineage.root_document_id, " or ".join(sorted(roots)))
