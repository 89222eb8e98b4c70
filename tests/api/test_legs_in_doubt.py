"""A plan of which a leg is in doubt: only what can be done about it is offered, and asked for by nobody in vain."""

from __future__ import annotations

from typing import Any

from tests.api.test_exceptions import office_of
from tests.line.split import charge, split_rig


async def test_a_leg_in_doubt_goes_on_by_retry_alone(store: Any) -> None:
    rig = await split_rig(store)
    rig.cloud.script = ["twice"]
    await rig.send(charge(), "journal_entries")
    await rig.settle()
    await rig.until(2.0)
    async with office_of(rig) as office:
        shown = await office.the_one()
        assert (shown["reasonCode"], shown["transactionStatus"]) == ("in-doubt", "in_doubt")
        assert shown["allowedMoves"] == ["retry"]
        number = rig.cloud.book[0].number
        wanted = {"move": "mark_posted", "reason": "It is there", "erpDocumentType": number.document_type}
        asked = await office.post(
            f"/{shown['exceptionId']}/moves", wanted | {"erpDocumentNumber": number.document_number}
        )
        assert (asked.status_code, asked.json()["code"]) == (422, "policy-check-failed")
        assert asked.json()["remedy"] == "allowed: retry"
        body = {"move": "cancel", "reason": "Nobody wants it", "filter": {"domain": "journal_entries"}}
        many = await office.post("/bulk-moves", body)
        assert many.json()["detail"] == "the filter meets no exception of which this move is allowed"
