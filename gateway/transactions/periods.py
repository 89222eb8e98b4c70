"""Closed periods: a posting date in one is refused, never moved.

Source: docs/rules.md, 'Periods'.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from adapters.canonical import CanonicalDocument, JournalEntry
from gateway.domain.acts import Acts
from gateway.errors import FieldError, Problem

CHECK: Final = "period_open"
"""What the policy check is called in its problem."""
POSTING_DATE: Final = "postingDate"
_REMEDY: Final = "post into an open period, or have the period reopened and send the same request again"


def refuse_closed_period(acts: Acts, document: CanonicalDocument, posting_date: date | None) -> None:
    """Raise Problem `policy-check-failed` for a posting date in a closed period of any company code concerned."""
    if posting_date is None or not acts.periods:
        return
    day = posting_date.isoformat()
    for field, company_code in company_codes_of(document):
        period = acts.closed_period(company_code, day)
        if period is not None:
            message = f"lies in period {period.period} of company code {company_code} ({field}), which is closed"
            raise Problem(
                "policy-check-failed",
                f"{POSTING_DATE} {day} {message}",
                remedy=_REMEDY,
                errors=(FieldError(POSTING_DATE, message, _REMEDY),),
                extra={"check": CHECK, "companyCode": company_code, "period": period.period},
            )


def company_codes_of(document: CanonicalDocument) -> Iterator[tuple[str, str]]:
    """The fields that name company codes, with the codes; each code once."""
    seen = {document.company_code} if document.company_code is not None else set()
    if document.company_code is not None:
        yield "companyCode", document.company_code
    for index, line in enumerate(document.lines if isinstance(document, JournalEntry) else ()):
        if line.company_code is not None and line.company_code not in seen:
            seen.add(line.company_code)
            yield f"lines[{index}].companyCode", line.company_code
