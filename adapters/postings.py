"""What can be asked of an ERP that leaves something behind: a document made, changed, called off, undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from adapters.canonical import CanonicalDocument, ErpNumber


class Operation(StrEnum):
    """What is done to a document."""

    CREATE = "create"
    CHANGE = "change"
    CANCEL = "cancel"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Submission:
    """One document to be created.

    `external_reference`: 16 characters, constant over all attempts, carried in a field that the ERP can be searched
    by. `numbers`: what each document that this one refers to is called in this system, by the field that holds the
    reference (`customer`, `lines[0].product`, `orderReference`, `allocations[0].invoiceReference`, ...).
    """

    document: CanonicalDocument
    external_reference: str
    numbers: Mapping[str, ErpNumber] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The document's domain."""
        return self.document.domain

    @property
    def operation(self) -> Operation:
        """What it does."""
        return Operation.CREATE


@dataclass(frozen=True, slots=True)
class Change:
    """One document to be made to say something else.

    `original`: the document as it stands there now, with the reference under which it was *created*. `document`: as
    it shall stand, whole, with `numbers` for what it refers to. `external_reference` names this change; an ERP that
    has no field for it finds the change by the document's state.
    """

    number: ErpNumber
    original: Submission
    document: CanonicalDocument
    external_reference: str
    numbers: Mapping[str, ErpNumber] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The document's domain."""
        return self.document.domain

    @property
    def operation(self) -> Operation:
        """What it does."""
        return Operation.CHANGE


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One document to be called off before anything follows from it: nothing more is delivered or billed of it."""

    number: ErpNumber
    original: Submission
    external_reference: str
    reason: str = ""

    @property
    def domain(self) -> str:
        """The document's domain."""
        return self.original.domain

    @property
    def operation(self) -> Operation:
        """What it does."""
        return Operation.CANCEL


@dataclass(frozen=True, slots=True)
class Reversal:
    """One document to be undone by its mirror. `posting_date` as the mirror shall have it."""

    number: ErpNumber
    original: Submission
    external_reference: str
    posting_date: date
    reason: str = ""

    @property
    def domain(self) -> str:
        """The document's domain."""
        return self.original.domain

    @property
    def operation(self) -> Operation:
        """What it does."""
        return Operation.REVERSE


Posting = Submission | Change | Cancellation | Reversal
"""One call that leaves something behind."""
