"""A draft from its first save to its activation, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.auth import DEFAULT_CLIENTS
from gateway.cutover.save_draft import MOST_EDITS
from tests.cutover.desk import NEXT_YEAR, SAMPLE, YEAR, Desk, again, body, moved, noted

ACTIVATOR = "order-to-cash-activator"


@pytest.fixture
async def desk(store: Any) -> AsyncIterator[Desk]:
    async with Desk.on(store) as opened:
        yield opened


async def test_three_persons_bring_a_draft_into_force(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    answer = await desk.activate(desk.who(ACTIVATOR), draft_id)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["activationNumber"]) == ("activated", 2)
    assert await desk.in_force() == 2
    review = await desk.review(draft_id)
    assert (review["state"], review["activationNumber"]) == ("activated", 2)
    assert review["approvals"][0]["counts"], "a closed draft is shown as it was judged"
    assert review["touches"] == [{"domain": "orders", "owners": ["order-to-cash-team"], "approved": True}]
    kinds = [one["kind"] for one in await desk.entries(draft_id)]
    assert kinds == ["draft_saved", "checked", "approved"]
    listed = (await desk.http.get("/v1/rulebooks", headers=desk.who("auditor"))).json()["items"]
    assert [(one["activationNumber"], one["inForce"], one["draftId"]) for one in listed] == [
        (2, True, draft_id),
        (1, False, None),
    ]
    whole = (await desk.http.get("/v1/rulebooks/2", headers=desk.who("auditor"))).json()
    assert {one["fileName"]: one["text"] for one in whole["files"]} == noted("first")


async def test_no_entry_and_no_event_holds_a_name_or_a_reason(desk: Desk):
    draft_id = await desk.saved()
    assert (await desk.waive(desk.who("controller"), draft_id)).status_code == 200
    await desk.approved(draft_id)
    entries = await desk.entries(draft_id)
    assert [one["kind"] for one in entries] == ["draft_saved", "checked", "gate_waived", "approved"]
    assert [one["seq"] for one in entries] == [1, 2, 3, 4]
    persons = {one["person"] for one in entries if "person" in one}
    assert len(persons) == 3
    assert all(len(one) == 64 for one in persons)
    events = b"".join(one.body for one in await desk.rig.store.outbox.pending(1_000)).decode()
    for kind in ("draft_saved", "checked", "gate_waived", "approved"):
        assert f"erp.control.{kind}.v1" in events
    for text in ("finance", "orders live"):
        assert text not in str(entries)
        assert text not in events


async def test_a_review_shows_all_that_it_is_judged_by(desk: Desk):
    files = again(moved("o-north-emea", ",dark,", ",validate,"), "o-east-dach", ",25,", ",50,")
    draft_id = await desk.saved(files)
    await desk.approved(draft_id)
    review = await desk.review(draft_id)
    told = [(one["conditions"], one["changed"]) for one in review["changes"]]
    assert (
        [{"column": "businessUnit", "text": "Northern"}, {"column": "geography", "text": "EMEA except ES|FR"}],
        [{"column": "stage", "before": "dark", "after": "validate"}],
    ) in told
    assert review["changesInAll"] == len(told) == 2
    assert review["touches"] == [{"domain": "orders", "owners": ["order-to-cash-team"], "approved": True}]
    assert review["proof"]["clean"]
    assert len(review["failedExamples"]) == 2
    assert review["coverage"]["rows"] > len(review["coverage"]["rowsWithoutExample"]) > 0
    assert review["basedOnWhatIsInForce"]
    assert [one["editedBy"]["personName"] for one in review["edits"]] == ["order-to-cash-author"]
    assert [(one["approvedBy"]["personName"], one["counts"]) for one in review["approvals"]] == [
        ("order-to-cash-approver", True)
    ]
    gates = {one["gate"]: one for one in review["gates"]}
    assert not gates["proof_clean"]["passed"], "a worked example does not come true"
    assert "nobody has asked" in gates["approvals"]["why"]


async def test_what_is_no_rulebook_is_complained_of_all_at_once_with_its_places(desk: Desk):
    broken = again(moved("o-west", ",live,", ",alive,"), "o-base", ",legacy,", ",lgacy,")
    answer = await desk.save(desk.who("migration"), broken)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    fields = [one["field"] for one in answer.json()["errors"]]
    assert [one.rsplit(":", 1)[0] for one in fields] == ["files.orders.csv:2", "files.orders.csv:3"]


@pytest.mark.parametrize(
    ("name", "text", "status", "code"),
    [
        ("notes.txt", "x", 422, "invalid-document"),
        ("../orders.csv", "x", 422, "invalid-document"),
        ("customers.csv", "x" * 1_950_000, 422, "invalid-document"),
        ("customers.csv", "x" * 2_100_000, 413, "too-large"),
    ],
)
async def test_files_have_names_and_limits(desk: Desk, name: str, text: str, status: int, code: str):
    answer = await desk.save(desk.who("migration"), SAMPLE | {name: text})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_gate_that_there_is_not_would_lock_the_rules(desk: Desk):
    yaml = SAMPLE["rulebook.yaml"].replace("id: simulation,", "id: simulatoin,")
    answer = await desk.save(desk.who("migration"), SAMPLE | {"rulebook.yaml": yaml})
    assert answer.json()["code"] == "invalid-document"
    assert "simulatoin" in answer.json()["detail"]


async def test_the_same_key_saves_one_draft(desk: Desk):
    who = desk.who("migration")
    first = await desk.save(who, noted("a"), idempotencyKey="k")
    same = await desk.save(who, noted("a"), idempotencyKey="k")
    other = await desk.save(who, noted("b"), idempotencyKey="k")
    assert (first.status_code, same.status_code) == (201, 200)
    assert (same.json()["draftId"], same.json()["replayed"]) == (first.json()["draftId"], True)
    assert other.json()["code"] == "idempotency-key-reused"


async def test_an_edit_names_the_version_that_was_read(desk: Desk):
    draft_id, who = await desk.saved(), desk.who("migration")
    blind = await desk.http.put(f"/v1/drafts/{draft_id}", headers=who, json=body(noted("b")))
    assert blind.json()["code"] == "precondition-required"
    edited = await desk.edit(who, draft_id, noted("b"), "v1")
    assert (edited.json()["etag"], edited.headers["etag"]) == ("v2", '"v2"')
    late = await desk.edit(who, draft_id, noted("c"), "v1")
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    missing = await desk.edit(who, "drf_01ARZ3NDEKTSV4RRFFQ69G5FAV", noted("c"), "v1")
    assert missing.json()["code"] == "not-found"


async def test_a_draft_is_saved_so_many_times_and_no_more(desk: Desk):
    """All its authors must be looked at."""
    draft_id = await desk.saved()
    draft = await desk.rig.store.reads.draft(draft_id)
    assert draft is not None
    await desk.rig.store.write(lambda unit: unit.update_draft(replace(draft, version=MOST_EDITS)))
    answer = await desk.edit(desk.who("migration"), draft_id, noted("b"), f"v{MOST_EDITS}")
    assert answer.json()["code"] == "document-closed"


async def test_a_discarded_draft_is_closed(desk: Desk):
    draft_id, who = await desk.saved(), desk.who("migration")
    gone = await desk.http.post(f"/v1/drafts/{draft_id}/discard", headers=who, json={"ifMatch": "v1"})
    assert gone.json()["state"] == "discarded"
    for answer in (
        await desk.edit(who, draft_id, noted("b"), "v1"),
        await desk.approve(desk.who("order-to-cash-approver"), draft_id),
        await desk.waive(desk.who("controller"), draft_id),
    ):
        assert answer.json()["code"] == "document-closed"
    listed = await desk.http.get("/v1/drafts?state=discarded", headers=who)
    assert [one["draftId"] for one in listed.json()["items"]] == [draft_id]


async def test_drafts_are_listed_page_by_page(desk: Desk):
    made = [await desk.saved(noted(str(number))) for number in range(3)]
    who = desk.who("auditor")
    first = (await desk.http.get("/v1/drafts?pageSize=2", headers=who)).json()
    rest = (await desk.http.get(f"/v1/drafts?pageSize=2&cursor={first['nextCursor']}", headers=who)).json()
    assert [one["draftId"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert rest["nextCursor"] is None


async def test_what_gates_refuse_stays_a_draft_that_others_may_bring_in(desk: Desk):
    desk.says["control_totals"].passes = False
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    answer = await desk.activate(desk.who(ACTIVATOR), draft_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "policy-check-failed")
    assert [one["gate"] for one in answer.json()["failedGates"]] == ["control_totals"]
    review = await desk.review(draft_id)
    assert (review["state"], review["activationId"]) == ("open", None)
    assert (await desk.waive(desk.who("controller"), draft_id, "control_totals")).status_code == 200
    other = replace(DEFAULT_CLIENTS[ACTIVATOR], name="c", person="somebody-else")
    assert (await desk.activate(desk.token(other), draft_id)).json()["state"] == "activated"


async def test_at_the_end_of_a_period_and_withdrawn_before(desk: Desk):
    draft_id, who = await desk.saved(), desk.who(ACTIVATOR)
    await desk.approved(draft_id)
    asked = await desk.activate(who, draft_id, companyCode="NW01", period=f"{YEAR}-12")
    assert (asked.status_code, asked.json()["state"]) == (202, "scheduled")
    assert asked.json()["effectiveAt"] == NEXT_YEAR.replace("Z", ".000000Z")
    same = await desk.activate(who, draft_id, companyCode="NW01", period=f"{YEAR}-12")
    assert same.json()["activationId"] == asked.json()["activationId"]
    busy = await desk.activate(who, draft_id, effectiveAt=NEXT_YEAR.replace("00Z", "01Z"))
    assert busy.json()["code"] == "document-busy"
    gone = await desk.http.post(f"/v1/drafts/{draft_id}/withdraw", headers=who, json={})
    assert gone.json()["state"] == "withdrawn"
    assert (await desk.review(draft_id))["activationId"] is None


@pytest.mark.parametrize(
    "when",
    [
        {"period": "2099-12"},
        {"companyCode": "NW01", "period": "2099-13"},
        {"companyCode": "XX99", "period": "2099-12"},
        {"companyCode": "NW01", "period": "2099-12", "effectiveAt": "2100-01-01T00:00:00Z"},
        {"effectiveAt": "2100-01-01T00:00:00"},
        {"effectiveAt": "tomorrow"},
        {"effectiveAt": f"{YEAR - 1}-09-14T00:00:00Z"},
        {"companyCode": "NW01", "period": f"{YEAR - 1}-09"},
    ],
)
async def test_times_that_are_none(desk: Desk, when: dict[str, str]):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    answer = await desk.activate(desk.who(ACTIVATOR), draft_id, **when)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document"), answer.text


async def test_what_another_activation_made_old_is_saved_again(desk: Desk):
    first, second = await desk.saved(noted("one")), await desk.saved(noted("two"))
    await desk.approved(first)
    await desk.approved(second)
    assert (await desk.activate(desk.who(ACTIVATOR), first)).status_code == 200
    answer = await desk.activate(desk.who(ACTIVATOR), second)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    review = await desk.review(second)
    assert not review["basedOnWhatIsInForce"]
    assert not review["approvals"][0]["counts"]
    assert (await desk.edit(desk.who("order-to-cash-author"), second, noted("two"), "v1")).status_code == 200
    await desk.approved(second, "v2")
    assert (await desk.activate(desk.who(ACTIVATOR), second)).json()["activationNumber"] == 3


async def test_an_author_who_looked_at_other_rules_is_told(desk: Desk):
    answer = await desk.save(desk.who("migration"), noted("a"), baseActivationNumber=7)
    assert (answer.status_code, answer.json()["activationNumber"]) == (412, 1)
