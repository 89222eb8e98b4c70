"""A journal entry whose company codes live in two ERPs: balanced legs, posted one by one, undone newest first."""

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.identity import external_reference
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from tests.line.acts import close
from tests.line.asking import refused
from tests.line.dead_ends import both
from tests.line.rig import Rig
from tests.line.split import account_balances, charge, company_balances, split_rig, standing


@pytest.fixture
async def rig(store) -> Rig:
    return await split_rig(store)


async def sent(rig: Rig, body: dict | None = None) -> str:
    """Sent, and all done that is due now."""
    answer = await rig.send(body or charge(), "journal_entries")
    await rig.settle()
    return answer.transaction.transaction_id


async def legs(rig: Rig, transaction_id: str) -> list[dict]:
    found: list[dict] = json.loads((await rig.record(transaction_id)).legs or "[]")
    return found


async def test_each_company_code_is_a_balanced_leg_in_its_own_erp(rig: Rig):
    transaction_id = await sent(rig)
    record = await rig.record(transaction_id)
    assert (record.status, record.system_id) == (Status.POSTED, None)
    assert account_balances(rig.cloud) == {("NW02", "650000"): 50, ("NW02", "194001"): -50}
    assert account_balances(rig.legacy) == {("NW01", "113100"): -50, ("NW01", "194002"): 50}
    cloud, legacy = await legs(rig, transaction_id)
    assert [(one["step"], one["companyCode"], one["status"]) for one in (cloud, legacy)] == [
        (1, "NW02", "posted"),
        (2, "NW01", "posted"),
    ]
    assert (cloud["routedTo"]["systemId"], cloud["routedTo"]["row"]) == ("cloud-main", "j-nw02")
    assert (legacy["routedTo"]["systemId"], legacy["routedTo"]["row"]) == ("legacy-main", "j-base")
    assert legacy["erpReference"] == external_reference(transaction_id, 2, "do")
    assert legacy["erpNumber"]["documentNumber"] == rig.legacy.book[0].number.document_number
    assert legacy["clearing"] == [
        {"glAccount": "194002", "postingSide": "debit", "amount": "50.00", "partnerCompanyCode": "NW02"}
    ]


async def test_each_leg_has_its_own_decision_facts_and_pin_and_the_parent_has_none(rig: Rig):
    transaction_id = await sent(rig)
    entries = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    assert [one["kind"] for one in entries] == (
        "accepted routed routed pinned pinned dispatched posted dispatched posted linked linked".split()
    )
    routed = [one for one in entries if one["kind"] == "routed"]
    assert [(one["facts"]["companyCode"], one["rule"]["row"], one["step"]) for one in routed] == [
        ("NW02", "j-nw02", 1),
        ("NW01", "j-base", 2),
    ]
    assert [one["systemId"] for one in entries if one["kind"] == "pinned"] == ["cloud-main", "legacy-main"]
    record = await rig.record(transaction_id)
    view = await rig.store.reads.lineage(record.lineage_id, Visible())
    assert view.pin is None
    assert view.transactions[0].legs == record.legs


async def test_a_refused_later_leg_undoes_the_earlier_ones(rig: Rig):
    rig.legacy.script = ["reject"]
    transaction_id = await sent(rig)
    record = await rig.record(transaction_id)
    assert record.status is Status.COMPENSATED
    assert "part 2" in json.loads(record.problem or "")["detail"]
    assert (standing(rig.cloud), len(rig.cloud.book), len(rig.legacy.book)) == (0, 2, 0)
    assert [one.external_reference for one in rig.cloud.book] == [
        external_reference(transaction_id, 1, "do"),
        external_reference(transaction_id, 1, "undo"),
    ]
    kinds = await rig.kinds(transaction_id)
    assert kinds[kinds.index("rejected") :] == (
        "rejected compensating dispatched posted compensated linked linked pin_released pin_released "
        "exception_opened".split()
    )
    cloud, legacy = await legs(rig, transaction_id)
    assert (legacy["status"], cloud["undo"]["status"], cloud["undo"]["postingDate"]) == (
        "rejected",
        "posted",
        "1996-07-04",
    )
    assert cloud["undo"]["movedFromPostingDate"] is None
    # corrected, it goes the whole way once more
    answer = await rig.send(charge(), "journal_entries", replaces=transaction_id, wait_s=5.0)
    assert answer.transaction.status is Status.POSTED
    assert (standing(rig.cloud), standing(rig.legacy)) == (1, 1)


