"""The gates of masters: each passes, fails, and fails where it cannot be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from adapters.canonical import Customer, ErpNumber
from adapters.errors import OutcomeUnknown
from adapters.port import Capability, FoundDocument, Operation
from gateway.cutover import masters_compared
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.gates.masters import MastersAtRest, MastersEqual
from gateway.cutover.gates.registry import ALWAYS
from gateway.domain.records import CrossReferenceRecord, PayloadRecord
from gateway.domain.transaction import Status
from gateway.store.store import Store, StoreUnit
from gateway.transactions.parts import ErpSystem, SystemPolicy
from routing_rules import Outcome, SliceMap, Stage
from tests.cutover.test_slice_gates import SAMPLE, SEPTEMBER_15
from tests.line.book_erp import BookErp
from tests.store.made import NOW, a_document, a_transaction, new_id

LEGACY = Outcome(stage=Stage.LEGACY, legacy_system="legacy-main")
VALIDATE = Outcome(stage=Stage.VALIDATE, legacy_system="legacy-main", cloud_system="cloud-main")
PILOT, LIVE = (replace(VALIDATE, stage=stage) for stage in (Stage.PILOT, Stage.LIVE))


def switch(before: Outcome = VALIDATE, after: Outcome = LIVE, domain: str = "customers") -> Candidate:
    """Western's masters go from one outcome to the other."""
    (state,) = SliceMap(SAMPLE).states(domain, "Western", "World")
    change = replace(state.as_change(domain, after), before=before)
    return Candidate(
        draft_id=None,
        rulebook=SAMPLE,
        base=SAMPLE,
        base_activation_number=1,
        changes=[change],
        effective_at=SEPTEMBER_15,
    )


class Blind(BookErp):
    """An ERP whose driver has no function for masters."""

    def capabilities(self) -> Mapping[tuple[str, Operation], Capability]:
        no = Capability(False, reason="the ERP offers no function for them")
        return {key: no if key[0] == "customers" else can for key, can in super().capabilities().items()}


class Mute(BookErp):
    """Does not answer."""

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        raise OutcomeUnknown(f"{number} was asked for, and no answer came")


class Masters:
    """Customers in the record and in two ERPs."""

    def __init__(self, store: Store, legacy: BookErp | None = None) -> None:
        self.store = store
        self.erps = [legacy or BookErp("legacy-main"), BookErp("cloud-main")]

    async def add(self, name: str = "Queen Cozinha", *, seen: bool = True, **changes: Any) -> str:
        """One that both systems have as the gateway knows it; its id."""
        address = {"countryCode": "BR"}
        content = Customer.model_validate({"name": name, "geography": "BR", "address": address})
        payload = PayloadRecord(new_id("pay"), b"s" * 16, content.model_dump_json(by_alias=True).encode())
        document = a_document(
            **{
                "domain": "customers",
                "business_unit": "Western",
                "geography": "BR",
                "payload_id": payload.payload_id if seen else None,
            }
            | changes
        )

        async def write(unit: StoreUnit) -> None:
            await unit.insert_payload(payload)
            await unit.insert_document(document)

        await self.store.write(write)
        for erp in self.erps:
            await self.number(document.document_id, erp, content)
        return document.document_id

    async def number(self, document_id: str, erp: BookErp, content: Customer) -> None:
        number = ErpNumber(
            system_id=erp.system_id, document_type="customer", document_number=f"{len(erp.book) + 1:06d}"
        )
        erp.book.append(FoundDocument(number, "", None, None, None))
        erp.contents[number.document_number] = content
        record = CrossReferenceRecord(document_id, erp.system_id, "customer", number.document_number, NOW)
        await self.store.write(lambda unit: unit.insert_cross_reference(record))

    async def equal(self, candidate: Candidate | None = None) -> GateResult:
        systems = {erp.system_id: ErpSystem(erp, SystemPolicy()) for erp in self.erps}
        (result,) = await MastersEqual(self.store.reads, systems).evaluate(candidate or switch())
        return result


