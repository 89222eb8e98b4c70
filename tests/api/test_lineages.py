"""How the documents of a lineage hang together: quote, order, invoice, payment, journal entry."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from gateway.api.schemas import LineageAnswer
from gateway.domain.records import RelationRecord
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

LINEAGE = an_id("lin", 1)
PATH = f"/v1/lineages/{LINEAGE}"
CHAIN = ("orders", "invoices", "payments", "journal_entries")


def _chain(world: World) -> None:
    """Each follows the one before."""
    for number, domain in enumerate(CHAIN, 1):
        parent = an_id("txn", number - 1) if number > 1 else None
        world.reads.hold(transaction(number, domain=domain, lineage_id=LINEAGE, parent_transaction_id=parent))
    payload = world.reads.payloads[an_id("pay", 1)]
    world.reads.payloads[payload.payload_id] = replace(payload, body=json.dumps({"quoteReference": "Q-1001"}).encode())


async def _read(client: HttpClient, world: World) -> Any:
    answer = await client.get(PATH, headers=world.token())
    assert answer.status_code == 200
    LineageAnswer.model_validate(answer.json(), by_alias=True, by_name=False)
    return answer.json()


def _by_domain(body: Any, member: str) -> dict[str, Any]:
    return {one["domain"]: one[member] for one in body["documents"]}


async def test_the_chain(client: HttpClient, world: World) -> None:
    _chain(world)
    body = await _read(client, world)
    assert _by_domain(body, "follows") == {
        "orders": [],
        "invoices": [an_id("doc", 1)],
        "payments": [an_id("doc", 2)],
        "journal_entries": [an_id("doc", 3)],
    }
    assert _by_domain(body, "quoteReference") == {
        "orders": "Q-1001", "invoices": None, "payments": None, "journal_entries": None,
    }  # fmt: skip


async def test_links_on_record(client: HttpClient, world: World) -> None:
    _chain(world)
    contract, invoice = an_id("doc", 90), an_id("doc", 2)
    world.reads.relations = [
        RelationRecord(invoice, "contractReference", contract, "relates"),
        RelationRecord(an_id("doc", 3), "allocations[0].invoiceReference", invoice, "follows"),
        RelationRecord(an_id("doc", 3), "allocations[1].invoiceReference", an_id("doc", 8), "follows"),
        RelationRecord(an_id("doc", 3), "allocations[2].invoiceReference", invoice, "follows"),
        RelationRecord(an_id("doc", 91), "renewalOf", an_id("doc", 1), "relates"),
    ]
    body = await _read(client, world)
    assert _by_domain(body, "relates") == {"orders": [], "invoices": [contract], "payments": [], "journal_entries": []}
    assert _by_domain(body, "follows")["payments"] == [invoice, an_id("doc", 8)], "each once, also of other lineages"
    assert body["relations"][0] == {
        "documentId": invoice,
        "field": "contractReference",
        "relation": "relates",
        "targetDocumentId": contract,
    }
    assert body["relations"][4]["documentId"] == an_id("doc", 91), "what relates to a document of this lineage"


async def test_an_operation_follows_nothing(client: HttpClient, world: World) -> None:
    _chain(world)
    change = transaction(9, lineage_id=LINEAGE, document_id=an_id("doc", 1), operation="change",
                         parent_transaction_id=an_id("txn", 1))  # fmt: skip
    world.reads.transactions_held.append(change)
    assert _by_domain(await _read(client, world), "follows")["orders"] == []


async def test_an_erased_quote(client: HttpClient, world: World) -> None:
    _chain(world)
    payload = world.reads.payloads[an_id("pay", 1)]
    world.reads.payloads[payload.payload_id] = replace(payload, body=None, erased_at=1)
    assert _by_domain(await _read(client, world), "quoteReference")["orders"] is None
