"""A hold that somebody took out of the database still keeps; an approval that somebody wrote into it erases nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.privacy import KeptFor, RetentionRule
from gateway.privacy import requests
from gateway.privacy.holds import WantedHold, lift_hold, set_hold
from gateway.privacy.requests import approve_erasure, carry_on, survey
from gateway.store.store import open_store
from tests.migrated import migrated_file
from tests.privacy.desk import ADA, BOB, VINET, Desk

TAKEN_AWAY = {
    "deleted": "DELETE FROM legal_holds",
    "lifted": "UPDATE legal_holds SET lifted_at = set_at, lifted_by = 'x', lifted_person = 'y'",
    "on another": "UPDATE legal_holds SET customer_id = NULL, lineage_id = 'lin_other'",
}

APPROVED_IN_THE_ROW = (
    "UPDATE erasures SET state = 'approved', approved_at = 1, approved_by = 'x', approved_person = 'y'"
)
APPROVED_FROM_NOTHING = (
    "INSERT INTO erasures SELECT 'era_1', customer_id, 'approved', payload_id, 1, 'x', 'y', 2, 'x', 'z', NULL, 0, 1"
    " FROM erasures"
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield await Desk.on(store)
    await store.close()


def _edit(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows, rows:
        assert rows.execute(statement).rowcount > 0


def _errors(logs: Any) -> list[Any]:
    return [one for one in logs if one["log_level"] == "error"]


@pytest.mark.parametrize("edit", TAKEN_AWAY)
@pytest.mark.parametrize("of_lineage", [False, True])
async def test_a_hold_that_was_taken_away_keeps(desk: Desk, tmp_path: Path, edit: str, of_lineage: bool) -> None:
    chain = await desk.chain(postingDate="2022-07-04")
    wanted = (
        WantedHold(reason="case 1", lineage_id=(await desk.rig.record(chain[0])).lineage_id)
        if of_lineage
        else WantedHold(reason="case 1", customer=VINET)
    )
    hold, _ = await set_hold(desk.parts, ADA, wanted, "hold-1")
    asked = await desk.erase()
    assert asked.state == "approved"
    _edit(tmp_path, TAKEN_AWAY[edit])
    desk.rules.append(RetentionRule(None, "FR", keep_days=10, erase_after_days=20))
    with capture_logs() as logs:
        assert await desk.retention.turn() == {"legal-hold": 3}
    assert await desk.bodies(chain) == [True] * 3
    # once for the erasure and once for what is due, and not for each transaction
    assert [(one["event"], one["holds"]) for one in _errors(logs)] == [
        ("erasing_refused_for_lost_holds", [hold.hold_id])
    ] * 2
    assert all("needs a person" in one["remedy"] for one in _errors(logs))
    standing = await desk.rig.store.reads.erasure(asked.erasure_id)
    assert standing == asked
    kept = (await survey(desk.parts, asked.customer_id)).kept
    assert {one.kept_for for one in kept} == {KeptFor.LEGAL_HOLD}
    assert await desk.audit() != []


async def test_once_the_row_is_back_it_can_be_lifted_and_the_erasure_goes_on(desk: Desk, tmp_path: Path) -> None:
    chain = await desk.chain()
    hold, _ = await set_hold(desk.parts, ADA, WantedHold(reason="case 1", customer=VINET), "hold-1")
    asked = await desk.erase()
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows, rows:
        rows.execute("CREATE TABLE back_up AS SELECT * FROM legal_holds")
    _edit(tmp_path, "DELETE FROM legal_holds")
    assert await desk.retention.turn() == {}
    _edit(tmp_path, "INSERT INTO legal_holds SELECT * FROM back_up")
    assert await desk.audit() == []
    await lift_hold(desk.parts, ADA, hold.hold_id, "it ended")
    await lift_hold(desk.parts, BOB, hold.hold_id, "yes")
    assert await desk.retention.turn() == {"erased": 3}
    assert await desk.bodies(chain) == [False] * 3
    done = await desk.rig.store.reads.erasure(asked.erasure_id)
    assert done is not None
    assert done.state == "finished"
    assert await desk.audit() == []


async def test_lifted_holds_and_one_of_another_lineage_keep_nothing(desk: Desk) -> None:
    chain = await desk.chain()
    (other, *others) = await desk.chain("99")
    for key in ("hold-1", "hold-2"):
        hold, _ = await set_hold(desk.parts, ADA, WantedHold(reason="case", customer=VINET), key)
        await lift_hold(desk.parts, ADA, hold.hold_id, "it ended")
        await lift_hold(desk.parts, BOB, hold.hold_id, "yes")
    lineage = (await desk.rig.record(other)).lineage_id
    await set_hold(desk.parts, ADA, WantedHold(reason="x", lineage_id=lineage), "hold-3")
    with capture_logs() as logs:
        done = await desk.erase()
    assert (done.state, done.erased) == ("approved", 3)
    assert await desk.bodies([*chain, other, *others]) == [False] * 3 + [True] * 3
    assert _errors(logs) == []
    assert await desk.audit() == []


@pytest.mark.parametrize("edit", [APPROVED_IN_THE_ROW, APPROVED_FROM_NOTHING])
async def test_an_approval_that_no_entry_tells_erases_nothing(desk: Desk, tmp_path: Path, edit: str) -> None:
    chain = await desk.chain()
    await desk.ask()
    _edit(tmp_path, edit)
    with capture_logs() as logs:
        assert await desk.retention.turn() == {}
    assert [one["event"] for one in _errors(logs)] == ["erasure_not_told_by_ledger"]
    assert await desk.bodies(chain) == [True] * 3
    (unfinished,) = await desk.rig.store.reads.unfinished_erasures("", 10)
    assert unfinished.state == "approved"


async def test_an_approval_for_another_customer_erases_nothing(desk: Desk, tmp_path: Path) -> None:
    chain = await desk.chain()
    await set_hold(desk.parts, ADA, WantedHold(reason="case", customer=VINET), "hold-1")
    asked = await desk.erase()
    _edit(tmp_path, "UPDATE erasures SET customer_id = 'doc_other'")
    with capture_logs() as logs:
        await approve_erasure(desk.parts, BOB, asked.erasure_id)
    assert [one["event"] for one in _errors(logs)] == ["erasure_not_told_by_ledger"]
    assert await desk.bodies(chain) == [True] * 3


async def test_what_went_is_counted_in_its_own_commit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    await desk.chain()
    asked = await desk.ask()
    with monkeypatch.context() as patched:
        patched.setattr(requests, "_finish", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await approve_erasure(desk.parts, BOB, asked.erasure_id)
    half = await desk.rig.store.reads.erasure(asked.erasure_id)
    assert half is not None
    assert (half.state, half.erased) == ("approved", 3)
    assert await desk.audit() == []
    assert (await carry_on(desk.parts, desk.rig.store, half, "x")).erased == 0
    done = await desk.rig.store.reads.erasure(asked.erasure_id)
    assert done is not None
    assert (done.state, done.erased) == ("finished", 3)
    assert await desk.audit() == []
