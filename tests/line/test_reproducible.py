"""What was decided can be decided again from what is stored, for ever."""

import json

from gateway.domain.facts import wire_members
from routing_rules import Decision, Facts, decide
from tests.line.documents import journal_entry
from tests.line.rig import Rig, order

PILOT = {"businessUnit": "Eastern", "geography": "DE"}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def recorded_facts(routed: dict) -> Facts:
    """The deciding facts of a `routed` entry, read back."""
    recorded = {_snake(name): value for name, value in routed["facts"].items()}
    recorded["currency"] = recorded.pop("currency_code")
    return Facts.from_json(recorded)


async def test_the_stored_facts_give_the_stored_decision(rig: Rig):
    bodies = [order(str(number), **PILOT) for number in range(5)]
    bodies += [order("10258", **PILOT), order("x"), order("y", businessUnit="Western", geography="US")]
    sides = set()
    for body in bodies:
        answer = await rig.send(body, wait_s=5.0)
        entries = await rig.entries(answer.transaction.transaction_id)
        routed = json.loads(next(entry.body for entry in entries if entry.kind == "routed"))
        again = decide(rig.parts.rules.rulebook, recorded_facts(routed))
        assert isinstance(again, Decision)
        assert (again.system_id, again.stage.value, again.row_id, again.table_version) == (
            routed["systemId"],
            routed["stage"],
            routed["rule"]["row"],
            routed["rule"]["tableVersion"],
        )
        sides.add((again.stage.value, again.side.value))
    assert ("pilot", "cloud") in sides
    assert ("legacy", "legacy") in sides


async def test_a_journal_entry_and_an_operation_can_be_decided_again_too(rig: Rig):
    posted = (await rig.send(journal_entry(**PILOT), "journal_entries", wait_s=5.0)).transaction
    reversed_ = (await rig.reverse(posted.document_id, "journal_entries")).transaction
    for record, operation in ((posted, "create"), (reversed_, "reverse")):
        entries = await rig.entries(record.transaction_id)
        routed = json.loads(next(entry.body for entry in entries if entry.kind == "routed"))
        facts = recorded_facts(routed)
        assert (facts.operation, facts.domain) == (operation, "journal_entries")
        assert facts.amount == 50
        again = decide(rig.parts.rules.rulebook, facts)
        assert isinstance(again, Decision)
        assert (again.system_id, again.row_id) == (record.system_id, routed["rule"]["row"])


async def test_the_text_of_the_rulebook_in_force_is_kept_with_its_number(rig: Rig):
    answer = await rig.send(order(), wait_s=5.0)
    number = answer.transaction.activation_number
    activation = await rig.store.reads.activation(number)
    assert activation.rules == rig.parts.rules.rulebook.canonical_json().decode()
    assert activation.table_version == rig.parts.rules.rulebook.version
    entries = [event for event in await rig.store.outbox.pending(1_000) if event.subject == "erp.control.activated"]
    assert len(entries) == number == 1
    assert wire_members({"a_b": {"c_d": 1}}) == {"aB": {"cD": 1}}
