"""Adopting lineages that were migrated elsewhere: both systems are asked, two persons act, the pin moves once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import routing_rules
from adapters.canonical import DOMAINS, ErpNumber
from adapters.port import Expectation, FoundDocument, Posting
from gateway.auth import Client
from gateway.cutover.adopt import Adopting, AdoptingParts
from gateway.cutover.adoption_batch import WantedBatch, WantedLine
from gateway.domain.caller import SCOPES, Caller, DataScope
from gateway.domain.queries import Visible
from gateway.domain.records import CrossReferenceRecord, PayloadRecord, RelationRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.store.store import Store, StoreUnit
from gateway.transactions.parts import ErpSystem, RulesInForce, SystemPolicy, Tools
from routing_rules import load_rulebook
from tests.api.conftest import EXAMPLE, World, in_this_loop
from tests.cutover.slice_world import Clock, SliceWorld
from tests.store.made import NOW, a_document, new_id

SAMPLE = load_rulebook(Path(routing_rules.__file__).parent / "tables")
TOTAL = "30.94"
ALL = Visible()


class _Ids:
    def new(self, prefix: str) -> str:
        return new_id(prefix)


class Erp:
    """Holds documents by number."""

    def __init__(self, system_id: str) -> None:
        self.system_id = system_id
        self.documents: dict[str, FoundDocument] = {}

    def expectation(self, posting: Posting) -> Expectation:
        document = posting.document  # type: ignore[union-attr]
        return Expectation(posting.numbers["customer"].document_number, document.currency_code, document.amount)  # type: ignore[union-attr]

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        return self.documents.get(number.document_number)


class Desk:
    """One order of legacy that was migrated by hand, the two ERPs, and the desk."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.world = SliceWorld(store, SAMPLE)
        self.legacy, self.cloud = Erp("legacy-main"), Erp("cloud-main")
        systems = {one.system_id: ErpSystem(one, SystemPolicy()) for one in (self.legacy, self.cloud)}  # type: ignore[arg-type]
        tools = Tools(Clock(), _Ids(), None, None, "prc_1", "test", b"a key of the tests")  # type: ignore[arg-type]
        self.desk = Adopting(
            AdoptingParts(
                store=store,
                reads=store.reads,
                tools=tools,
                systems=systems,
                rules=lambda: RulesInForce(SAMPLE, 1),
                events_left=lambda: None,
            )
        )

    async def order(self, old: str, new: str, **changes: Any) -> str:
        """An order whose content both systems show as migrated; its lineage."""
        body = json.dumps(EXAMPLE).encode()
        content = DOMAINS["orders"].model_validate_json(body)
        assert format(content.amount, "f") == TOTAL  # type: ignore[union-attr]
        customer = a_document(domain="customers")
        payload = PayloadRecord(new_id("pay"), b"s" * 16, body)
        lineage_id = await self.world.order(
            "Western", "BR", "legacy", amount=TOTAL, customer_id=customer.document_id, payload_id=payload.payload_id,
            **changes,
        )  # fmt: skip
        view = await self.store.reads.lineage(lineage_id, ALL)
        assert view is not None
        root = view.lineage.root_document_id

        async def write(unit: StoreUnit) -> None:
            await unit.insert_document(customer)
            await unit.insert_payload(payload)
            for document_id, system_id, kind, number in (
                (customer.document_id, "cloud-main", "customer", "C7"),
                (root, "legacy-main", "sales_order", old),
            ):
                await unit.insert_cross_reference(CrossReferenceRecord(document_id, system_id, kind, number, 1))

        await self.store.write(write)
        self.legacy.documents[old] = _found("legacy-main", old, cancelled=True)
        self.cloud.documents[new] = _found("cloud-main", new)
        return lineage_id

    async def adopt(self, *lines: tuple[str, str], key: str = "k1") -> str:
        """Ask for it, have it approved; its id."""
        adoption_id = await self.desk.request(_caller("ann"), _batch(*lines, key=key))
        await self.desk.approve(_caller("bob"), adoption_id)
        return adoption_id

    async def line(self, adoption_id: str) -> tuple[str, str | None]:
        """State and reason of its first line."""
        found = await self.store.reads.adoption(adoption_id)
        assert found is not None
        return found[1][0].state, found[1][0].reason

    async def pinned(self, lineage_id: str) -> str:
        """Where it belongs."""
        view = await self.store.reads.lineage(lineage_id, ALL)
        assert view is not None
        assert view.pin is not None
        return view.pin.system_id


def _found(system_id: str, number: str, **changes: Any) -> FoundDocument:
    erp_number = ErpNumber(system_id=system_id, document_type="sales_order", document_number=number)
    return replace(FoundDocument(erp_number, "", "C7", "USD", Decimal(TOTAL)), **changes)


def _caller(person: str | None, **changes: Any) -> Caller:
    return replace(Caller("operations", "operations", SCOPES, person=person), **changes)


