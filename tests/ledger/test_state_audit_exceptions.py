"""Rows of exceptions and moves that somebody edits in the database: each is an alarm."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.state.audit import audit_state
from gateway.store.store import open_store
from tests.ledger.tampering_rows import without_guards
from tests.line.acts import ANN, BOB
from tests.line.dead_ends import approve, ask, exceptions
from tests.line.rig import Rig, invoice, order
from tests.migrated import migrated_file
from tests.privacy.said_again import said_again

Findings = list[str]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """An invoice that the ERP refused twice, whose move took two persons, and an order that nobody has looked at."""
    url = migrated_file(tmp_path / "gateway.db")
    store = await open_store(url)
    rig = await Rig.on(store)
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["reject"]
    await rig.send(invoice(), "invoices", wait_s=5.0)
    await approve(rig, await ask(rig, "retry", who=ANN), who=BOB)
    await rig.settle()
    rig.legacy.script = ["reject"]
    await rig.send(order("10249"), wait_s=5.0)
    yield rig
    await store.close()


async def _findings(rig: Rig) -> Findings:
    return [str(one) for one in await audit_state(rig.store.reads, rig.parts.tools.commitment_key)]


def _edit(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement).rowcount > 0, statement


EDITS = {
    "closed in silence": (
        "UPDATE exceptions SET state = 'closed', outcome = 'cancel' WHERE state = 'open'",
        "state is",
    ),
    "another reason": ("UPDATE exceptions SET reason_code = 'in-doubt'", "reason_code is in-doubt"),
    "another amount": ("UPDATE exceptions SET amount = '1.00'", "amount is 1.00"),
    "gone": ("DELETE FROM exceptions WHERE state = 'open'", "the row is nothing"),
    "the transaction forgot": ("UPDATE transactions SET exception_id = NULL", "exception_id is nothing"),
    "another outcome": (
        "UPDATE exceptions SET outcome = 'mark_posted' WHERE state = 'closed'",
        "outcome is mark_posted",
    ),
    "the second person is the first": (
        "UPDATE exception_moves SET approved_person = asked_person WHERE approved_person IS NOT NULL",
        "approved_person is",
    ),
    "another move": ("UPDATE exception_moves SET move = 'cancel'", "move is cancel"),
    "the ERP never said so": (
        "UPDATE payloads SET body = CAST('{}' AS BLOB) WHERE payload_id IN (SELECT payload_id FROM exceptions)",
        "words is",
    ),
    "nobody gave a reason": (
        "UPDATE payloads SET body = NULL, erased_at = 1 WHERE payload_id IN (SELECT payload_id FROM exception_moves)",
        "words is missing",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_exception_is_an_alarm(rig: Rig, tmp_path: Path, edit: str) -> None:
    assert await _findings(rig) == []
    statement, told = EDITS[edit]
    _edit(tmp_path, statement)
    found = await _findings(rig)
    assert any(told in one for one in found), found


async def test_earlier_words_to_which_no_row_leads_are_an_alarm(tmp_path: Path) -> None:
    """Nothing could erase them."""
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    rig = await Rig.on(store)
    await said_again(rig)
    assert await _findings(rig) == []
    _edit(tmp_path, "DELETE FROM earlier_words WHERE payload_id = (SELECT min(payload_id) FROM earlier_words)")
    (told,) = await _findings(rig)
    assert "earlier words is missing" in told
    await store.close()


async def test_a_move_that_nobody_approved_is_an_alarm(rig: Rig, tmp_path: Path) -> None:
    rig.legacy.script = ["reject"]
    await rig.send(invoice("INV-2"), "invoices", wait_s=5.0)
    (open_one,) = await exceptions(rig, state="open", domain="invoices")
    assert (await ask(rig, "retry", of=open_one)).move.state == "asked"
    assert await _findings(rig) == []
    _edit(tmp_path, "UPDATE exception_moves SET state = 'approved' WHERE state = 'asked'")
    assert any("by nobody approved" in one for one in await _findings(rig))
