"""What gates find in the record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyUsed:
    """A master that recent documents name and a system does not know. `document_id`: its canonical id, None where
    nobody knows the reference; `name`: how the document names it. `documents`: how many of them do."""

    document_id: str | None
    name: str
    documents: int


@dataclass(frozen=True, slots=True)
class NumbersSeen:
    """Numbers of one length that a system gave to documents of one type (in that system's words)."""

    system_id: str
    document_type: str
    length: int
    smallest: str
    largest: str
    numbers: int


@dataclass(frozen=True, slots=True)
class PostedDocument:
    """A document that the ledger says was posted. `amount`, `currency_code`: as the ERP confirmed them with the posting
    or the latest change, None where its answer did not say. `state`: whether it was undone since."""

    document_id: str
    state: str
    document_type: str
    document_number: str
    amount: str | None
    currency_code: str | None
