"""Brings requested activations into force, in every process: load aside, say so, and commit at the instant.

Loading, saying so and swapping are every process's own; preparing, judging and committing are the leader's.

1. *Load.* What was asked for is compiled beside what is in force; the heartbeat says which versions are loaded.
2. *Prepare.* When every live process has the version loaded, the leader records `activation_prepared`.
3. *Judge.* At the effective instant by the database's clock the leader claims the request and asks the gates.
4. *Commit.* With the activation lock held alone it checks that what the gates rested on still stands, and commits the
   next activation number, or `activation_failed` with the gates that failed (`gateway.cutover.activation_steps`).
5. *Swap.* Every process puts the loaded version in place when its next unit, or its next look, finds the new number.

A process that ends in between leaves nothing half done: each step is one commit, and another process goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from gateway.cutover.activation import Version
from gateway.cutover.activation_ports import ActivationReads, ActivationStore, ActivationUnit
from gateway.cutover.activation_steps import PREPARE_LIMIT_S, Judgement, Step, claim, commit, prepare
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.registry import GateVerdict
from gateway.cutover.heartbeats import BEAT_S, SECOND, beat
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.activations import ActivationRequest, ActivationState, Heartbeat, RulesState
from gateway.domain.leaders import ACTIVATIONS, Lead
from gateway.errors import StoreUnavailable
from gateway.transactions.parts import Tools
from gateway.transactions.rules import RulesNotLoaded
from routing_rules import TooManyCells, differences

_log = structlog.get_logger(__name__)

IDLE_POLL_S: Final = 1.0
"""How often a process looks whether something is asked for, or came into force that none of its accepts met."""
BUSY_POLL_S: Final = 0.2
"""The same while something waits to be prepared or is nearly due."""
NEARLY_S: Final = 2.0
MAX_JUDGED: Final = 3
"""Times that the gates are asked because acts came between; then the next look goes on."""

Evaluate = Callable[[Candidate], Awaitable[Sequence[GateVerdict]]]
"""What all gates that the change must pass say of it."""
Settled = Callable[[ActivationUnit, ActivationRequest], Awaitable[None]]
"""Called in the commit that ends a request, with the request as it ends: for what must end with it (a draft)."""
Keep = Callable[[int, Version], None]
"""Keeps the version that is in force now where a process that cannot load another finds it. Raises OSError."""


async def _nothing_more(_unit: ActivationUnit, _request: ActivationRequest) -> None:
    """Nothing else ends with the request."""


def always() -> Lead:
    """The lead of a process that is alone."""
    lead = Lead(ACTIVATIONS)
    lead.epoch = 0
    return lead


class Activator:
    """One process's part in all activations; `run` is its task. `changed`: called when something came into force,
    so that events are published. `lead`: this process's lead of what one does for all, and `led` the record as its
    leader writes it; without them the process leads."""

    def __init__(
        self,
        store: ActivationStore,
        reads: ActivationReads,
        tools: Tools,
        holder: RulesHolder,
        evaluate: Evaluate,
        *,
        settled: Settled = _nothing_more,
        keep: Keep | None = None,
        changed: Callable[[], None] = lambda: None,
        prepare_limit_s: float = PREPARE_LIMIT_S,
        lead: Lead | None = None,
        led: ActivationStore | None = None,
    ) -> None:
        self._store = store
        self._lead = lead or always()
        self._led = led or store
        self._reads = reads
        self._tools = tools
        self._holder = holder
        self._evaluate = evaluate
        self._settled = settled
        self._keep = keep
        self._changed = changed
        self._prepare_limit = int(prepare_limit_s * SECOND)
        self._first_seen: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._said: Heartbeat | None = None
        self._kept = 0

    def wake(self) -> None:
        """Look now: something was asked for."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        while True:
            self._woken.clear()
            pause = IDLE_POLL_S
            try:
                pause = await self.look()
            except StoreUnavailable as error:
                _log.warning("activations_put_off", error=str(error))
            except Exception:
                # one request that cannot be handled must not end the task by which all others come into force
                _log.exception("activation_broken")
            try:
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def look(self) -> float:
        """Do what can be done now; the seconds until the next look. Raises StoreUnavailable."""
        await self._refresh()
        requests = await self._reads.open_activation_requests()
        for one in requests:
            await self._holder.prepare(one.version, one.rules, one.governance)
        self._holder.forget_all_but({one.version for one in requests})
        now = await self._reads.database_now()
        await self._beat(now, self._store)
        self._first_seen = {one.activation_id: self._first_seen.get(one.activation_id, now) for one in requests}
        for one in requests if self._lead.epoch is not None else ():
            ready = one.is_back or one.state is ActivationState.PREPARED or await self._prepare(one)
            overdue = self._give_up_at(one) <= now
            # one after the other: what is due later is judged over what came into force before it
            if one.effective_at <= now and (ready or overdue):
                await self._bring(one)
        pending = any(
            one.state is ActivationState.SCHEDULED or one.effective_at <= now + int(NEARLY_S * SECOND)
            for one in requests
        )
        return BUSY_POLL_S if pending else IDLE_POLL_S

    async def say(self, store: ActivationStore | None = None) -> None:
        """Say what this process has loaded, before it takes any work. `store`: the record as who starts writes it."""
        await self._beat(await self._reads.database_now(), store or self._store)

    async def leave(self) -> None:
        """The process ends: nobody waits for it any more."""
        process_id = self._tools.process_id
        await self._store.write(lambda unit: unit.delete_heartbeat(process_id))

    async def _refresh(self) -> None:
        try:
            await self._holder.refresh()
        except RulesNotLoaded:
            return  # logged where it happened; /health/ready shows it, and what is asked for may mend it
        current = self._holder.current
        if self._keep is None or current.activation_number == self._kept:
            return
        try:
            await asyncio.to_thread(self._keep, current.activation_number, Version.of(current.rulebook))
        except OSError as error:
            _log.warning("last_good_not_kept", error=str(error))
        self._kept = current.activation_number

    async def _beat(self, now: int, store: ActivationStore) -> None:
        said, holder = self._said, self._holder
        if said is not None and (
            (said.activation_number, said.acts_number) == (holder.current.activation_number, holder.current.acts_number)
            and said.prepared == " ".join(sorted(holder.prepared))
            and now - said.at < int(BEAT_S * SECOND)
        ):
            return
        self._said = await store.write(lambda unit: beat(unit, self._tools.process_id, holder))

    async def _prepare(self, request: ActivationRequest) -> bool:
        event_id = self._tools.ids.new("evt")
        prepared = await self._led.write(lambda unit: prepare(unit, self._tools, request.activation_id, event_id))
        if prepared:
            self._changed()
        return prepared

    def _give_up_at(self, request: ActivationRequest) -> int:
        return max(request.effective_at, self._first_seen[request.activation_id]) + self._prepare_limit

    async def _bring(self, request: ActivationRequest) -> None:
        """Judge and commit, if it is this process's to do."""
        process_id, activation_id = self._tools.process_id, request.activation_id
        claimed = await self._led.write(lambda unit: claim(unit, process_id, activation_id))
        if claimed is None:
            return
        ended, tries = None, MAX_JUDGED
        while tries > 0:
            step, ended = await self._commit(claimed, await self._judge(claimed))
            tries = tries - 1 if step is Step.JUDGE_AGAIN else 0
        if ended is not None:
            _log.info("activation_settled", activation=activation_id, state=ended.state, number=ended.activation_number)
            self._changed()
            await self._refresh()

    async def _judge(self, request: ActivationRequest) -> Judgement:
        await self._holder.refresh()
        held = self._holder.current
        since = await self._reads.database_now()
        rulebook = self._holder.rulebook_aside(request.version)
        if rulebook is None:
            why = self._holder.refused.get(request.version, "this process does not have it loaded")
            return _failing(held.state, since, "version_loaded", why)
        try:
            changes = await asyncio.to_thread(lambda: list(differences(held.rulebook, rulebook)))
        except TooManyCells as error:
            return _failing(held.state, since, "proof_clean", str(error))
        candidate = Candidate(
            draft_id=request.draft_id,
            rulebook=rulebook,
            base=held.rulebook,
            base_activation_number=request.base_activation_number,
            changes=changes,
            # One that waited for processes or for the database comes into force now, not when it was asked for.
            effective_at=max(request.effective_at, since),
        )
        try:
            verdicts = await self._evaluate(candidate)
        except StoreUnavailable:
            raise
        except Exception:
            # what cannot be evaluated does not hold; asked again and again it would not be another answer
            _log.exception("gates_broken", activation=request.activation_id)
            return _failing(held.state, since, "gates", "they could not be asked; the log says why")
        return Judgement(verdicts=verdicts, state=held.state, since=since)

    async def _commit(self, request: ActivationRequest, judgement: Judgement) -> tuple[Step, ActivationRequest | None]:
        event_ids = [self._tools.ids.new("evt") for _ in range(len(judgement.verdicts) + 2)]

        async def unit_of_work(unit: ActivationUnit) -> tuple[Step, ActivationRequest | None]:
            step, ended = await commit(
                unit,
                self._tools,
                request.activation_id,
                judgement,
                event_ids,
                give_up_at=self._give_up_at(request),
            )
            if ended is not None:
                await self._settled(unit, ended)
            return step, ended

        return await self._led.write(unit_of_work)


def _failing(state: RulesState, since: int, gate: str, why: str) -> Judgement:
    result = GateResult(gate=gate, passed=False, why=why)
    return Judgement(verdicts=[GateVerdict(result=result, waivable=False)], state=state, since=since)
