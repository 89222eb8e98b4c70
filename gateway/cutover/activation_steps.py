"""The steps of one activation, each one commit: prepared, claimed, committed or failed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final

from gateway.cutover.activation import Version, enter_force
from gateway.cutover.activation_ports import ActivationUnit
from gateway.cutover.control_entries import ControlTrace, Note
from gateway.cutover.gates.gate import GateResult
from gateway.cutover.gates.registry import GateVerdict
from gateway.cutover.gates.version_loaded import version_loaded
from gateway.cutover.heartbeats import SECOND, lacking, oldest_that_counts
from gateway.domain.activations import OPEN_STATES, ActivationRequest, ActivationState, RulesState
from gateway.domain.entries import EntryKind
from gateway.transactions.parts import Tools

PREPARE_LIMIT_S: Final = 60.0
"""How long processes that have not loaded the version are waited for; then it fails. Counted from the effective
instant, or from when the process that judges first saw the request, if it was not there then."""
GATES_AGE_S: Final = 330.0
"""What the gates saw is at most this old when the activation commits: all of them together may take 300 s."""
CLAIM_S: Final = 360.0
"""A process that evaluates the gates keeps others from doing it too, for this long or until its heartbeat expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the gates said of a request. `state`: the numbers in force when they were asked; `since`: µs by the
    database's clock before the first was."""

    verdicts: Sequence[GateVerdict]
    state: RulesState
    since: int


class Step(Enum):
    """What became of a try to commit."""

    ACTIVATED = auto()
    FAILED = auto()
    JUDGE_AGAIN = auto()
    """What the gates rested on has changed, or they were asked too long ago."""
    LATER = auto()
    """It is not due, not prepared, or in other hands."""


async def prepare(unit: ActivationUnit, tools: Tools, activation_id: str, event_id: str) -> bool:
    """Record that every live process has the version loaded; False if that is not so, or not to be recorded."""
    request = await unit.activation_request(activation_id)
    if request is None or request.state is not ActivationState.SCHEDULED:
        return False
    live, without = await lacking(unit, request.version)
    if without or not live:
        return False
    trace = ControlTrace(tools, activation_id, entry_count=request.entry_count)
    members = {
        "activationId": activation_id,
        "draftId": request.draft_id,
        "rule": {"tableVersion": request.table_version, "governanceVersion": request.governance_version},
        "baseActivationNumber": request.base_activation_number,
        "effectiveAt": request.effective_at,
        "processes": [one.process_id for one in live],
    }
    await trace.record(unit, EntryKind.ACTIVATION_PREPARED, request.requested_by, present(members), event_id=event_id)
    prepared = replace(request, state=ActivationState.PREPARED, entry_count=trace.entry_count)
    await unit.update_activation_request(prepared)
    return True


async def claim(unit: ActivationUnit, process_id: str, activation_id: str) -> ActivationRequest | None:
    """Take a due request for this process to judge; None if it is not due, not open, or in other living hands."""
    request = await unit.activation_request(activation_id)
    now = await unit.database_now()
    if request is None or request.state not in OPEN_STATES or now < request.effective_at:
        return None
    if request.claimed_by not in {None, process_id} and now < request.claimed_until:
        live = await unit.live_heartbeats(oldest_that_counts(now))
        if any(one.process_id == request.claimed_by for one in live):
            return None
    claimed = replace(request, claimed_by=process_id, claimed_until=now + int(CLAIM_S * SECOND))
    await unit.update_activation_request(claimed)
    return claimed


