"""What follows a document: its system can take it, and its own slice was validated before the root's pilot."""

from __future__ import annotations

from random import Random

import pytest

from adapters.canonical.domains import DOMAINS as DOCUMENTS
from gateway.api.domains import RESOURCES
from routing_rules import Rulebook, parse_rulebook
from routing_rules.analysis import Proof, prove
from routing_rules.analysis_findings import FindingCode, Severity
from routing_rules.analysis_tables import NEVER_PRESENT
from routing_rules.follow_ups import LINEAGE_OPERATIONS, Capabilities
from routing_rules.table_reader import HEADER
from tests.rules.naive import NaiveTable
from tests.rules.random_tables import clean_table
from tests.rules.specs import COLUMNS, GROUND, UNIVERSE

LIVE = "r,,,,,,,,,,live,old,new,,,,"
LEGACY = "r,,,,,,,,,,legacy,old,,,,,"
EVERYTHING: Capabilities = {
    system_id: frozenset((domain, operation) for domain, names in LINEAGE_OPERATIONS.items() for operation in names)
    for system_id in ("old", "new")
}


def book(yaml: str = GROUND, **tables: str) -> Rulebook:
    files = {"rulebook.yaml": yaml} | {f"{domain}.csv": f"{HEADER}\n{rows}" for domain, rows in tables.items()}
    return parse_rulebook({name: text.encode() for name, text in files.items()})


def unserved(proof: Proof) -> list[str]:
    return [one.message for one in proof.of(FindingCode.FOLLOW_UP_UNSERVED)]


def without(system_id: str, *lacking: tuple[str, str]) -> Capabilities:
    return {**EVERYTHING, system_id: set(EVERYTHING[system_id]) - set(lacking)}


def test_a_system_must_take_the_domains_that_follow() -> None:
    yaml = GROUND.replace(
        "side: cloud, regions: [W], domains: [orders, invoices, ", "side: cloud, regions: [W], domains: [orders, "
    )
    (message,) = unserved(prove(book(yaml, orders=LIVE, invoices=LEGACY)))
    assert message == "orders go to system new by r, and it does not take invoices"
    # As long as the cloud owns nothing, and where nobody can submit invoices, nothing is missing.
    assert unserved(prove(book(yaml, orders=LIVE.replace("live", "validate"), invoices=LEGACY))) == []
    assert unserved(prove(book(yaml, orders=LIVE))) == []


def test_legacy_needs_what_follows_as_long_as_old_lineages_are_open() -> None:
    yaml = GROUND.replace(
        "side: legacy, regions: [W], domains: [orders, invoices, ", "side: legacy, regions: [W], domains: [orders, "
    )
    invoices = "r,,,,,,,,,,live,,new,,,,"
    assert unserved(prove(book(yaml, orders=LIVE, invoices=invoices)))
    assert unserved(prove(book(yaml, orders=LIVE.replace("live", "read_only"), invoices=invoices))) == []


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (("orders", "cancel"), ["orders go to system new by r, and it does not take cancel of orders"]),
        (("invoices", "reverse"), [
            "invoices go to system new by r, and it does not take reverse of invoices",
            "orders go to system new by r, and it does not take reverse of invoices",
        ]),
        (("payments", "create"), []),
    ],
)  # fmt: skip
def test_a_system_must_do_what_is_done_in_a_lineage(lacking: tuple[str, str], told: list[str]) -> None:
    rules = book(orders=LIVE, invoices=LIVE)
    assert unserved(prove(rules, capabilities=EVERYTHING)) == []
    proof = prove(rules, capabilities=without("new", lacking))
    assert unserved(proof) == told
    for finding in proof.findings:
        assert finding.witness is not None
        assert finding.rows
    assert len(unserved(prove(rules, capabilities={"old": EVERYTHING["old"]}))) == 2


def test_what_a_driver_lacks_already_in_force_warns_and_what_is_new_stops() -> None:
    """A legacy system whose driver cannot change orders must not keep everybody from leaving it."""
    before, pilot = book(orders=LEGACY), book(orders=LIVE.replace("live", "pilot").replace(",new,,", ",new,10,"))
    able = without("old", ("orders", "change"))
    (finding,) = prove(pilot, before, able).of(FindingCode.FOLLOW_UP_UNSERVED)
    assert (finding.severity, "old" in finding.message) == (Severity.WARNING, True)
    assert not prove(before, None, able).clean
    cloud = without("new", ("orders", "change"))
    (finding,) = prove(pilot, before, cloud).of(FindingCode.FOLLOW_UP_UNSERVED)
    assert (finding.severity, finding.message) == (
        Severity.ERROR,
        "orders go to system new by r, and it does not take change of orders",
    )


def test_rows_that_give_no_lineage_need_nothing() -> None:
    rows = f"{LIVE}\nc,cancel,A,,,,,,,,live,old,eu,,,,"
    able = {**EVERYTHING, "eu": set()}
    assert unserved(prove(book(orders=rows), capabilities=able)) == []
    assert unserved(prove(book(orders=rows.replace("c,cancel", "c,create")), capabilities=able))


