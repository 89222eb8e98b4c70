"""Recorded documents through two versions: each rule by example."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from routing_rules import share_bucket
from routing_rules.recorded_facts import RecordInvalid
from routing_rules.simulation import LARGEST, simulate
from routing_rules.simulation_records import RecordedDocument, read_documents
from tests.rules.traffic import BASE, LIVE, WEST, book, document


def test_what_moves_is_told_by_slice_period_currency_and_direction() -> None:
    result = simulate(book(BASE, WEST), book(BASE, LIVE), [document(1), document(2), document(3, business_unit="B")])
    (moved,) = result.moved
    assert (moved.direction, moved.from_system, moved.to_system) == ("to_cloud", "old", "new")
    assert (moved.domain, moved.business_unit, moved.geography, moved.company_code) == ("orders", "A1", "DE", "C1")
    assert (moved.period, moved.currency, moved.documents, moved.amount) == ("2026-03", "EUR", 2, Decimal("200.00"))
    assert [(one.name, one.documents) for one in result.kept_totals] == [("old", 1)]
    assert [(one.name, one.currency, one.amount) for one in result.moved_totals] == [("to_cloud", "EUR", Decimal(200))]
    back = simulate(book(BASE, LIVE), book(BASE, WEST), [document()])
    assert back.moved[0].direction == "to_legacy"
    other = simulate(book(BASE, LIVE), book(BASE, LIVE.replace("new", "eu")), [document(period="2026-P03")])
    assert (other.moved[0].direction, other.moved[0].period) == ("within_cloud", "2026-P03")


def test_follow_ups_go_where_their_root_goes() -> None:
    documents = [
        document(1),
        document(2, lineage_id="l1", is_root=False, business_unit="B", amount=Decimal(7)),
        document(3, lineage_id="l1", is_root=False, business_unit="Mars"),
    ]
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    assert (result.decided, result.followed, result.moved_documents) == (1, 2, 3)
    assert {one.business_unit: one.amount for one in result.moved} == {"A1": 100, "B": 7, "Mars": 100}


def test_lineages_from_before_the_window_stay_and_are_counted_apart() -> None:
    documents = [document(1, is_root=False, pinned_system="old"), document(2, is_root=False)]
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    assert (result.pinned, result.moved) == (1, ())
    assert [(one.name, one.documents, one.amount) for one in result.pinned_totals] == [("old", 1, Decimal(100))]
    assert [(one.name, one.documents) for one in result.undetermined] == [("pin", 1)]


def test_what_was_not_recorded_is_no_absent_fact() -> None:
    documents = [
        document(1, undetermined=("customer_segment", "company_code")),
        document(2, lineage_id="l1", is_root=False, amount=Decimal(7)),
    ]
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    assert (result.decided, result.followed, result.moved) == (0, 0, ())
    assert [(one.name, one.documents, one.amount) for one in result.undetermined] == [
        ("company_code|customer_segment", 1, Decimal(100)),
        ("root", 1, Decimal(7)),
    ]


def test_what_no_version_can_send_is_named() -> None:
    gapped = book(LIVE, "b,,,FR,,,,,,,legacy,old,,,,,")
    documents = [
        document(1, business_unit="B"),
        document(2, business_unit="Mars"),
        document(3, domain="quotes"),
        document(4, geography="FR"),
        document(5, lineage_id="l1", is_root=False),
    ]
    result = simulate(book(BASE), gapped, documents)
    found = {one.kind: (one.documents, one.transactions) for one in result.unmatched_candidate}
    assert found == {
        "gap": (1, ("t1",)),
        "unknown_node": (1, ("t2",)),
        "domain_not_served": (1, ("t3",)),
        "conflict": (1, ("t4",)),
    }
    assert {one.kind for one in result.unmatched_in_force} == {"unknown_node", "domain_not_served"}
    assert [one.name for one in result.undetermined] == ["root"]
    many = simulate(book(BASE), gapped, [document(number, business_unit="B") for number in range(50)])
    assert len(many.unmatched_candidate[0].transactions) == 20


PILOT = "p,,A,,,,,,,,pilot,old,new,{},{},,"


def recorded(key: str, **changes: Any) -> RecordedDocument:
    """As it is read back: the bucket instead of the key."""
    return document(recorded_bucket=share_bucket(key), **changes)


def test_a_share_is_replayed_by_the_bucket() -> None:
    inside = next(f"c{number}" for number in range(1_000) if 2_000 <= share_bucket(f"c{number}") < 3_000)
    before, after = book(BASE, PILOT.format("20", "")), book(BASE, PILOT.format("30", ""))
    for one in (document(share_key=inside), recorded(inside)):
        result = simulate(before, after, [one])
        assert [moved.direction for moved in result.moved] == ["to_cloud"]


def test_another_allow_list_can_only_be_judged_by_the_roots_name() -> None:
    outside = next(f"c{number}" for number in range(1_000) if share_bucket(f"c{number}") >= 9_000)
    none, listed, other = (book(BASE, PILOT.format("20", allow)) for allow in ("", "X1", "X1|X2"))
    named = document(share_key=outside, root_external_id="X2")
    assert simulate(listed, other, [named]).moved[0].direction == "to_cloud"
    # Read back: whether it was listed is known, what it was called is not.
    unlisted, hit = recorded(outside, recorded_allow_hit=False), recorded(outside, recorded_allow_hit=True)
    assert [one.name for one in simulate(listed, other, [unlisted]).undetermined] == ["allow_hit"]
    assert simulate(listed, listed, [hit]).moved == ()
    # Without a list nobody is listed, and what the share takes goes to the cloud whatever a list says.
    assert simulate(listed, none, [hit]).moved[0].direction == "to_legacy"
    assert simulate(none, listed, [replace(unlisted, facts=replace(unlisted.facts, recorded_bucket=0))]).decided == 1


def test_customers_that_would_be_open_in_both() -> None:
    documents = [
        document(1, customer="ann", open_amount=Decimal(40)),
        document(2, customer="ann", business_unit="B", open_amount=Decimal(60)),
        document(3, customer="bob", open_amount=Decimal(5)),
        document(4, customer="cid", is_root=False, pinned_system="old", open_amount=Decimal(9)),
        document(5, customer="cid", currency="USD", open_amount=Decimal(1)),
        document(6, customer="dan", business_unit="B", open_amount=None),
        document(7, customer="dan", open_amount=Decimal(3)),
    ]
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    assert result.open_in_both_in_force.customers == 0
    both = result.open_in_both_candidate
    assert both.customers == 2
    assert [(one.currency, one.documents, one.amount) for one in both.legacy] == [("EUR", 2, Decimal(69))]
    assert [(one.currency, one.documents, one.amount) for one in both.cloud] == [
        ("EUR", 1, Decimal(40)),
        ("USD", 1, Decimal(1)),
    ]
    assert "ann" not in json.dumps(result.as_json())


def test_the_busiest_minute_stands_beside_the_budget() -> None:
    documents = [document(number, minute=number // 3, calls=5) for number in range(6)]
    documents.append(document(9, is_root=False, pinned_system="old", minute=1, calls=2))
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    old, new = (next(one for one in result.peaks if one.system_id == name) for name in ("old", "new"))
    assert (old.in_force_calls, old.in_force_minute, old.candidate_calls, old.candidate_minute) == (17, 1, 2, 1)
    # At validate the cloud is asked once for each root.
    assert (new.in_force_calls, new.in_force_minute, new.candidate_calls, new.candidate_minute) == (3, 0, 15, 0)
    assert (new.budget, new.candidate_percent) == (60, Decimal(25))
    idle = next(one for one in result.peaks if one.system_id == "eu")
    assert (idle.candidate_calls, idle.candidate_minute, idle.candidate_percent) == (0, None, 0)


def test_the_largest_that_move_are_named_for_each_currency() -> None:
    documents = [document(number, amount=Decimal(number % 30)) for number in range(60)]
    documents.append(document(99, amount=Decimal("0.01"), currency="JPY"))
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    assert [one.transaction_id for one in result.largest[:4]] == ["t29", "t59", "t28", "t58"]
    assert len([one for one in result.largest if one.currency == "EUR"]) == LARGEST == 20
    assert (result.largest[-1].row_before, result.largest[-1].row_after) == ("west", "west")


def test_the_result_is_json_with_a_hash_of_its_own() -> None:
    documents = [document(number, amount=Decimal(f"{number}.10")) for number in range(5)]
    result = simulate(book(BASE, WEST), book(BASE, LIVE), documents)
    read = json.loads(json.dumps(result.as_json()))
    assert read["moved"][0]["amount"] == "10.50"
    assert [one["candidate_percent"] for one in read["peaks"]] == ["0", "8.4", "0"]
    assert (read["in_force"], read["candidate"]) == (book(BASE, WEST).version, book(BASE, LIVE).version)
    assert simulate(book(BASE, WEST), book(BASE, LIVE), reversed(documents)).digest == result.digest
    assert simulate(book(BASE, WEST), book(BASE, LIVE), documents[:-1]).digest != result.digest
    empty = simulate(book(BASE), book(BASE), [])
    assert (empty.documents, empty.first_minute, empty.moved) == (0, None, ())


def test_money_is_exact_however_much_there_is() -> None:
    amount = Decimal("9" * 40 + ".99")
    (moved,) = simulate(
        book(BASE, WEST), book(BASE, LIVE), [document(number, amount=amount) for number in range(11)]
    ).moved
    assert format(moved.amount, "f") == "10" + "9" * 39 + "9.89"


def test_documents_are_read_back_as_they_were() -> None:
    documents = [
        document(1, share_key="c1", customer="ann", open_amount=Decimal("4.50"), calls=3, period="2026-P03"),
        document(2, is_root=False, pinned_system="old", undetermined=("amount",)),
        document(3, lineage_id="l1", is_root=False, amount=None, currency=None, posting_date=None),
    ]
    lines = [json.dumps(one.as_json()) for one in documents]
    assert "c1" not in "".join(lines)
    before, after = book(BASE, WEST), book(BASE, LIVE)
    assert simulate(before, after, read_documents(lines)).digest == simulate(before, after, documents).digest
    again = [json.dumps(one.as_json()) for one in read_documents(["\n", *lines])]
    assert again == lines


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"minute": -1}, "minute must be a whole number"),
    ({"minute": True}, "minute must be a whole number"),
    ({"calls": 1_000_000}, "calls must be a whole number"),
    ({"is_root": "yes"}, "is_root must be true or false"),
    ({"lineage_id": None}, "lineage_id must be text"),
    ({"open_amount": "much"}, "ConversionSyntax"),
    ({"open_amount": "NaN"}, "open_amount must be a finite decimal"),
    ({"facts": [1]}, "facts must be an object"),
    ({"facts": {"domain": "orders"}}, "domain and operation must be recorded"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_line_that_is_no_document_is_named(change: dict[str, Any], message: str) -> None:
    good = document().as_json()
    with pytest.raises(RecordInvalid, match=message) as caught:
        list(read_documents([json.dumps(good), json.dumps(good | change)]))
    assert caught.value.line == 2
    with pytest.raises(RecordInvalid, match="it lacks 'facts'"):
        list(read_documents([json.dumps({name: one for name, one in good.items() if name != "facts"})]))
