"""Contracts: kept by the gateway where the ruled system takes none, posted there where it does; and what relates."""

import asyncio
import json

from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.transactions.home import HOME
from routing_rules import Decision, Facts, decide
from tests.line.asking import refused
from tests.line.book_erp import DOMAINS
from tests.line.documents import TO_CLOUD, contract, customer, priced
from tests.line.rig import Rig, invoice, order
from tests.line.test_reproducible import recorded_facts

ALL_AT_ONCE = ["accepted", "routed", "pinned", "dispatched", "posted", "linked"]


async def kept(rig: Rig, external_id: str = "SUB-1", **changes) -> str:
    answer = await rig.send(contract(external_id, **changes), "contracts")
    assert answer.transaction.status is Status.POSTED
    return answer.transaction.document_id


async def test_a_contract_that_no_erp_takes_is_posted_at_home_in_its_acceptance(rig: Rig):
    answer = await rig.send(contract(**TO_CLOUD), "contracts")
    record = answer.transaction
    # without a wait, a worker or a call
    assert (record.status, record.system_id, record.side, record.stage) == (Status.POSTED, HOME, "cloud", "live")
    assert record.rule_row == "k-west"
    assert (record.erp_document_type, record.erp_document_number) == ("contract", record.document_id)
    assert await rig.kinds(record.transaction_id) == ALL_AT_ONCE
    assert (rig.legacy.calls, rig.cloud.calls) == (0, 0)
    assert await rig.line.work(10) == 0
    (step,) = await rig.store.reads.steps(record.transaction_id)
    assert (step.state, step.system_id, step.document_number) == ("posted", HOME, record.document_id)
    view = await rig.store.reads.lineage(record.lineage_id, Visible())
    assert view.pin.system_id == HOME
    assert [one.system_id for one in view.cross_references] == [HOME]
    assert (await rig.statuses())[record.transaction_id] == "posted"


async def test_the_entry_says_what_the_table_ruled_and_that_can_be_decided_again(rig: Rig):
    for where, ruled in ({}, "legacy-main"), (TO_CLOUD, "cloud-main"):
        record = (await rig.send(contract(ruled, **where), "contracts")).transaction
        routed = json.loads((await rig.entries(record.transaction_id))[1].body)
        assert (routed["systemId"], routed["ruledSystemId"]) == (HOME, ruled)
        assert f"{ruled} takes no contracts, so the gateway keeps it itself" in routed["explanation"]
        again = decide(rig.parts.rules.rulebook, recorded_facts(routed))
        assert isinstance(again, Decision)
        assert (again.system_id, again.row_id) == (ruled, routed["rule"]["row"])


async def test_the_explanation_says_so_beforehand(rig: Rig):
    facts = Facts(domain="contracts", operation="create", business_unit="Western", geography="US")
    body = rig.line.explain(facts).body
    assert (body["target"], body["ruledSystemId"]) == ({"systemId": HOME, "side": "cloud"}, "cloud-main")
    facts = Facts(domain="orders", operation="create", business_unit="Western", geography="US")
    assert "ruledSystemId" not in rig.line.explain(facts).body


async def test_the_same_contract_again_is_the_same(rig: Rig):
    first = await rig.send(contract(), "contracts", idempotency_key="k")
    again = await rig.send(contract(), "contracts", idempotency_key="k")
    assert (again.replayed, again.transaction.transaction_id) == (True, first.transaction.transaction_id)
    assert (await refused(rig.send(contract(autoRenewal=True), "contracts"))).slug == "natural-key-conflict"


async def test_an_amendment_and_an_early_end_happen_at_home(rig: Rig):
    document_id = await kept(rig)
    amended = (
        await rig.change(document_id, priced(20) | {"endDate": "1997-06-30"}, "contracts", wait_s=0.0)
    ).transaction
    assert (amended.status, amended.system_id, amended.pinned, amended.amount) == (Status.POSTED, HOME, True, "280.00")
    assert await rig.kinds(amended.transaction_id) == ["accepted", "routed", "dispatched", "posted"]
    document = await rig.document(document_id)
    assert (document.version, document.amount, document.busy_with) == (2, "280.00", None)
    assert (await rig.content(document_id))["endDate"] == "1997-06-30"
    ended = (await rig.cancel(document_id, "contracts", if_match="v2", wait_s=0.0)).transaction
    assert ended.status is Status.POSTED
    assert (await rig.document(document_id)).state == "cancelled"
    assert await rig.line.work(10) == 0
    assert (rig.legacy.calls, rig.cloud.calls) == (0, 0)
    confirmed = json.loads((await rig.entries(amended.transaction_id))[-1].body)["confirmed"]
    assert confirmed == {"amount": "280.00", "currencyCode": "USD", "companyCode": "NW01", "postingDate": "1996-07-04"}


async def test_what_names_a_contract_cannot_be_amended(rig: Rig):
    first, second = await kept(rig, "A"), await kept(rig, "B")
    problem = await refused(rig.change(second, {"renewalOf": {"documentId": first}}, "contracts"))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "renewalOf")


