"""Back: per slice, one person, never forward."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.domain.caller import DataScope
from routing_rules import Rulebook, differences, parse_rulebook
from tests.cutover.desk import SAMPLE, Desk, again, moved

WHO = "order-to-cash-activator"
PILOT = "orders.Eastern.DE"
NORTHERN = (
    ("orders", "o-north-emea"),
    ("invoices", "i-north-emea"),
    ("payments", "p-north-emea"),
    ("journal_entries", "j-north-emea"),
)


@pytest.fixture
async def desk(store: Any) -> AsyncIterator[Desk]:
    async with Desk.on(store) as opened:
        yield opened


def raised(share: str = "50") -> dict[str, str]:
    return moved("o-east-dach", ",25,", f",{share},")


def told(before: Rulebook, after: Rulebook) -> list[str]:
    return [str(one) for one in differences(before, after)]


async def test_one_person_takes_one_slice_back_and_nothing_else(desk: Desk):
    first = await desk.rulebook()
    await desk.forward(again(raised(), "o-north-emea", ",dark,", ",validate,"))
    answer = await desk.roll_back(desk.who(WHO), PILOT)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["activationNumber"], answer.json()["draftId"]) == (
        "activated",
        3,
        None,
    )
    # Of what came into force with number 2, all but the German part of the pilot is still there.
    assert told(first, await desk.rulebook()) == [
        "orders: business_unit Eastern, geography AT | CH, amount <5000 USD | any other currency: share 25 -> 50",
        "orders: business_unit Northern, geography EMEA except ES|FR: stage dark -> validate",
    ]


async def test_it_is_told_by_an_entry_an_event_and_the_list(desk: Desk):
    await desk.forward(raised())
    answer = await desk.roll_back(desk.who(WHO), PILOT)
    entries = await desk.entries(answer.json()["activationId"])
    kinds = [one["kind"] for one in entries]
    assert kinds == ["gate_passed", "gate_passed", "activated", "rolled_back"]
    assert [one["seq"] for one in entries] == [1, 2, 3, 4]
    back = entries[-1]
    assert (back["slice"], back["undoneActivationNumber"], back["restoredActivationNumber"]) == (PILOT, 2, 1)
    assert "reasonHash" in back
    assert "wrong prices" not in str(entries)
    listed = (await desk.http.get("/v1/rulebooks", headers=desk.who("auditor"))).json()["items"]
    assert listed[0]["rolledBackSlice"] == PILOT
    whole = (await desk.http.get("/v1/rulebooks/3", headers=desk.who("auditor"))).json()
    files = {one["fileName"]: one["text"].encode() for one in whole["files"]}
    assert parse_rulebook(files).version == listed[0]["rule"]["tableVersion"], "somebody can go on from it"
    yaml = SAMPLE["rulebook.yaml"].partition("\nexamples:")[0] + "\n"
    assert files["rulebook.yaml"].decode() == yaml, "as it was saved, with its comments"
    rows = [one.partition(b",")[0].decode() for one in files["orders.csv"].splitlines()]
    assert [one for one in rows if one in SAMPLE["orders.csv"]] == [
        one for one in (line.partition(",")[0] for line in SAMPLE["orders.csv"].splitlines()) if one in rows
    ]


async def test_what_went_back_whole_has_its_files_and_examples_again(desk: Desk):
    """The first version's own files: they are kept with it, for nobody saved a draft of it."""
    await desk.forward(raised())
    assert (await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA")).status_code == 200
    for number in (1, 3):
        whole = (await desk.http.get(f"/v1/rulebooks/{number}", headers=desk.who("auditor"))).json()
        assert {one["fileName"]: one["text"] for one in whole["files"]} == SAMPLE


async def test_back_and_back_again_is_never_forward(desk: Desk):
    """Otherwise one person could bring into force again what was taken back."""
    first = await desk.rulebook()
    await desk.forward(raised("50"))
    await desk.forward(raised("75"))
    assert await shares(desk) == "75"
    for key, expected in (("k1", "50"), ("k2", "25")):
        answer = await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA", key)
        assert answer.status_code == 200, answer.text
        assert await shares(desk) == expected
    assert told(first, await desk.rulebook()) == []
    answer = await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA", "k3")
    assert answer.status_code == 422
    assert "no activation changed it" in answer.json()["detail"]


async def shares(desk: Desk) -> str:
    """The pilot's share in Germany now."""
    [share] = {
        str(row.outcome.share)
        for row in (await desk.rulebook()).tables["orders"].rows
        if row.outcome.share is not None and "DE" in row.geography.nodes
    }
    return share


async def test_a_slice_of_which_a_part_went_back_goes_back_part_by_part(desk: Desk):
    await desk.forward(raised())
    assert (await desk.roll_back(desk.who(WHO), PILOT)).status_code == 200
    answer = await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA", "k2")
    assert answer.status_code == 422
    assert f"({PILOT}) went back already" in answer.json()["detail"]


async def test_the_same_request_again_goes_no_further_back(desk: Desk):
    await desk.forward(raised("50"))
    await desk.forward(raised("75"))
    first = await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA", "k1")
    same = await desk.roll_back(desk.who(WHO), "orders.Eastern.EMEA", "k1")
    assert first.json()["activationId"] == same.json()["activationId"]
    assert await desk.in_force() == 4


async def test_what_the_proof_refuses_does_not_go_back(desk: Desk):
    """Payments would stand below validate, which a pilot of the orders before them does not allow."""
    files, others = dict(SAMPLE), ("treasury", "record-to-report")
    for domain, row in NORTHERN:
        files = again(files, row, ",dark,", ",validate,", domain)
    await desk.forward(files, *others)
    await desk.forward(
        again(files, "o-north-emea", ",validate,legacy-main,cloud-main,,", ",pilot,legacy-main,cloud-main,5,")
    )
    answer = await desk.roll_back(desk.who(WHO), "payments.Northern.EMEA")
    assert answer.status_code == 422
    assert [one["gate"] for one in answer.json()["failedGates"]] == ["proof_clean"]
    assert await desk.in_force() == 3


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("orders.Eastern", 400, "invalid-request"),
        ("orders.Eastern.Mars", 422, "unknown-node"),
        ("leases.Eastern.DE", 422, "domain-not-served"),
    ],
)
async def test_what_is_no_slice(desk: Desk, name: str, status: int, code: str):
    answer = await desk.roll_back(desk.who(WHO), name)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_it_needs_a_key_a_scope_and_the_slice_within_the_data_scope(desk: Desk):
    keyless = await desk.http.post(
        f"/v1/cutover/slices/{PILOT}/rollback", headers=desk.who(WHO), json={"reason": "wrong"}
    )
    assert keyless.json()["code"] == "missing-idempotency-key"
    assert (await desk.roll_back(desk.who("order-to-cash-author"), PILOT)).status_code == 403
    elsewhere = desk.who(WHO, data_scope=DataScope(frozenset({"Western"}), None))
    assert (await desk.roll_back(elsewhere, PILOT)).json()["code"] == "out-of-scope"


async def test_a_draft_saved_before_it_is_of_another_base(desk: Desk):
    await desk.forward(raised())
    draft_id = await desk.saved(raised("75"))
    await desk.approved(draft_id)
    assert (await desk.roll_back(desk.who(WHO), PILOT)).status_code == 200
    answer = await desk.activate(desk.who(WHO), draft_id)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
