"""Putting a rulebook in force: numbered, stored with its text, on the ledger, announced.

For now a rulebook comes into force when a process starts with it; proof, approvals and gates will stand before this.
"""

from __future__ import annotations

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.events import CONTROL_LINEAGE, control_event
from gateway.domain.records import ActivationRecord, LineageRecord
from gateway.transactions.parts import RulesInForce, Tools
from gateway.transactions.ports import Store, WriteUnit
from routing_rules import Rulebook


async def put_in_force(store: Store, tools: Tools, rulebook: Rulebook, actor: str) -> RulesInForce:
    """The rulebook with its activation number; a new number only if it differs from what is in force."""
    trace, event_id = tools.ids.new("act"), tools.ids.new("evt")

    async def unit_of_work(unit: WriteUnit) -> int:
        latest = await unit.latest_activation()
        if latest is None:
            await unit.insert_lineage(LineageRecord(CONTROL_LINEAGE, CONTROL_LINEAGE))
        elif (latest.table_version, latest.governance_version) == (
            rulebook.version,
            rulebook.governance_version,
        ):
            return latest.activation_number
        number = 1 + (latest.activation_number if latest else 0)
        await _record(unit, tools, rulebook, actor, number, trace, event_id)
        return number

    return RulesInForce(rulebook, await store.write(unit_of_work))


async def _record(
    unit: WriteUnit, tools: Tools, rulebook: Rulebook, actor: str, number: int, trace: str, event_id: str
) -> None:
    now = tools.clock.now()
    members = {
        "rule": {
            "tableVersion": rulebook.version,
            "governanceVersion": rulebook.governance_version,
            "activationNumber": number,
        }
    }
    await unit.insert_activation(
        ActivationRecord(
            activation_number=number,
            table_version=rulebook.version,
            governance_version=rulebook.governance_version,
            activated_at=now,
            activated_by=actor,
            rules=rulebook.canonical_json().decode(),
            governance=rulebook.governance_json().decode(),
        )
    )
    await unit.insert_entries(
        [
            ledger_entry(
                EntryKind.ACTIVATED,
                trace=trace,
                seq=1,
                at=now,
                actor=actor,
                lineage=CONTROL_LINEAGE,
                members=members,
            )
        ]
    )
    sequence = await unit.take_event_sequences(CONTROL_LINEAGE, 1)
    event = control_event(
        EntryKind.ACTIVATED.value,
        {"activationId": trace, **members["rule"]},
        event_id=event_id,
        sequence=sequence,
        at=now,
        gateway_name=tools.gateway_name,
        about=trace,
    )
    await unit.insert_events([event])
