"""How a document stands: whether it may be changed, undone, or followed now. Asked with the document's row held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.canonical import CanonicalDocument, Invoice
from gateway.domain.records import DocumentRecord, TransactionRecord
from gateway.domain.shown_state import shown_state
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.errors import FieldError, Problem
from gateway.transactions.links import LinkedDocument
from gateway.transactions.ports import WriteUnit

SHOWN: Final = 20
"""Follow-ups that a refusal lists."""
_SOON_S: Final = 2
_LATER_S: Final = 60
_MOVING: Final = frozenset({Status.ACCEPTED, Status.ROUTED, Status.DISPATCHED})
_UNDOING: Final = frozenset({"cancel", "reverse"})


def refuse_stale(document: DocumentRecord, if_match: str | None) -> None:
    """Raise Problem `stale` if the caller knows another version of the document than the one that stands."""
    if if_match is not None and if_match != document.etag:
        raise Problem(
            "stale",
            "the document is not what you read: it was changed, or its etag was never this one",
            remedy="read it again and repeat the request with its etag and a new Idempotency-Key",
            extra={"documentId": document.document_id, "etag": document.etag},
        )


def refuse_undone(document: DocumentRecord, created_by: TransactionRecord | None) -> None:
    """Raise Problem `document-closed` for a document that was undone, or whose creation left none."""
    why = ""
    if document.state != "active":
        why = f"it is {document.state}"
    elif created_by is not None and created_by.status in FAILED_ENDS:
        why = f"its creation ended as {created_by.status}, so that no system holds it"
    if why:
        raise Problem(
            "document-closed",
            f"nothing more can be done to the document: {why}",
            remedy="submit another document",
            extra={
                "documentId": document.document_id,
                "state": shown_state(document, None if created_by is None else created_by.status),
            },
        )


async def refuse_busy(unit: WriteUnit, document: DocumentRecord, created_by: TransactionRecord | None) -> None:
    """Raise Problem `document-busy` while its creation, or something else that is done to it, has not ended."""
    if created_by is not None and created_by.status is not Status.POSTED:
        raise _busy(created_by)
    if document.busy_with is not None:
        raise _busy((await unit.transactions([document.busy_with]))[document.busy_with])


def _busy(transaction: TransactionRecord) -> Problem:
    in_doubt = transaction.status is Status.IN_DOUBT
    return Problem(
        "document-busy",
        f"{transaction.operation} of the document is {transaction.status} and has not ended",
        remedy="operations must end that transaction first" if in_doubt else "wait for its end, then read the document",
        retry_after_s=_SOON_S if transaction.status in _MOVING else _LATER_S,
        extra={"busyWithTransactionId": transaction.transaction_id, "busyWithStatus": transaction.status.value},
    )


async def refuse_follow_ups(unit: WriteUnit, document: DocumentRecord) -> None:
    """Raise Problem `has-follow-ups` while documents follow it that are not undone themselves."""
    followers = await unit.followers(document.document_id)
    if followers:
        raise Problem(
            "has-follow-ups",
            f"{len(followers)} document(s) follow it, and would be left without it",
            remedy="reverse or cancel what follows it first",
            extra={
                "followUps": [
                    {"documentId": one.document_id, "domain": one.domain, "transactionId": one.transaction_id}
                    for one in followers[:SHOWN]
                ],
                "followUpCount": len(followers),
            },
        )


async def refuse_closed(unit: WriteUnit, document: CanonicalDocument, linked: Sequence[LinkedDocument]) -> None:
    """Raise Problem `lineage-closed` for what follows or renews an undone document, `document-busy` while that is
    under way.

    An invoice may relate to a contract that was cancelled: the final bill comes after the end, and what was billed
    beyond it is given back by a credit note. A contract carries no pin for them, so nothing of it is opened again.
    """
    bills = isinstance(document, Invoice)
    for one in linked:
        named, field = one.document, one.link.field
        if one.link.kind == "master" or (bills and one.link.kind == "relates"):
            continue
        if named.state != "active":
            raise Problem(
                "lineage-closed",
                f"{field} names a document that is {named.state}; nothing can follow it any more",
                remedy="refer to a document that stands",
                errors=(FieldError(field, f"is {named.state}", "refer to a document that stands"),),
            )
        if named.busy_with is not None:
            transaction = (await unit.transactions([named.busy_with]))[named.busy_with]
            if transaction.operation in _UNDOING:
                raise _busy(transaction)
