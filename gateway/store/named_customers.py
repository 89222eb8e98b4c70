"""Which customers the payloads of transactions name, looked up as they were when the documents were accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.records import CrossReferenceRecord, NaturalKeyRecord, PayloadRecord, TransactionRecord

_CUSTOMERS: Final = "customers"

Name = tuple[str, str, str]
"""Source, domain and external id."""
Number = tuple[str, str, str]
"""System, kind of document and number."""


@dataclass(frozen=True, slots=True)
class NamedCustomer:
    """The documents that the name of a payload's customer may mean; only None where the payload names no customer. A
    number may have been given on, so that it may mean several."""

    document_ids: frozenset[str | None]


@dataclass(slots=True)
class CustomerNames:
    """References to customers, by the transaction whose payload has them. `None`: the payload has none."""

    references: dict[str, tuple[str, Mapping[str, Any]] | None]

    @classmethod
    def of(cls, transactions: Sequence[TransactionRecord], payloads: Sequence[PayloadRecord]) -> CustomerNames:
        """Of all creations whose payload is there and can be read."""
        bodies = {one.payload_id: one.body for one in payloads}
        found: dict[str, tuple[str, Mapping[str, Any]] | None] = {}
        for record in transactions:
            body = bodies.get(record.payload_id)
            if record.operation != "create" or body is None:
                continue
            try:
                members = json.loads(body)
            except ValueError:  # the audit finds that its hash is another one
                continue
            said = members.get("customer") if isinstance(members, dict) else None
            found[record.transaction_id] = (record.source, said) if isinstance(said, dict) else None
        return cls(found)

    @property
    def names(self) -> set[Name]:
        """Natural keys to be looked up. An external id without a source is of the submitter's own."""
        return {_name(*one) for one in self.references.values() if one is not None and one[1].get("externalId")}

    @property
    def numbered(self) -> bool:
        """Whether one is named by its number in an ERP."""
        return any(one is not None and one[1].get("erpNumber") is not None for one in self.references.values())

    def resolve(
        self, keys: Sequence[NaturalKeyRecord], numbers: Sequence[CrossReferenceRecord]
    ) -> Mapping[str, NamedCustomer]:
        """`numbers`: of the customers that documents and transactions have."""
        by_name = {(one.source, one.domain, one.external_id): one.document_id for one in keys}
        by_number: dict[Number, set[str]] = {}
        for one in numbers:
            number = (one.system_id, one.document_type, one.document_number)
            by_number.setdefault(number, set()).add(one.document_id)
        found = {}
        for transaction_id, reference in self.references.items():
            meant: set[str | None] = {None} if reference is None else _meant(*reference, by_name, by_number)
            found[transaction_id] = NamedCustomer(frozenset(meant))
        return found


def _meant(
    source: str, said: Mapping[str, Any], by_name: Mapping[Name, str], by_number: Mapping[Number, set[str]]
) -> set[str | None]:
    if said.get("documentId") is not None:
        return {said["documentId"]}
    if said.get("externalId"):
        known = by_name.get(_name(source, said))
        return set() if known is None else {known}
    number = said.get("erpNumber") or {}
    named = (number.get("systemId", ""), number.get("documentType", ""), number.get("documentNumber", ""))
    return set(by_number.get(named, ()))


def _name(source: str, said: Mapping[str, Any]) -> Name:
    return (said.get("source") or source, _CUSTOMERS, said["externalId"])
