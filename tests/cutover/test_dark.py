"""Dark observation: every routed document once, beside the real decision, whatever process looks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.cutover.dark import BEHIND_S, MOST_WATCHED, PAGE, DarkObserver
from gateway.cutover.dark_findings import MOST_COUNTERS, SAMPLES, DarkFindings
from gateway.domain.simulations import DarkState
from gateway.domain.traffic import RoutedEntry
from gateway.errors import Problem
from gateway.store.store import Store
from routing_rules import Rulebook
from tests.cutover.drafted import SAMPLE, save, with_orders_live
from tests.cutover.recorded import record, routed
from tests.line.rig import Rig, invoice, order
from tests.rules.traffic import BASE, LIVE, WEST, book


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


def observer(rig: Rig) -> DarkObserver:
    return DarkObserver(rig.store, rig.store.reads, rig.parts.tools)


async def found(rig: Rig, draft_id: str = "drf_1") -> dict[str, Any]:
    watch = await rig.store.reads.dark_watch(draft_id)
    assert watch is not None
    return DarkFindings.read(watch.found).as_json()


async def test_live_traffic_is_evaluated_beside_the_decision(rig: Rig) -> None:
    await save(rig)
    await rig.send(order("before"), wait_s=5.0)
    dark = observer(rig)
    await dark.begin("console", "drf_1")
    moved = (await rig.send(order(), wait_s=5.0)).transaction
    await rig.send(invoice(), "invoices", wait_s=5.0)
    await rig.send(order("west", businessUnit="Western", geography="US"), wait_s=5.0)
    assert await dark.look() == 0  # it stays behind
    rig.clock.forward(BEHIND_S + 1)
    assert await dark.look() == 3
    assert await dark.look() == 0
    told = await found(rig)
    assert (told["documents"], told["differentDocuments"]) == (3, 1)
    by_place = {(one["domain"], one["businessUnit"], one["geography"]): one for one in told["slices"]}
    different = by_place["orders", "Northern", "FR"]
    assert different["counts"] == [
        {"kind": "to_cloud", "currencyCode": "USD", "documents": 1, "amount": "168.00"},
    ]
    assert different["samples"] == [
        {
            "transactionId": moved.transaction_id,
            "kind": "to_cloud",
            "routedTo": {"systemId": "legacy-main", "stage": "legacy", "row": "o-base"},
            "candidate": {"systemId": "cloud-main", "stage": "live", "row": "o-base"},
        }
    ]
    assert by_place["invoices", "Northern", "FR"]["counts"][0]["kind"] == "followed"
    assert by_place["orders", "Western", "US"]["counts"][0]["kind"] == "same"


async def test_any_process_goes_on_and_none_counts_twice(rig: Rig) -> None:
    await save(rig)
    await observer(rig).begin("console", "drf_1")
    at = rig.clock.now()
    await record(rig.store, *(routed(n, at=at + n, businessUnit="Northern", geography="FR") for n in range(PAGE + 5)))
    rig.clock.forward(BEHIND_S + 1)
    one, other = observer(rig), observer(rig)
    (stale,) = await rig.store.reads.dark_watches()
    assert await one.look() == PAGE + 5
    assert await other._look_at(stale) == 0  # a process that looked at the same moment
    assert await other.look() == 0
    assert (await found(rig))["documents"] == PAGE + 5


async def test_an_edited_draft_begins_anew_and_the_same_one_goes_on(rig: Rig) -> None:
    draft = await save(rig)
    dark = observer(rig)
    begun = await dark.begin("console", "drf_1")
    rig.clock.forward(60)
    assert await dark.begin("another", "drf_1") == begun
    edited = draft.__class__(**{name: getattr(draft, name) for name in draft.__slots__} | {"files": json.dumps(SAMPLE)})
    await rig.store.write(lambda unit: unit.update_draft(edited))
    again = await dark.begin("console", "drf_1")
    assert again.table_version != begun.table_version
    assert (again.started_at > begun.started_at, again.found) == (True, "")
    await rig.send(order(), wait_s=5.0)
    rig.clock.forward(BEHIND_S + 1)
    await dark.look()
    assert (await found(rig))["differentDocuments"] == 0


async def test_an_end_is_on_the_ledger_and_nothing_is_read_after_it(rig: Rig) -> None:
    await save(rig)
    dark = observer(rig)
    await dark.begin("console", "drf_1")
    await rig.send(order(), wait_s=5.0)
    rig.clock.forward(BEHIND_S + 1)
    await dark.look()
    ended = await dark.end("console", "drf_1")
    assert (ended.state, await rig.store.reads.dark_watches()) == (DarkState.ENDED, [])
    assert await dark.end("console", "drf_1") == ended
    events = [json.loads(one.body) for one in await rig.store.outbox.pending(1_000)]
    (told,) = [one["data"] for one in events if one["type"] == "erp.control.simulated.v1"]
    assert (told["observation"], told["documents"], told["differentDocuments"]) == ("dark", 1, 1)
    assert (await dark.begin("console", "drf_1")).found == ""


async def test_what_cannot_be_observed_is_refused(rig: Rig) -> None:
    dark = observer(rig)
    for call in (dark.begin, dark.end):
        with pytest.raises(Problem) as refused:
            await call("console", "drf_none")
        assert refused.value.slug == "not-found"
    for number in range(MOST_WATCHED + 1):
        await save(rig, f"drf_{number}", with_orders_live())
    for number in range(MOST_WATCHED):
        await dark.begin("console", f"drf_{number}")
    with pytest.raises(Problem) as refused:
        await dark.begin("console", f"drf_{MOST_WATCHED}")
    assert refused.value.slug == "rate-limited"
    assert (await dark.begin("console", "drf_0")).draft_id == "drf_0"


def _entry(number: int, **changes: Any) -> RoutedEntry:
    made = routed(number, **changes)
    return RoutedEntry(made.at, made.trace, made.seq, made.lineage_id, made.body, made.leaf_hash)


@pytest.mark.parametrize(
    ("candidate", "changes", "kind"),
    [
        (book(BASE), {}, "same"),
        (book(BASE, WEST), {}, "stage"),
        (book(BASE, LIVE), {}, "to_cloud"),
        (book(BASE), {"systemId": "new", "stage": "live"}, "to_legacy"),
        (book(BASE, LIVE), {"systemId": "eu", "stage": "live"}, "within_cloud"),
        (book(LIVE), {"businessUnit": "B"}, "gap"),
        (book(BASE), {"businessUnit": "nowhere"}, "unknown_node"),
        (book(BASE), {"domain": "payments"}, "domain_not_served"),
        (book(BASE), {"schemaVersion": 2}, "undetermined"),
        (book(BASE, LIVE), {"pinned": True}, "followed"),
    ],
)
def test_every_kind_of_difference(candidate: Rulebook, changes: dict[str, Any], kind: str) -> None:
    findings = DarkFindings()
    findings.take(candidate, _entry(1, **changes))
    again = DarkFindings.read(findings.as_text()).as_json()
    assert again == findings.as_json()
    (one,) = again["slices"]
    assert one["counts"][0]["kind"] == kind
    assert len(one["samples"]) == again["differentDocuments"] == int(kind not in {"same", "undetermined", "followed"})


def test_samples_and_counters_are_bounded() -> None:
    findings, candidate = DarkFindings(), book(BASE, LIVE)
    for number in range(SAMPLES + 5):
        findings.take(candidate, _entry(number))
    (one,) = findings.as_json()["slices"]
    assert len(one["samples"]) == SAMPLES
    assert one["counts"][0]["documents"] == SAMPLES + 5
    for number in range(MOST_COUNTERS + 10):
        findings.take(candidate, _entry(number, businessUnit=f"n{number}"))
    told = findings.as_json()
    assert len(told["slices"]) == MOST_COUNTERS + 1
    assert sum(count["documents"] for one in told["slices"] for count in one["counts"]) == told["documents"]
