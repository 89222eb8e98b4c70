"""Comparing the customer of a document with the one that the payload names: erasures and holds go by it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.domain.records import DocumentRecord
from gateway.ledger.state.findings import Finding
from gateway.store.named_customers import NamedCustomer


def customer_findings(document: DocumentRecord, named: Mapping[str, NamedCustomer]) -> Iterator[Finding]:
    """`named`: by transaction that created a document, the customer that its payload names; none of erased ones."""
    said = named.get(document.transaction_id or "")
    if said is None or document.customer_id in said.document_ids:
        return
    told = " or ".join(sorted(one or "nobody" for one in said.document_ids)) or "none that is known"
    yield Finding(document.document_id, "customer_id", document.customer_id, told)
