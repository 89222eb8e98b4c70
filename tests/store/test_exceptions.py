"""Exceptions, moves and bulk moves on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.domain.exceptions import (
    BulkItemRecord,
    BulkRecord,
    EarlierWords,
    ExceptionFilter,
    ExceptionRecord,
    MoveRecord,
    OpenExceptions,
)
from gateway.domain.queries import Visible
from gateway.store.errors import AppendOnly, Fenced
from gateway.store.exceptions import EARLIER_WORDS
from gateway.store.statement import Command
from gateway.store.store import Store

EVERYTHING = Visible()


def one(number: int, **changes: object) -> ExceptionRecord:
    record = ExceptionRecord(
        exception_id=f"exc_{number:026d}",
        transaction_id=f"txn_{number:026d}",
        lineage_id="lin_1",
        domain="orders",
        operation="create",
        business_unit="Western",
        geography="US",
        system_id="cloud-main",
        company_code="NW01",
        currency_code="USD",
        amount="168.00",
        reason_code="in-doubt",
        cause="several-found",
        payload_id=None,
        state="open",
        opened_at=1_000 * number,
        updated_at=1_000 * number,
        owner_team="sales",
    )
    return replace(record, **changes)  # type: ignore[arg-type]


async def keep(store: Store, *records: ExceptionRecord) -> None:
    async def unit_of_work(unit):
        for record in records:
            await unit.insert_exception(record)

    await store.write(unit_of_work)


async def listed(store: Store, visible: Visible = EVERYTHING, **where: object) -> list[int]:
    found = await store.reads.exceptions(ExceptionFilter(**where), visible, 100, None)  # type: ignore[arg-type]
    return [int(record.exception_id[4:]) for record in found]


async def test_an_exception_comes_back_as_it_was_written_and_changed(store: Store):
    await keep(store, one(1))
    assert await store.reads.exception(one(1).exception_id, EVERYTHING) == one(1)
    closed = one(1, state="closed", closed_at=9, outcome="cancel", replaced_by="txn_2", move_id="mov_1", version=2)

    async def change(unit):
        assert await unit.exception(closed.exception_id) == one(1)
        await unit.update_exception(closed)

    await store.write(change)
    assert await store.reads.exception(closed.exception_id, EVERYTHING) == closed
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.update_exception(one(7)))


async def test_earlier_words_are_kept_and_only_grow(store: Store):
    """The database keeps them, whichever version of the program writes."""
    await keep(store, one(1), one(2, payload_id="pay_9"))
    for payload_id in ("pay_1", "pay_1", "pay_2", None, "pay_3", "pay_1", "pay_2"):
        await store.write(lambda unit, words=payload_id: unit.update_exception(one(1, payload_id=words)))
    kept = await store.write(lambda unit: unit._unit.all(EARLIER_WORDS.query(EARLIER_WORDS.selecting())))
    assert set(kept) == {EarlierWords(one(1).exception_id, f"pay_{number}") for number in (1, 2, 3)}
    for sql in ("DELETE FROM earlier_words", "UPDATE earlier_words SET payload_id = 'pay_2'"):
        with pytest.raises(AppendOnly):
            await store.write(lambda unit, sql=sql: unit._unit.run(Command(text(sql))))


async def test_lists_are_the_oldest_first_filtered_and_scoped(store: Store):
    await keep(
        store,
        one(2, domain="invoices", geography="FR", owner_person="p"),
        one(1),
        one(3, state="closed", reason_code="stuck", cause=None, system_id="legacy-main"),
    )
    assert await listed(store) == [1, 2, 3]
    assert await listed(store, state="open") == [1, 2]
    assert await listed(store, state="closed") == [3]
    assert await listed(store, domain="invoices", owner_person="p", geographies=frozenset({"FR"})) == [2]
    assert await listed(store, system_id="legacy-main", reason_code="stuck") == [3]
    assert await listed(store, opened_from=2_000, opened_until=3_000) == [2]
    assert await listed(store, business_units=frozenset()) == []
    assert await listed(store, Visible(geographies=frozenset({"FR"}))) == [2]
    assert await store.reads.exception(one(1).exception_id, Visible(business_units=frozenset({"Northern"}))) is None
    [second] = await store.reads.exceptions(ExceptionFilter(), EVERYTHING, 1, one(1).exception_id)
    assert second.exception_id == one(2).exception_id


async def test_open_ones_are_counted_by_reason_and_owner(store: Store):
    stuck = one(3, reason_code="stuck", owner_team="treasury")
    closed = one(4, state="closed", reason_code="undo-refused")
    await keep(store, one(1), one(2), stuck, closed, one(5, reason_code="stuck", owner_team="sales"))
    team = one(1).owner_team
    assert list(await store.reads.open_exceptions()) == [
        OpenExceptions("in-doubt", team, 2, 1_000),
        OpenExceptions("stuck", "sales", 1, 5_000),
        OpenExceptions("stuck", "treasury", 1, 3_000),
    ]


async def test_moves_of_one_are_the_newest_first(store: Store):
    moves = [
        MoveRecord(f"mov_{number}", one(1).exception_id, "retry", "asked", "pay_1", number, "console", "ann")
        for number in (1, 2)
    ]
    approved = replace(moves[1], state="done", approved_at=3, approved_by="c", approved_person="bob", result="posted")

    async def write(unit):
        for move in moves:
            await unit.insert_exception_move(move)
        assert await unit.exception_move("mov_2") == moves[1]
        assert await unit.exception_move("mov_9") is None
        await unit.update_exception_move(approved)

    await store.write(write)
    assert list(await store.reads.exception_moves(one(1).exception_id)) == [approved, moves[0]]
    assert await store.reads.exception_move("mov_2") == approved


async def test_a_bulk_move_is_dealt_with_item_by_item(store: Store):
    bulk = BulkRecord("blk_1", "retry", "d" * 64, 3, 1, "pay_1", 5, "console", "ann")
    items = [BulkItemRecord("blk_1", at, f"exc_{at}", 1) for at in range(3)]
    started = replace(bulk, started_at=6, started_by="console", started_person="bob")
    await store.write(lambda unit: unit.insert_bulk(bulk, items))

    async def deal(unit):
        assert await unit.bulk("blk_1") == bulk
        await unit.update_bulk(started)
        await unit.update_bulk_item(replace(items[0], result="done"))

    await store.write(deal)
    assert await store.reads.bulk("blk_1") == started
    assert list(await store.reads.due_bulk_items("blk_1", 1)) == items[1:2]
    assert sorted(await store.reads.bulk_tally("blk_1"), key=str) == [("done", 1), (None, 2)]
