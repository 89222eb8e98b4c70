"""What is posted into a period that was tied out voids that: its control totals are no longer those that agreed.

Source: docs/rules.md, 'Periods'.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.domain.entries import EntryKind
from gateway.transactions.work import Work


async def void_tie_out(work: Work, company_code: str | None, posting_date: str | None) -> None:
    """In the commit of a posting into that company code's books for that ISO date.

    Which periods are tied out is known from the acts that the posting was accepted under; a period cannot be tied out
    while a transaction of it has not ended.
    """
    known = work.parts.rules.acts.tied_out_period(company_code, posting_date)
    if known is None:
        return
    period = await work.unit.period(known.company_code, known.period)
    if period is None or period.tie_out_id is None:
        return
    await work.unit.update_period(replace(period, tie_out_id=None, tie_out_voided_at=work.now))
    work.journal.act(
        EntryKind.TIE_OUT_VOIDED,
        {"companyCode": known.company_code, "period": known.period, "tieOutId": period.tie_out_id},
    )