def _batch(*lines: tuple[str, str], key: str = "k1", **changes: Any) -> WantedBatch:
    values: dict[str, Any] = {
        "from_system_id": "legacy-main",
        "to_system_id": "cloud-main",
        "effective_on": date(2026, 9, 1),
        "control_count": len(lines),
        "control_totals": {"USD": Decimal(TOTAL) * len(lines)},
        "lines": [WantedLine(lineage_id, "sales_order", number) for lineage_id, number in lines],
        "idempotency_key": key,
    }
    return WantedBatch(**values | changes)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_the_pin_moves_with_both_numbers_a_control_total_and_an_approver(desk: Desk) -> None:
    lineage_id = await desk.order("4711", "8001")
    adoption_id = await desk.adopt((lineage_id, "8001"))
    assert await desk.line(adoption_id) == ("adopted", None)
    view = await desk.store.reads.lineage(lineage_id, ALL)
    assert view is not None
    assert view.pin is not None
    assert (view.pin.system_id, view.pin.side) == ("cloud-main", "cloud")
    numbers = {one.system_id: one.valid_until for one in view.cross_references}
    assert numbers == {"cloud-main": None, "legacy-main": NOW}
    (entry,) = await desk.store.reads.entries(adoption_id)
    told = json.loads(entry.body)
    assert (told["kind"], told["lineageId"]) == ("adopted", lineage_id)
    assert (told["old"]["documentNumber"], told["new"]["documentNumber"]) == ("4711", "8001")
    assert told["control"] == {"lineageCount": 1, "amounts": [{"currencyCode": "USD", "amount": TOTAL}]}
    assert told["approvedPerson"] != told["requestedPerson"]
    assert "bob" not in entry.body.decode()


async def test_approving_again_moves_nothing_twice_and_tries_what_was_refused(desk: Desk) -> None:
    first, second = await desk.order("1", "11"), await desk.order("2", "12")
    desk.legacy.documents["2"] = _found("legacy-main", "2")
    adoption_id = await desk.adopt((first, "11"), (second, "12"))
    assert (await desk.pinned(first), await desk.pinned(second)) == ("cloud-main", "legacy-main")
    desk.legacy.documents["2"] = _found("legacy-main", "2", reversed_by="9")
    await desk.desk.approve(_caller("bob"), adoption_id)
    assert await desk.pinned(second) == "cloud-main"
    assert len(await desk.store.reads.entries(adoption_id)) == 2


@pytest.mark.parametrize(
    ("side", "number", "changes", "reason"),
    [
        ("legacy", "1", {"cancelled": False}, "is not closed there"),
        ("cloud", "11", {"total": Decimal("30.93")}, "is not the open remainder"),
        ("cloud", "11", {"currency_code": "EUR"}, "is not the open remainder"),
        ("cloud", "11", {"party": "C8"}, "is not the open remainder"),
        ("cloud", "11", {"cancelled": True}, "was undone there"),
        ("cloud", "12", {}, "is not there"),
    ],
)
async def test_what_a_system_does_not_show_is_not_adopted(
    desk: Desk, side: str, number: str, changes: dict[str, Any], reason: str
) -> None:
    lineage_id = await desk.order("1", "11")
    erp = desk.legacy if side == "legacy" else desk.cloud
    found = erp.documents.pop(number, None)
    if found is not None:
        erp.documents[number] = replace(found, **changes)
    else:
        del erp.documents["11"]
    adoption_id = await desk.adopt((lineage_id, "11"))
    state, why = await desk.line(adoption_id)
    assert state == "refused"
    assert reason in (why or "")
    assert await desk.pinned(lineage_id) == "legacy-main"
    assert await desk.store.reads.entries(adoption_id) == []


async def test_what_is_in_flight_or_closed_or_settled_in_part_is_not_asked_for(desk: Desk) -> None:
    moving = await desk.order("1", "11", status=Status.UNKNOWN)
    done = await desk.order("2", "12", billed=TOTAL, paid=TOTAL)
    partly = await desk.order("3", "13", billed="10.00")
    for lineage_id, complaint in ((moving, "not ended"), (done, "not open"), (partly, "More than one")):
        with pytest.raises(Problem) as refused:
            await desk.desk.request(_caller("ann"), _batch((lineage_id, "11")))
        assert refused.value.slug == "policy-check-failed"
        assert complaint.lower() in refused.value.detail.lower()


