"""What each system and slice can do: from the rulebook in force and the drivers, within the caller's data scope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from adapters.port import Capabilities, Capability, Operation
from gateway.api.capability_report import MOST_SLICES, capability_report
from gateway.api.capability_schemas import CapabilitiesAnswer
from gateway.api.domains import RESOURCES
from gateway.domain.acts import ActiveOverlay
from gateway.domain.caller import DataScope
from gateway.transactions.queries import Visible
from routing_rules import NodeSet, Outcome, Overlay, Row, Rulebook, RuleTable, Side, Stage
from tests.api.conftest import HttpClient, World
from tests.api.rules import capabilities, rulebook, system


def _row(book: Rulebook, row_id: str, stage: Stage, unit: str = "group", place: str = "world", **changes: Any) -> Row:
    row = Row(
        id=row_id,
        outcome=Outcome(stage=stage, legacy_system="legacy-main", cloud_system="cloud-main"),
        business_unit=NodeSet.of(book.business_units, [unit]),
        geography=NodeSet.of(book.geographies, [place]),
    )
    return replace(row, **changes)


def _book(domain: str, *rows: Row) -> Rulebook:
    book = rulebook()
    systems = {**book.systems, "cloud-main": system("cloud-main", Side.CLOUD, ("orders", "contracts"))}
    return replace(book, tables={domain: RuleTable(domain, rows)}, systems=systems)


ABLE = {"legacy-main": capabilities(("orders", Operation.CANCEL)), "cloud-main": capabilities()}
STAGES = {
    Stage.LEGACY: (["legacy-main"], ["legacy-main"]),
    Stage.DARK: (["legacy-main"], ["legacy-main"]),
    Stage.VALIDATE: (["legacy-main"], ["legacy-main"]),
    Stage.PILOT: (["legacy-main", "cloud-main"], ["legacy-main", "cloud-main"]),
    Stage.LIVE: (["cloud-main"], ["legacy-main", "cloud-main"]),
    Stage.DRAIN: (["cloud-main"], ["legacy-main", "cloud-main"]),
    Stage.READ_ONLY: (["cloud-main"], ["cloud-main"]),
    Stage.RETIRED: (["cloud-main"], ["cloud-main"]),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_slice_follows_its_stage(stage: Stage) -> None:
    book = rulebook()
    report = capability_report(_book("orders", _row(book, "r1", stage)), ABLE, RESOURCES, Visible(), "orders")
    (found,) = report["slices"]
    assert (found["newRootSystemIds"], found["followUpSystemIds"]) == STAGES[stage]
    assert (found["stage"], found["keptByGateway"], found["overlay"]) == (stage.value, False, None)
    can = {one["operation"]: one["systemIds"] for one in found["operations"]}
    assert can["create"] == STAGES[stage][0]
    assert can["change"] == STAGES[stage][1]
    assert can["cancel"] == [one for one in STAGES[stage][1] if one != "legacy-main"], "legacy cannot cancel orders"


def test_masters_go_to_the_system_of_record_only() -> None:
    book = rulebook()
    report = capability_report(_book("customers", _row(book, "r1", Stage.LIVE)), ABLE, RESOURCES, Visible())
    assert report["slices"][0]["followUpSystemIds"] == ["cloud-main"]


def test_contracts_that_no_erp_takes_are_kept_by_the_gateway() -> None:
    book = rulebook()
    able = {**ABLE, "legacy-main": capabilities(("contracts", Operation.CREATE), ("contracts", Operation.CHANGE))}
    rows = [_row(book, stage.value, stage) for stage in (Stage.LEGACY, Stage.PILOT, Stage.LIVE)]
    report = capability_report(_book("contracts", *rows), able, RESOURCES, Visible(), "contracts")
    legacy, pilot, live = report["slices"]
    assert [one["keptByGateway"] for one in (legacy, pilot, live)] == [True, True, False]
    assert legacy["newRootSystemIds"] == ["gateway"]
    assert pilot["newRootSystemIds"] == ["cloud-main", "gateway"]
    assert legacy["operations"] == [
        {"operation": "create", "systemIds": ["gateway"]},
        {"operation": "change", "systemIds": ["gateway"]},
        {"operation": "cancel", "systemIds": ["legacy-main", "gateway"]},
    ]


def test_a_system_tells_what_its_driver_can() -> None:
    able = {
        "legacy-main": {
            ("orders", Operation.CREATE): Capability(True, reference_unique=True, can_validate=True, max_lines=99),
            ("orders", Operation.CHANGE): Capability(True, changeable=frozenset({"lines", "shipTo"})),
            ("orders", Operation.CANCEL): Capability(False, reason="it has no call for it", max_lines=9),
        }
    }
    found = capability_report(rulebook(), able, RESOURCES, Visible(), "orders")["systems"][0]
    assert (found["systemId"], found["side"], found["driver"], found["regions"]) == (
        "legacy-main", "legacy", "fake", ["world"],
    )  # fmt: skip
    (orders,) = found["domains"]
    create, change, cancel = orders["operations"]
    assert (create["supported"], create["referenceUnique"], create["canValidate"], create["maxLines"]) == (
        True, True, True, 99,
    )  # fmt: skip
    assert change["changeableMembers"] == ["lines", "shipTo"]
    assert (cancel["supported"], cancel["reason"], cancel["maxLines"]) == (False, "it has no call for it", None)


def test_what_a_driver_does_not_mention_it_cannot() -> None:
    found = capability_report(rulebook(("orders",)), {}, RESOURCES, Visible())
    assert [one["supported"] for one in found["systems"][0]["domains"][0]["operations"]] == [False] * 3
    assert found["systems"][0]["domains"][0]["operations"][0]["reason"]
    served = {one["domain"]: one["served"] for one in found["domains"]}
    assert served == {domain: domain == "orders" for domain in DOMAINS}
    assert {one["domain"] for one in found["domains"] if one["operations"]} == {"orders"}, "the others cannot be asked"


def test_a_row_of_one_operation_says_nothing_of_others() -> None:
    book = rulebook()
    from_cells = replace(_row(book, "r1", Stage.LIVE).operation, values=frozenset({"create"}))
    outcome = Outcome(stage=Stage.LEGACY, legacy_system="legacy-main", overlay=Overlay.FREEZE)
    row = _row(book, "r1", Stage.LIVE, operation=from_cells, outcome=outcome)
    (found,) = capability_report(_book("orders", row), ABLE, RESOURCES, Visible())["slices"]
    assert [one["operation"] for one in found["operations"]] == ["create"]
    assert found["overlay"] == "freeze"


def test_a_slice_shows_what_was_set_over_it() -> None:
    book = rulebook()
    rows = [_row(book, one, Stage.LIVE, place=one) for one in ("DE", "US", "world")]
    paused = ActiveOverlay(
        overlay_id="ovl_1", overlay="paused", domain="orders", business_unit="group", geography="EMEA",
        expected_until=0,
    )  # fmt: skip
    others = [replace(paused, domain="invoices"), replace(paused, geography="gone")]
    found = capability_report(
        _book("orders", *rows), ABLE, RESOURCES, Visible(), "orders", [paused, *others]
    )["slices"]  # fmt: skip
    germany, us, world = (one["overlaysInForce"] for one in found)
    assert us == []
    (shown,) = germany
    assert (shown["overlay"], shown["overlayId"], shown["businessUnit"], shown["geography"]) == (
        "paused", "ovl_1", "group", "EMEA",
    )  # fmt: skip
    assert (shown["wholeSlice"], shown["expectedUntil"]) == (True, "1970-01-01T00:00:00.000000Z")
    assert "new roots" in shown["effect"]
    assert [one["wholeSlice"] for one in world] == [False]
    # an overlay over what the caller may not see is not told
    elsewhere = Visible(geographies=frozenset({"US"}))
    seen = capability_report(_book("orders", *rows), ABLE, RESOURCES, elsewhere, "orders", [paused])["slices"]
    assert [(one["row"], one["overlaysInForce"]) for one in seen] == [("US", []), ("world", [])]


def test_a_system_tells_whether_it_takes_mixed_lines() -> None:
    name = ("journal_entries", Operation.CREATE)
    for able, told in (
        (Capability(True, mixed_lines=True), True),
        (Capability(True), False),
        (Capability(False, mixed_lines=True), False),
    ):
        systems = capability_report(rulebook(), {"legacy-main": {name: able}}, RESOURCES, Visible(), name[0])["systems"]
        assert systems[0]["domains"][0]["operations"][0]["mixedLines"] is told


def test_only_slices_that_the_caller_may_see() -> None:
    book = rulebook()
    rows = [_row(book, one, Stage.LIVE, place=one) for one in ("DE", "US", "world")]
    germany = Visible(geographies=frozenset({"DE"}))
    report = capability_report(_book("orders", *rows), ABLE, RESOURCES, germany)
    assert [one["row"] for one in report["slices"]] == ["DE", "world"], "a wider row matches documents there too"
    nobody = capability_report(_book("orders", *rows), ABLE, RESOURCES, Visible(business_units=frozenset()))
    assert nobody["slices"] == []
    assert len(nobody["systems"]) == 2


def test_the_number_of_slices_is_bounded() -> None:
    book = rulebook()
    rows = [_row(book, f"r{number}", Stage.LIVE) for number in range(MOST_SLICES + 3)]
    report = capability_report(_book("orders", *rows), ABLE, RESOURCES, Visible())
    assert (len(report["slices"]), report["slicesLeftOut"]) == (MOST_SLICES, 3)


async def test_the_answer(client: HttpClient, world: World) -> None:
    answer = await client.get("/v1/capabilities", headers=world.token("documents:read"))
    assert answer.status_code == 200
    body = answer.json()
    CapabilitiesAnswer.model_validate(body, by_alias=True, by_name=False)
    assert {one["domain"] for one in body["slices"]} == set(DOMAINS)
    one = (await client.get("/v1/capabilities?domain=orders", headers=world.token())).json()
    assert [found["domain"] for found in one["slices"]] == ["orders"]
    nobody = world.token(data=DataScope(frozenset(), frozenset()))
    assert (await client.get("/v1/capabilities", headers=nobody)).json()["slices"] == []


async def test_the_rules_in_force_count(world: World) -> None:
    books = [rulebook(("orders",)), rulebook(("invoices",))]
    async with world.client(rulebook=lambda: books[0]) as client:
        before = (await client.get("/v1/capabilities", headers=world.token())).json()
        books.pop(0)
        after = (await client.get("/v1/capabilities", headers=world.token())).json()
    assert [one["domain"] for one in before["slices"] + after["slices"]] == ["orders", "invoices"]


def test_contracts_that_no_erp_can_do_anything_with_follow_at_the_gateway_only() -> None:
    """As it is in the sample: no driver of ours takes contracts, so none of them lies in an ERP."""
    book = rulebook()
    none = {"legacy-main": _without_contracts(), "cloud-main": _without_contracts()}
    rows = [_row(book, stage.value, stage) for stage in (Stage.LEGACY, Stage.PILOT, Stage.LIVE, Stage.RETIRED)]
    for one in capability_report(_book("contracts", *rows), none, RESOURCES, Visible(), "contracts")["slices"]:
        assert (one["newRootSystemIds"], one["followUpSystemIds"]) == (["gateway"], ["gateway"]), one["stage"]
        assert {system for done in one["operations"] for system in done["systemIds"]} == {"gateway"}
    half = {**ABLE, "cloud-main": _without_contracts()}
    live = capability_report(_book("contracts", rows[2]), half, RESOURCES, Visible(), "contracts")["slices"][0]
    assert (live["newRootSystemIds"], live["followUpSystemIds"]) == (["gateway"], ["legacy-main", "gateway"])


def _without_contracts() -> Capabilities:
    return capabilities(*(("contracts", one) for one in Operation))
