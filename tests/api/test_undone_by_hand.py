"""A person's way out of a refused undo, over HTTP: what is offered, what is refused, and what comes of it."""

from __future__ import annotations

from typing import Any

from tests.api.test_exceptions import office_of
from tests.line.by_hand import reverse, stuck
from tests.line.split import split_rig


async def test_a_leg_that_was_reversed_in_the_erp_is_named_and_the_document_can_be_sent_anew(store: Any) -> None:
    rig = await split_rig(store)
    transaction_id = await stuck(rig)
    async with office_of(rig) as office:
        shown = await office.the_one()
        assert (shown["reasonCode"], shown["transactionStatus"]) == ("undo-refused", "in_doubt")
        assert (shown["allowedMoves"], shown["secondPerson"]) == (["retry", "mark_posted"], ["retry", "mark_posted"])
        path = f"/{shown['exceptionId']}/moves"
        [leg] = rig.cloud.book
        wanted = {"move": "mark_posted", "reason": "Reversed by hand, the period was locked"}

        async def moved(kind: str, number: str) -> Any:
            body = wanted | {"erpDocumentType": kind, "erpDocumentNumber": number}
            asked = await office.post(path, body)
            assert (asked.status_code, asked.json()["move"]["state"]) == (202, "asked")
            return await office.post(f"{path}/{asked.json()['move']['moveId']}/approve", {}, "bob")

        bare = await office.post(path, wanted)
        assert [one["field"] for one in bare.json()["errors"]] == ["erpDocumentType", "erpDocumentNumber"]
        unknown = await moved(leg.number.document_type, "4711")
        assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-reference")
        early = await moved(leg.number.document_type, leg.number.document_number)
        assert (early.status_code, early.json()["code"]) == (422, "policy-check-failed")
        assert early.json()["errors"][0]["field"] == "erpDocumentNumber"
        assert early.json()["remedy"] == "name the document that reversed it"
        mirror = reverse(rig.cloud, leg)
        again = await office.post(path, {"move": "retry", "reason": "once more"})
        retried = await office.post(f"{path}/{again.json()['move']['moveId']}/approve", {}, "bob")
        assert retried.json()["remedy"] == f"mark_posted with {mirror.number.document_number}"

        done = await moved(mirror.number.document_type, mirror.number.document_number)
        assert (done.status_code, done.json()["move"]["state"]) == (200, "done")
        assert (done.json()["transactionStatus"], done.json()["reasonCode"]) == ("compensated", "rejected-by-erp")
        assert done.json()["allowedMoves"] == ["retry", "resubmit", "cancel"]
        # the refusal that is left is one ERP's, the number that was named is the other's
        assert (shown["systemId"], done.json()["systemId"]) == ("cloud-main", "legacy-main")
        assert done.json()["move"]["erpNumber"] == {
            "systemId": "cloud-main",
            "documentType": mirror.number.document_type,
            "documentNumber": mirror.number.document_number,
        }
        one = (await office.get(f"/{shown['exceptionId']}")).json()
        assert [(move["move"], move["state"]) for move in one["moves"]] == [
            ("mark_posted", "done"),
            ("retry", "refused"),
            ("mark_posted", "refused"),
            ("mark_posted", "refused"),
        ]
        headers = office.token("eve", "documents:read")
        transaction = (await office.http.get(f"/v1/transactions/{transaction_id}", headers=headers)).json()
        assert transaction["legs"][0]["undo"]["erpNumber"]["documentNumber"] == mirror.number.document_number
