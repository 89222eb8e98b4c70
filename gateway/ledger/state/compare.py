"""Comparing stored rows with what the entries tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.canonical import MASTER_DOMAINS
from gateway.domain.identity import content_hash, key_commitment, payload_commitment
from gateway.domain.records import (
    CrossReferenceRecord,
    DocumentRecord,
    NaturalKeyRecord,
    PayloadRecord,
    TransactionRecord,
)
from gateway.domain.transaction import FAILED_ENDS
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.legs import leg_findings
from gateway.ledger.state.told import Number, Told

_FACTS: Final[Mapping[str, str]] = {
    "domain": "domain",
    "operation": "operation",
    "businessUnit": "business_unit",
    "geography": "geography",
    "companyCode": "company_code",
    "documentType": "document_type",
    "amount": "amount",
    "currencyCode": "currency_code",
    "postingDate": "posting_date",
}
"""Deciding facts and the column that repeats each."""
_ACCEPTED: Final[Mapping[str, str]] = {
    "actor": "client",
    "documentId": "document_id",
    "domain": "domain",
    "operation": "operation",
    "lineageId": "lineage_id",
    "parentTransactionId": "parent_transaction_id",
}
_IMPORTED: Final = (0, 1)
"""What an import adds to a master's version."""
_FAILED: Final = frozenset(status.value for status in FAILED_ENDS)
_UNDONE: Final[Mapping[str, str]] = {"cancel": "cancelled", "reverse": "reversed"}


def transaction_findings(record: TransactionRecord, told: Told, commitment_key: bytes | None) -> Iterator[Finding]:
    """What a transaction's row says otherwise than its entries. `commitment_key` opens the names in them."""
    subject = record.transaction_id
    if told.accepted is None:
        yield Finding(subject, "the row", "there", None)
        return
    yield from told.columns
    if not told.seqs_run:
        yield Finding(subject, "the sequence of its entries", "broken", "1, 2, 3, …")
    yield from unlike(subject, "entry_count", record.entry_count, told.entries)
    yield from unlike(subject, "status", record.status.value, told.status)
    for member, column in _ACCEPTED.items():
        yield from unlike(subject, column, getattr(record, column), told.accepted.get(member))
    if "traceId" in told.accepted:  # records of before it was told have none
        yield from unlike(subject, "trace_id", record.trace_id, told.accepted["traceId"])
    if commitment_key is not None and record.external_id is not None and "keyHash" in told.accepted:
        hashed = key_commitment(commitment_key, record.source, record.domain, record.external_id)
        yield from unlike(subject, "source and external_id (committed)", hashed, told.accepted["keyHash"])
    yield from unlike(subject, "erp_document_type", record.erp_document_type, told.document_type)
    yield from unlike(subject, "erp_document_number", record.erp_document_number, told.document_number)
    if told.routed is not None:
        yield from _decision_findings(record, told.routed)
    if told.legs or record.legs is not None:
        yield from leg_findings(record, told)


def _decision_findings(record: TransactionRecord, routed: Mapping[str, Any]) -> Iterator[Finding]:
    subject, rule = record.transaction_id, routed.get("rule", {})
    for what, stored, said in (
        ("system_id", record.system_id, routed.get("systemId")),
        ("stage", record.stage, routed.get("stage")),
        ("table_version", record.table_version, rule.get("tableVersion")),
        ("rule_row", record.rule_row, rule.get("row")),
        ("activation_number", record.activation_number, rule.get("activationNumber")),
        ("pinned", record.pinned, routed.get("pinned")),
    ):
        yield from unlike(subject, what, stored, said)
    facts = routed.get("facts", {})
    for member, column in _FACTS.items():
        if member in facts:  # a fact that did not decide is not in the entry
            yield from unlike(subject, column, getattr(record, column), facts[member])


def payload_findings(record: TransactionRecord, payload: PayloadRecord | None, told: Told) -> Iterator[Finding]:
    """A payload that is not the one that was accepted, or that is gone without an entry `erased`."""
    hashed = (told.accepted or {}).get("payloadHash")
    if hashed is None:
        return
    if payload is None or payload.body is None:
        if hashed not in told.erased:
            yield Finding(record.transaction_id, "payload", "missing", "there, and never erased")
        return
    if hashed in told.erased:
        yield Finding(record.transaction_id, "payload", "there", "erased")
    yield from unlike(record.transaction_id, "payload", payload_commitment(payload.salt, payload.body), hashed)
    if record.operation == "create":
        yield from unlike(record.transaction_id, "content_hash", record.content_hash, content_hash(payload.body))


@dataclass(frozen=True, slots=True)
class Adopted:
    """An `adopted` entry: the document's number in its old and in its new system."""

    at: int
    lineage_id: str
    old: Number
    new: Number

    @classmethod
    def by(cls, body: Mapping[str, Any]) -> Adopted:
        """Read the entry."""
        return cls(body["at"], body["lineageId"], _number(body, "old"), _number(body, "new"))


def _number(body: Mapping[str, Any], which: str) -> Number:
    said = body[which]
    return Number(body["documentId"], said["systemId"], said["documentType"], said["documentNumber"])