async def test_a_refused_first_leg_is_a_refusal_of_the_whole(rig: Rig):
    rig.cloud.script = ["reject"]
    transaction_id = await sent(rig)
    assert (await rig.record(transaction_id)).status is Status.REJECTED
    assert rig.cloud.book == rig.legacy.book == []


async def test_three_legs_are_undone_newest_first(rig: Rig):
    body = charge()
    for line in list(body["lines"]):
        body["lines"].append(line | {"lineNumber": line["lineNumber"] + 10, "currencyCode": "EUR"})
    rig.legacy.script = ["post", "reject"]
    transaction_id = await sent(rig, body)
    shown = await legs(rig, transaction_id)
    assert [(one["companyCode"], one["currencyCode"]) for one in shown] == [
        ("NW02", "USD"),
        ("NW01", "USD"),
        ("NW02", "EUR"),
        ("NW01", "EUR"),
    ]
    assert (await rig.record(transaction_id)).status is Status.COMPENSATED
    entries = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    undone = [one["step"] for one in entries if one["kind"] == "dispatched" and one.get("direction") == "undo"]
    assert undone == [3, 2, 1]
    assert standing(rig.cloud) == standing(rig.legacy) == 0


@pytest.mark.parametrize("way", ["lost_answer", "lost_call", "late", "busy"])
async def test_what_is_unknown_of_a_later_leg_is_resolved_before_anything_else_happens(rig: Rig, way: str):
    rig.legacy.script = [way]
    transaction_id = await sent(rig)
    assert standing(rig.cloud) == 1
    for _ in range(4):
        await rig.until(60)
        rig.legacy.post_what_was_late()
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (len(rig.cloud.book), len(rig.legacy.book)) == (1, 1)


async def test_a_leg_that_turns_out_refused_after_an_unknown_is_compensated_then_only(rig: Rig):
    rig.legacy.script = ["lost_call", "reject"]
    transaction_id = await sent(rig)
    assert (await rig.record(transaction_id)).status is Status.UNKNOWN
    assert (standing(rig.cloud), rig.cloud.calls) == (1, 1)
    for _ in range(6):
        await rig.until(120)
    assert (await rig.record(transaction_id)).status is Status.COMPENSATED
    assert (standing(rig.cloud), len(rig.legacy.book)) == (0, 0)


@pytest.mark.parametrize("way", ["lost_answer", "lost_call", "late", "busy"])
async def test_an_undo_goes_by_the_same_protocol(rig: Rig, way: str):
    rig.legacy.script, rig.cloud.script = ["reject"], ["post", way]
    transaction_id = await sent(rig)
    assert (await rig.record(transaction_id)).status is Status.COMPENSATING
    refusal = (await rig.record(transaction_id)).problem
    for _ in range(6):
        await rig.until(60)
        rig.cloud.post_what_was_late()
    record = await rig.record(transaction_id)
    assert (record.status, record.problem) == (Status.COMPENSATED, refusal)
    assert (standing(rig.cloud), len(rig.cloud.book)) == (0, 2)


async def test_a_refused_undo_stands_before_a_person_loudly(rig: Rig):
    rig.legacy.script, rig.cloud.script = ["reject"], ["post", "reject"]
    transaction_id = await sent(rig)
    record = await rig.record(transaction_id)
    assert record.status is Status.IN_DOUBT
    assert record.exception_id is not None
    entries = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    opened = next(one for one in entries if one["kind"] == "exception_opened")
    assert (opened["reasonCode"], opened["systemId"], opened["cause"]) == ("undo-refused", "cloud-main", "step-1")
    assert (standing(rig.cloud), (await legs(rig, transaction_id))[0]["undo"]["status"]) == (1, "rejected")