def test_what_is_done_in_a_lineage_is_what_callers_may_ask_for() -> None:
    assert {one.domain: tuple(one.operations) for one in RESOURCES} == LINEAGE_OPERATIONS


def test_what_documents_never_have_is_what_their_models_do_not_know() -> None:
    facts = {
        "business_unit": "business_unit",
        "geography": "geography",
        "company_code": "company_code",
        "document_type": "document_type",
        "customer_segment": "customer_segment",
        "amount": "amount",
        "valid": "posting_date",
    }
    never = {
        domain: frozenset(
            column for column, name in facts.items() if not hasattr(model, name) and name not in model.model_fields
        )
        for domain, model in DOCUMENTS.items()
    }
    assert {domain: columns for domain, columns in never.items() if columns} == NEVER_PRESENT


def test_contracts_that_a_system_does_not_take_stay_with_the_gateway() -> None:
    rules = book(GROUND.replace("domains: [orders", "domains: [contracts, orders"), contracts=LIVE)
    operations = [("contracts", operation) for operation in LINEAGE_OPERATIONS["contracts"]]
    assert unserved(prove(rules, capabilities=EVERYTHING)) == []
    assert unserved(prove(rules, capabilities=without("new", *operations))) == []
    assert unserved(prove(rules, capabilities=without("new", operations[0])))


def behind(proof: Proof) -> list[tuple[str, ...]]:
    return [tuple(row.row for row in one.rows) for one in proof.of(FindingCode.FOLLOW_UP_BEHIND)]


@pytest.mark.parametrize("stage", ["pilot,old,new,10", "live,old,new,", "drain,old,new,", "retired,,new,"])
def test_nobody_pilots_what_cannot_be_followed_up(stage: str) -> None:
    orders = f"o-west,,A,,,,,,,,{stage},,,\no-base,,* except A,,,,,,,,legacy,old,,,,,"
    proof = prove(
        book(orders=orders, invoices="i-west,,A,EMEA,,,,,,,validate,old,new,,,,\ni-base,,,,,,,,,,dark,old,new,,,,")
    )
    assert behind(proof) == [("o-west", "i-base")]
    (finding,) = proof.of(FindingCode.FOLLOW_UP_BEHIND)
    assert finding.where["geography"] == "* except EMEA"
    assert (finding.witness and finding.witness.business_unit) in ("A1", "A2")
    assert behind(prove(book(orders=orders, invoices="i,,,,,,,,,,validate,old,new,,,,"))) == []
    earlier = orders.replace(stage, "validate,old,new,")
    assert behind(prove(book(orders=earlier, invoices="i,,,,,,,,,,dark,old,new,,,,"))) == []


def test_every_domain_that_follows_counts_near_or_far() -> None:
    rows = {"invoices": LIVE, "payments": LIVE, "journal_entries": LEGACY}
    proof = prove(book(orders=LIVE, **rows))
    assert [
        (one.domain, one.message.split(" follow ")[0].split()[-2]) for one in proof.of(FindingCode.FOLLOW_UP_BEHIND)
    ] == [
        ("invoices", "journal_entries"),
        ("orders", "journal_entries"),
        ("payments", "journal_entries"),
    ]


def test_slices_behind_are_those_of_brute_force() -> None:
    random = Random("follow-ups")
    kind = COLUMNS.index("document_type")
    found = 0
    for _ in range(60):
        first, second = clean_table(random), clean_table(random)
        orders, invoices = NaiveTable(first.rows, second.rows), NaiveTable(second.rows, first.rows)
        expected = set[tuple[str, ...]]()
        place = {point: at for at, point in enumerate(invoices.points)}
        for at, point in enumerate(orders.points):
            outcome = orders.outcome(at)
            if (
                point[0 + COLUMNS.index("operation")] != "create"
                or outcome is None
                or outcome[0] not in ("pilot", "live")
            ):
                continue
            kinds = UNIVERSE["document_type"] if "document_type" in invoices.active else [point[kind]]
            for other in kinds:
                then = place[(*point[:kind], other, *point[kind + 1 :])]
                following = invoices.outcome(then)
                if following is not None and following[0] in ("legacy", "dark"):
                    expected.add((orders.ids(at)[0], invoices.ids(then)[0]))
        files = {
            "rulebook.yaml": GROUND.encode(),
            "orders.csv": first.csv.encode(),
            "invoices.csv": second.csv.encode(),
        }
        proof = prove(parse_rulebook(files))
        assert set(behind(proof)) == expected, (first.csv, second.csv)
        for finding in proof.of(FindingCode.FOLLOW_UP_BEHIND):
            assert finding.witness is not None
            assert orders.ids(orders.at(finding.witness))[0] == finding.rows[0].row
        found += len(expected)
    assert found > 100