def number_findings(
    document: DocumentRecord,
    stored: Sequence[CrossReferenceRecord],
    told: Iterable[Number],
    adopted: Iterable[Adopted],
) -> Iterator[Finding]:
    """Numbers of a document that no entry tells, that are missing, or that count as something else."""
    ended = {_name(one.old) for one in adopted}
    wanted = {_name(number): _standing(number.mirror, number.ended or _name(number) in ended) for number in told}
    wanted |= {_name(one.new): "in force" for one in adopted}
    found = {(one.system_id, one.document_type, one.document_number): _stands(one) for one in stored}
    # a master's numbers may have been imported, which no entry tells
    for name in sorted(wanted.keys() | (found.keys() if document.domain not in MASTER_DOMAINS else ())):
        what = f"the number {' '.join(name)}"
        yield from unlike(document.document_id, what, found.get(name), wanted.get(name))


def _name(number: Number) -> tuple[str, str, str]:
    return (number.system_id, number.document_type, number.document_number)


def _standing(mirror: bool, ended: bool) -> str:
    if mirror:
        return "of its mirror"
    return "ended" if ended else "in force"


def _stands(record: CrossReferenceRecord) -> str:
    return _standing(record.is_mirror, record.valid_until is not None)


def document_findings(
    document: DocumentRecord, transactions: Sequence[TransactionRecord], told: Mapping[str, Told]
) -> Iterator[Finding]:
    """How a document stands, after what its transactions' entries tell. `transactions`: all of it, by id."""
    version, state, content, came_to_be, called_off = 0, "active", None, True, 0
    creations: list[tuple[TransactionRecord, Told]] = []
    for record, entries, operation in _in_turn(transactions, told):
        if operation == "create":
            # of several attempts, the newest is the document's
            content, version, state = record, version + 1, "active"
            creations.append((record, entries))
            came_to_be = entries.status not in _FAILED
            called_off += entries.status == "cancelled"
        elif entries.status == "posted":
            version += 1
            state = _UNDONE.get(operation, state)
            content = record if operation == "change" else content
    yield from _creation_findings(document, creations)
    if content is None:
        return
    if came_to_be:  # how a document stands that no ERP has is a matter of words
        yield from unlike(document.document_id, "state", document.state, state)
        more = document.version - version
        imported = document.domain in MASTER_DOMAINS and more in _IMPORTED
        # what is called off before it was sent says so in a version of its own, and may be sent again
        if not imported and not 0 <= more <= called_off:
            yield from unlike(document.document_id, "version", document.version, version)
    for column in ("payload_id", "company_code", "document_type", "currency_code", "amount", "posting_date"):
        yield from unlike(document.document_id, column, getattr(document, column), getattr(content, column))
    for column in ("domain", "source", "external_id", "business_unit", "geography", "lineage_id"):
        yield from unlike(document.document_id, column, getattr(document, column), getattr(content, column))


def _creation_findings(
    document: DocumentRecord, creations: Sequence[tuple[TransactionRecord, Told]]
) -> Iterator[Finding]:
    """Which transaction created a document last, and since when it is known. `creations`: in turn."""
    newest = creations[-1][0].transaction_id if creations else None
    yield from unlike(document.document_id, "transaction_id", document.transaction_id, newest)
    # a master may have been imported before it was created
    if creations and document.domain not in MASTER_DOMAINS:
        at = (creations[0][1].accepted or {}).get("at", document.created_at)
        yield from unlike_time(document.document_id, "created_at", document.created_at, at)


def _in_turn(
    transactions: Sequence[TransactionRecord], told: Mapping[str, Told]
) -> Iterator[tuple[TransactionRecord, Told, str]]:
    """What was done to a document, each with its entries and its operation, in the order in which it was done.

    An id is drawn before the commit, by any process: what was done to a version may have an older id than what made it.
    So each operation comes after the creation of the version that it says it was done to.
    """
    creates: list[tuple[TransactionRecord, Told, str]] = []
    others: list[tuple[int, tuple[TransactionRecord, Told, str]]] = []
    for record in transactions:
        entries = told.get(record.transaction_id)
        if entries is None or entries.accepted is None:
            continue
        one = (record, entries, entries.accepted["operation"])
        if one[2] == "create":
            creates.append(one)
        else:
            others.append((entries.accepted.get("documentVersion", 0), one))
    others.sort(key=lambda numbered: numbered[0])
    version = 0
    for one in creates:
        yield one
        version += 1
        while others and others[0][0] <= version:
            _, other = others.pop(0)
            yield other
            version += other[1].status == "posted"
    yield from (other for _, other in others)


def key_findings(
    document: DocumentRecord, key: NaturalKeyRecord | None, transactions: Sequence[TransactionRecord]
) -> Iterator[Finding]:
    """A natural key that is gone or leads elsewhere, by which the next request of that name would be posted again, or
    that takes another content for a repeat. `transactions`: all of the document."""
    if document.external_id is None:
        return
    yield from unlike(
        document.document_id, "natural key", key.document_id if key is not None else None, document.document_id
    )
    created = next((one for one in transactions if one.transaction_id == document.transaction_id), None)
    if key is not None and (created is not None or document.transaction_id is None):
        for column in ("transaction_id", "content_hash"):
            told = getattr(created, column) if created is not None else None
            yield from unlike(document.document_id, f"{column} of the natural key", getattr(key, column), told)