@pytest.mark.parametrize("way", ["lost_answer", "lost_call", "late", "busy"])
async def test_a_refused_undo_that_is_tried_again_is_not_refused_by_the_word_of_before(rig: Rig, way: str):
    rig.legacy.script, rig.cloud.script = ["reject"], ["post", "reject", way]
    transaction_id = await sent(rig)
    assert (await rig.record(transaction_id)).status is Status.IN_DOUBT
    await both(rig, "retry")
    for _ in range(6):
        await rig.until(60)
        rig.cloud.post_what_was_late()
    assert (await rig.record(transaction_id)).status is Status.COMPENSATED
    assert (standing(rig.cloud), len(rig.cloud.book)) == (0, 2)
    assert (await rig.kinds(transaction_id)).count("rejected") == 2


async def test_an_undo_whose_period_has_closed_is_posted_in_the_first_open_one_and_says_so(rig: Rig):
    rig.legacy.script = ["busy"]
    transaction_id = await sent(rig)
    for company_code in ("NW01", "NW02"):
        await close(rig, "1996-07", company_code)
    await close(rig, "1996-08", "NW02")
    await rig.until(10)
    record = await rig.record(transaction_id)
    assert record.status is Status.COMPENSATED
    assert json.loads(record.problem or "")["code"] == "policy-check-failed"
    cloud, _ = await legs(rig, transaction_id)
    assert (cloud["undo"]["postingDate"], cloud["undo"]["movedFromPostingDate"]) == ("1996-09-01", "1996-07-04")
    assert rig.cloud.seen[-1].posting_date.isoformat() == "1996-09-01"
    entries = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    undo = next(one for one in entries if one["kind"] == "dispatched" and one.get("direction") == "undo")
    assert (undo["postingDate"], undo["movedFromPostingDate"]) == ("1996-09-01", "1996-07-04")


async def test_without_clearing_accounts_each_company_code_must_balance(store):
    rig = await Rig.on(store)
    body = charge()
    body["lines"][0]["companyCode"] = "NW01"
    assert await sent(rig, body)
    two = ("company_codes:\n", "company_codes:\n  - {id: NW02, name: Two, currency: USD, calendar: calendar-year}\n")
    rig = await Rig.on(store, seed=7, process_id="prc_2", edits={"rulebook.yaml": two})
    problem = await refused(rig.send(charge("IC-2"), "journal_entries"))
    assert (problem.slug, problem.errors[0].field) == ("totals-disagree", "lines")
    assert "company code NW02 in USD are 50.00" in problem.errors[0].message


async def test_books_of_one_system_that_takes_no_mixed_lines_are_legs_too(store):
    two = ("company_codes:\n", "company_codes:\n  - {id: NW02, name: Two, currency: USD, calendar: calendar-year}\n")
    rig = await Rig.on(store, edits={"rulebook.yaml": two})
    body = charge()
    for line in list(body["lines"]):
        other = {"debit": "credit", "credit": "debit"}[line["postingSide"]]
        body["lines"].append(line | {"lineNumber": line["lineNumber"] + 10, "postingSide": other})
    transaction_id = await sent(rig, body)
    assert [one["clearing"] for one in await legs(rig, transaction_id)] == [[], []]
    assert (len(rig.legacy.book), len(rig.cloud.book)) == (2, 0)


async def test_a_reversal_reverses_every_leg_newest_first_where_it_was_posted(rig: Rig):
    transaction_id = await sent(rig)
    document_id = (await rig.record(transaction_id)).document_id
    undone = (await rig.reverse(document_id, "journal_entries")).transaction
    assert (await rig.record(undone.transaction_id)).status is Status.POSTED
    assert standing(rig.cloud) == standing(rig.legacy) == 0
    assert [(one["ofStep"], one["routedTo"]["systemId"]) for one in await legs(rig, undone.transaction_id)] == [
        (2, "legacy-main"),
        (1, "cloud-main"),
    ]
    assert (await rig.document(document_id)).state == "reversed"
    for erp in (rig.cloud, rig.legacy):
        assert set(account_balances(erp).values()) == {Decimal(0)}


