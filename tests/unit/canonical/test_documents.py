import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.canonical import Customer, Invoice, Order, Payment, TotalsDisagree, minor_units


def order(**changes):
    body = {
        "externalId": "10248",
        "businessUnit": "northern",
        "geography": "FR",
        "companyCode": "1000",
        "postingDate": "1996-07-04",
        "currencyCode": "USD",
        "customer": {"externalId": "VINET"},
        "lines": [
            {
                "lineNumber": 1,
                "product": {"externalId": "11"},
                "quantity": {"value": "12"},
                "unitPrice": "14.00",
                "netAmount": "168.00",
            },
            {
                "lineNumber": 2,
                "product": {"externalId": "42"},
                "quantity": {"value": "10"},
                "unitPrice": "9.80",
                "discountPercent": "5",
                "netAmount": "93.10",
                "tax": {"taxCategory": "S", "ratePercent": "19", "amount": "17.69"},
            },
        ],
        "freight": {"netAmount": "32.38"},
        "totals": {
            "netAmount": "261.10",
            "taxAmount": "17.69",
            "freightAmount": "32.38",
            "grossAmount": "311.17",
        },
    }
    body.update(changes)
    return body


def parse(model, body):
    return model.model_validate_json(json.dumps(body))


def complaint(model, body):
    with pytest.raises(ValidationError) as caught:
        parse(model, body)
    return caught.value.errors()[0]


def test_an_order_that_agrees_is_frozen_and_goes_round():
    document = parse(Order, order())
    assert document.amount == Decimal("311.17")
    assert Order.model_validate_json(document.model_dump_json()) == document
    with pytest.raises(ValidationError):
        document.geography = "DE"
    wire = json.loads(document.model_dump_json())
    assert wire["totals"]["grossAmount"] == "311.17"
    assert wire["lines"][0]["unitPrice"] == "14.00"


@pytest.mark.parametrize("field", ["netAmount", "taxAmount", "freightAmount", "grossAmount"])
def test_a_total_that_disagrees_by_a_cent_names_itself(field):
    body = order()
    body["totals"][field] = str(Decimal(body["totals"][field]) + Decimal("0.01"))
    error = complaint(Order, body)["ctx"]["error"]
    assert isinstance(error, TotalsDisagree)
    assert error.field == f"totals.{field}"


def test_a_line_may_be_rounded_either_way_but_not_be_a_cent_off():
    body = order()
    body["lines"][0] |= {"quantity": {"value": "3"}, "unitPrice": "0.115", "netAmount": "0.34"}
    body["totals"] |= {"netAmount": "93.44", "grossAmount": "143.51"}
    parse(Order, body)
    body["lines"][0]["netAmount"] = "0.35"
    body["totals"] |= {"netAmount": "93.45", "grossAmount": "143.52"}
    parse(Order, body)
    body["lines"][0]["netAmount"] = "0.36"
    body["totals"] |= {"netAmount": "93.46", "grossAmount": "143.53"}
    assert isinstance(complaint(Order, body)["ctx"]["error"], TotalsDisagree)


@pytest.mark.parametrize(
    ("change", "where", "says"),
    [
        ({"surprise": 1}, ("surprise",), "Extra inputs"),
        ({"currencyCode": "XXX"}, ("currencyCode",), "ISO 4217"),
        ({"currencyCode": "usd"}, ("currencyCode",), "pattern"),
        ({"postingDate": "1996-13-01"}, ("postingDate",), "date"),
        ({"lines": []}, ("lines",), "at least 1"),
        ({"customer": {}}, ("customer",), "exactly one"),
        ({"customer": {"externalId": "A", "documentId": "doc_" + "0" * 26}}, ("customer",), "exactly one"),
        ({"customer": {"documentId": "doc_" + "0" * 26 + "\n"}}, ("customer", "documentId"), "pattern"),
        ({"geography": "F.R"}, ("geography",), "pattern"),
        ({"totals": {"netAmount": 261.1, "grossAmount": "1"}}, ("totals", "netAmount"), "decimal string"),
        ({"totals": {"netAmount": "-1.00", "grossAmount": "1"}}, ("totals", "netAmount"), "non-negative"),
        ({"totals": {"netAmount": "NaN", "grossAmount": "1"}}, ("totals", "netAmount"), "decimal string"),
        ({"totals": {"netAmount": "1e5", "grossAmount": "1"}}, ("totals", "netAmount"), "exponent"),
    ],
)
def test_bad_values_are_named(change, where, says):
    error = complaint(Order, order(**change))
    assert error["loc"] == where
    assert says in error["msg"]


def test_decimals_follow_the_currency():
    body = order(currencyCode="JPY")
    assert "JPY" in complaint(Order, body)["msg"]
    assert [minor_units(code) for code in ("USD", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]


def test_lines_belong_to_their_head():
    body = order()
    body["lines"][1]["businessUnit"] = "southern"
    assert "lines[1].businessUnit" in complaint(Order, body)["msg"]
    body = order()
    body["lines"][1]["lineNumber"] = 1
    assert "used twice" in complaint(Order, body)["msg"]


def test_a_payment_cannot_settle_more_than_it_is():
    head = {key: value for key, value in order().items() if key not in {"lines", "totals", "freight", "externalId"}}
    body = head | {
        "amount": "10.00",
        "allocations": [
            {"invoiceReference": {"externalId": "INV-1"}, "amount": "6.00"},
            {"invoiceReference": {"externalId": "INV-2"}, "amount": "4.00"},
        ],
    }
    assert [link.field for link in parse(Payment, body).links() if link.kind == "follows"] == [
        "allocations[0].invoiceReference",
        "allocations[1].invoiceReference",
    ]
    body["amount"] = "9.99"
    assert isinstance(complaint(Payment, body)["ctx"]["error"], TotalsDisagree)


def test_an_invoice_names_its_order_and_a_credit_note_its_invoice():
    body = order(orderReference={"externalId": "10248", "source": "salesforce"})
    follows = [link for link in parse(Invoice, body).links() if link.kind == "follows"]
    assert [(link.target_domain, link.field) for link in follows] == [("orders", "orderReference")]
    assert "credit_note" in complaint(Invoice, body | {"invoiceReference": {"externalId": "I"}})["msg"]
    note = parse(Invoice, body | {"documentType": "credit_note", "invoiceReference": {"externalId": "I"}})
    assert [link.target_domain for link in note.links() if link.kind == "follows"] == ["invoices", "orders"]


def test_a_country_must_be_one():
    body = {"name": "x", "geography": "DE", "address": {"countryCode": "UK"}}
    assert "ISO 3166-1" in complaint(Customer, body)["msg"]


@given(st.decimals(min_value=0, max_value=10**14, places=2), st.integers(min_value=1, max_value=999))
def test_whatever_is_accepted_survives_the_wire(price, quantity):
    net = (price * quantity).quantize(Decimal("0.01"))
    if net >= 10**15:
        return
    line = {
        "lineNumber": 1,
        "product": {"externalId": "1"},
        "quantity": {"value": str(quantity)},
        "unitPrice": format(price, "f"),
        "netAmount": format(net, "f"),
    }
    totals = {"netAmount": format(net, "f"), "grossAmount": format(net, "f")}
    body = order(lines=[line], totals=totals)
    del body["freight"]
    document = parse(Order, body)
    assert Order.model_validate_json(document.model_dump_json()) == document
    assert document.totals.gross_amount == net
