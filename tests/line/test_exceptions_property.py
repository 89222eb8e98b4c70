"""Whatever people do, in whatever order: nothing is posted twice, and nothing ends otherwise than the ERP has it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.port import FoundDocument, Posting
from gateway.domain.identity import external_reference
from gateway.domain.queries import TransactionFilter
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import ENDS, Status
from gateway.errors import Problem
from tests.line.acts import ANN, BOB
from tests.line.dead_ends import EVERYTHING, approve, ask, by_hand, exceptions, named
from tests.line.rig import Rig, order
from tests.simulation.memory_store import memory_store

LONGEST_S = 100
LEASE_S = 15
"""Of the rig's systems: an execution outlives its sender by so long at most, a lease covers so long."""

ACTIONS = (
    "retry",
    "resubmit",
    "cancel",
    "name_newest",
    "name_oldest",
    "enter_by_hand",
    "undo_newest",
    "prove_ended",
    "it_runs_late",
    "it_never_runs",
    "a_moment",
    "a_minute",
    "an_hour",
    "two_days",
)
BEHAVIOURS = ("post", "lost_answer", "lost_call", "late", "reject", "busy", "twice", "other")


@dataclass
class World:
    """`pending`: what may yet be executed, and until when (µs). `by_hands`: numbers that people entered themselves.
    `settled`: transactions that were found posted by an earlier check."""

    rig: Rig
    pending: list[tuple[Posting, int]] = field(default_factory=list)
    by_hands: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    doubled_by_the_erp: bool = False

    async def dies(self) -> None:
        """Its sender is seen no more, while the call is under way."""
        rig = self.rig
        rig.legacy.gate = asyncio.Event()
        await rig.send(order())
        await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
        for task in list(rig.line._tasks):
            task.cancel()
        await asyncio.gather(*rig.line._tasks, return_exceptions=True)
        rig.legacy.gate = None
        self.pending.append((rig.legacy.seen[-1], rig.clock.micros + (LEASE_S + LONGEST_S) * 1_000_000))
        self.rig = await rig.another_process("prc_2")

    async def goes_on(self, seconds: float) -> None:
        """What is due is done. What outlived its sender is executed before its time is over, or never."""
        until = self.rig.clock.micros + int(seconds * 1_000_000)
        self.pending = [(posting, latest) for posting, latest in self.pending if latest > until]
        await self.rig.until(seconds)
        self._note_late()

    def _note_late(self) -> None:
        while self.rig.legacy.late:
            self.pending.append((self.rig.legacy.late.pop(), self.rig.clock.micros + (LONGEST_S - 5) * 1_000_000))

    async def does(self, action: str) -> None:
        book = self.rig.legacy.book
        match action:
            case "retry" | "resubmit" | "cancel":
                await self._moves(action)
            case "name_newest" | "name_oldest":
                if book:
                    await self._moves("mark_posted", **named(book[-1 if action == "name_newest" else 0]))
            case "enter_by_hand":
                if self.rig.legacy.seen:
                    self.by_hands.add(by_hand(self.rig, order()).number.document_number)
            case "undo_newest":
                if book:
                    self.rig.legacy._alter(book[-1].number, cancelled=True)
            case "prove_ended":
                self.rig.liveness.ended.add("prc_1")
            case "it_runs_late":
                for posting, _ in self.pending:
                    self.rig.legacy.post(posting)
                self.pending.clear()
            case "it_never_runs":
                self.pending.clear()
            case "a_moment":
                await self.goes_on(1.5)
            case "a_minute":
                await self.goes_on(60.0)
            case "an_hour":
                await self.goes_on(3_600.0)
            case "two_days":
                await self.goes_on(172_800.0)
        await self.rig.settle()
        self._note_late()

    async def _moves(self, move: str, **wanted: str) -> None:
        for one in await exceptions(self.rig, state="open"):
            more = {"document": order()} if move == "resubmit" else {}
            with contextlib.suppress(Problem):
                asked = await ask(self.rig, move, of=one, who=ANN, **wanted, **more)  # type: ignore[arg-type]
                if asked.move.state == "asked":
                    await approve(self.rig, asked, BOB)

    def stands(self, reference: str) -> list[FoundDocument]:
        """What our calls left in the book, and nobody has undone."""
        return [one for one in self.rig.legacy.book if one.external_reference == reference and not one.cancelled]

    async def transactions(self) -> list[TransactionRecord]:
        return list(await self.rig.store.reads.transactions(TransactionFilter(), EVERYTHING, 1_000, None))

    async def check(self) -> None:
        rig = self.rig
        ours = 0
        open_ones = {one.transaction_id for one in await exceptions(rig, state="open")}
        for record in await self.transactions():
            left = self.stands(external_reference(record.transaction_id, 1, "do"))
            ours += len(left)
            if record.status in {Status.REJECTED, Status.CANCELLED}:
                assert left == [], f"{record.status}, and it is in the ERP"
            if record.status is Status.POSTED:
                [there] = [one for one in rig.legacy.book if one.number.document_number == record.erp_document_number]
                assert record.transaction_id in self.settled or not there.cancelled, "posted, and it was undone before"
                self.settled.add(record.transaction_id)
                if record.erp_document_number in self.by_hands:
                    assert left == [], "posted by hand, and by us as well"
            if record.status is Status.IN_DOUBT:
                assert record.transaction_id in open_ones
            assert (record.exception_id is not None) == (record.transaction_id in open_ones)
        if not self.doubled_by_the_erp:
            assert ours <= 1, "posted twice"
        numbers_of = [one.erp_document_number for one in await self.transactions() if one.status is Status.POSTED]
        assert len(numbers_of) == len(set(numbers_of))


async def scenario(script: list[str], dies: bool, actions: list[str]) -> None:
    store = memory_store()
    try:
        world = World(await Rig.on(store))
        if dies:
            await world.dies()
        world.rig.legacy.script = list(script)
        world.doubled_by_the_erp = "twice" in script
        if not dies:
            await world.rig.send(order())
        await world.rig.settle()
        await world.check()
        for action in actions:
            await world.does(action)
            await world.check()
        for _ in range(5):
            await world.goes_on(200.0)
        await world.check()
        for record in await world.transactions():
            assert record.status in ENDS | {Status.IN_DOUBT}
    finally:
        await store.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@example(script=[], dies=True, actions=["an_hour", "enter_by_hand", "name_newest", "retry", "cancel"])
@example(script=[], dies=True, actions=["a_minute", "a_minute", "cancel", "it_runs_late"])
@example(script=[], dies=True, actions=["an_hour", "prove_ended", "retry", "a_minute", "cancel", "an_hour"])
@example(script=["twice"], dies=False, actions=["a_moment", "undo_newest", "cancel", "name_oldest", "retry"])
@example(script=["lost_answer"], dies=False, actions=["undo_newest", "a_moment", "retry", "an_hour", "cancel"])
@example(script=["late"], dies=False, actions=["a_moment", "cancel", "retry", "it_runs_late", "an_hour"])
@given(
    script=st.lists(st.sampled_from(BEHAVIOURS), max_size=4),
    dies=st.booleans(),
    actions=st.lists(st.sampled_from(ACTIONS), max_size=10),
)
def test_no_sequence_of_moves_posts_twice_or_ends_a_transaction_wrongly(
    script: list[str], dies: bool, actions: list[str]
) -> None:
    asyncio.run(scenario(script, dies, actions))
