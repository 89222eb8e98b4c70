"""What auditors are told of documents in legs: each leg by its company code and side, and no end before the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.indexed_entries import IndexedEntry, PlacedBody, indexed, is_end
from gateway.domain.queries import Visible
from gateway.ledger import entry_indexer
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.state.index import audit_index
from gateway.store.entry_index import ALL
from gateway.store.store import Store
from tests.api import auditing as made
from tests.api.auditing import Auditing, auditing
from tests.line.rig import Rig
from tests.line.split import charge, split_rig

EVERYONE = Visible()
NOVEMBER: dict[str, Any] = {"acceptedFrom": "2023-11-01T00:00:00Z", "acceptedUntil": "2023-12-01T00:00:00Z"}


class _SplitRig:
    @staticmethod
    async def on(store: Any, **how: Any) -> Rig:
        return await split_rig(store, **how)


@pytest.fixture
async def audit(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Auditing]:
    monkeypatch.setattr(made, "Rig", _SplitRig)
    async with auditing(store, tmp_path) as found:
        yield found


async def _open(audit: Auditing, **query: Any) -> list[str]:
    return [one["transactionId"] for one in (await audit.get("unended", **query))["items"]]


async def _differences(audit: Auditing) -> list[str]:
    return [str(one) for one in await audit_index(audit.rig.store.reads, 100)]


async def test_a_transaction_whose_first_leg_is_posted_has_not_ended(audit: Auditing) -> None:
    audit.rig.legacy.script = ["lost_call"]
    answer = await audit.rig.send(charge(), "journal_entries")
    await audit.rig.line.drain(30)
    await audit.catch_up()
    one = answer.transaction.transaction_id
    assert (await audit.rig.kinds(one))[-3:] == ["posted", "dispatched", "unknown"]
    assert await _open(audit) == [one]
    assert await _differences(audit) == []
    size = (await audit.get("unended"))["asOf"]["logSize"]
    for _ in range(6):
        await audit.rig.until(120)
    await audit.catch_up()
    assert await _open(audit) == []
    assert await _open(audit, logSize=str(size)) == [one]
    assert await _differences(audit) == []


async def test_at_each_entry_a_grown_index_tells_what_one_that_is_made_again_tells(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = audit.rig.store
    audit.rig.legacy.script = ["reject"]
    answer = await audit.rig.send(charge(), "journal_entries")
    await audit.rig.settle()
    await audit.catch_up()
    kinds = await audit.rig.kinds(answer.transaction.transaction_id)
    assert "compensating" in kinds
    assert kinds.count("posted") == 2  # a leg, and its undo
    await store.write(lambda unit: unit.empty_entry_index())
    monkeypatch.setattr(entry_indexer, "BATCH", 1)
    indexer, size = EntryIndexer(store), await store.ledger.log_size()
    ended: dict[int, bool] = {}
    while await indexer.turn():
        place = await store.ledger.indexed_size() - 1
        if place >= size - len(kinds) - 5:
            assert await _differences(audit) == []
            ended[place] = not await store.ledger.under_way(place + 1, EVERYONE, -1, 50)
    steps = await store.ledger.steps_of([answer.transaction.transaction_id])
    told = {one.kind: ended[one.log_index] for one in steps[answer.transaction.transaction_id] if one.log_index}
    assert told["compensated"]
    # Between a refusal and what follows it in the same commit nobody can tell yet.
    assert not [kind for kind in ("accepted", "dispatched", "posted", "compensating") if told[kind]]


async def test_each_leg_has_its_own_company_code_and_side(audit: Auditing) -> None:
    answer = await audit.rig.send(charge(), "journal_entries")
    await audit.rig.settle()
    await audit.catch_up()
    for company_code, system_id in (("NW01", "legacy-main"), ("NW02", "cloud-main")):
        where: dict[str, Any] = {"trace": answer.transaction.transaction_id, "companyCode": company_code}
        items = (await audit.get("entries", **where))["items"]
        of_leg = {one["kind"]: one["systemId"] for one in items if "step" in one["entry"]}
        assert of_leg == dict.fromkeys(("routed", "pinned", "dispatched", "posted"), system_id)
        (group,) = (await audit.get("summary", kind="posted", **where))["groups"]
        assert (group["entryCount"], [one["amount"] for one in group["sums"]]) == (1, ["50"])
    for side in ("legacy", "cloud"):
        (row,) = (await audit.get("views/complete-traces", domain="journal_entries", side=side, **NOVEMBER))["items"]
        assert (row["side"], row["transactionCount"]) == (None, 1)


async def test_an_index_of_an_earlier_rule_is_mended_where_it_lies(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = audit.rig.store
    audit.rig.legacy.script = ["lost_call"]
    answer = await audit.rig.send(charge(), "journal_entries")
    await audit.rig.line.drain(30)
    with monkeypatch.context() as earlier:
        earlier.setattr(entry_indexer, "indexed", _as_before)
        earlier.setattr(entry_indexer, "ends", lambda one: one.operation and one.kind in ("posted", "rejected"))
        earlier.setattr(entry_indexer, "goes_on", lambda one: one.operation and one.kind == "compensating")
        await audit.catch_up()
    assert await _open(audit) == []
    assert await _differences(audit) != []

    await store.write(lambda unit: unit.mend_entry_index(None, 0))  # as an earlier release left it
    assert await _differences(audit) == []  # not come to yet: no finding
    indexer = EntryIndexer(store)
    while await indexer.mend():
        pass
    assert await store.ledger.indexed_by_rule() == ALL
    assert await _differences(audit) == []
    assert await _open(audit) == [answer.transaction.transaction_id]
    assert (await audit.get("entries", companyCode="NW02"))["items"]
    assert not await EntryIndexer(store).mend()


def _as_before(entry: PlacedBody) -> IndexedEntry:
    return replace(indexed(entry), company_code=entry.company_code)


def test_what_an_erp_says_of_a_leg_or_an_undo_is_no_end() -> None:
    legs = '[{"step":1,"companyCode":"A"},{"step":2,"companyCode":"B"}]'
    assert not is_end("posted", b'{"step":1}', legs)
    assert is_end("posted", b'{"step":2}', legs)
    assert is_end("posted", b'{"step":1}', None)
    assert not is_end("posted", b'{"direction":"undo","step":1}', None)
    assert not is_end("rejected", b'{"direction":"undo","step":2}', legs)
    assert is_end("posted", b'{"step":1}', "no legs")
    assert is_end("compensated", None, legs)
    assert not is_end("dispatched", b"{}", legs)
