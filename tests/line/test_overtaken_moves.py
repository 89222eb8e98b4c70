"""Of two who act on one exception, the slower one is told that nothing was done, why, and what to do now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.domain.queries import TransactionFilter
from gateway.domain.transaction import Status
from gateway.exceptions.asking import Moved, Wanted, approve_move, ask_move
from gateway.transactions.exceptions import open_stuck
from tests.line.acts import ANN, BOB
from tests.line.asking import refused
from tests.line.by_hand import audited
from tests.line.dead_ends import EVERYTHING, approve, ask, desk, exceptions, left_behind, named, the_one
from tests.line.rig import Rig, invoice, order


@dataclass
class Slow:
    """Reads of a desk, of which the first of a kind lets somebody else act before it answers."""

    reads: Any
    at: str
    meanwhile: Callable[[], Awaitable[Any]] | None

    def __getattr__(self, name: str) -> Any:
        read = getattr(self.reads, name)

        async def slowly(*asked: Any) -> Any:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                await meanwhile()
            return await read(*asked)

        return slowly if name == self.at else read


async def slowly(rig: Rig, move: str, at: str, meanwhile: Callable[[], Awaitable[Any]], **wanted: Any) -> Moved:
    """Ann asks for the move; between her asking and its doing, something else happens."""
    record = await the_one(rig)
    parts = replace(desk(rig), reads=Slow(rig.store.reads, at, meanwhile))  # type: ignore[arg-type]
    full = Wanted(move=move, reason="looked it up", **wanted)  # type: ignore[arg-type]
    return await ask_move(parts, ANN, EVERYTHING, record.exception_id, full, "ann's")


async def rejected(rig: Rig, body: dict[str, Any]) -> str:
    rig.legacy.script = ["reject"]
    return (await rig.send(body, idempotency_key="first", wait_s=5.0)).transaction.transaction_id


AT = pytest.mark.parametrize("at", ["exception_move", "payload"])
"""After the asking; and after the move was found approved, when it is about to be made."""


@AT
@pytest.mark.parametrize("move", ["retry", "cancel"])
async def test_somebody_else_was_quicker(rig: Rig, at: str, move: str) -> None:
    await rejected(rig, order())
    other = "cancel" if move == "retry" else "retry"
    problem = await refused(slowly(rig, move, at, lambda: ask(rig, other, who=BOB)))
    assert (problem.slug, problem.detail.startswith(f"{move} was not done: bob asked for {other} at ")) == (
        "stale",
        True,
    )
    assert problem.detail.endswith("and that is done")
    assert problem.remedy.startswith("read the exception again")
    [record] = await exceptions(rig)
    assert problem.extra.get("transactionId") == record.replaced_by
    moves = await rig.store.reads.exception_moves(record.exception_id)
    assert [(one.move, one.state) for one in moves] == [(other, "done"), (move, "replaced")]
    # and so is who asks again with the same key
    assert (await refused(slowly_again(rig, record.exception_id, move))).detail == problem.detail
    assert await audited(rig) == []


async def slowly_again(rig: Rig, exception_id: str, move: str) -> Moved:
    wanted = Wanted(move=move, reason="looked it up")  # type: ignore[arg-type]
    return await ask_move(desk(rig), ANN, EVERYTHING, exception_id, wanted, "ann's")


@AT
@pytest.mark.parametrize("move", ["retry", "resubmit", "cancel"])
async def test_its_source_was_quicker(rig: Rig, at: str, move: str) -> None:
    transaction_id = await rejected(rig, order())
    wanted = {"document": order(geography="DE")} if move == "resubmit" else {}
    corrected = order(requestedDeliveryDate="1996-09-01")
    meanwhile = lambda: rig.send(corrected, replaces=transaction_id, wait_s=5.0)  # noqa: E731
    problem = await refused(slowly(rig, move, at, meanwhile, **wanted))
    [record] = await exceptions(rig)
    assert problem.detail == f"{move} was not done: another document was sent in its place, as {record.replaced_by}"
    assert problem.extra["transactionId"] == record.replaced_by
    assert len(rig.legacy.book) == 1
    assert await audited(rig) == []


async def test_what_waits_for_a_second_person_was_not_done_by_an_end_that_came_by_itself(rig: Rig) -> None:
    rig.legacy.script = ["down"]
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["down"]
    record = (await rig.send(invoice(), "invoices")).transaction
    await rig.settle()
    await rig.store.write(lambda unit: open_stuck(unit, rig.parts, record.transaction_id, "waiting-long", "sweep"))
    asked = await ask(rig, "retry")
    assert asked.move.state == "asked"
    await rig.until(10.0)
    await rig.until(10.0)
    assert (await rig.record(record.transaction_id)).status is Status.POSTED
    problem = await refused(approve(rig, asked))
    assert problem.detail == "retry was not done: the transaction went on meanwhile (posted)"
    assert await audited(rig) == []


@AT
async def test_a_document_without_a_name_is_sent_again_once(rig: Rig, at: str) -> None:
    """Nothing but the exception ties the second one to the first."""
    body = order()
    del body["externalId"]
    await rejected(rig, body)
    problem = await refused(slowly(rig, "retry", at, lambda: ask(rig, "retry", who=BOB)))
    assert problem.slug == "stale"
    await rig.settle()
    assert len(rig.legacy.book) == 1


async def test_a_document_without_a_name_is_sent_once_though_both_looked_first(rig: Rig) -> None:
    """The slower one has seen that its move is asked for, and sends it after the other one did."""
    body = order()
    del body["externalId"]
    await rejected(rig, body)
    problem = await refused(slowly(rig, "retry", "transaction", lambda: ask(rig, "retry", who=BOB)))
    assert problem.detail.startswith("retry was not done: bob asked for retry at ")
    await rig.settle()
    sent = await rig.store.reads.transactions(TransactionFilter(), EVERYTHING, 10, None)
    assert [one.status for one in sent] in ([Status.POSTED, Status.REJECTED], [Status.REJECTED, Status.POSTED])
    assert len(rig.legacy.book) == 1
    assert await audited(rig) == []


async def test_an_approval_makes_nothing_that_was_asked_for_otherwise_meanwhile(rig: Rig) -> None:
    """It was found approved; what was asked for in its place waits for its own approval."""
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["reject"]
    await rig.send(invoice(), "invoices", wait_s=5.0)
    asked = await ask(rig, "retry")
    parts = replace(desk(rig), reads=Slow(rig.store.reads, "transaction", lambda: ask(rig, "cancel")))  # type: ignore[arg-type]
    approving = approve_move(parts, BOB, EVERYTHING, asked.exception.exception_id, asked.move.move_id)
    problem = await refused(approving)
    assert problem.detail.startswith("retry was not done: ann asked for cancel at ")
    assert problem.detail.endswith("and that is asked")
    assert (await the_one(rig)).state == "open"
    await rig.settle()
    assert len(rig.legacy.book) == 1
    assert await audited(rig) == []


async def test_the_slower_one_of_two_same_approvals_is_told_that_it_was_done(rig: Rig) -> None:
    heir, _ = await left_behind(rig, order(), posted=True)
    asked = await ask(heir, "mark_posted", **named(rig.legacy.book[0]))
    assert asked.move.state == "asked"
    parts = replace(desk(heir), reads=Slow(heir.store.reads, "payload", lambda: approve(heir, asked)))  # type: ignore[arg-type]
    approving = approve_move(parts, BOB, EVERYTHING, asked.exception.exception_id, asked.move.move_id)
    problem = await refused(approving)
    assert problem.slug == "stale"
    assert problem.detail == "mark_posted was done meanwhile, by the same approval or request given at the same time"
    assert problem.remedy.startswith("nothing to do")
    assert await audited(heir) == []
