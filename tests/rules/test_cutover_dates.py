"""Cutover dates: what is posted before a row's date goes to the legacy system, from pilot to drain."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from routing_rules import (
    Decision,
    Facts,
    Rulebook,
    Side,
    Stage,
    decide,
    differences,
    load_rulebook,
    prove,
    rulebook_from_canonical,
    simulate,
)
from routing_rules.reversion import reverted
from tests.rules.small_rulebook import YAML, complaints, parse
from tests.rules.specs import GROUND
from tests.rules.test_canonical_text import SAMPLE, assert_same
from tests.rules.traffic import book as traffic_book
from tests.rules.traffic import document

BASE = "base,,,,,,,,,,legacy,old,,,,,"
CUTOVER = date(2026, 12, 1)
BEFORE, AFTER = date(2026, 11, 30), CUTOVER
STAGES = {
    "legacy": "legacy,old,,,",
    "dark": "dark,old,new,,",
    "validate": "validate,old,new,,",
    "pilot": "pilot,old,new,100,X1",
    "live": "live,old,new,,",
    "drain": "drain,old,new,,",
    "read_only": "read_only,old,new,,",
    "retired": "retired,old,new,,",
}


def dated(*dates: str) -> str:
    return f"{YAML}cutover_dates: {{orders: {{{', '.join(dates)}}}}}\n"


def row(stage: str, row_id: str = "a") -> str:
    return f"{row_id},,A,,,,,,,,{STAGES[stage]},,"


def book(stage: str, *dates: str) -> Rulebook:
    return parse(BASE, row(stage), yaml=dated(*dates) if dates else YAML)


def decided(rulebook: Rulebook, **facts: Any) -> Decision:
    answer = decide(rulebook, Facts(domain="orders", operation="create", **{"business_unit": "A"} | facts))
    assert isinstance(answer, Decision)
    return answer


@pytest.mark.parametrize("stage", STAGES)
def test_the_date_counts_from_pilot_to_drain_and_nowhere_else(stage: str) -> None:
    rulebook, undated = book(stage, "a: 2026-12-01"), book(stage)
    counts = stage in {"pilot", "live", "drain"}
    for posting_date in (BEFORE, AFTER, None, BEFORE):
        answer, otherwise = (decided(one, posting_date=posting_date, share_key="c") for one in (rulebook, undated))
        assert answer.before_cutover == (counts and posting_date == BEFORE)
        assert answer.side is (Side.LEGACY if answer.before_cutover else otherwise.side)
        assert (answer.system_id, answer.stage.value) == ("old" if answer.side is Side.LEGACY else "new", stage)


def test_the_date_goes_before_the_allow_list_and_the_share() -> None:
    answer = decided(book("pilot", "a: 2026-12-01"), posting_date=BEFORE, share_key="c", root_external_id="X1")
    assert (answer.system_id, answer.explanation.share) == ("old", None)


def test_the_explanation_names_the_date() -> None:
    explanation = decided(book("live", "a: 2026-12-01"), posting_date=BEFORE).explanation
    assert explanation.effect == (
        "stage live: posting date 2026-11-30 lies before the cutover date 2026-12-01, "
        "so it belongs to the legacy system; target old"
    )
    assert json.loads(json.dumps(explanation.as_json()))["cutover_date"] == "2026-12-01"
    after = decided(book("live", "a: 2026-12-01"), posting_date=AFTER).explanation
    assert after.effect == "stage live: new roots go to the cloud system; target new"


def test_each_row_has_its_own_date_and_an_exception_inherits_none() -> None:
    rows = (BASE, row("live"), "b,,A,DE,,,,,,,live,old,new,,,,")
    rulebook = parse(*rows, yaml=dated("a: 2026-12-01"))
    assert decided(rulebook, posting_date=BEFORE, geography="FR").system_id == "old"
    assert decided(rulebook, posting_date=BEFORE, geography="DE").system_id == "new"


def test_rows_that_cross_and_have_other_dates_contradict_each_other() -> None:
    rows = (BASE, row("live"), "b,,,DE,,,,,,,live,old,new,,,,")
    assert prove(parse(*rows)).clean
    assert not prove(parse(*rows, yaml=dated("a: 2026-12-01"))).clean
    assert prove(parse(*rows, yaml=dated("a: 2026-12-01", "b: 2026-12-01"))).clean


def test_the_date_is_in_the_table_version_and_the_recorded_facts_decide_the_same() -> None:
    one, other, none = book("live", "a: 2026-12-01"), book("live", "a: 2026-12-02"), book("live")
    assert len({each.table_version("orders") for each in (one, other, none)}) == 3
    assert one.governance_version == none.governance_version
    assert_same(one)
    stored = rulebook_from_canonical(one.canonical_json(), one.governance_json())
    answer = decided(one, posting_date=BEFORE, share_key="c")
    again = decide(stored, Facts.from_json(answer.deciding_facts()))
    assert isinstance(again, Decision)
    assert (again.system_id, again.row_id, again.table_version) == ("old", "a", answer.table_version)


def test_versions_without_dates_keep_the_hashes_that_they_had() -> None:
    assert b"cutover_date" not in load_rulebook(SAMPLE).canonical_json()
    assert book("live", "a: 2026-12-01").table_json("orders").count(b'"cutover_date":"2026-12-01"') == 1


def test_another_date_is_a_change_of_these_facts() -> None:
    (change,) = differences(book("live"), book("live", "a: 2026-12-01"))
    assert str(change) == "orders: business_unit A: cutover_date - -> 2026-12-01"


def test_a_slice_goes_back_with_the_date_that_it_had() -> None:
    before, now = book("validate", "a: 2026-12-01"), book("pilot", "a: 2027-01-01")
    assert reverted(now, before, "orders", "A", "W").version == before.version


def test_a_simulation_counts_what_stays_for_its_date() -> None:
    rows = ("base,,,,,,,,,,legacy,old,,,,,", "west,,A,,,,,,,,live,old,new,,,,")
    yaml = "cutover_dates: {orders: {west: 2026-04-01}}\n"
    plain = traffic_book(*rows)
    dates = traffic_book(*rows, yaml=GROUND + yaml)
    documents = [document(1), document(2, posting_date=date(2026, 4, 1))]
    result = simulate(plain, dates, documents)
    assert [(one.direction, one.documents) for one in result.moved] == [("to_legacy", 1)]
    assert [(one.name, one.documents) for one in result.kept_totals] == [("new", 1)]


def test_a_changed_allow_list_leaves_nothing_open_before_the_date() -> None:
    """Recorded is whether a list named the root and not which root it is; before the date no list has a say."""
    pilot = "west,,A,,,,,,,,pilot,old,new,0,{},,"
    yaml = GROUND + "cutover_dates: {orders: {west: 2026-04-01}}\n"
    base = "base,,,,,,,,,,legacy,old,,,,,"
    before, after = (traffic_book(base, pilot.format(allow), yaml=yaml) for allow in ("X1", "X2"))
    early = document(1, recorded_allow_hit=False, recorded_bucket=1)
    late = document(2, recorded_allow_hit=False, recorded_bucket=1, posting_date=date(2026, 4, 1))
    result = simulate(before, after, [early, late])
    assert [(one.name, one.documents) for one in result.undetermined] == [("allow_hit", 1)]
    assert [(one.name, one.documents) for one in result.kept_totals] == [("old", 1)]


def test_what_is_wrong_is_told_at_its_place() -> None:
    rows = (BASE, row("live"), "c,,B,,,,,,,,live,,new,,,,")
    line = YAML.count("\n") + 1
    found = complaints(*rows, yaml=dated("aa: 2026-12-01", "c: 2026-12-01", "base: 01.12.2026", "a: ''"))
    assert found == [
        f"rulebook.yaml:{line}:30: orders have no row 'aa' to date",
        f"rulebook.yaml:{line}:45: row c (orders.csv:4) has a cutover date and no legacy system",
        f"rulebook.yaml:{line}:63: '01.12.2026' is no date",
        f"rulebook.yaml:{line}:78: the cutover date is empty",
    ]
    masters = complaints(BASE, yaml=f"{YAML}cutover_dates: {{customers: {{a: 2026-12-01}}, quotes: {{}}}}\n")
    assert masters == [
        f"rulebook.yaml:{line}:28: customers have no posting date",
        f"rulebook.yaml:{line}:45: cutover_dates has no 'quotes'",
    ]


def test_rows_stand_at_their_stage_whatever_their_date() -> None:
    """A date changes no stage, so it may change at any time."""
    moved = prove(book("live", "a: 2026-12-01"), book("live"))
    assert moved.clean
    assert decided(book("live", "a: 2026-12-01"), posting_date=BEFORE).stage is Stage.LIVE
