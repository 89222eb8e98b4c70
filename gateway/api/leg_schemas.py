"""The shapes of legs: the parts of a document that lies in the books of several company codes or ERPs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.api.answer_model import AnswerModel


class LegRoutedTo(AnswerModel):
    """The system to which the leg belongs, and the rule that said so. `pinned`: its lineage was there already."""

    system_id: str
    side: str
    stage: str
    table_version: str | None
    row: str | None
    activation_number: int | None
    pinned: bool


class LegNumber(AnswerModel):
    """What the leg is called in its ERP."""

    system_id: str
    document_type: str | None
    document_number: str


class ClearingLineAnswer(AnswerModel):
    """A line that the gateway adds so that the leg balances."""

    gl_account: str
    posting_side: Literal["debit", "credit"]
    amount: str
    partner_company_code: str = Field(
        description="Whose book it is cleared with; the leg's own company code between two ERPs that keep it."
    )


class LegUndo(AnswerModel):
    """What takes the leg back after another one was refused."""

    status: str = Field(description="How it stands: dispatched, not_sent, unknown, posted, rejected.")
    erp_reference: str
    erp_number: LegNumber | None
    posting_date: str
    moved_from_posting_date: str | None = Field(
        description="The document's posting date, where its period had closed; null where the undo has it."
    )


class LegAnswer(AnswerModel):
    """One part of the document, a posting of its own."""

    step: int = Field(description="Its place in the order of posting, from 1.")
    domain: str
    company_code: str
    currency_code: str
    amount: str
    business_unit: str
    routed_to: LegRoutedTo = Field(description="The system to which the leg belongs, and why.")
    line_indexes: list[int] = Field(description="The lines of the document that it posts, counted from 0.")
    allocation_indexes: list[int] = Field(description="The allocations of the payment that it posts, counted from 0.")
    clearing: list[ClearingLineAnswer] = Field(description="The lines that the gateway adds so that it balances.")
    follows_references: bool = Field(description="Whether it names, in its ERP, what the document follows.")
    of_step: int | None = Field(description="Of a reversal: the step that it reverses.")
    status: str = Field(description="How it stands: planned, dispatched, not_sent, unknown, posted, rejected.")
    erp_reference: str | None
    erp_number: LegNumber | None
    undo: LegUndo | None = Field(description="What takes it back, if that was begun.")
