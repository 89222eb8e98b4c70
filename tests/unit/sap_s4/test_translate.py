"""Canonical documents to SAP's entities and back. The golden bodies were posted to a running `mock-sap` 0.22."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Allocation, Customer, Invoice, Order, Payment, Product, Reference
from adapters.cloud_erp.sap_s4.odata_v2 import ODataV2
from adapters.cloud_erp.sap_s4.translate import accounting, customers, orders, products
from adapters.cloud_erp.sap_s4.translate.fields import Draft
from adapters.cloud_erp.sap_s4.wire import Row
from adapters.errors import Garbled
from adapters.port import Reversal, Submission
from tests.unit.sap_s4.documents import ADDRESS, HEAD, REFERENCE, journal_entry, submitted, two_lines
from tests.unit.sap_s4.scripted import SETTINGS, SYSTEM, as_served, number

V2 = ODataV2()
DAY = "/Date(836438400000)/"


def _sent(draft: Draft) -> Any:
    return json.loads(V2.encode(draft.entity))


def _back(draft: Draft, **assigned: str) -> Row:
    return Row({**as_served(_sent(draft)), **assigned}, V2)


def test_an_order() -> None:
    order = Order(**two_lines(quote_reference="Q-7", ship_to=ADDRESS, requested_delivery_date=date(1996, 7, 4)))
    sent = _sent(orders.order_draft(submitted(order), SETTINGS, SYSTEM))
    items, partners, texts = (sent.pop(name)["results"] for name in ("to_Item", "to_Partner", "to_Text"))
    assert sent == {
        "SalesOrderType": "OR",
        "SalesOrganization": "1710",
        "DistributionChannel": "10",
        "OrganizationDivision": "00",
        "SoldToParty": "1000001",
        "PurchaseOrderByCustomer": REFERENCE,
        "TransactionCurrency": "USD",
        "SalesOrderDate": DAY,
        "PricingDate": DAY,
        "RequestedDeliveryDate": DAY,
    }
    assert items[0] == {
        "SalesOrderItem": "000001",
        "Material": "0123456789ABCD00",
        "SalesOrderItemText": "Queso 'Cabrales'",
        "RequestedQuantity": "12",
        "RequestedQuantityUnit": "PC",
        "NetAmount": "142.80",
        "TransactionCurrency": "USD",
        "to_PricingElement": {
            "results": [
                {
                    "ConditionType": "PR00",
                    "ConditionRateValue": "14.00",
                    "ConditionCurrency": "USD",
                    "ConditionQuantity": "1",
                    "ConditionQuantityUnit": "PC",
                    "TransactionCurrency": "USD",
                },
                {"ConditionType": "K007", "ConditionRateValue": "-15"},
                {
                    "ConditionType": "MWS",
                    "ConditionRateValue": "19.00",
                    "ConditionBaseValue": "142.80",
                    "ConditionAmount": "27.13",
                    "TransactionCurrency": "USD",
                },
            ]
        },
    }
    price = items[1]["to_PricingElement"]["results"][0]
    assert (Decimal(price["ConditionRateValue"]), price["ConditionQuantity"]) == (Decimal("9800.125"), "1000")
    assert items[1]["SalesOrderItemText"] == "x" * 40
    assert [items[2][name] for name in ("SalesOrderItem", "Material", "NetAmount")] == ["999999", "FREIGHT", "32.38"]
    assert partners[0]["PartnerFunction"] == "SH"
    assert partners[0]["to_Address"]["results"][0]["StreetName"] == "59 rue de l'Abbaye"
    assert texts == [
        {"Language": "EN", "LongTextID": "TX01", "LongText": f"externalId: 10248\nquoteReference: Q-7\n20: {'x' * 41}"}
    ]


def test_an_invoice_and_its_mirror() -> None:
    invoice = Invoice(**two_lines(due_date=date(1996, 8, 1)))
    submission = submitted(invoice, orderReference=number("sales_order", "0000004737"))
    sent = _sent(accounting.accounting_draft(submission, SETTINGS, SYSTEM))
    items = sent.pop("to_JournalEntryItem")["results"]
    assert sent == {
        "CompanyCode": "1710",
        "FiscalYear": "1996",
        "FiscalPeriod": "007",
        "AccountingDocumentType": "DR",
        "DocumentDate": DAY,
        "PostingDate": DAY,
        "TransactionCurrency": "USD",
        "ReferenceDocument": REFERENCE,
        "AccountingDocumentHeaderText": "ID 10248",
    }
    names = ("GLAccount", "DebitCreditCode", "AmountInTransactionCurrency", "DocumentItemText", "Customer")
    assert [tuple(item[name] for name in names) for item in items] == [
        ("0012100000", "S", "311.36", "D1996-08-01 O0000004737", "1000001"),
        ("0041000000", "H", "142.80", "L1 0123456789ABCD00 12 PC S19", ""),
        ("0022000000", "H", "27.13", "T1 S19", ""),
        ("0041000000", "H", "102.90", "L20 0123456789ABCD01 10.5 PC AE0", ""),
        ("0044000000", "H", "32.38", "FREIGHT S19", ""),
        ("0022000000", "H", "6.15", "T0 S19", ""),
    ]
    undo = Reversal(number("accounting_document", "0100000007/1710/1996"), submission, "UNDO", date(1997, 1, 2))
    mirror = _sent(accounting.mirror_draft(undo, SETTINGS, SYSTEM))
    assert mirror["AccountingDocumentType"] == "DA"
    assert mirror["AccountingDocumentHeaderText"] == "REV 0100000007/1710/1996"
    assert (mirror["FiscalYear"], mirror["FiscalPeriod"], mirror["ReferenceDocument"]) == ("1997", "001", "UNDO")
    sides = {"S": "H", "H": "S"}
    for item, mirrored in zip(items, mirror["to_JournalEntryItem"]["results"], strict=True):
        assert mirrored == {**item, "DebitCreditCode": sides[item["DebitCreditCode"]]}


def test_a_credit_note_is_the_other_way_round() -> None:
    note = Invoice(**two_lines(document_type="credit_note", invoice_reference=Reference(external_id="i")))
    corrected = number("accounting_document", "1234567890/1710/1996")
    submission = submitted(note, invoiceReference=corrected, orderReference=number("sales_order", "1234567890"))
    sent = _sent(accounting.accounting_draft(submission, SETTINGS, SYSTEM))
    assert sent["AccountingDocumentType"] == "DG"
    items = sent["to_JournalEntryItem"]["results"]
    assert [item["DebitCreditCode"] for item in items] == ["H", "S", "S", "S", "S", "S"]
    assert items[0]["DocumentItemText"] == "O1234567890 I1234567890/1710/1996"


def test_a_payment_keeps_its_whole_reference_and_what_it_settles() -> None:
    payment = Payment(
        **HEAD,
        payment_method="card",
        payment_reference="r" * 50 + "e" * 14,
        amount=Decimal("100.00"),
        allocations=(
            Allocation(invoice_reference=Reference(external_id="a"), amount=Decimal("60.00")),
            Allocation(invoice_reference=Reference(external_id="b"), amount=Decimal("30.00")),
        ),
    )
    sent = _sent(accounting.accounting_draft(submitted(payment), SETTINGS, SYSTEM))
    assert sent["AccountingDocumentHeaderText"] == "C " + "e" * 14
    names = ("GLAccount", "DebitCreditCode", "AmountInTransactionCurrency", "DocumentItemText", "Customer")
    assert [tuple(item[name] for name in names) for item in sent["to_JournalEntryItem"]["results"]] == [
        ("0011001000", "S", "100.00", "r" * 50, ""),
        ("0012100000", "H", "60.00", "PAYS 0100000000/1710/1996", "1000001"),
        ("0012100000", "H", "30.00", "PAYS 0100000001/1710/1996", "1000001"),
        ("0012100000", "H", "10.00", "ON ACCOUNT", "1000001"),
    ]


def test_a_journal_entry_and_its_mirror() -> None:
    submission = Submission(journal_entry(), REFERENCE)
    draft = accounting.accounting_draft(submission, SETTINGS, SYSTEM)
    sent = _sent(draft)
    assert draft.notes == ()
    assert (sent["AccountingDocumentType"], sent["AccountingDocumentHeaderText"]) == ("SA", "Accruals")
    items = sent["to_JournalEntryItem"]["results"]
    assert items[0] == {
        "AccountingDocumentItem": "000010",
        "GLAccount": "0061003000",
        "DebitCreditCode": "S",
        "AmountInTransactionCurrency": "120.50",
        "TransactionCurrency": "USD",
        "DocumentItemText": "Carriage of June",
        "Customer": "",
        "CostCenter": "17101301",
    }
    assert [(item["GLAccount"], item["DebitCreditCode"]) for item in items[1:]] == [
        ("ACCRUAL", "S"),
        ("0021120000", "H"),
    ]
    undo = Reversal(number("accounting_document", "0100000007/1710/1996"), submission, "UNDO", date(1996, 7, 5))
    mirror = _sent(accounting.mirror_draft(undo, SETTINGS, SYSTEM))
    assert mirror["AccountingDocumentType"] == "DA"
    assert [item["DebitCreditCode"] for item in mirror["to_JournalEntryItem"]["results"]] == ["H", "H", "S"]
    for kind in ("SA", "DA"):
        row = _back(draft, AccountingDocument="0100000007", AccountingDocumentType=kind)
        found = accounting.found_accounting(row, SETTINGS, SYSTEM)
        assert (found.party, found.total) == (None, Decimal("120.75"))
        assert found.agrees_with(accounting.accounting_expectation(submission, SYSTEM))


def test_what_the_erp_does_not_hold_of_a_journal_entry_is_noted() -> None:
    first, *others = journal_entry().lines
    entry = journal_entry(
        description="d" * 26,
        invoice_reference=Reference(external_id="i"),
        lines=(first.model_copy(update={"description": "l" * 51, "business_unit": "produce"}), *others),
    )
    draft = accounting.accounting_draft(Submission(entry, REFERENCE), SETTINGS, SYSTEM)
    assert draft.notes == (
        "description is cut to 25 characters",
        "lines[0].description is cut to 50 characters",
        "lines[0].businessUnit is left out",
        "invoiceReference is left out",
    )
    assert _sent(draft)["AccountingDocumentHeaderText"] == "d" * 25


def test_a_customer_and_a_product() -> None:
    customer = Customer(name="Vins et alcools Chevalier", geography="FR", address=ADDRESS)
    sent = _sent(customers.customer_draft(Submission(customer, REFERENCE), SETTINGS))
    assert sent == {
        "BusinessPartnerCategory": "2",
        "BusinessPartnerGrouping": "BP01",
        "OrganizationBPName1": "Vins et alcools Chevalier",
        "SearchTerm1": REFERENCE,
        "to_BusinessPartnerAddress": {
            "results": [
                {
                    "AddressID": "1",
                    "StreetName": "59 rue de l'Abbaye",
                    "CityName": "Reims",
                    "PostalCode": "51100",
                    "Country": "FR",
                    "Region": "",
                    "Language": "EN",
                }
            ]
        },
        "to_BusinessPartnerRole": {"results": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}]},
    }
    product = Product(name="Chai", external_id="11", product_category="Beverages")
    draft = products.product_draft(Submission(product, REFERENCE), SETTINGS)
    assert draft.notes == ("productCategory is left out",)
    assert _sent(draft) == {
        "Product": REFERENCE,
        "ProductType": "HAWA",
        "BaseUnit": "PC",
        "Division": "00",
        "IsMarkedForDeletion": False,
        "to_Description": {"results": [{"Language": "EN", "ProductDescription": "Chai"}]},
        "ProductOldID": "11",
    }


def test_a_region_that_is_no_code_is_mapped_or_goes_behind_the_city() -> None:
    address = ADDRESS.model_copy(update={"city": "Cowes", "region": "Isle of Wight", "country_code": "GB"})
    submission = Submission(Customer(name="Island Trading", geography="GB", address=address), REFERENCE)
    place = _sent(customers.customer_draft(submission, SETTINGS))["to_BusinessPartnerAddress"]["results"][0]
    assert (place["CityName"], place["Region"]) == ("Cowes, Isle of Wight", "")
    mapped = replace(SETTINGS, regions={("GB", "Isle of Wight"): "IOW"})
    draft = customers.customer_draft(submission, mapped)
    place = _sent(draft)["to_BusinessPartnerAddress"]["results"][0]
    assert (place["CityName"], place["Region"]) == ("Cowes", "IOW")
    assert customers.customer_of(_back(draft, BusinessPartnerFullName=""), mapped).address == address


@pytest.mark.parametrize(
    ("day", "start", "expected"),
    [
        (date(1996, 7, 4), 1, (1996, 7)),
        (date(1996, 3, 31), 4, (1996, 12)),
        (date(1996, 4, 1), 4, (1997, 1)),
        (date(1996, 12, 31), 7, (1997, 6)),
    ],
)
def test_fiscal_years(day: date, start: int, expected: tuple[int, int]) -> None:
    assert accounting.fiscal(day, start) == expected


def test_an_entry_of_two_customers_or_of_none_agrees_with_nothing() -> None:
    submission = submitted(Invoice(**two_lines()))
    sent = as_served(_sent(accounting.accounting_draft(submission, SETTINGS, SYSTEM)))
    sent["AccountingDocument"] = "0100000007"
    for parties in (("1", "2"), ("", "")):
        for item, customer in zip(sent["to_JournalEntryItem"]["results"], parties, strict=False):
            item["Customer"] = customer
        found = accounting.found_accounting(Row(sent, V2), SETTINGS, SYSTEM)
        assert found.party == ""
        assert not found.agrees_with(accounting.accounting_expectation(submission, SYSTEM))
    sent["to_JournalEntryItem"]["results"][0]["DebitCreditCode"] = "X"
    with pytest.raises(Garbled):
        accounting.found_accounting(Row(sent, V2), SETTINGS, SYSTEM)