@pytest.mark.parametrize("gate", [MastersAtRest(None), MastersEqual(None, {})])  # type: ignore[arg-type]
def test_they_guard_what_gives_masters_to_another_system(gate: MastersAtRest | MastersEqual) -> None:
    assert gate.guards(switch())
    assert gate.guards(switch(VALIDATE, PILOT))
    assert gate.guards(switch(LIVE, VALIDATE))
    for before, after in ((LEGACY, VALIDATE), (PILOT, LIVE), (LIVE, replace(LIVE, stage=Stage.DRAIN))):
        assert not gate.guards(switch(before, after)), (before, after)
    assert gate.guards(switch(LIVE, replace(LIVE, cloud_system="legacy-main")))


def test_being_at_rest_is_never_waived() -> None:
    waivable = {str(one["id"]): one["waivable"] for one in SAMPLE.governance.required_checks}
    assert (waivable["masters_at_rest"], waivable["masters_equal"]) == (False, True)
    assert "masters_at_rest" in ALWAYS


async def test_nothing_of_the_masters_may_be_in_flight(store: Store) -> None:
    gate = MastersAtRest(store.reads)
    (result,) = await gate.evaluate(switch())
    assert (result.passed, result.why) == (True, "no transaction of customers is in flight")
    at = {"domain": "customers", "business_unit": "Western", "geography": "BR"}
    ended = [a_transaction(status=status, **at) for status in (Status.POSTED, Status.REJECTED, Status.CANCELLED)]
    elsewhere = a_transaction(status=Status.HELD, domain="customers", business_unit="Eastern", geography="BR")
    orders = a_transaction(status=Status.HELD, domain="orders", business_unit="Western", geography="BR")
    for one in (*ended, elsewhere, orders):
        await store.write(lambda unit, one=one: unit.insert_transaction(one))
    (result,) = await gate.evaluate(switch())
    assert result.passed
    open_ones = [a_transaction(status=status, **at) for status in (Status.WAITING, Status.IN_DOUBT)]
    for one in open_ones:
        await store.write(lambda unit, one=one: unit.insert_transaction(one))
    (result,) = await gate.evaluate(switch())
    assert not result.passed
    assert set(result.evidence["transactionIds"]) == {one.transaction_id for one in open_ones}


async def test_both_copies_must_stand_as_the_gateway_knows_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masters_compared, "PAGE", 2)
    masters = Masters(store)
    ids = [await masters.add(f"Customer {number}") for number in range(5)]
    result = await masters.equal()
    assert (result.passed, result.evidence["mastersCompared"]) == (True, 5), result.why
    assert [erp.calls for erp in masters.erps] == [0, 0], "nothing is posted"

    legacy, cloud = masters.erps
    changed = cloud.contents["000002"].model_copy(update={"name": "Renamed by hand"})
    cloud.contents["000002"] = changed
    result = await masters.equal()
    assert (result.passed, result.evidence["unequal"]) == (
        False,
        [{"documentId": ids[1], "systemId": "cloud-main", "why": "stands there otherwise"}],
    )
    assert "Renamed" not in str(result.evidence)
    cloud.contents["000002"] = legacy.contents["000002"]
    assert (await masters.equal()).passed
    legacy.book.pop(0)
    result = await masters.equal()
    assert [(one["documentId"], one["why"]) for one in result.evidence["unequal"]] == [
        (ids[0], "is not there under its number")
    ]


async def test_what_cannot_be_compared_fails(store: Store) -> None:
    masters = Masters(store)
    unseen = await masters.add(seen=False)
    masters.erps, both = masters.erps[:1], masters.erps
    numberless = await masters.add("only in legacy")
    masters.erps = both
    result = await masters.equal()
    assert {one["documentId"]: (one["systemId"], one["why"]) for one in result.evidence["unequal"]} == {
        unseen: (None, "was never seen whole, or was erased: send it once"),
        numberless: ("cloud-main", "has no number there"),
    }


async def test_an_erp_that_does_not_show_masters_cannot_be_judged(store: Store) -> None:
    result = await Masters(store, Blind("legacy-main")).equal()
    assert not result.passed
    assert result.why == (
        "it cannot be evaluated: legacy-main does not show customers: the ERP offers no function for them"
    )
    masters = Masters(store, Mute("legacy-main"))
    await masters.add()
    assert "cannot be read now: OutcomeUnknown" in (await masters.equal()).why


async def test_more_masters_than_can_be_compared_are_switched_by_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masters_compared, "MOST", 1)
    masters = Masters(store)
    for number in range(2):
        await masters.add(f"Customer {number}")
    result = await masters.equal()
    assert (result.passed, result.why) == (False, "there are more than 1 customers; switch a part of them first")
