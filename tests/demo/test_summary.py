"""The summary as people and as scripts read it."""

import io
import json
from dataclasses import replace
from decimal import Decimal

from rich.console import Console

from gateway.demo.client import Outcome
from gateway.demo.expectations import expectations
from gateway.demo.load import LoadReport
from gateway.demo.master_tie_out import Masters, tie_out_masters
from gateway.demo.northwind import load_northwind
from gateway.demo.summary import Summary
from gateway.demo.tie_out import Claim, Fault, Placed, TieOut
from gateway.intake.cross_references import CrossReferenceRow

ROWS = [
    CrossReferenceRow("customers", "salesforce", "ALFKI", "legacy-main", "customer", "1100000001"),
    CrossReferenceRow("products", "salesforce", "1", "legacy-main", "product", "NW-0001"),
]
CLAIMS = [
    Claim("customers", "salesforce", "ALFKI", "posted", "REFC", "cloud-main", "2100000001"),
    Claim("products", "salesforce", "1", "posted", "REFP", "cloud-main", "REFP"),
]
LEGACY = {"customers": ["", "NW ALFKI"], "products": ["TG11", "NW-0001"]}
CLOUD = {"customers": ["REFC", ""], "products": ["REFP"]}


def _summary(*faults: Fault, outcomes: tuple[Outcome, ...] = ()) -> Summary:
    placed = [
        Placed(document, "cloud-main" if document.business_unit == "Western" else "legacy-main", 0)
        for document in expectations(load_northwind())
    ]
    return Summary(
        load=LoadReport(outcomes, 12.34),
        result=TieOut(placed, faults),
        masters=[Masters("customers", 91, 91, 91), Masters("products", 77, 77, 77)],
        master_faults=[],
        region_of={"FR": "EMEA", "US": "NAM"},
    )


def _text(summary: Summary) -> str:
    stream = io.StringIO()
    summary.print(Console(file=stream, width=160))
    return stream.getvalue()


def test_json_ties_out() -> None:
    body = json.loads(json.dumps(_summary().as_json()))
    assert body["holds"] is True
    assert body["faults"] == body["notPosted"] == []
    by_domain = {one["domain"]: one for one in body["domains"]}
    assert by_domain["orders"]["count"] == 830
    assert by_domain["orders"]["amount"] == "1265793.02"
    assert by_domain["invoices"]["amount"] == by_domain["payments"]["amount"] == "1303810.62"
    for domain in by_domain.values():
        assert sum(one["count"] for one in domain["inSystem"].values()) == domain["count"]
        assert sum(Decimal(one["amount"]) for one in domain["inSystem"].values()) == Decimal(domain["amount"])
    for name in ("orders", "invoices", "payments"):
        slices = [one for one in body["slices"] if one["domain"] == name]
        assert sum(one["count"] for one in slices) == by_domain[name]["count"]
        assert sum(Decimal(one["amount"]) for one in slices) == Decimal(by_domain[name]["amount"])
    assert sum(body["lineages"].values()) == 830


def test_text_has_no_colours_off_a_terminal() -> None:
    text = _text(_summary())
    assert "\x1b" not in text
    assert "It ties out" in text
    assert "1,265,793.02" in text
    assert "1,303,810.62" in text


def test_what_is_wrong_is_said() -> None:
    fault = Fault("line_differs", "orders", "10248", "line 1 is 1, not 2 [bracketed]")
    failed = Outcome(
        "orders", "10249", "rejected", {"transactionId": "txn_1", "code": "rejected-by-erp", "detail": "x"}
    )
    summary = _summary(fault, outcomes=(failed,))
    assert not summary.holds
    text = _text(summary)
    assert "It does not tie out" in text
    assert "line 1 is 1, not 2 [bracketed]" in text
    assert "rejected-by-erp x" in text
    body = summary.as_json()
    assert body["holds"] is False
    assert body["notPosted"][0]["externalId"] == "10249"
    assert body["faults"][0]["kind"] == "line_differs"


def test_something_unposted_is_enough_to_fail() -> None:
    assert not _summary(outcomes=(Outcome("orders", "10249", "in_doubt"),)).holds


def test_masters_tie_out() -> None:
    counts, faults = tie_out_masters(ROWS, CLAIMS, LEGACY, CLOUD)
    assert faults == []
    assert counts == [Masters("customers", 1, 1, 1), Masters("products", 1, 1, 1)]


def test_masters_that_are_missing_doubled_or_unposted_are_found() -> None:
    def kinds(claims: list[Claim], legacy: dict[str, list[str]], cloud: dict[str, list[str]]) -> list[str]:
        return [fault.kind for fault in tie_out_masters(ROWS, claims, legacy, cloud)[1]]

    assert kinds(CLAIMS, LEGACY | {"customers": []}, CLOUD) == ["master_differs"]
    assert kinds(CLAIMS, LEGACY, CLOUD | {"products": []}) == ["master_differs"]
    assert kinds(CLAIMS, LEGACY, CLOUD | {"customers": ["REFC", "REFC"]}) == ["master_differs"]
    assert kinds(CLAIMS[1:], LEGACY, CLOUD) == ["unknown_to_gateway"]
    assert kinds([replace(CLAIMS[0], status="waiting"), CLAIMS[1]], LEGACY, CLOUD) == ["not_posted"]
