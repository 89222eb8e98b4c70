"""Comparing the customers of documents and transactions with those that payloads name: erasures and holds go by them.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.domain.records import DocumentRecord, TransactionRecord
from gateway.ledger.state.findings import Finding
from gateway.store.named_customers import NamedCustomer

_FOLLOWS: Final = "journal_entries"
"""Names no customer, and has that of what it follows."""


def customer_findings(document: DocumentRecord, named: Mapping[str, NamedCustomer]) -> Iterator[Finding]:
    """`named`: by transaction that created a document, the customer that its payload names; none of erased ones."""
    said = named.get(document.transaction_id or "")
    if said is None or document.customer_id in said.document_ids:
        return
    yield _finding(document.document_id, document.customer_id, said)


def transaction_customer_findings(
    transactions: Iterable[TransactionRecord],
    documents: Iterable[DocumentRecord],
    named: Mapping[str, NamedCustomer],
) -> Iterator[Finding]:
    """Of whole lineages. What was accepted before transactions had a customer has none, and is of its document's."""
    records, by_id = list(transactions), {one.document_id: one for one in documents}
    told = {(one.lineage_id, one.customer_id) for one in by_id.values()}
    told |= {(one.lineage_id, one.customer_id) for one in records if one.domain != _FOLLOWS}
    for record in records:
        document = by_id.get(record.document_id)
        if record.domain == _FOLLOWS:
            if record.customer_id is not None and (record.lineage_id, record.customer_id) not in told:
                yield Finding(record.transaction_id, "customer_id", record.customer_id, "one of its lineage")
        elif record.operation != "create":
            # the document stood then, and was not sent again since
            if document is None or (document.transaction_id or "") > record.transaction_id:
                continue
            if record.customer_id not in {None, document.customer_id}:
                yield Finding(record.transaction_id, "customer_id", record.customer_id, document.customer_id)
        elif (said := named.get(record.transaction_id)) is not None:
            stored = record.customer_id
            if stored is None:
                if document is None:  # it joined another lineage
                    continue
                stored = document.customer_id
            if stored not in said.document_ids:
                yield _finding(record.transaction_id, record.customer_id, said)


def _finding(subject: str, stored: str | None, said: NamedCustomer) -> Finding:
    told = " or ".join(sorted(one or "nobody" for one in said.document_ids)) or "none that is known"
    return Finding(subject, "customer_id", stored, told)