async def commit(
    unit: ActivationUnit,
    tools: Tools,
    activation_id: str,
    judgement: Judgement,
    event_ids: Sequence[str],
    *,
    give_up_at: int,
) -> tuple[Step, ActivationRequest | None]:
    """Put the version in force, or record why not; in one commit, with the activation lock held alone.

    The gates read the database, and some of them for minutes, so they are asked before the lock is taken: under it no
    accept commits. Under it is checked that what they rested on still stands: the same version in force, the same acts
    lying over it, the same day in UTC (by which a window opens), no more than GATES_AGE_S since the first gate was
    asked, and every live process with the version loaded (not for back). What transactions did in that time may have
    moved a figure that a gate saw: the age is the bound of that, and said in docs/rules.md.

    `event_ids`: as many as there are verdicts, and two. `give_up_at`: from when on (µs, database) processes that have
    not loaded it are no longer waited for.
    """
    state = await unit.rules_state_alone()
    request = await unit.activation_request(activation_id)
    now = await unit.database_now()
    if request is None or request.state not in OPEN_STATES or request.claimed_by != tools.process_id:
        return Step.LATER, None
    if now < request.effective_at:
        return Step.LATER, None
    settling = _Settling(unit, tools, request, now, event_ids)
    if state.activation_number != request.base_activation_number:
        why = f"activation {state.activation_number} is in force, and it was asked for over "
        result = GateResult(gate="base_in_force", passed=False, why=f"{why}{request.base_activation_number}")
        return Step.FAILED, await settling.fail([GateVerdict(result=result, waivable=False)])
    if (
        state != judgement.state
        or now - judgement.since > int(GATES_AGE_S * SECOND)
        or _days(now) > _days(judgement.since)
    ):
        return Step.JUDGE_AGAIN, None
    verdicts = list(judgement.verdicts)
    if not request.is_back:
        live, without = await lacking(unit, request.version)
        loaded = version_loaded(live, without)
        if not loaded.passed and now < give_up_at:
            return Step.LATER, None
        verdicts = [one for one in verdicts if one.result.gate != loaded.gate]
        verdicts.append(GateVerdict(result=loaded, waivable=False))
    if not all(one.holds for one in verdicts):
        return Step.FAILED, await settling.fail(verdicts)
    return Step.ACTIVATED, await settling.activate(verdicts, state)


def _days(at: int) -> int:
    """Whole days in UTC since 1970."""
    return at // (86_400 * SECOND)


class _Settling:
    """The last commit of a request: what each gate said, and what came of it."""

    def __init__(
        self, unit: ActivationUnit, tools: Tools, request: ActivationRequest, now: int, event_ids: Sequence[str]
    ) -> None:
        self._unit = unit
        self._tools = tools
        self._request = request
        self._now = now
        self._event_ids = iter(event_ids)
        self._trace = ControlTrace(tools, request.activation_id, entry_count=request.entry_count)

    async def activate(self, verdicts: Sequence[GateVerdict], state: RulesState) -> ActivationRequest:
        request = self._request
        before = [self._note(one) for one in verdicts]
        version = Version(
            table_version=request.table_version,
            governance_version=request.governance_version,
            rules=request.rules,
            governance=request.governance,
        )
        members = {
            "draftId": request.draft_id,
            "back": request.is_back or None,
            "baseActivationNumber": request.base_activation_number,
            "effectiveAt": request.effective_at,
            "person": request.person,
        }
        after = await enter_force(
            self._unit,
            self._tools,
            self._trace,
            version,
            state,
            request.requested_by,
            event_id=next(self._event_ids),
            members=present(members),
            before=before,
        )
        return await self._settle(
            replace(request, state=ActivationState.ACTIVATED, activation_number=after.activation_number)
        )

    async def fail(self, verdicts: Sequence[GateVerdict]) -> ActivationRequest:
        request = self._request
        notes = [self._note(one) for one in verdicts]
        failing = [one for one in verdicts if not one.holds]
        members = {
            "activationId": request.activation_id,
            "draftId": request.draft_id,
            "rule": {"tableVersion": request.table_version, "governanceVersion": request.governance_version},
            "baseActivationNumber": request.base_activation_number,
            "effectiveAt": request.effective_at,
            "reason": "gates",
            "gates": sorted({one.result.gate for one in failing}),
        }
        notes.append(Note(kind=EntryKind.ACTIVATION_FAILED, members=present(members), event_id=next(self._event_ids)))
        await self._trace.record_all(self._unit, request.requested_by, notes)
        told = [{"gate": one.result.gate, "subject": one.result.subject, "why": one.result.why} for one in failing]
        return await self._settle(
            replace(request, state=ActivationState.FAILED, failure=json.dumps({"gates": told}, ensure_ascii=False))
        )

    async def _settle(self, request: ActivationRequest) -> ActivationRequest:
        settled = replace(request, entry_count=self._trace.entry_count, settled_at=self._now)
        await self._unit.update_activation_request(settled)
        return settled

    def _note(self, verdict: GateVerdict) -> Note:
        members = {
            "activationId": self._request.activation_id,
            "gate": verdict.result.gate,
            "slice": verdict.result.subject,
            "evidence": dict(verdict.result.evidence),
            "waiverId": verdict.waiver_id,
        }
        kind = EntryKind.GATE_PASSED if verdict.result.passed else EntryKind.GATE_FAILED
        return Note(kind=kind, members=present(members), event_id=next(self._event_ids))


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Those that are there; an event shows what its entry shows."""
    return {name: value for name, value in members.items() if value is not None}
