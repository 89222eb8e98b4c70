"""What a proof says, how it is said, and when it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import routing_rules
from routing_rules import Conflict, Gap, Rulebook, decide, load_rulebook, parse_rulebook
from routing_rules.analysis import Proof, prove
from routing_rules.analysis_findings import MAX_FINDINGS, MAX_ROWS_NAMED, Finding, FindingCode
from routing_rules.table_reader import HEADER
from tests.rules.specs import GROUND

LEGACY = "legacy,old,,,,,"
LIVE = "live,old,new,,,,"


def book(*rows: str, domain: str = "orders", yaml: str = GROUND) -> Rulebook:
    text = "\n".join([HEADER, *rows])
    return parse_rulebook({"rulebook.yaml": yaml.encode(), f"{domain}.csv": text.encode()})


def one(proof: Proof, code: FindingCode) -> Finding:
    (found,) = proof.of(code)
    assert found.code is code
    return found


def test_the_sample_rulebook_is_clean() -> None:
    sample = load_rulebook(Path(routing_rules.__file__).parent / "tables")
    proof = prove(sample, sample)
    assert [str(finding) for finding in proof.findings] == []
    assert proof.clean
    assert (proof.version, proof.against) == (sample.version, sample.version)


def test_a_conflict_is_shown_with_a_transaction_and_how_to_settle_it() -> None:
    rules = book(f"base,,,,,,,,,,{LEGACY}", f"unit,,A,,,,,,,,{LIVE}", f"place,,,EMEA,,,,,,,{LEGACY}")
    finding = one(prove(rules), FindingCode.CONFLICT)
    assert finding.witness is not None
    assert isinstance(decide(rules, finding.witness), Conflict)
    assert str(finding) == (
        "orders.csv:4: error conflict: rows place, unit decide and yield different things; none is an exception to "
        "another.\n"
        "  rows: place (orders.csv:4), unit (orders.csv:3)\n"
        "  witness: orders create business_unit=A1 geography=DE-BY\n"
        "  everywhere: business_unit A, geography EMEA\n"
        "  mend: add a row with business_unit A, geography EMEA that says what holds there, or limit one of the rows."
    )
    mended = book(
        f"base,,,,,,,,,,{LEGACY}", f"unit,,A,,,,,,,,{LIVE}", f"place,,,EMEA,,,,,,,{LEGACY}", f"x,,A,EMEA,,,,,,,{LIVE}"
    )
    assert prove(mended).clean


def test_of_two_rows_that_are_the_same_set_one_must_go() -> None:
    finding = one(prove(book(f"a,,,,,,,,,,{LEGACY}", f"b,,,,,,,,,,{LIVE}")), FindingCode.CONFLICT)
    assert finding.mend == "keep one of a, b: they match the same facts"


def test_dates_and_amounts_are_mended_in_the_columns_of_the_file() -> None:
    rules = book(
        f"base,,,,,,,,,,{LEGACY}",
        f"a,,,,,,,0..50 EUR,2026-01-01,,{LIVE}",
        f"b,,,,,,,>=20 EUR,,2026-03-01,{LEGACY}",
    )
    finding = one(prove(rules), FindingCode.CONFLICT)
    assert "add a row with amount 20..50 EUR, valid_from 2026-01-01, valid_to 2026-03-01 that" in finding.mend
    assert finding.where == {"amount": "20..50 EUR", "valid": "2026-01-01..2026-03-01"}


GAPS = [
    ("a,,,EMEA,,,,,,,", {"geography": "* except EMEA"}),
    ("a,,,EMEA|AMER,,,,,,,", {"geography": "W itself"}),
    ("a,,,W except DE-BY,,,,,,,", {"geography": "DE-BY"}),
    ("a,,,,C1|C2,,,,,,", {"company_code": "any but C1|C2"}),
    ("a,create|change,,,,,,,,,", {"operation": "cancel|reverse"}),
    ("a,,,,,,,>=10 EUR,,,", {"amount": "<10 EUR | any other currency"}),
    ("a,,,,,,,,2026-01-01,2026-02-01,", {"valid": "..2026-01-01 | 2026-02-01.. | no posting date"}),
]


@pytest.mark.parametrize(("row", "where"), GAPS)
def test_a_gap_is_named_exactly_also_the_root_and_any_other_currency(row: str, where: dict[str, str]) -> None:
    rules = book(row + LEGACY)
    finding = one(prove(rules), FindingCode.GAP)
    assert finding.where == where
    assert finding.witness is not None
    assert isinstance(decide(rules, finding.witness), Gap)


def test_both_halves_of_a_currency_leave_the_other_currencies() -> None:
    rules = book(f"a,,,,,,,>=10 EUR,,,{LEGACY}", f"b,,,,,,,<10 EUR,,,{LEGACY}")
    finding = one(prove(rules), FindingCode.GAP)
    assert finding.where == {"amount": "any currency but EUR"}
    assert finding.witness is not None
    assert (str(finding.witness.amount), finding.witness.currency) == ("100", "USD")
    assert finding.mend == "add a row that matches amount any currency but EUR, or widen amount in a, b"


def test_a_table_without_rows_is_one_gap() -> None:
    finding = one(prove(book()), FindingCode.GAP)
    assert (finding.where, finding.rows) == ({}, ())
    assert finding.place == "orders"


def test_a_masked_row_is_shown_with_the_exceptions_that_cover_it() -> None:
    rules = book(
        f"base,,,,,,,,,,{LEGACY}",
        f"emea,,,EMEA,,,,,,,{LIVE}",
        f"de,,,DE|FR,,,,,,,{LEGACY}",
        f"rest,,,EMEA except DE|FR,,,,,,,{LEGACY}",
    )
    finding = one(prove(rules), FindingCode.MASKED_ROW)
    assert [row.row for row in finding.rows] == ["emea", "de", "rest"]
    assert finding.message == "row emea decides nowhere: its exceptions de, rest leave nothing of it"


def test_rows_that_wait_for_what_documents_never_have_are_unreachable() -> None:
    yaml = GROUND.replace("domains: [orders", "domains: [products, customers, orders")
    rules = book(
        f"base,,,,,,,,,,{LEGACY}", f"de,,,DE,,,,,,,{LIVE}", f"b,,A,,,,,,,,{LIVE}", domain="products", yaml=yaml
    )
    finding = one(prove(rules), FindingCode.UNREACHABLE_EXCEPTION)
    assert finding.message == "row de asks for geography, which products never have"
    assert finding.rows[0].row == "de"
    customers = book(f"base,,,,,,,,,,{LEGACY}", f"de,,,DE,,,,,,,{LIVE}", domain="customers", yaml=yaml)
    assert prove(customers).clean
    large = book(f"base,,,,,,,,,,{LEGACY}", f"l,,,,,T,,>=5 EUR,,,{LIVE}", domain="customers", yaml=yaml)
    assert one(prove(large), FindingCode.UNREACHABLE_EXCEPTION).message.startswith(
        "row l asks for amount, document_type"
    )


def test_residency_counts_what_a_row_may_send_and_the_unknown_place_too() -> None:
    rules = book(f"base,,,,,,,,,,{LEGACY}", "e,,A,,,,,,,,validate,old,eu,,,,", "f,,B,EMEA,,,,,,,live,old,eu,,,,")
    finding = one(prove(rules), FindingCode.RESIDENCY)
    assert finding.message == "row e sends documents of * except EMEA to system eu, which may hold EMEA only"
    assert finding.witness is not None
    assert finding.witness.geography == "US"
    # At dark the cloud receives nothing yet.
    assert prove(book(f"base,,,,,,,,,,{LEGACY}", "e,,A,,,,,,,,dark,old,eu,,,,")).clean
    # All that is known of the document is that it has a place somewhere: the root is outside as well.
    half = book(f"base,,,,,,,,,,{LEGACY}", "e,,A,EMEA,,,,,,,live,old,eu,,,,", "r,,A,AMER,,,,,,,live,old,new,,,,",
                "w,,A,W except EMEA|AMER,,,,,,,live,old,eu,,,,")  # fmt: skip
    assert one(prove(half), FindingCode.RESIDENCY).message.startswith("row w sends documents of W itself to")
    # A product has no place to be outside of.
    yaml = GROUND.replace("domains: [orders", "domains: [products, orders")
    assert prove(book("p,,,,,,,,,,live,,eu,,,,", domain="products", yaml=yaml)).clean


def test_beyond_its_number_of_cells_the_proof_refuses_and_names_the_columns() -> None:
    rows = [f"base,,,,,,,,,,{LEGACY}"]
    rows += [f"t{n},,,,,T{n},,,,,{LEGACY}" for n in range(40)]
    rows += [f"s{n},,,,,,S{n},,,,{LEGACY}" for n in range(40)]
    rows += [f"a{n},,,,,,,{n}..{n + 1} EUR,,,{LEGACY}" for n in range(40)]
    rows += [f"c{n},,,,{n},,,,,,{LEGACY}" for n in ("C1",)]
    rules = book(*rows)
    assert prove(rules).clean
    proof = prove(rules, limit=20_000)
    finding = one(proof, FindingCode.TOO_MANY_CELLS)
    assert not proof.clean
    assert "falls into more than 20000 cells" in finding.message
    named = finding.message.partition("what multiplies them is ")[2].split(", ")
    assert set(named) == {"amount", "customer_segment", "document_type"}


def test_no_more_findings_than_somebody_reads() -> None:
    rows = [f"t{n},,,,,T{n},,,,,{LEGACY}" for n in range(40)] + [f"s{n},,,,,,S{n},,,,{LIVE}" for n in range(40)]
    proof = prove(book(f"base,,,,,,,,,,{LEGACY}", *rows))
    assert len(proof.findings) == MAX_FINDINGS
    assert proof.more
    many = [f"t{n},,,,,T{n},,,,,{LEGACY}" for n in range(30)]
    mask = f"all,,,,,{'|'.join(f'T{n}' for n in range(30))},,,,,{LEGACY}"
    masked = one(prove(book(f"base,,,,,,,,,,{LEGACY}", *many, mask)), FindingCode.MASKED_ROW)
    assert len(masked.rows) == MAX_ROWS_NAMED


def test_a_proof_is_json() -> None:
    proof = prove(book(f"a,,,EMEA,,,,,,,{LEGACY}"))
    read = json.loads(json.dumps(proof.as_json()))
    assert read["clean"] is False
    (finding,) = read["findings"]
    assert finding["code"] == "gap"
    assert finding["severity"] == "error"
    assert finding["witness"]["geography"] == "US"
    assert finding["where"] == {"geography": "* except EMEA"}
    assert finding["mend"].startswith("add a row that matches geography * except EMEA")


def test_the_same_rulebook_is_told_the_same_whatever_the_order_of_its_rows() -> None:
    rows = [f"a,,,EMEA|US,,,,,,,{LEGACY}", f"b,,A,,C1|C2,,,,,,{LIVE}", f"c,,B,DE,,T1|T2,,,,,{LIVE}"]
    forward, backward = (prove(book(*order)).as_json() for order in (rows, rows[::-1]))
    for proof in (forward, backward):
        for finding in proof["findings"]:
            for row in finding["rows"]:
                del row["line"]
    key = str
    assert sorted(forward["findings"], key=key) == sorted(backward["findings"], key=key)