async def test_what_changes_between_the_check_and_the_commit_is_not_moved(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    view = await desk.store.reads.lineage(lineage_id, ALL)
    assert view is not None
    read = desk.cloud.read

    async def read_and_be_followed(number: ErpNumber) -> FoundDocument | None:
        invoice = a_document(domain="invoices", lineage_id=lineage_id, document_type="invoice")
        relation = RelationRecord(invoice.document_id, "orderReference", view.lineage.root_document_id, "follows")

        async def write(unit: StoreUnit) -> None:
            await unit.insert_document(invoice)
            await unit.insert_relations([relation])

        await desk.store.write(write)
        return await read(number)

    desk.cloud.read = read_and_be_followed  # type: ignore[method-assign]
    adoption_id = await desk.adopt((lineage_id, "11"))
    assert await desk.line(adoption_id) == ("refused", "a document follows it meanwhile")
    assert await desk.pinned(lineage_id) == "legacy-main"


async def test_a_number_is_borne_by_one_document(desk: Desk) -> None:
    first, second = await desk.order("1", "11"), await desk.order("2", "11")
    adoption_id = await desk.adopt((first, "11"), (second, "11"))
    assert await desk.pinned(first) == "cloud-main"
    assert await desk.pinned(second) == "legacy-main"
    found = await desk.store.reads.adoption(adoption_id)
    assert found is not None
    assert "another document's number" in (found[1][1].reason or "")


async def test_two_persons_act_from_the_effective_day_on(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    adoption_id = await desk.desk.request(_caller("ann"), _batch((lineage_id, "11")))
    other_id = await desk.order("2", "12")
    later = await desk.desk.request(_caller("ann"), _batch((other_id, "12"), key="k2", effective_on=date(2100, 1, 1)))
    restricted = _caller("bob", data_scope=DataScope(frozenset({"Western"}), None))
    for caller, which, slug in (
        (_caller("ann"), adoption_id, "policy-check-failed"),
        (_caller(None), adoption_id, "policy-check-failed"),
        (restricted, adoption_id, "out-of-scope"),
        (_caller("bob"), later, "policy-check-failed"),
        (_caller("bob"), "adp_none", "not-found"),
    ):
        with pytest.raises(Problem) as refused:
            await desk.desk.approve(caller, which)
        assert refused.value.slug == slug
    assert await desk.pinned(lineage_id) == "legacy-main"


async def test_a_lineage_waits_in_one_batch_only(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    first = await desk.desk.request(_caller("ann"), _batch((lineage_id, "11")))
    with pytest.raises(Problem) as refused:
        await desk.desk.request(_caller("ann"), _batch((lineage_id, "11"), key="k2"))
    assert refused.value.slug == "policy-check-failed"
    assert refused.value.extra == {"adoptionId": first}


async def test_a_day_long_past_is_no_effective_day(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    with pytest.raises(Problem, match="31 days back") as refused:
        await desk.desk.request(_caller("ann"), _batch((lineage_id, "11"), effective_on=date(1996, 1, 1)))
    assert refused.value.slug == "invalid-document"


async def test_the_control_total_must_be_what_is_open(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    for changes in ({"control_count": 2}, {"control_totals": {"USD": Decimal("30.93")}}):
        with pytest.raises(Problem) as refused:
            await desk.desk.request(_caller("ann"), _batch((lineage_id, "11"), **changes))
        assert "control total" in refused.value.detail


async def test_a_batch_is_asked_for_and_approved_over_http(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    desk.world.adopting = desk.desk
    world = World()
    body = {
        "fromSystemId": "legacy-main",
        "toSystemId": "cloud-main",
        "effectiveOn": "2026-09-01",
        "control": {"lineageCount": 1, "amounts": [{"amount": TOTAL, "currencyCode": "USD"}]},
        "lines": [{"lineageId": lineage_id, "documentType": "sales_order", "documentNumber": "11"}],
    }
    path = "/v1/cutover/adoptions"
    async with in_this_loop(desk.world.app_parts(world.parts())) as client:
        headers = {**_token(world, "ann"), "Idempotency-Key": "k1"}
        asked = await client.post(path, json=body, headers=headers)
        assert asked.status_code == 201, asked.text
        assert (await client.post(path, json=body, headers=headers)).json()["adoptionId"] == asked.json()["adoptionId"]
        one = f"{path}/{asked.json()['adoptionId']}"
        refused = await client.post(f"{one}/approve", json={}, headers=_token(world, "ann"))
        assert refused.json()["code"] == "policy-check-failed"
        approved = await client.post(f"{one}/approve", json={}, headers=_token(world, "bob"))
        assert approved.status_code == 200, approved.text
        assert (approved.json()["adopted"], approved.json()["lines"][0]["state"]) == (1, "adopted")
        assert (await client.get(one, headers=_token(world, "ann"))).json()["state"] == "approved"
        twice = {**body, "lines": body["lines"] * 2}
        assert (await client.post(path, json=twice, headers=headers)).json()["code"] == "invalid-request"
        assert (await client.post(path, json=body, headers=_token(world, "ann"))).json()["code"] == (
            "missing-idempotency-key"
        )
    assert await desk.pinned(lineage_id) == "cloud-main"


def _token(world: World, person: str) -> dict[str, str]:
    client = Client("operations", "operations", frozenset({"operations:act"}), DataScope(None, None), person=person)
    return {"Authorization": f"Bearer {world.issuer.mint(client)}"}


async def test_the_same_request_is_one_batch(desk: Desk) -> None:
    lineage_id = await desk.order("1", "11")
    first = await desk.desk.request(_caller("ann"), _batch((lineage_id, "11")))
    assert await desk.desk.request(_caller("ann"), _batch((lineage_id, "11"))) == first
    with pytest.raises(Problem) as refused:
        await desk.desk.request(_caller("ann"), _batch((lineage_id, "12")))
    assert refused.value.slug == "idempotency-key-reused"