async def test_half_a_reversal_stands_before_a_person_who_has_the_rest_tried_again(rig: Rig):
    document_id = (await rig.record(await sent(rig))).document_id
    rig.cloud.script = ["reject"]
    undone = (await rig.reverse(document_id, "journal_entries")).transaction
    record = await rig.record(undone.transaction_id)
    assert (record.status, record.exception_id is not None) == (Status.IN_DOUBT, True)
    assert (standing(rig.legacy), standing(rig.cloud)) == (0, 1)
    assert (await rig.document(document_id)).state == "active"


async def test_a_retry_of_a_leg_in_doubt_takes_a_place_at_its_system(rig: Rig):
    rig.cloud.script = ["twice"]
    transaction_id = await sent(rig)
    for _ in range(3):
        await rig.until(200)
    assert (await rig.record(transaction_id)).status is Status.IN_DOUBT
    await both(rig, "retry")
    job = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job.system_id == "cloud-main"


async def test_a_process_that_died_between_two_legs_is_taken_over(rig: Rig):
    rig.legacy.script = ["lost_call"]
    transaction_id = await sent(rig)
    other = await rig.another_process("prc_9")
    rig.liveness.ended.add("prc_1")
    for _ in range(5):
        await other.until(120)
    assert (await other.record(transaction_id)).status is Status.POSTED
    assert (len(rig.cloud.book), len(rig.legacy.book)) == (1, 1)


WAYS = st.sampled_from(["post", "lost_answer", "lost_call", "late", "reject", "busy", "twice", "other"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cloud=st.lists(WAYS, max_size=5), legacy=st.lists(WAYS, max_size=5))
def test_in_the_end_all_legs_stand_or_none_or_a_person_looks(
    run_split: Callable[[Callable[[Rig], Awaitable[None]]], None], cloud: list[str], legacy: list[str]
):
    async def scenario(rig: Rig) -> None:
        rig.cloud.script, rig.legacy.script = list(cloud), list(legacy)
        body = charge()
        for line in list(body["lines"]):
            body["lines"].append(line | {"lineNumber": line["lineNumber"] + 10, "currencyCode": "EUR"})
        transaction_id = await sent(rig, body)
        for _ in range(60):
            # no ERP executes later than 100 s after its sender ended
            await rig.until(45)
            rig.cloud.post_what_was_late()
            rig.legacy.post_what_was_late()
        status = (await rig.record(transaction_id)).status
        stand = (standing(rig.cloud), standing(rig.legacy))
        assert status in {Status.POSTED, Status.REJECTED, Status.COMPENSATED, Status.IN_DOUBT}
        if status is Status.POSTED:
            assert stand == (2, 2)
        if status in {Status.REJECTED, Status.COMPENSATED}:
            assert stand == (0, 0)
        for erp in (rig.cloud, rig.legacy):
            assert set(company_balances(erp).values()) <= {Decimal(0)}
        if status is not Status.IN_DOUBT:
            between = account_balances(rig.cloud).get(("NW02", "194001"), Decimal(0))
            assert between == -account_balances(rig.legacy).get(("NW01", "194002"), Decimal(0))

    run_split(scenario)


async def test_a_period_is_not_tied_out_while_a_leg_in_it_is_open(rig: Rig):
    rig.legacy.script = ["busy"]
    await sent(rig)

    async def open_of(company_code: str) -> int:
        found = await rig.store.write(lambda unit: unit.open_in_period(company_code, "1996-07-01", "1996-08-01"))
        return int(found)

    assert [await open_of(one) for one in ("NW01", "NW02", "NW03")] == [1, 1, 0]
    await rig.until(10)
    assert await open_of("NW02") == 0


async def test_control_totals_know_every_leg_in_the_book_that_it_lies_in(rig: Rig):
    await sent(rig)
    rig.legacy.script = ["reject"]
    await sent(rig, charge("IC-2"))

    async def posted_in(system_id: str, company_code: str) -> list[tuple[str, str]]:
        found = await rig.store.reads.posted_documents(
            system_id, "journal_entries", company_code, "1996-07-01", "1996-08-01", 100
        )
        return [(one.document_number, one.state) for one in found]

    # what was taken back stands in the ERP, as what was reversed does
    assert await posted_in("cloud-main", "NW02") == [("000001", "active"), ("000002", "reversed")]
    assert await posted_in("legacy-main", "NW01") == [("000001", "active")]
    assert await posted_in("legacy-main", "NW02") == []
