"""The gate `approvals`: author, approver and activator are three persons, and the approvals name just this change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.cutover.draft_ports import DraftReads, SimulationsStored
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.standing import simulated, standing_of
from gateway.cutover.three_persons import Standing
from gateway.domain.drafts import DraftRecord
from gateway.transactions.parts import RulesInForce


class ApprovalsGate:
    """Never waived. `rules`: what is in force now. It is evaluated anew at the effective instant, so whatever was
    done to the draft after its activation was asked for counts."""

    name: Final = "approvals"

    def __init__(self, reads: DraftReads, simulations: SimulationsStored, rules: Callable[[], RulesInForce]) -> None:
        self._reads = reads
        self._simulations = simulations
        self._rules = rules

    def guards(self, candidate: Candidate) -> bool:
        """Every change that goes forward."""
        del candidate
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result, for all of the change."""
        if candidate.draft_id is None:
            return [self._result(False, "there is no draft, hence nobody who approved it")]
        draft = await self._reads.draft(candidate.draft_id)
        if draft is None or draft.state == "discarded":
            return [self._result(False, "the draft was discarded")]
        rules = self._rules()
        if why := _of_another(draft, candidate, rules):
            return [self._result(False, why)]
        approvals = await self._reads.approvals(draft.draft_id)
        simulations = await simulated(self._simulations, approvals, draft, rules)
        standing = await standing_of(self._reads, draft, candidate.rulebook, rules, simulations)
        return [self._judge(standing, draft)]

    def _judge(self, standing: Standing, draft: DraftRecord) -> GateResult:
        evidence: dict[str, object] = {
            "draftVersion": draft.version,
            "baseActivationNumber": standing.now.base_activation_number,
            "simulationDigest": standing.now.simulation_digest,
            "editors": sorted(standing.editors),
            "approvals": [
                {"approvalId": one.approval.approval_id, "person": one.approval.person, "void": list(one.void)}
                for one in standing.judged()
            ],
            "owners": {domain: sorted(teams) for domain, teams in standing.owners.items()},
            "missing": list(standing.missing),
            "activator": draft.activator,
        }
        if not standing.approved:
            lacking = f" for {', '.join(standing.missing)}" if standing.missing else ""
            return self._result(False, f"there is no approval that counts{lacking}", evidence)
        if draft.activator is None:
            return self._result(False, "it is approved; nobody has asked for its activation yet", evidence)
        refusal = standing.refuses_activation(draft.activator)
        if refusal is not None:
            return self._result(False, refusal, evidence)
        return self._result(True, "author, approver and activator are three persons", evidence)

    def _result(self, passed: bool, why: str, evidence: dict[str, object] | None = None) -> GateResult:
        return GateResult(gate=self.name, passed=passed, why=why, evidence=evidence or {})


def _of_another(draft: DraftRecord, candidate: Candidate, rules: RulesInForce) -> str | None:
    """Why the candidate is not what the draft says now, over what is in force now."""
    versions = candidate.rulebook.version, candidate.rulebook.governance_version
    if (draft.table_version, draft.governance_version) != versions:
        return "the draft was edited since"
    if not rules.activation_number == candidate.base_activation_number == draft.base_activation_number:
        return "something else came into force since; save the draft again on it"
    return None
