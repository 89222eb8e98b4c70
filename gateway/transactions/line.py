"""The line: accept → route → plan → execute → resolve → settle, as its callers see it.

The call to an ERP runs in a task of its own: neither the caller's budget nor its disconnection cancels it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from gateway.domain.lanes import Opening
from gateway.domain.records import JobRecord, StepRecord, TransactionRecord
from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import CommitUnknown, Problem, StoreUnavailable
from gateway.transactions.accept import accept
from gateway.transactions.accept_many import accept_chunk, alone, chunks
from gateway.transactions.begin import Accepted
from gateway.transactions.claiming import claim
from gateway.transactions.closing import say_closed, write_to_send
from gateway.transactions.commands import (
    MAX_WAIT_S,
    Answer,
    Cancel,
    Change,
    Command,
    Create,
    DecisionView,
    Reverse,
    patience,
)
from gateway.transactions.completions import Completions
from gateway.transactions.dispatch import Dispatch, LeaseLost
from gateway.transactions.draft import Draft, OperationDraft
from gateway.transactions.explain import explain
from gateway.transactions.failed_jobs import let_go
from gateway.transactions.journal import first_reference
from gateway.transactions.operate import operate, refuse_unservable
from gateway.transactions.parts import ErpSystem, LineParts, RulesInForce
from gateway.transactions.places import Places
from gateway.transactions.ports import Store, WriteUnit
from gateway.transactions.process import Carried, give_back, process, run_dispatch
from gateway.transactions.queries import Reads
from gateway.transactions.rules import (
    NOT_LOADED_RETRY_S,
    FixedRules,
    RulesNotLoaded,
    RulesSource,
    with_rules_in_force,
)
from gateway.transactions.waiting import wait_for_rest
from routing_rules import Facts

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Line:
    """The gateway's main verb. `events_left` is called after every commit that left events to publish, `jobs_due`
    after one that made jobs of others due. `rules`: who holds the rules in force; without it those of `parts` stay."""

    def __init__(
        self,
        store: Store,
        reads: Reads,
        parts: LineParts,
        *,
        events_left: Callable[[], None],
        jobs_due: Callable[[], None],
        rules: RulesSource | None = None,
        callers: WaitingCallers = NOBODY,
    ) -> None:
        self._store = store
        self._reads = reads
        self._parts = parts
        self._rules = rules or FixedRules(parts.rules)
        self._events_left = events_left
        self._jobs_due = jobs_due
        self._callers = callers
        self._completions = Completions()
        self._places = Places(parts.limits.lanes)
        self._place_free: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._busy: set[str] = set()

    @property
    def systems(self) -> Mapping[str, ErpSystem]:
        """The connected ERPs."""
        return self._parts.systems

    @property
    def jobs_under_way(self) -> int:
        """Claimed jobs that this process carries on now."""
        return self._places.taken

    def when_place_is_free(self, tell: Callable[[], None]) -> None:
        """Who is told when a job ends in whose place another may be due."""
        self._place_free = tell

    async def submit(self, command: Create) -> Answer:
        """Accept the document durably, then wait for its end as long as the command says (at most 8 s).

        Raises Problem for what is refused; StoreUnavailable where nothing was accepted; CommitUnknown where nobody
        knows.
        """
        draft = Draft.of(command, self._parts)
        return await self._carried_out(partial(accept, command=command, draft=draft), command)

    async def accept_many(self, commands: Sequence[Create]) -> list[Answer | Problem]:
        """Accept documents, each as `submit` would, some hundred in one commit; answer i is that of command i.

        Nobody waits for their ends: workers send them. What is refused leaves nothing behind and does not concern the
        others. A document may refer to an earlier one of the list, or repeat it.

        Raises StoreUnavailable, CommitUnknown: what came before may be on record. Send the same again: what was
        accepted is answered.
        """
        answers: list[Answer | Problem] = []
        for chunk in chunks(commands):
            drawn = [(alone(one), Draft.of(one, self._parts)) for one in chunk]
            accepted = await self._under_rules(partial(self._accept_chunk, drawn))
            answers += [one if isinstance(one, Problem) else await self._answered(one, 0.0) for one in accepted]
        return answers

    async def _accept_chunk(
        self, drawn: Sequence[tuple[Create, Draft]], parts: LineParts
    ) -> Sequence[Accepted | Problem]:
        return await self._store.write(lambda unit: accept_chunk(unit, parts, drawn))

    async def change(self, command: Change) -> Answer:
        """Accept a change of a document, in the terms of `submit`."""
        return await self._operate(command)

    async def cancel(self, command: Cancel) -> Answer:
        """Accept the cancellation of a document, in the terms of `submit`.

        A document of which nothing was sent yet is called off at once: the answer is the transaction of its creation.
        """
        return await self._operate(command)

    async def reverse(self, command: Reverse) -> Answer:
        """Accept the reversal of a document, in the terms of `submit`."""
        return await self._operate(command)

    async def _operate(self, command: Change | Cancel | Reverse) -> Answer:
        draft = OperationDraft.of(command, self._parts)
        refuse_unservable(command, draft)
        return await self._carried_out(partial(operate, command=command, draft=draft), command)

    async def _carried_out(
        self, begin: Callable[[WriteUnit, LineParts], Awaitable[Accepted]], command: Command
    ) -> Answer:
        async def accepted(parts: LineParts) -> Accepted:
            return await write_to_send(self._store, lambda unit: begin(unit, parts), _sent_first, self._not_sent)

        with self._callers.one_more():
            return await self._answered(await self._under_rules(accepted), patience(command))

    async def _not_sent(self, step: StepRecord) -> None:
        """The caller is told at once that nobody knows; the word may take longer."""
        self._spawn(self._said_not_sent(step), self._tasks)

    async def _said_not_sent(self, step: StepRecord) -> None:
        await say_closed(self._store, self._parts.tools, step)
        await self._let_go(step.transaction_id, step.epoch)

    def _under(self, rules: RulesInForce) -> LineParts:
        """The parts with these rules."""
        if rules is not self._parts.rules:
            self._parts = replace(self._parts, rules=rules)
        return self._parts

    async def _under_rules(self, run: Callable[[LineParts], Awaitable[T]]) -> T:
        """Run with the parts as of what is in force."""
        return await with_rules_in_force(self._rules, lambda rules: run(self._under(rules)))

    async def _answered(self, accepted: Accepted, wait_s: float) -> Answer:
        """Send what is to be sent, tell who waits, and wait as long as the caller may. Raises the Problem that was
        committed with its cause."""
        record = accepted.record
        self._settled(Carried(record, accepted.woken_jobs))
        if accepted.refused is not None:
            raise accepted.refused
        if record.system_id is not None and not accepted.replayed:
            self._parts.metrics.decision(record.domain, record.system_id, record.stage or "")
        if accepted.dispatch is not None:
            self.send(accepted.dispatch)
        record = await wait_for_rest(self._completions, self._reads, record, min(wait_s, MAX_WAIT_S))
        return Answer(record, first_reference(record), accepted.replayed)

    def send(self, dispatch: Dispatch) -> None:
        """Send what was committed as dispatched, in a task of its own."""
        self._spawn(self._run(dispatch), self._tasks)

    async def answer(self, transaction: TransactionRecord) -> Answer:
        """A stored transaction as `submit` would have answered it."""
        return Answer(transaction, first_reference(transaction), replayed=False)

    def explain(self, facts: Facts) -> DecisionView:
        """How these facts would be routed now; nothing is posted."""
        return explain(self._under(self._rules.current), facts)

    async def work(self, most: int | None = None, *, everywhere: bool = True) -> int:
        """Claim due jobs for which there are places, and carry each on in its own task; how many were claimed.

        `most`: of each lane at each system. `everywhere`: also where the last look left nothing, and what was forgotten
        by processes that ended.
        """
        openings = self._places.openings(self._parts.systems, everywhere=everywhere, most=most)
        if not openings:
            return 0
        jobs = await self._claimed(openings, everywhere=everywhere)
        self._places.take(openings, jobs)
        for job in jobs:
            self._spawn(self._carry_on(job), self._jobs)
        return len(jobs)

    async def _claimed(self, openings: Sequence[Opening], *, everywhere: bool) -> Sequence[JobRecord]:
        jobs: Sequence[JobRecord] = ()

        async def unit_of_work(unit: WriteUnit) -> None:
            nonlocal jobs
            jobs = await claim(unit, self._parts.tools, openings, everywhere=everywhere, busy=self._busy)

        try:
            await self._store.write(unit_of_work)
        except CommitUnknown:
            for job in jobs:
                self._spawn(self._let_go(job.transaction_id, job.epoch), self._tasks)
            raise
        return jobs

    @property
    def busy_with(self) -> frozenset[str]:
        """The transactions that this process works on now."""
        return frozenset(self._busy)

    async def drain(self, limit_s: float) -> bool:
        """Let what is under way end, at most `limit_s` seconds; whether all of it did."""
        under_way = self._tasks | self._jobs
        if not under_way:
            return True
        _, pending = await asyncio.wait(under_way, timeout=limit_s)
        return not pending

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, Any], among: set[asyncio.Task[Any]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)

    async def _run(self, dispatch: Dispatch) -> None:
        transaction_id, epoch = dispatch.record.transaction_id, dispatch.lease.epoch
        self._busy.add(transaction_id)
        try:
            carried = await run_dispatch(self._store, self._parts, dispatch)
        except LeaseLost:
            _log.info("lease_lost", transaction=transaction_id)
            await self._let_go(transaction_id, epoch)
        except StoreUnavailable as error:
            # the outcome is not on record: the transaction is asked for, not sent again
            _log.warning("outcome_not_recorded", transaction=transaction_id, error=str(error))
            await self._let_go(transaction_id, epoch)
        except Exception:
            _log.exception("outcome_not_recorded", transaction=transaction_id)
            await self._let_go(transaction_id, epoch)
        else:
            self._settled(carried)
        finally:
            self._busy.discard(transaction_id)

    async def _carry_on(self, job: JobRecord) -> None:
        carried: Carried | None = None
        self._busy.add(job.transaction_id)
        try:
            carried = await self._carried(job)
            if carried is None:
                await self._let_go(job.transaction_id, job.epoch)
        except StoreUnavailable as error:
            _log.warning("job_put_off", transaction=job.transaction_id, error=str(error))
            await self._let_go(job.transaction_id, job.epoch)
        except Exception:
            _log.exception("job_failed", transaction=job.transaction_id)
            await self._let_go(job.transaction_id, job.epoch)
        finally:
            self._busy.discard(job.transaction_id)
            if self._places.give_back(job):
                self._place_free()
        if carried is not None:
            self._settled(carried)

    async def _carried(self, job: JobRecord) -> Carried | None:
        try:
            return await self._under_rules(lambda parts: process(self._store, parts, job))
        except RulesNotLoaded as failure:
            _log.warning("job_given_back", transaction=job.transaction_id, error=failure.why)
            await give_back(self._store, self._parts, job, NOT_LOADED_RETRY_S)
            return None

    async def _let_go(self, transaction_id: str, epoch: int) -> None:
        await let_go(self._store, self._parts, transaction_id, epoch)

    def _settled(self, carried: Carried) -> None:
        self._completions.tell(carried.record)
        self._events_left()
        if carried.woken_jobs:
            self._jobs_due()


def _sent_first(accepted: Accepted) -> StepRecord | None:
    return None if accepted.dispatch is None else accepted.dispatch.step
