"""The audit of the state: what the gateway does is as its entries tell, whatever it does; what differs is named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.errors import LogRefused
from gateway.ledger.state.audit import audit_state
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.recheck import StateRecheck
from gateway.store.store import Store, open_store
from tests.ledger.tampering_rows import without_guards
from tests.line.rig import Rig, invoice, order, payment
from tests.line.split import charge, split_rig
from tests.migrated import migrated_file


async def findings(rig: Rig) -> list[str]:
    return [str(one) for one in await audit_state(rig.store.reads, rig.parts.tools.commitment_key)]


@pytest.mark.parametrize("script", [[], ["reject"], ["lost_answer"], ["lost_call"]])
async def test_a_chain_is_as_its_entries_tell(store: Store, script: list[str]) -> None:
    rig = await Rig.on(store)
    rig.legacy.script = list(script)
    sent = await rig.send(order())
    await rig.settle()
    await rig.until(300.0)
    if (await rig.record(sent.transaction.transaction_id)).status == "posted":
        await rig.send(invoice(), "invoices")
        await rig.settle()
        paid = await rig.send(payment(), "payments")
        await rig.settle()
        await rig.reverse(paid.transaction.document_id, "payments")
        await rig.settle()
    assert await findings(rig) == []


@pytest.mark.parametrize("script", [[], ["reject"], ["post", "reject"], ["lost_answer"]])
async def test_legs_posted_and_undone_are_as_their_entries_tell(store: Store, script: list[str]) -> None:
    rig = await split_rig(store)
    rig.legacy.script = list(script)
    await rig.send(charge(), "journal_entries")
    await rig.settle()
    await rig.until(300.0)
    assert await findings(rig) == []


async def test_what_differs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    migrated_file(path)
    store = await open_store(f"sqlite:///{path}")
    rig = await Rig.on(store)
    sent = await rig.send(order())
    await rig.settle()
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        rows.execute("UPDATE transactions SET amount = '1.00'")
        rows.execute("UPDATE pins SET system_id = 'cloud-main'")
        rows.execute("UPDATE payloads SET body = NULL, erased_at = 1")
    transaction, lineage = sent.transaction.transaction_id, sent.transaction.lineage_id
    assert set(await findings(rig)) >= {
        f"{transaction}: amount is 1.00, and the ledger tells 168.00",
        f"{lineage}: pin is cloud-main, and the ledger tells legacy-main",
        f"{transaction}: payload is missing, and the ledger tells there, and never erased",
    }
    recheck = StateRecheck(store.reads, rig.parts.tools.commitment_key, 60.0, first_after_s=60.0)
    with pytest.raises(LogRefused, match="not as its ledger tells"):
        await recheck.at_start()
    assert await recheck.once() == 60.0
    assert recheck.findings
    await store.close()


@pytest.mark.parametrize("others", [0, 1])
async def test_times_of_checkpoints_are_told_and_refuse_no_start(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Finding("log_checkpoints, size 90", "kept_at", 5, "not before 9")
    found = [clocks, Finding("log_checkpoints, size 90", "note", "x", "y")][: 1 + others]

    async def audited(*_: object, **__: object) -> list[Finding]:
        return found

    monkeypatch.setattr("gateway.ledger.state.recheck.audit_state", audited)
    recheck = StateRecheck(object(), b"", 60.0, first_after_s=60.0)  # type: ignore[arg-type]
    if others:
        with pytest.raises(LogRefused, match="1 things"):
            await recheck.at_start()
    else:
        await recheck.at_start()
    assert recheck.findings == found
