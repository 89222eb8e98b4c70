"""What must be kept for now holds up neither the rest of an erasure nor other erasures, nor the end of one."""

from __future__ import annotations

from gateway.domain.privacy import ErasureRecord, RetentionRule
from gateway.domain.queries import DocumentName
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.requests import carry_on
from gateway.privacy.unfinished import Unfinished
from gateway.store.store import Store
from tests.line.documents import TO_CLOUD, customer
from tests.line.rig import invoice, order
from tests.privacy.desk import Desk

KEPT = RetentionRule("invoices", "World", 36_500, None, from_year_end=False)


async def _orders_behind_invoices(desk: Desk) -> tuple[list[str], str]:
    """Four invoices, which must be kept, and behind them an order, which may go; their transactions."""
    desk.rules.append(KEPT)
    made = []
    for body, domain in (
        (order("1"), "orders"),
        *((invoice(f"i{number}", "1"), "invoices") for number in range(4)),
        (order("2"), "orders"),
    ):
        sent = await desk.rig.send(body, domain)
        await desk.rig.settle()
        made.append(sent.transaction.transaction_id)
    return made[1:5], made[5]


async def _approved(desk: Desk, key: str, name: DocumentName | None = None) -> ErasureRecord:
    """One of which nothing was tried yet, as after the process of the approval was killed."""
    rules, desk.rules[:] = list(desk.rules), [RetentionRule(None, "World", 36_500, None, from_year_end=False)]
    found = await (desk.erase(key) if name is None else desk.erase(key, name))
    desk.rules[:] = rules
    assert (found.state, found.erased) == ("approved", 0)
    return found


async def test_what_is_kept_does_not_hold_up_what_lies_behind(store: Store) -> None:
    desk = await Desk.on(store)
    kept, last = await _orders_behind_invoices(desk)
    found = await _approved(desk, "key-1")
    unfinished = Unfinished(desk.parts, store, most=2, at_once=2)
    went = [await unfinished.turn() for _ in range(3)]
    assert went == [1, 0, 1]
    assert await desk.bodies([*kept, last]) == [True] * 4 + [False]
    left = await store.reads.erasure(found.erasure_id)
    assert left is not None
    assert (left.state, left.erased) == ("approved", 2)
    assert await desk.audit() == []


async def test_an_erasure_is_finished_only_if_nothing_of_the_whole_pass_was_kept(store: Store) -> None:
    desk = await Desk.on(store)
    await _orders_behind_invoices(desk)
    found = await _approved(desk, "key-1")
    unfinished = Unfinished(desk.parts, store, most=3, at_once=3)
    for _ in range(6):
        await unfinished.turn()
    standing = await store.reads.erasure(found.erasure_id)
    assert standing is not None
    assert standing.state == "approved"
    desk.rules.clear()
    for _ in range(3):
        await unfinished.turn()
    finished = await store.reads.erasure(found.erasure_id)
    assert finished is not None
    assert (finished.state, finished.erased) == ("finished", 6)


async def test_erasures_that_wait_do_not_hold_up_a_later_one(store: Store) -> None:
    desk = await Desk.on(store)
    await _orders_behind_invoices(desk)
    new = DocumentName("customers", source="salesforce", external_id="NEW")
    await desk.rig.send(customer(), "customers")
    await desk.rig.settle()
    sent = await desk.rig.send(order("9", customer={"externalId": "NEW"}, **TO_CLOUD))
    await desk.rig.settle()
    for key in ("key-1", "key-2"):
        await desk.erase(key)
    last = await _approved(desk, "key-3", new)
    unfinished = Unfinished(desk.parts, store, most=2, at_once=2)
    for _ in range(6):
        await unfinished.turn()
    assert await desk.bodies([sent.transaction.transaction_id]) == [False]
    done = await store.reads.erasure(last.erasure_id)
    assert done is not None
    assert done.state == "finished"


async def test_a_large_erasure_is_not_alone_in_a_turn(store: Store) -> None:
    desk = await Desk.on(store)
    kept, last = await _orders_behind_invoices(desk)
    found = [await _approved(desk, key) for key in ("key-1", "key-2")]
    assert await Unfinished(desk.parts, store, most=12, at_once=1).turn() == 2
    assert await desk.bodies([*kept, last]) == [True] * 4 + [False]
    counts = [await store.reads.erasure(one.erasure_id) for one in found]
    assert [one.erased for one in counts if one is not None] == [1, 1]


async def test_a_part_says_from_where_it_goes_on(store: Store) -> None:
    desk = await Desk.on(store)
    await _orders_behind_invoices(desk)
    found = await _approved(desk, "key-1")
    parts: PrivacyParts = desk.parts
    first = await carry_on(parts, store, found, "x", most=2)
    assert (first.erased, first.left, first.seen) == (1, 1, 2)
    assert first.next is not None
    rest = await carry_on(parts, store, found, "x", first.next)
    assert (rest.erased, rest.left, rest.seen, rest.next) == (1, 4, 4, None)
