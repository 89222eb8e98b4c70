"""A transaction in wire words: the same members in answers, lists, traces and events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from gateway.domain.identity import external_reference as reference_of
from gateway.domain.records import TransactionRecord
from gateway.domain.refusals import shown_refusal


def instant(micros: int) -> str:
    """RFC 3339 in UTC with microseconds: `2026-11-23T18:58:00.000001Z`."""
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    # many events tell of one second, and each tells several times
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def status_url(transaction_id: str) -> str:
    """Where the transaction can be read, relative to the gateway's address."""
    return f"/v1/transactions/{transaction_id}"


def document_url(domain: str, document_id: str) -> str:
    """Where the document can be read, relative to the gateway's address."""
    return f"/v1/{domain}/{document_id}"


def transaction_wire(
    record: TransactionRecord, *, external_reference: str | None = None, replayed: bool = False
) -> dict[str, Any]:
    """The transaction resource. Everything that a header of the answer carries is in it too.

    `external_reference`: of its first step, which follows from the transaction's id; left out, it is derived.
    """
    if external_reference is None and record.system_id is not None:
        external_reference = reference_of(record.transaction_id, 1, "do")
    routed = None
    if record.system_id is not None:
        routed = {
            "systemId": record.system_id,
            "side": record.side,
            "stage": record.stage,
            "tableVersion": record.table_version,
            "row": record.rule_row,
            "activationNumber": record.activation_number,
            "pinned": record.pinned,
        }
    number = None
    if record.erp_document_number is not None:
        number = {
            "systemId": record.system_id,
            "documentType": record.erp_document_type,
            "documentNumber": record.erp_document_number,
        }
    return {
        "transactionId": record.transaction_id,
        "status": record.status.value,
        "statusUrl": status_url(record.transaction_id),
        "traceId": record.trace_id,
        "lineageId": record.lineage_id,
        "documentId": record.document_id,
        "documentUrl": document_url(record.domain, record.document_id),
        "domain": record.domain,
        "operation": record.operation,
        "source": record.source,
        "externalId": record.external_id,
        "businessUnit": record.business_unit,
        "geography": record.geography,
        "companyCode": record.company_code,
        "documentType": record.document_type,
        "amount": record.amount,
        "currencyCode": record.currency_code,
        "postingDate": record.posting_date,
        "parentTransactionId": record.parent_transaction_id,
        "replaces": record.replaces,
        "routedTo": routed,
        "erpReference": external_reference,
        "erpNumber": number,
        "legs": json.loads(record.legs) if record.legs else None,
        "problem": shown_refusal(record.problem),
        "replayed": replayed,
        "retryAfterS": record.retry_after_s,
        "acceptedAt": instant(record.accepted_at),
        "updatedAt": instant(record.updated_at),
    }
