"""Masters have no pin: after their system of record was switched, what is done to them goes to the new one."""

from __future__ import annotations

from typing import Any

from adapters.canonical import DOMAINS
from adapters.port import Change, Submission
from gateway.cutover.activation import put_in_force
from gateway.domain.transaction import Status
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from tests.line.documents import customer
from tests.line.rig import Rig, sample_rulebook
from tests.line.test_operations import CUSTOMERS_TO_LEGACY


async def test_a_customer_born_in_legacy_is_changed_under_its_cloud_number_once_the_cloud_owns_it(store: Any) -> None:
    rig = await Rig.on(store, edits=CUSTOMERS_TO_LEGACY)
    created = (await rig.send(customer(), "customers", wait_s=5.0)).transaction
    assert (created.status, created.system_id) == (Status.POSTED, "legacy-main")
    # the second one there, so that its number is another than in legacy
    _, replica = (
        rig.cloud.post(Submission(DOMAINS["customers"].model_validate(customer(name)), name, {})).number
        for name in ("OTHER", "NEW")
    )
    assert replica.document_number != created.erp_document_number
    row = CrossReferenceRow("customers", "salesforce", "NEW", "cloud-main", "customer", replica.document_number)
    await import_cross_references(store, rig.parts.tools, rig.rules.current, [row])
    await put_in_force(store, rig.parts.tools, sample_rulebook({}), "test")
    record = (await rig.change(created.document_id, {"name": "Other name"}, "customers")).transaction
    assert (record.status, record.system_id, record.pinned) == (Status.POSTED, "cloud-main", False)
    assert isinstance(rig.cloud.seen[-1], Change)
    assert rig.cloud.seen[-1].number == replica
    assert rig.legacy.calls == 1, "its creation"
