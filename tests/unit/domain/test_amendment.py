"""A change says what differs, and is read as strictly as a new document."""

import json
from typing import Any

import pytest

from gateway.domain.amendment import FIXED, MASTER_FIXED, amend
from gateway.domain.plan import plan, undo_of
from gateway.errors import Problem
from tests.line.documents import contract, customer, priced
from tests.line.rig import order


def base(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def test_it_tells_which_members_differ() -> None:
    amendment = amend("orders", base(order()), priced(20) | {"shipTo": {"countryCode": "FR"}})
    assert amendment.changed == {"lines", "totals", "shipTo"}
    assert json.loads(amendment.body)["totals"]["grossAmount"] == "280.00"


def test_the_same_amount_in_other_letters_is_no_difference() -> None:
    patch = {"totals": {"netAmount": "168.0"}, "requestedDeliveryDate": "1996-08-01"}
    assert amend("orders", base(order()), patch).changed == {"requestedDeliveryDate"}


def test_members_go_by_their_wire_names_only() -> None:
    with pytest.raises(Problem) as caught:
        amend("orders", base(order()), {"requested_delivery_date": "1996-08-01"})
    assert caught.value.errors[0].field == "requested_delivery_date"


@pytest.mark.parametrize(
    ("domain", "body", "patch"),
    [
        ("orders", order(), {"geography": "DE"}),
        ("orders", order(), {"companyCode": "NW02"}),
        ("contracts", contract(), {"customer": {"externalId": "HANAR"}}),
        ("customers", customer(), {"geography": "FR"}),
        ("customers", customer(), {"businessUnit": "Western"}),
        ("customers", customer(), {"externalId": "OLD"}),
    ],
)
def test_what_a_document_is_cannot_be_changed(domain: str, body: dict[str, Any], patch: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        amend(domain, base(body), patch)
    assert [error.field for error in caught.value.errors] == list(patch)


def test_a_master_s_segment_is_only_a_property() -> None:
    assert amend("customers", base(customer()), {"customerSegment": "retail"}).changed == {"customerSegment"}
    assert "customer_segment" in FIXED - MASTER_FIXED


def test_each_operation_names_what_takes_it_back() -> None:
    assert {domain: undo_of(domain, "create") for domain in ("orders", "contracts", "invoices", "payments")} == {
        "orders": "cancel",
        "contracts": "cancel",
        "invoices": "reverse",
        "payments": "reverse",
    }
    assert undo_of("journal_entries", "create") == "reverse"
    assert undo_of("customers", "create") == "cancel"
    assert [undo_of("products", "create"), undo_of("orders", "change"), undo_of("orders", "cancel")] == [
        None,
        "change",
        None,
    ]
    (step,) = plan("txn_1", "orders", "create", "legacy-main")
    assert (step.operation, step.undo, step.reference("do") != step.reference("undo")) == ("create", "cancel", True)
