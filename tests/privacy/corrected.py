"""An order of one customer that the ERP refused, and that was sent again for another: one document, two payloads."""

from __future__ import annotations

import json

from gateway.domain.queries import DocumentName
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from tests.line.rig import order
from tests.privacy.desk import Desk

HANAR = DocumentName("customers", source="salesforce", external_id="HANAR")


async def know_hanar(desk: Desk) -> None:
    rows = [
        CrossReferenceRow("customers", "salesforce", "HANAR", system, "customer", "000901")
        for system in ("legacy-main", "cloud-main")
    ]
    await import_cross_references(desk.rig.store, desk.rig.parts.tools, desk.rig.rules.current, rows)


async def corrected(desk: Desk) -> tuple[str, str]:
    """The transaction that names VINET and was refused, and the one that names HANAR and was posted."""
    await know_hanar(desk)
    rig = desk.rig
    rig.legacy.script = ["reject"]
    first = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    second = (await rig.send(order(customer={"externalId": "HANAR"}), replaces=first)).transaction.transaction_id
    await rig.settle()
    before, after = await rig.record(first), await rig.record(second)
    assert (before.status, after.status) == ("rejected", "posted")
    assert before.document_id == after.document_id
    return first, second


async def named(desk: Desk, transaction_id: str) -> str | None:
    """The customer that its payload names; None once that is erased."""
    payload = await desk.rig.store.reads.payload((await desk.rig.record(transaction_id)).payload_id)
    if payload is None or payload.body is None:
        return None
    name: str = json.loads(payload.body)["customer"]["externalId"]
    return name
