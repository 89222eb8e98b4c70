"""Transactions are found by any system that they go to."""

from __future__ import annotations

from gateway.domain.queries import TransactionFilter, Visible
from gateway.store.store import Store
from tests.line.rig import order
from tests.line.split import charge, split_rig


async def test_a_split_transaction_is_listed_under_each_of_its_systems(store: Store) -> None:
    rig = await split_rig(store)
    split = (await rig.send(charge(), "journal_entries")).transaction.transaction_id
    await rig.settle()
    plain = (await rig.send(order())).transaction.transaction_id
    await rig.settle()

    async def listed(**where: str) -> list[str]:
        found = await store.reads.transactions(TransactionFilter(**where), Visible(), 10, None)
        return [one.transaction_id for one in found]

    assert (await rig.record(split)).system_id is None
    assert await listed(system_id="legacy-main") == [plain, split]
    assert await listed(system_id="cloud-main") == [split]
    for other in ("legacy_main", "cloud-mai", "gateway", "%"):
        assert await listed(system_id=other) == [], other
    assert await listed(system_id="cloud-main", domain="orders") == []
    assert await listed(system_id="legacy-main", erp_document_number=(await rig.record(plain)).erp_document_number) == [
        plain
    ]
