"""Legs: the parts into which a document is split that lies in the books of several company codes or ERPs.

Each leg is a document of its own to its ERP, with its own facts, decision and pin; the transaction that they belong to
has none. They are kept with the transaction in the words of the wire, as they stand: what is planned never changes,
what became of it does. A leg holds no text of the document: what it posts is made again from the stored payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import Allocation, CanonicalDocument, DocumentHead, JournalEntry, JournalLine, Payment
from gateway.domain.records import StepRecord, TransactionRecord

MAX_LEGS: Final = 20
"""Parts of one document: each is a posting, one after the other, and none may wait for long."""


@dataclass(frozen=True, slots=True)
class ClearingLine:
    """A line that balances a leg, on an account that the leg of another book balances in turn.

    `partner_company_code`: whose book that is; that of the leg itself between two ERPs of one company code.
    """

    gl_account: str
    posting_side: str
    amount: str
    partner_company_code: str

    def as_wire(self) -> dict[str, Any]:
        """In wire words."""
        return {
            "glAccount": self.gl_account,
            "postingSide": self.posting_side,
            "amount": self.amount,
            "partnerCompanyCode": self.partner_company_code,
        }

    @classmethod
    def of_wire(cls, said: Mapping[str, Any]) -> ClearingLine:
        """From wire words."""
        return cls(said["glAccount"], said["postingSide"], said["amount"], said["partnerCompanyCode"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One part. `step`: its place in the order of posting, from 1.

    `lines`, `allocations`: which of the document's it takes, by index; `clearing`: the lines that are added.
    `references`: whether it follows what the document follows. `of_step`: of a reversal, the leg that it reverses.
    """

    step: int
    domain: str
    company_code: str
    currency_code: str
    amount: str
    business_unit: str
    system_id: str
    side: str
    stage: str
    table_version: str | None
    rule_row: str | None
    activation_number: int | None
    pinned: bool
    lines: tuple[int, ...] = ()
    allocations: tuple[int, ...] = ()
    clearing: tuple[ClearingLine, ...] = ()
    references: bool = False
    of_step: int | None = None

    def as_wire(self) -> dict[str, Any]:
        """The leg as planned, in wire words."""
        return {
            "step": self.step,
            "domain": self.domain,
            "companyCode": self.company_code,
            "currencyCode": self.currency_code,
            "amount": self.amount,
            "businessUnit": self.business_unit,
            "routedTo": {
                "systemId": self.system_id,
                "side": self.side,
                "stage": self.stage,
                "tableVersion": self.table_version,
                "row": self.rule_row,
                "activationNumber": self.activation_number,
                "pinned": self.pinned,
            },
            "lineIndexes": list(self.lines),
            "allocationIndexes": list(self.allocations),
            "clearing": [one.as_wire() for one in self.clearing],
            "followsReferences": self.references,
            "ofStep": self.of_step,
            "status": "planned",
            "erpReference": None,
            "erpNumber": None,
            "undo": None,
        }

    @classmethod
    def of_wire(cls, said: Mapping[str, Any]) -> Leg:
        """From wire words."""
        routed = said["routedTo"]
        return cls(
            step=said["step"],
            domain=said["domain"],
            company_code=said["companyCode"],
            currency_code=said["currencyCode"],
            amount=said["amount"],
            business_unit=said["businessUnit"],
            system_id=routed["systemId"],
            side=routed["side"],
            stage=routed["stage"],
            table_version=routed["tableVersion"],
            rule_row=routed["row"],
            activation_number=routed["activationNumber"],
            pinned=routed["pinned"],
            lines=tuple(said["lineIndexes"]),
            allocations=tuple(said["allocationIndexes"]),
            clearing=tuple(ClearingLine.of_wire(one) for one in said["clearing"]),
            references=said["followsReferences"],
            of_step=said["ofStep"],
        )

    @property
    def entry_members(self) -> Mapping[str, Any]:
        """What its `routed` entry says of it beside the decision."""
        return {"step": self.step, "clearing": [one.as_wire() for one in self.clearing] or None}

    @property
    def line_count(self) -> int:
        """How many lines it posts."""
        return len(self.lines) + len(self.clearing)


def planned(legs: Iterable[Leg]) -> str:
    """As they are kept before anything was done."""
    return json.dumps([one.as_wire() for one in legs], separators=(",", ":"))


def legs_of(record: TransactionRecord) -> tuple[Leg, ...]:
    """The transaction's legs in the order of posting; none where it is one posting."""
    return () if record.legs is None else tuple(Leg.of_wire(one) for one in json.loads(record.legs))


def leg_of(record: TransactionRecord, step: int) -> Leg:
    """The leg of that step."""
    return next(one for one in legs_of(record) if one.step == step)


def with_step(legs: str, step: StepRecord, planned_date: str | None) -> str:
    """The legs as kept, with how this step stands now. `planned_date`: the document's posting date."""
    shown: list[dict[str, Any]] = json.loads(legs)
    for leg in shown:
        if leg["step"] == step.step:
            stands = _stands(step)
            if step.direction == "do":
                leg.update(stands)
            else:
                moved = planned_date if step.posting_date != planned_date else None
                leg["undo"] = {**stands, "postingDate": step.posting_date, "movedFromPostingDate": moved}
    return json.dumps(shown, separators=(",", ":"))


def _stands(step: StepRecord) -> dict[str, Any]:
    number = None
    if step.document_number is not None:
        number = {
            "systemId": step.system_id,
            "documentType": step.document_type,
            "documentNumber": step.document_number,
        }
    return {"status": step.state, "erpReference": step.external_reference, "erpNumber": number}


def leg_document(document: CanonicalDocument, leg: Leg) -> CanonicalDocument:
    """What the leg posts: the same at every attempt and after any restart."""
    if isinstance(document, Payment) and leg.domain == Payment.domain:
        taken: Sequence[Allocation] = [document.allocations[index] for index in leg.allocations]
        return document.model_copy(update={"amount": Decimal(leg.amount), "allocations": tuple(taken)})
    if not isinstance(document, DocumentHead):
        raise TypeError(f"{document.domain} is not split")
    return _entry(document, leg)


def _entry(document: DocumentHead, leg: Leg) -> JournalEntry:
    entry = document if isinstance(document, JournalEntry) else None
    taken = [entry.lines[index] for index in leg.lines] if entry is not None else []
    # the head says it
    lines = [one.model_copy(update={"company_code": None, "currency_code": None}) for one in taken]
    number = max((one.line_number for one in lines), default=0)
    for offset, one in enumerate(leg.clearing, 1):
        lines.append(
            JournalLine(
                line_number=number + offset,
                gl_account=one.gl_account,
                posting_side="debit" if one.posting_side == "debit" else "credit",
                amount=Decimal(one.amount),
            )
        )
    follows = entry if leg.references else None
    return JournalEntry(
        external_id=document.external_id,
        business_unit=leg.business_unit,
        geography=document.geography,
        company_code=leg.company_code,
        customer_segment=document.customer_segment,
        posting_date=document.posting_date,
        currency_code=leg.currency_code,
        description=entry.description if entry is not None else "",
        order_reference=follows.order_reference if follows is not None else None,
        invoice_reference=follows.invoice_reference if follows is not None else None,
        payment_reference=follows.payment_reference if follows is not None else None,
        lines=tuple(lines),
    )


def undone_as(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """The legs of a reversal: those of the creation, newest first, each where it was posted."""
    return tuple(replace(one, step=place, of_step=one.step, pinned=True) for place, one in enumerate(reversed(legs), 1))
