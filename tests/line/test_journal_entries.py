"""Journal entries: roots of their own or upon a document; their lines may name other units and company codes."""

from dataclasses import replace

import pytest

from gateway.domain.caller import DataScope
from gateway.domain.transaction import Status
from tests.line.asking import refused
from tests.line.documents import TO_CLOUD, journal_entry
from tests.line.rig import BILLING, Rig, invoice, order, payment

TWO_COMPANIES = {
    "rulebook.yaml": (
        "company_codes:\n",
        "company_codes:\n  - {id: NW02, name: Northwind Traders GmbH, currency: EUR}\n",
    )
}


def lines(*members: dict) -> list[dict]:
    """Pairs of a debit and a credit of 50.00 with these members."""
    plain = journal_entry()["lines"]
    return [
        line | {"lineNumber": 10 * number + line["lineNumber"]} | more
        for number, more in enumerate(members)
        for line in plain
    ]


@pytest.mark.parametrize(("where", "system_id"), [({}, "legacy-main"), (TO_CLOUD, "cloud-main")])
async def test_an_entry_of_its_own_goes_where_its_slice_says(rig: Rig, where: dict, system_id: str):
    record = (await rig.send(journal_entry(**where), "journal_entries", wait_s=5.0)).transaction
    assert (record.status, record.system_id) == (Status.POSTED, system_id)
    assert (record.amount, record.currency_code, record.posting_date) == ("50.00", "USD", "1996-07-04")
    assert record.document_type == "journal_entry"


async def test_an_entry_upon_a_payment_follows_the_payment_s_pin(rig: Rig):
    await rig.send(order(), wait_s=5.0)
    await rig.send(invoice(), "invoices", wait_s=5.0)
    paid = (await rig.send(payment(), "payments", wait_s=5.0)).transaction
    body = journal_entry(paymentReference={"externalId": "PAY-10248"}, **TO_CLOUD)
    record = (await rig.send(body, "journal_entries", wait_s=5.0)).transaction
    assert (record.system_id, record.lineage_id) == ("legacy-main", paid.lineage_id)
    assert (await refused(rig.reverse(paid.document_id, "payments"))).slug == "has-follow-ups"


MIXED = journal_entry(lines=lines({}, {"companyCode": "NW02", "currencyCode": "EUR"}))


async def test_an_entry_in_a_book_that_is_not_its_head_s_is_refused_where_its_system_takes_none(store):
    rig = await Rig.on(store, edits=TWO_COMPANIES)
    elsewhere = journal_entry("JE-9", lines=lines({"companyCode": "NW02", "currencyCode": "USD"}))
    problem = await refused(rig.send(elsewhere, "journal_entries", wait_s=5.0))
    assert (problem.slug, problem.extra["systemId"]) == ("invalid-document", "legacy-main")
    assert [error.field for error in problem.errors] == ["lines[0].companyCode", "lines[1].companyCode"]
    assert rig.legacy.calls == 0
    # to say what the head says is not to differ
    same = journal_entry(lines=lines({"companyCode": "NW01", "currencyCode": "USD"}))
    assert (await rig.send(same, "journal_entries", wait_s=5.0)).transaction.status is Status.POSTED


async def test_an_entry_over_several_company_codes_is_one_posting(store):
    rig = await Rig.on(store, edits=TWO_COMPANIES, mixed_lines=True)
    record = (await rig.send(MIXED, "journal_entries", wait_s=5.0)).transaction
    assert (record.status, record.company_code, record.amount) == (Status.POSTED, "NW01", "50.00")
    assert len(rig.legacy.book) == 1


async def test_what_lines_name_and_the_rulebook_does_not_have_is_named(rig: Rig):
    body = journal_entry(lines=lines({"companyCode": "NW99"}))
    problem = await refused(rig.send(body, "journal_entries"))
    assert problem.slug == "unknown-node"
    assert [error.field for error in problem.errors] == ["lines[0].companyCode", "lines[1].companyCode"]
    body = journal_entry(lines=lines({}, {"businessUnit": "Moon"}))
    problem = await refused(rig.send(body, "journal_entries"))
    assert (problem.slug, problem.errors[0].field) == ("unknown-node", "lines[2].businessUnit")


async def test_the_data_scope_must_cover_the_units_of_all_lines(rig: Rig):
    narrow = replace(BILLING, data_scope=DataScope(frozenset({"Northern"}), None))
    wide = replace(BILLING, data_scope=DataScope(frozenset({"Northern", "Southern"}), None))
    body = journal_entry(lines=lines({}, {"businessUnit": "Southern"}))
    problem = await refused(rig.send(body, "journal_entries", caller=narrow))
    assert (problem.slug, problem.errors[0].field) == ("out-of-scope", "lines[2].businessUnit")
    record = (await rig.send(body, "journal_entries", caller=wide, wait_s=5.0)).transaction
    assert record.status is Status.POSTED
    # who could not have posted it cannot reverse it
    problem = await refused(rig.reverse(record.document_id, "journal_entries", caller=narrow))
    assert problem.slug == "out-of-scope"