async def test_a_contract_does_not_wait_for_its_customer_to_reach_an_erp(rig: Rig):
    rig.cloud.gate = asyncio.Event()
    await rig.send(customer(), "customers")
    await kept(rig, customer={"externalId": "NEW"})
    rig.cloud.gate.set()
    await rig.settle()
    rig.cloud.script = ["reject"]
    await rig.send(customer("NONE"), "customers", wait_s=5.0)
    problem = await refused(rig.send(contract("B", customer={"externalId": "NONE"}), "contracts"))
    assert (problem.slug, problem.errors[0].field) == ("unknown-reference", "customer")


async def test_a_held_contract_is_kept_once_it_is_let_go(store):
    row = "live,legacy-main,cloud-main,,,{},Phase 1: the Western"
    rig = await Rig.on(store, edits={"contracts.csv": (row.format(""), row.format("hold"))})
    held = (await rig.send(contract(**TO_CLOUD), "contracts")).transaction
    assert held.status is Status.HELD
    heir = await Rig.on(store, process_id="prc_2", seed=1_000)
    await heir.until(61.0)
    record = await heir.record(held.transaction_id)
    assert (record.status, record.system_id) == (Status.POSTED, HOME)
    assert await heir.line.work(10) == 0


async def test_an_erp_that_takes_contracts_gets_them_and_what_is_at_home_stays_there(store):
    rig = await Rig.on(store)
    at_home = await kept(rig)
    later = await Rig.on(store, process_id="prc_2", seed=1_000, domains=(*DOMAINS, "contracts"))
    record = (await later.send(contract("SUB-2"), "contracts", wait_s=5.0)).transaction
    assert (record.status, record.system_id, later.legacy.calls) == (Status.POSTED, "legacy-main", 1)
    amended = (await later.change(at_home, priced(20), "contracts", wait_s=0.0)).transaction
    assert (amended.status, amended.system_id, later.legacy.calls) == (Status.POSTED, HOME, 1)


async def test_an_invoice_relates_to_a_contract_and_keeps_its_own_way(rig: Rig):
    document_id = await kept(rig, **TO_CLOUD)
    await rig.send(order(), wait_s=5.0)
    body = invoice(contractReference={"externalId": "SUB-1", "source": "salesforce"})
    record = (await rig.send(body, "invoices", wait_s=5.0)).transaction
    assert (record.status, record.system_id) == (Status.POSTED, "legacy-main")
    contract_lineage = (await rig.document(document_id)).lineage_id
    assert record.lineage_id != contract_lineage
    for lineage_id in (contract_lineage, record.lineage_id):
        view = await rig.store.reads.lineage(lineage_id, Visible())
        relating = [one for one in view.relations if one.kind == "relates"]
        assert [(one.document_id, one.field, one.target_document_id) for one in relating] == [
            (record.document_id, "contractReference", document_id)
        ]
    # what only relates keeps nothing from its end
    assert (await rig.cancel(document_id, "contracts")).transaction.status is Status.POSTED


async def test_a_renewal_relates_to_what_it_renews(rig: Rig):
    first = await kept(rig)
    second = await kept(rig, "SUB-2", renewalOf={"externalId": "SUB-1"})
    lineages = [(await rig.document(document_id)).lineage_id for document_id in (first, second)]
    assert len(set(lineages)) == 2
    views = [await rig.store.reads.lineage(lineage_id, Visible()) for lineage_id in lineages]
    assert views[0].relations == views[1].relations
    assert [(one.document_id, one.target_document_id) for one in views[0].relations] == [(second, first)]
    hidden = await rig.store.reads.lineage(lineages[0], Visible(business_units=frozenset({"Western"})))
    assert hidden is None


async def test_a_relation_to_nothing_is_refused_and_one_to_what_failed_too(store):
    rig = await Rig.on(store, domains=(*DOMAINS, "contracts"))
    await rig.send(order(), wait_s=5.0)
    body = invoice(contractReference={"externalId": "none", "source": "salesforce"})
    problem = await refused(rig.send(body, "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("unknown-reference", "contractReference")
    rig.legacy.script = ["reject"]
    await rig.send(contract("none"), "contracts", wait_s=5.0)
    problem = await refused(rig.send(body, "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("parent-rejected", "contractReference")


async def test_a_relation_gives_the_erp_no_number_at_the_first_attempt_nor_later(store):
    rig = await Rig.on(store, domains=(*DOMAINS, "contracts"))
    await rig.send(contract(), "contracts", wait_s=5.0)
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["lost_call"]
    body = invoice(contractReference={"externalId": "SUB-1", "source": "salesforce"})
    await rig.send(body, "invoices", wait_s=0.0)
    await rig.settle()
    for seconds in (1.1, 110.0):
        await rig.until(seconds)
    first, second = rig.legacy.seen[-2:]
    assert first == second
    assert set(first.numbers) == {"customer", "lines[0].product", "orderReference"}


async def test_a_relation_does_not_make_it_wait(store):
    rig = await Rig.on(store, domains=(*DOMAINS, "contracts"))
    rig.cloud.gate = asyncio.Event()
    await rig.send(contract(**TO_CLOUD), "contracts")
    await rig.send(order(), wait_s=5.0)
    body = invoice(contractReference={"externalId": "SUB-1", "source": "salesforce"})
    assert (await rig.send(body, "invoices", wait_s=5.0)).transaction.status is Status.POSTED
    rig.cloud.gate.set()
    await rig.settle()
