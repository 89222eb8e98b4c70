"""What follows a pin after the rules changed: the pack holds the rules by which its lineage was pinned, too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.domain.caller import DataScope
from gateway.ledger.access_log import AccessLog, Asker
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.contents import PACK, RULES_LEFT_OUT
from gateway.ledger.evidence.deciding import RuleNamed
from gateway.ledger.evidence.desk import EvidenceDesk
from gateway.ledger.evidence.subjects import For, OfTransaction
from gateway.store.store import Store, open_store
from tests.api.auditing import EVERYTHING, Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, NONCE, pack_of, said_otherwise, verified, with_evidence, without
from tests.ledger.live import live
from tests.ledger.logs import ORIGIN
from tests.line.documents import TO_CLOUD
from tests.line.rig import Rig, invoice, order, payment
from tests.line.split import SPLIT, split_rig
from tests.migrated import migrated_file

BASE: Final = "legacy,legacy-main,,,,,Everything that no phase has reached yet"
OTHER: Final = "legacy,legacy-main,,,,,Everything else"
NORTHERN: Final = DataScope(frozenset({"Northern"}), None)
Asked = Mapping[str, dict[str, Any]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """The pack does not depend on the database."""
    found = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield found
    await found.close()


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _billed_later(audit: Auditing, table: str, **changes: str) -> Asked:
    """An order, and its invoice after an activation that changed the table; what can be asked about the invoice."""
    await audit.rig.send(order("A-1"))
    await audit.rig.settle()
    later = await Rig.on(audit.rig.store, process_id="prc_later", seed=1_000, edits={table: (BASE, OTHER)})
    later.legacy.book, later.legacy.contents = audit.rig.legacy.book, audit.rig.legacy.contents
    later.clock.micros = audit.rig.clock.micros + 1_000_000
    made = (await later.send(invoice("I-A-1", "A-1", **changes), "invoices", wait_s=5.0)).transaction
    await later.settle()
    audit.rig.clock.micros = later.clock.micros + 1_000_000
    await audit.catch_up()
    assert (made.pinned, made.activation_number) == (True, 2)
    return {
        "lineage": {"about": "lineage", "lineageId": made.lineage_id},
        "transaction": {"about": "transaction", "transactionId": made.transaction_id},
        "sample": {"about": "sample", "sampleSize": 20, "nonce": NONCE},
    }


def _told(pack: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files_of(pack)[PACK])
    return found


def _without_rules(pack: bytes, number: int, *left_out: str) -> bytes:
    def edit(told: dict[str, Any]) -> None:
        told["rules"] = [one for one in told["rules"] if one["activationNumber"] != number]
        told["leftOut"] += left_out

    gone = {f"rules/{number}.{part}.json": None for part in ("rules", "governance")}
    return said_otherwise(pack, edit, gone)


@pytest.mark.parametrize("table", ["orders.csv", "invoices.csv", "contracts.csv"])
async def test_a_pack_has_the_rules_of_the_pin_and_those_in_force(audit: Auditing, table: str) -> None:
    asked = await _billed_later(audit, table)
    for about, question in asked.items():
        for data in (EVERYTHING, NORTHERN):
            pack = await pack_of(audit, question, data=data)
            found = verified(pack)
            assert found.wrong is None, (about, found.wrong)
            assert [one["activationNumber"] for one in _told(pack)["rules"]] == [1, 2]
            assert not [one for one in _told(pack)["leftOut"] if one.startswith(RULES_LEFT_OUT)]
    pack = await pack_of(audit, asked["transaction"])
    (rule,) = [
        one["entry"]["rule"] for one in json.loads(files_of(pack)["decisions.json"]) if one["entry"]["pinned"] is True
    ]
    assert (rule["activationNumber"], rule["pinnedUnder"]) == (2, 1)
    page = files_of(pack)["index.html"].decode()
    assert "activation 1, by which its lineage was pinned; routed under activation 2" in page


async def test_the_rules_of_the_pin_are_there_where_its_root_is_outside_of_the_data_scope(audit: Auditing) -> None:
    asked = (await _billed_later(audit, "orders.csv", businessUnit="Southern"))["transaction"]
    pack = await pack_of(audit, asked, data=DataScope(frozenset({"Southern"}), None))
    assert {one["trace"] for one in _told(pack)["entries"]} == {asked["transactionId"]}
    assert [one["activationNumber"] for one in _told(pack)["rules"]] == [1, 2]
    assert verified(pack).wrong is None


async def test_the_table_of_a_pin_is_in_the_rules_of_its_activation_or_said_to_be_left_out(audit: Auditing) -> None:
    asked = (await _billed_later(audit, "orders.csv"))["transaction"]
    pack = without(await pack_of(audit, asked), lambda body: body["trace"] != asked["transactionId"])
    assert verified(pack).wrong is None, "where its root lies outside of the data scope, that is not there"
    lacking = verified(_without_rules(pack, 1)).wrong
    assert lacking is not None
    assert (lacking.reason, lacking.path) == ("rules", "rules/1.rules.json")
    assert verified(_without_rules(pack, 1, "the text of the rules of activation 1: it is not there")).ok
    others = {f"rules/1.{part}.json": files_of(pack)[f"rules/2.{part}.json"] for part in ("rules", "governance")}

    def edit(told: dict[str, Any]) -> None:
        first, second = told["rules"]
        first |= {name: second[name] for name in ("rulesVersion", "governanceVersion")}

    replaced = verified(said_otherwise(pack, edit, others)).wrong
    assert replaced is not None
    assert (replaced.reason, replaced.path) == ("rules", "rules/1.rules.json")


async def test_a_pack_of_an_earlier_program_has_only_the_rules_in_force(audit: Auditing) -> None:
    asked = (await _billed_later(audit, "invoices.csv"))["transaction"]
    pack = without(await pack_of(audit, asked), lambda body: body["trace"] != asked["transactionId"])
    assert verified(_without_rules(pack, 1)).wrong is None


async def test_a_pack_says_that_it_lacks_the_table_of_a_pin_of_which_no_activation_is_known(
    store: Store, tmp_path: Path
) -> None:
    """What reverses a part of a payment follows that part, which followed an invoice of another lineage."""
    rig = await split_rig(store)
    for name, where in (("1", {}), ("2", TO_CLOUD)):
        await rig.send(order(name, **where))
        await rig.settle()
        await rig.send(invoice(f"I-{name}", name, **where), "invoices")
        await rig.settle()
    edits = {**SPLIT, "orders.csv": (BASE, OTHER)}
    later = await Rig.on(store, process_id="prc_later", seed=1_000, edits=edits)
    for ours, theirs in ((later.legacy, rig.legacy), (later.cloud, rig.cloud)):
        ours.book, ours.contents = theirs.book, theirs.contents
    paid = (await later.send(payment("P-1", ("I-1", "I-2")), "payments")).transaction
    await later.settle()
    undone = (await later.reverse(paid.document_id, "payments")).transaction
    await later.settle()
    log, tools = live(store, tmp_path), later.parts.tools
    log.clock.at = later.clock.now()
    await log.settle()
    await EntryIndexer(store).finish()
    evidence = EvidenceDesk(store, AccessLog(store, tools), ORIGIN, lambda: EVIDENCE_KEY)
    asker = Asker(client="auditor", person="ada", issuer="urn:test")
    for transaction_id in (paid.transaction_id, undone.transaction_id):
        pack = (await evidence.make(OfTransaction(transaction_id), For(), asker)).archive
        assert verified(pack).wrong is None
    assert [one["activationNumber"] for one in _told(pack)["rules"]] == [2]
    (said,) = [one for one in _told(pack)["leftOut"] if one.startswith(RULES_LEFT_OUT)]
    assert "by which a lineage was pinned" in said
    lacking = verified(said_otherwise(pack, lambda told: told["leftOut"].remove(said))).wrong
    assert lacking is not None
    assert (lacking.reason, lacking.path) == ("rules", PACK)


@pytest.mark.parametrize(
    ("rule", "versions", "is_in"),
    [
        ({"activationNumber": 3, "pinnedUnder": 2}, {2: {"t"}, 3: {"u"}}, True),
        ({"activationNumber": 3, "pinnedUnder": 2}, {2: {"u"}, 3: {"t"}}, False),
        # what followed a pin itself was said to have pinned
        ({"activationNumber": 3, "pinnedUnder": 2}, {1: {"t"}, 2: {"u"}, 3: {"u"}}, True),
        ({"activationNumber": 3, "pinnedUnder": 2}, {3: {"t"}}, True),
        ({"activationNumber": 3}, {1: {"t"}, 3: {"u"}}, True),
        ({"activationNumber": 3}, {3: {"u"}}, False),
        ({"activationNumber": 3, "pinnedUnder": "2"}, {2: {"u"}}, False),
        ({}, {}, False),
    ],
)
def test_where_the_table_of_a_pin_is_looked_for(
    rule: dict[str, Any], versions: Mapping[int, set[str]], is_in: bool
) -> None:
    named = RuleNamed.by({"kind": "routed", "pinned": True, "rule": {"tableVersion": "t", **rule}})
    assert named.is_in(versions) is is_in


def test_the_table_of_a_decision_is_in_the_rules_in_force() -> None:
    named = RuleNamed.by({"pinned": False, "rule": {"tableVersion": "t", "activationNumber": 2, "pinnedUnder": 1}})
    assert named.activations == {2}
    assert named.is_in({2: {"t"}})
    assert not named.is_in({1: {"t"}, 2: {"u"}})
