"""The shapes of the views of operations."""

from __future__ import annotations

from pydantic import Field

from gateway.api.answer_model import AnswerModel
from gateway.api.ledger_schemas import LedgerAnswered

_SHARE = r"^[01]\.[0-9]{4}$"
_MILLIS = "Milliseconds; null where nothing was measured. By nearest rank."


class ViewRowAnswer(AnswerModel):
    """A row; what the rows are not apart by is null."""

    month: str | None = Field(description="In which it was accepted, YYYY-MM of UTC.")
    domain: str | None
    business_unit: str | None
    geography: str | None
    side: str | None = Field(description="`legacy` or `cloud`; null too where it went to neither, or to both.")


class CycleTimeRow(ViewRowAnswer):
    """From the order's acceptance to the posting of a payment of its invoices; the month is that of the payment, all
    else is the order's."""

    paid_count: int = Field(description="Payments of orders; an order that is paid in parts counts with each.")
    median_ms: int | None = Field(description=_MILLIS)
    p95_ms: int | None = Field(description=_MILLIS)
    longest_ms: int | None = Field(description=_MILLIS)


class RecoveryTimeRow(ViewRowAnswer):
    """From the first failure to the posting, of the transaction or of what was sent in its place."""

    failed_count: int = Field(description="That were unknown, refused, compensated or not sent, once at least.")
    recovered_count: int = Field(description="Of these, how many are posted by now.")
    median_ms: int | None = Field(description=_MILLIS)
    p95_ms: int | None = Field(description=_MILLIS)
    longest_ms: int | None = Field(description=_MILLIS)


class CompleteTracesRow(ViewRowAnswer):
    """Each that is not complete is counted in one of the other three."""

    transaction_count: int
    complete_count: int = Field(description="From acceptance to end without a gap, every posting with its number.")
    not_ended_count: int = Field(description="Without a gap so far.")
    with_gap_count: int = Field(description="An entry is missing: an alarm.")
    without_number_count: int = Field(description="Posted, and the entry names no number of the ERP.")
    complete_share: str = Field(description="Of all, rounded down to four digits.", pattern=_SHARE)


class InvoiceAccuracyRow(ViewRowAnswer):
    """Of posted invoices; one may be counted in several of the other three."""

    invoice_count: int
    accurate_count: int = Field(description="Posted without a correction before or since.")
    undone_count: int = Field(description="Cancelled or reversed since.")
    credited_count: int = Field(description="Corrected by a credit note that stands.")
    refused_before_count: int = Field(description="Posted after an earlier attempt was refused.")
    accurate_share: str = Field(description="Of all, rounded down to four digits.", pattern=_SHARE)


class ApiUseRow(ViewRowAnswer):
    """Requests of a client that were accepted, by whatever way they came."""

    client: str
    source: str
    operation: str
    accepted_count: int
    posted_count: int
    failed_count: int = Field(description="Refused or compensated.")


class ApiRequestsRow(AnswerModel):
    """Requests of a client for an operation in a version of the API, whatever came of them."""

    month: str | None = Field(description="In which they came, YYYY-MM of UTC; null where rows are not apart by it.")
    client: str
    source: str
    api_version: str = Field(description="The version that was asked for, as in its path.", pattern=r"^v[0-9]+$")
    operation_id: str = Field(description="The operationId of this description, or of an earlier one.")
    answered_count: int = Field(description="With a status below 400.")
    refused_count: int = Field(description="With a status of 4xx.")
    failed_count: int = Field(description="With a status of 5xx.")
    broken_count: int = Field(description="Without a whole answer: the caller left, or the gateway broke it off.")


class ViewAnswered(LedgerAnswered):
    """What was asked: a period of time of acceptance, and what the rows are apart by."""

    accepted_from: str
    accepted_until: str
    group_by: list[str]
    archived_months: list[str] = Field(
        description="Months of the period whose entries are in archives. Their transactions are left out of "
        "`recovery-time` and `complete-traces`, which need the entries; the other views count them."
    )


class CycleTimeAnswer(ViewAnswered):
    """Order to cash."""

    items: list[CycleTimeRow]


class RecoveryTimeAnswer(ViewAnswered):
    """Time to recover."""

    items: list[RecoveryTimeRow]


class CompleteTracesAnswer(ViewAnswered):
    """Share of transactions with a complete trace."""

    items: list[CompleteTracesRow]


class InvoiceAccuracyAnswer(ViewAnswered):
    """Invoices that were posted without a correction."""

    items: list[InvoiceAccuracyRow]


class ApiUseAnswer(ViewAnswered):
    """Who uses the API for what."""

    items: list[ApiUseRow]
    requests: list[ApiRequestsRow] | None = Field(
        description="Every request with a good token, by caller and version, in whole hours. Requests belong to no "
        "slice: null where the filter, or the caller's data scope, names a part."
    )
