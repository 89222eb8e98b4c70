"""Records in wire words, where the domain does not have them already."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.domain.records import CrossReferenceRecord, DocumentRecord, EntryRecord, PinRecord, RelationRecord
from gateway.domain.shown_state import shown_state
from gateway.domain.transaction import Status
from gateway.domain.wire import document_url, instant, status_url
from gateway.ledger.lineage_tree import TreeNode


def document_summary(
    record: DocumentRecord, numbers: Iterable[CrossReferenceRecord], status: Status | None
) -> dict[str, Any]:
    """A document with the numbers that are its own among `numbers`. `status`: of the transaction that created it."""
    return {
        "documentId": record.document_id,
        "documentUrl": document_url(record.domain, record.document_id),
        "domain": record.domain,
        "source": record.source,
        "externalId": record.external_id,
        "lineageId": record.lineage_id,
        "transactionId": record.transaction_id,
        "statusUrl": None if record.transaction_id is None else status_url(record.transaction_id),
        "businessUnit": record.business_unit,
        "geography": record.geography,
        "companyCode": record.company_code,
        "documentType": record.document_type,
        "amount": record.amount,
        "currencyCode": record.currency_code,
        "postingDate": record.posting_date,
        "customerId": record.customer_id,
        "state": shown_state(record, status),
        "status": None if status is None else status.value,
        "version": record.version,
        "busyWithTransactionId": record.busy_with,
        "createdAt": instant(record.created_at),
        "erpNumbers": [erp_number(one) for one in numbers if one.document_id == record.document_id],
    }


def tree_node(node: TreeNode, status: Status | None) -> dict[str, Any]:
    """A document in its place in the tree of its lineage. `status`: of the transaction that created it."""
    return {
        "depth": node.depth,
        "parentDocumentId": node.parent,
        "alsoFollows": list(node.also_follows),
        "relatesTo": list(node.relates),
        "document": document_summary(node.document, node.numbers, status),
    }


def document_summaries(
    records: Sequence[DocumentRecord], numbers: Iterable[CrossReferenceRecord], statuses: Mapping[str, Status]
) -> list[dict[str, Any]]:
    """Several, each with its own numbers. `statuses`: by transaction id."""
    by_document: dict[str, list[CrossReferenceRecord]] = {}
    for one in numbers:
        by_document.setdefault(one.document_id, []).append(one)
    return [
        document_summary(record, by_document.get(record.document_id, ()), statuses.get(record.transaction_id or ""))
        for record in records
    ]


def erp_number(record: CrossReferenceRecord) -> dict[str, Any]:
    """What a document is called in one ERP."""
    return {
        "documentId": record.document_id,
        "systemId": record.system_id,
        "documentType": record.document_type,
        "documentNumber": record.document_number,
        "validFrom": instant(record.valid_from),
        "validUntil": None if record.valid_until is None else instant(record.valid_until),
        "mirror": record.is_mirror,
    }


def trace_entry(record: EntryRecord) -> dict[str, Any]:
    """A ledger entry with what a stranger needs to check its hash."""
    return {
        "trace": record.trace,
        "seq": record.seq,
        "kind": record.kind,
        "recordedAt": instant(record.at),
        "leafHash": record.leaf_hash.hex(),
        "hashedBytes": base64.b64encode(record.body).decode("ascii"),
        "entry": json.loads(record.body),
    }


def relation(record: RelationRecord) -> dict[str, Any]:
    """A link from one document to another."""
    return {
        "documentId": record.document_id,
        "field": record.field,
        "relation": record.kind,
        "targetDocumentId": record.target_document_id,
    }


def pin(record: PinRecord) -> dict[str, Any]:
    """The pin of a lineage."""
    return {
        "systemId": record.system_id,
        "side": record.side,
        "stage": record.stage,
        "row": record.rule_row,
        "tableVersion": record.table_version,
        "activationNumber": record.activation_number,
        "pinnedAt": instant(record.pinned_at),
    }
