"""Putting a rulebook in force: numbered, stored with its text, on the ledger, announced, all in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.cutover.activation_ports import ActivationStore, ActivationUnit
from gateway.cutover.control_entries import ControlTrace, Note
from gateway.domain.activations import RulesState
from gateway.domain.drafts import FilesRecord
from gateway.domain.entries import EntryKind
from gateway.domain.events import CONTROL_LINEAGE
from gateway.domain.records import ActivationRecord, LineageRecord
from gateway.transactions.parts import RulesInForce, Tools
from routing_rules import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What is to come into force: the RFC 8785 texts and the versions that hash them."""

    table_version: str
    governance_version: str
    rules: str
    governance: str

    @classmethod
    def of(cls, rulebook: Rulebook) -> Version:
        """A rulebook's."""
        return cls(
            table_version=rulebook.version,
            governance_version=rulebook.governance_version,
            rules=rulebook.canonical_json().decode(),
            governance=rulebook.governance_json().decode(),
        )

    def wire(self) -> dict[str, Any]:
        """As the entries name it."""
        return {"tableVersion": self.table_version, "governanceVersion": self.governance_version}


async def put_in_force(
    store: ActivationStore, tools: Tools, rulebook: Rulebook, actor: str, files: str | None = None
) -> RulesInForce:
    """The rulebook in force without any gate, under a new number only if it differs from what is.

    For the first start of all, where nothing is in force that a gate could judge by, once the proof is clean.
    `files`: the texts that it was read from, as a draft's row holds them, to be kept with it.
    """
    trace_id, event_id, version = tools.ids.new("act"), tools.ids.new("evt"), Version.of(rulebook)

    async def unit_of_work(unit: ActivationUnit) -> RulesState:
        state = await unit.rules_state_alone()
        latest = await unit.latest_activation()
        if latest is not None and (latest.table_version, latest.governance_version) == (
            version.table_version,
            version.governance_version,
        ):
            return state
        await unit.ensure_lineage(LineageRecord(CONTROL_LINEAGE, CONTROL_LINEAGE))
        trace = ControlTrace(tools, trace_id)
        after = await enter_force(unit, tools, trace, version, state, actor, event_id=event_id)
        if files is not None:
            await unit.insert_rulebook_files(FilesRecord(after.activation_number, files))
        return after

    # without acts, which are number 0: where some lie over it, the first unit finds another number and loads them
    return RulesInForce(rulebook, (await store.write(unit_of_work)).activation_number)


async def enter_force(
    unit: ActivationUnit,
    tools: Tools,
    trace: ControlTrace,
    version: Version,
    state: RulesState,
    actor: str,
    *,
    event_id: str,
    members: Mapping[str, Any] | None = None,
    before: Sequence[Note] = (),
) -> RulesState:
    """Give the version the next number, in the unit that holds the activation lock alone; what is in force then.

    `state`: what is in force until now. `members`: more for the entry `activated`, in wire words. `before`:
    what is recorded before it.
    """
    number, now = state.activation_number + 1, tools.clock.now()
    await unit.insert_activation(
        ActivationRecord(
            activation_number=number,
            table_version=version.table_version,
            governance_version=version.governance_version,
            activated_at=now,
            activated_by=actor,
            rules=version.rules,
            governance=version.governance,
        )
    )
    after = RulesState(number, state.acts_number)
    await unit.set_rules_state(after)
    rule = {**version.wire(), "activationNumber": number}
    activated = Note(
        kind=EntryKind.ACTIVATED,
        members={"rule": rule, **(members or {})},
        event_id=event_id,
        data={"activationId": trace.trace, **rule},
    )
    await trace.record_all(unit, actor, [*before, activated], at=now)
    return after
