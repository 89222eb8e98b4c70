"""decide against literal set inclusion on small random tables, and what it says of its answers."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_rules import (
    Conflict,
    Decision,
    Facts,
    Gap,
    Overlay,
    Rulebook,
    Side,
    Stage,
    UnknownNode,
    decide,
    parse_rulebook,
    share_bucket,
    why_not,
)
from routing_rules.share import BUCKET_RULE
from routing_rules.table_reader import HEADER

GROUND = b"""
rulebook: small
business_units: {id: G, children: [{id: A, children: [{id: A1}]}, {id: B}]}
geographies: {id: W, children: [{id: EMEA, children: [{id: DE}, {id: FR}]}, {id: US}]}
systems:
  - {id: old, side: legacy, driver: d, regions: [W], domains: [orders, invoices],
     budget: {concurrent: 1, calls_per_minute: 1},
     longest_execution_s: 1, inquiry_delay_s: 0, enforces_unique_reference: false}
  - {id: new, side: cloud, driver: d, regions: [W], domains: [orders, invoices],
     budget: {concurrent: 1, calls_per_minute: 1},
     longest_execution_s: 1, inquiry_delay_s: 0, enforces_unique_reference: true}
company_codes: [{id: C1}, {id: C2}]
"""

# Each cell beside the set that it must mean, written out by hand.
UNITS = {
    "*": {"G", "A", "A1", "B"},
    "A": {"A", "A1"},
    "A1": {"A1"},
    "A|B": {"A", "A1", "B"},
    "* except A1": {"G", "A", "B"},
}
PLACES = {
    "": {"W", "EMEA", "DE", "FR", "US"},
    "W": {"W", "EMEA", "DE", "FR", "US"},
    "EMEA": {"EMEA", "DE", "FR"},
    "EMEA except FR": {"EMEA", "DE"},
    "DE|US": {"DE", "US"},
    "FR": {"FR"},
}
OPERATIONS = {"*": {"create", "change", "cancel"}, "create": {"create"}, "create|change": {"create", "change"}}
COMPANIES = {"": {None, "C1"}, "C1": {"C1"}}
SEGMENTS = {"*": {None, "key"}, "key": {"key"}}
AMOUNTS = {
    "*": {None, "-5 EUR", "0 EUR", "10 EUR", "99.99 EUR", "10 USD"},
    ">=10 EUR": {"10 EUR", "99.99 EUR"},
    "<10 EUR": {"-5 EUR", "0 EUR"},
    "0..99.99 EUR": {"0 EUR", "10 EUR"},
    ">=0 USD": {"10 USD"},
}
DATES = {
    ("", ""): {None, "2026-01-31", "2026-02-01"},
    ("2026-02-01", ""): {"2026-02-01"},
    ("", "2026-02-01"): {"2026-01-31"},
}
DIMENSIONS: tuple[dict[Any, set[Any]], ...] = (OPERATIONS, UNITS, PLACES, COMPANIES, SEGMENTS, AMOUNTS, DATES)
OUTCOMES = ("legacy,old,,,", "live,,new,,", "pilot,old,new,50,", "live,,new,,hold")
UNIVERSE = list(product(*(sorted(set().union(*one.values()), key=str) for one in DIMENSIONS)))


def csv_row(row_id: str, cells: tuple[Any, ...], outcome: str) -> str:
    operation, unit, place, company, segment, amount, (start, end) = cells
    stage, legacy, cloud, share, overlay = outcome.split(",")
    head = f"{row_id},{operation},{unit},{place},{company},,{segment},{amount},{start},{end}"
    return f"{head},{stage},{legacy},{cloud},{share},,{overlay},"


def rulebook(*rows: str, domain: str = "orders", ground: bytes = GROUND) -> Rulebook:
    return parse_rulebook({"rulebook.yaml": ground, f"{domain}.csv": "\n".join([HEADER, *rows]).encode()})


def facts(point: tuple[Any, ...]) -> Facts:
    operation, unit, place, company, segment, money, day = point
    amount, _, currency = (money or "").partition(" ")
    return Facts(
        domain="orders",
        operation=operation,
        business_unit=unit,
        geography=place,
        company_code=company,
        customer_segment=segment,
        amount=Decimal(amount) if amount else None,
        currency=currency or None,
        posting_date=date.fromisoformat(day) if day else None,
    )


FACTS = [facts(point) for point in UNIVERSE]
CELLS = st.tuples(*(st.sampled_from(sorted(one, key=str)) for one in DIMENSIONS))
# Wide cells often, so that rows nest and cross instead of missing each other.
WIDE = CELLS.map(lambda cells: (*cells[:3], "", "*", "*", ("", "")))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CELLS | WIDE, st.sampled_from(OUTCOMES)), min_size=1, max_size=6), st.randoms())
def test_decide_is_literal_set_inclusion(rows: list[tuple[Any, str]], random: Any) -> None:
    ids = [f"r{number}" for number in range(len(rows))]
    lines = [csv_row(row_id, *row) for row_id, row in zip(ids, rows, strict=True)]
    random.shuffle(lines)
    book = rulebook(*lines)
    sets = [frozenset(product(*(one[cell] for one, cell in zip(DIMENSIONS, cells, strict=True)))) for cells, _ in rows]
    for one, other in product(range(len(rows)), repeat=2):
        first, second = book.table("orders").row(ids[one]), book.table("orders").row(ids[other])
        assert first.contains(second) == (sets[one] >= sets[other])
        assert first.overlaps(second) == bool(sets[one] & sets[other])
    for point, given_facts in random.sample(list(zip(UNIVERSE, FACTS, strict=True)), 300):
        matched = [number for number, found in enumerate(sets) if point in found]
        deciding = [one for one in matched if not any(sets[other] < sets[one] for other in matched)]
        answer = decide(book, given_facts)
        if not deciding:
            assert isinstance(answer, Gap)
        elif len({rows[one][1] for one in deciding}) > 1:
            assert isinstance(answer, Conflict)
            assert [row.id for row in answer.rows] == [ids[one] for one in deciding]
        else:
            assert isinstance(answer, Decision)
            assert answer.row_id == ids[deciding[0]]
            explanation = answer.explanation
            assert [one.row.id for one in explanation.matched] == [ids[one] for one in matched]
            assert list(explanation.deciding) == [ids[one] for one in deciding]


FACT = Facts(domain="orders", operation="create", business_unit="A1", geography="DE")


def decided(book: Rulebook, given_facts: Facts = FACT) -> Decision:
    answer = decide(book, given_facts)
    assert isinstance(answer, Decision), answer
    return answer


def test_a_third_row_settles_where_two_cross() -> None:
    crossing = ["u,,A,,,,,,,,legacy,old,,,,,", "g,,,EMEA,,,,,,,live,,new,,,,"]
    answer = decide(rulebook(*crossing), FACT)
    assert isinstance(answer, Conflict)
    assert [row.id for row in answer.rows] == ["g", "u"]
    assert "none is an exception to another" in answer.explanation.effect
    settled = decided(rulebook(*crossing, "x,,A,EMEA,,,,,,,live,,new,,,,"))
    assert settled.row_id == "x"
    assert [one.exceptions for one in settled.explanation.matched] == [("x",), ("x",), ()]


def test_rows_that_are_the_same_set_conflict_unless_they_agree() -> None:
    assert isinstance(decide(rulebook("a,,A,,,,,,,,legacy,old,,,,,", "b,,A,,,,,,,,live,,new,,,,"), FACT), Conflict)
    agreed = decided(
        rulebook("b,,A,,,,,,,,live,,new,,,,one", "a,,A|B,,,,,,,,legacy,old,,,,,", "c,,A,,,,,,,,live,,new,,,,two")
    )
    assert agreed.row_id == "b"
    assert agreed.explanation.deciding == ("b", "c")


@pytest.mark.parametrize(
    "outcome",
    ["pilot,old,new,49,,,", "pilot,old,new,50,X,,", "pilot,old,new,50,,hold,", "live,old,new,,,,", "pilot,,new,100,,,"],
)
def test_every_output_counts_for_agreement(outcome: str) -> None:
    book = rulebook(f"a,,A,,,,,,,,{outcome}", "b,,A,,,,,,,,pilot,old,new,50,,,")
    assert isinstance(decide(book, FACT), Conflict)


@pytest.mark.parametrize(
    ("outcome", "side"),
    [
        ("legacy,old,,,,,", Side.LEGACY),
        ("dark,old,new,,,,", Side.LEGACY),
        ("validate,old,new,,,,", Side.LEGACY),
        ("pilot,old,new,0,,,", Side.LEGACY),
        ("pilot,old,new,100,,,", Side.CLOUD),
        ("live,old,new,,,,", Side.CLOUD),
        ("drain,old,new,,,,", Side.CLOUD),
        ("read_only,old,new,,,,", Side.CLOUD),
        ("retired,,new,,,,", Side.CLOUD),
    ],
)
def test_the_stage_names_the_target_of_new_roots(outcome: str, side: Side) -> None:
    decision = decided(rulebook(f"a,,,,,,,,,,{outcome}"))
    assert (decision.side, decision.system_id) == (side, "old" if side is Side.LEGACY else "new")
    assert decision.stage is Stage(outcome.partition(",")[0])
    assert decision.explanation.as_json()["target"] == {"system_id": decision.system_id, "side": side.value}
    assert decision.explanation.effect.startswith(f"stage {decision.stage.value}: ")
    assert decision.effect == decision.explanation.effect


def pilot(share: str, **more: Any) -> Decision:
    book = rulebook(f"a,,,,,,,,,,pilot,old,new,{share},X1|X2,,")
    return decided(book, Facts(domain="orders", operation="create", **more))


def test_a_pilot_splits_at_the_threshold() -> None:
    bucket = share_bucket("key")
    at, above = f"{bucket / 100:.2f}", f"{(bucket + 1) / 100:.2f}"
    assert pilot(at, share_key="key").side is Side.LEGACY
    assert pilot(above, share_key="key").side is Side.CLOUD
    assert pilot(above, share_key="key").explanation.as_json()["share"] == {
        "share": above.rstrip("0").rstrip("."),
        "hash": BUCKET_RULE,
        "threshold": bucket + 1,
        "bucket": bucket,
        "allow_hit": False,
    }


def test_the_allow_list_goes_before_the_share() -> None:
    listed, other = pilot("0", root_external_id="X2"), pilot("0", root_external_id="X3")
    assert (listed.side, listed.allow_hit) == (Side.CLOUD, True)
    assert (other.side, other.allow_hit) == (Side.LEGACY, False)


def test_without_a_share_key_only_everything_takes_a_document() -> None:
    assert pilot("99.99").side is Side.LEGACY
    assert pilot("100").side is Side.CLOUD
    assert pilot("99.99").bucket is None


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(["X1", "X3", None]), st.integers(0, 100))
def test_recorded_facts_decide_the_same_for_ever(key: str, root: str | None, share: int) -> None:
    book = rulebook(f"a,,,EMEA,,,,>=1 EUR,2026-01-01,,pilot,old,new,{share},X1,freeze,")
    given_facts = Facts(
        domain="orders",
        operation="create",
        geography="DE",
        amount=Decimal("1.00"),
        currency="EUR",
        posting_date=date(2026, 1, 1),
        share_key=key,
        root_external_id=root,
    )
    first = decided(book, given_facts)
    recorded = json.loads(json.dumps(first.deciding_facts()))
    assert recorded["overlay"] == "freeze"
    assert "share_key" not in recorded
    assert "root_external_id" not in recorded
    again = decided(book, Facts.from_json(recorded))
    assert (again.system_id, again.bucket, again.allow_hit) == (first.system_id, first.bucket, first.allow_hit)
    assert again.explanation.as_json() == first.explanation.as_json()
    assert again.deciding_facts() == first.deciding_facts()


def test_neither_explanation_nor_repr_tell_the_callers_keys() -> None:
    decision = pilot("50", share_key="SECRET-KEY", root_external_id="SECRET-ROOT")
    text = json.dumps(decision.explanation.as_json()) + repr(decision) + repr(decision.explanation)
    assert "SECRET" not in text


def test_a_gap_names_the_rows_that_come_nearest() -> None:
    book = rulebook("far,,B,US,,,,,,,legacy,old,,,,,", "near,,A,FR,,,,,,,legacy,old,,,,,")
    answer = decide(book, FACT)
    assert isinstance(answer, Gap)
    nearest = answer.explanation.as_json()["nearest"]
    assert nearest[0] == {"row": "near", "mismatches": {"geography": "FR"}}
    assert nearest[1]["mismatches"] == {"business_unit": "B", "geography": "US"}
    assert why_not(book.index("orders"), FACT, "far").mismatches == ("business_unit", "geography")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"business_unit": "Z"}, "business_unit"),
        ({"geography": "XX"}, "geography"),
        ({"operation": "copy"}, "operation"),
    ],
)
def test_a_fact_that_the_rulebook_does_not_know_is_named(change: dict[str, str], field: str) -> None:
    book = rulebook("a,,,,,,,,,,legacy,old,,,,,")
    with pytest.raises(UnknownNode) as caught:
        decide(book, Facts(**({"domain": "orders", "operation": "create"} | change)))  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.value) == (field, change[field])


def test_the_planned_overlay_is_handed_on() -> None:
    decision = decided(rulebook("a,,,,,,,,,,live,,new,,,paused,"))
    assert decision.overlay is Overlay.PAUSED
    assert decision.explanation.as_json()["overlay"] == "paused"
