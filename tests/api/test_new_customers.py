"""Orders that come with their customer, over HTTP: whoever sent both finds the one by the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.api import new_customer_links
from gateway.api.problem_schemas import ProblemDocument
from gateway.api.schemas import TransactionAnswer
from gateway.auth import Client
from gateway.domain.caller import DataScope
from gateway.errors import StoreUnavailable
from tests.api.fakes import FakeReads, transaction
from tests.api.test_exceptions import Office, office
from tests.line.documents import TO_CLOUD, customer
from tests.line.newcomers import customer_record, order_of_new
from tests.line.rig import Rig, order

__all__ = ["office"]

SCOPES = "documents:submit", "documents:read"


class Desk:
    """Somebody who submits documents."""

    def __init__(self, office: Office) -> None:
        self.office, self.rig = office, office.rig
        made = Client("salesforce", "salesforce", frozenset(SCOPES), DataScope(None, None))
        self.token = {"Authorization": f"Bearer {office.issuer.mint(made)}"}

    async def send(self, body: dict[str, Any], domain: str = "orders", status: int = 202) -> Any:
        """Accepted, and done as far as it goes; the answer to this request."""
        headers = self.token | {"Prefer": "wait=0"}
        answer = await self.office.http.post(f"/v1/{domain}", headers=headers, json=body)
        assert answer.status_code == status, answer.text
        await self.rig.settle()
        return answer.json()

    async def read(self, transaction_id: str) -> Any:
        answer = await self.office.http.get(f"/v1/transactions/{transaction_id}", headers=self.token)
        TransactionAnswer.model_validate(answer.json(), by_alias=True, by_name=False)
        return answer.json()


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


async def test_an_order_names_the_transaction_of_its_customer_and_this_the_order(desk: Desk) -> None:
    sent = await desk.send(order_of_new())
    new = await customer_record(desk.rig)
    assert sent["newCustomerTransactionId"] == new.transaction_id
    assert "madeForTransactionId" not in sent
    read, of_customer = await desk.read(sent["transactionId"]), await desk.read(new.transaction_id)
    assert (read["status"], read["newCustomerTransactionId"]) == ("posted", new.transaction_id)
    assert (of_customer["status"], of_customer["madeForTransactionId"]) == ("posted", sent["transactionId"])
    assert of_customer["traceId"] == read["traceId"]
    again = await desk.send(order_of_new(), status=200)
    assert (again["replayed"], again["newCustomerTransactionId"]) == (True, new.transaction_id)
    by_itself = await desk.send(customer(), "customers", status=200)
    assert by_itself["madeForTransactionId"] == sent["transactionId"]


async def test_a_customer_that_was_there_is_named_too(desk: Desk) -> None:
    await desk.send(customer(), "customers")
    new = await customer_record(desk.rig)
    assert "madeForTransactionId" not in await desk.read(new.transaction_id)
    sent = await desk.send(order_of_new())
    assert sent["newCustomerTransactionId"] == new.transaction_id
    assert (await desk.read(sent["transactionId"]))["newCustomerTransactionId"] == new.transaction_id


async def test_an_order_that_came_without_one_names_none(desk: Desk) -> None:
    await desk.send(order_of_new("20001"))
    plain = await desk.send(order("20002", **TO_CLOUD) | {"customer": {"externalId": "NEW"}})
    assert "newCustomerTransactionId" not in await desk.read(plain["transactionId"])


async def test_a_refused_order_names_it_and_each_attempt_its_own(desk: Desk) -> None:
    desk.rig.cloud.script = ["post", "reject"]
    first = await desk.send(order_of_new())
    of_first = (await customer_record(desk.rig)).transaction_id
    repeated = await desk.send(order_of_new(), status=422)
    ProblemDocument.model_validate(repeated, by_alias=True, by_name=False)
    assert (repeated["transactionStatus"], repeated["newCustomerTransactionId"]) == ("rejected", of_first)
    second = await desk.send(order_of_new(quoteReference="Q-1") | {"replaces": first["transactionId"]})
    of_second = (await customer_record(desk.rig)).transaction_id
    assert (of_second != of_first, second["newCustomerTransactionId"]) == (True, of_second)
    for sent, new in ((first, of_first), (second, of_second)):
        assert (await desk.read(sent["transactionId"]))["newCustomerTransactionId"] == new
        assert (await desk.read(new))["madeForTransactionId"] == sent["transactionId"]


async def test_the_events_of_acceptance_tell_it(desk: Desk) -> None:
    sent = await desk.send(order_of_new())
    new = (await customer_record(desk.rig)).transaction_id
    told = {one["type"]: one["data"] for one in await _status_events(desk.rig)}
    assert told["erp.orders.accepted.v1"]["newCustomerTransactionId"] == new
    assert told["erp.customers.accepted.v1"]["madeForTransactionId"] == sent["transactionId"]
    # one link each, and nowhere else than the description says
    names = {"newCustomerTransactionId", "madeForTransactionId"}
    assert sorted((kind, *(names & set(data))) for kind, data in told.items() if names & set(data)) == [
        ("erp.customers.accepted.v1", "madeForTransactionId"),
        ("erp.orders.accepted.v1", "newCustomerTransactionId"),
    ]


async def _status_events(rig: Rig) -> list[dict[str, Any]]:
    pending = [json.loads(one.body) for one in await rig.store.outbox.pending(1_000)]
    return [one for one in pending if not one["type"].startswith("erp.control.")]


async def test_operations_correct_both_over_http(desk: Desk) -> None:
    desk.rig.cloud.script = ["reject"]
    first = await desk.send(order_of_new())
    [found] = [
        one
        for one in (await desk.office.get("?state=open")).json()["items"]
        if one["transactionId"] == first["transactionId"]
    ]
    wanted = {"move": "resubmit", "reason": "a typing error"}
    path = f"/{found['exceptionId']}/moves"
    wrong = await desk.office.post(path, wanted | {"document": order_of_new(of=customer(name=1))})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-document")
    assert [one["field"] for one in wrong.json()["errors"]] == ["document.newCustomer.name"]
    moved = await desk.office.post(path, wanted | {"document": order_of_new(of=customer(name="Corrected"))})
    assert (moved.status_code, moved.json()["outcome"]) == (200, "replaced"), moved.text
    await desk.rig.settle()
    done = await desk.read(moved.json()["replacedByTransactionId"])
    new = await desk.read(done["newCustomerTransactionId"])
    assert (done["status"], new["status"], new["madeForTransactionId"]) == ("posted", "posted", done["transactionId"])


class _Unread(FakeReads):
    """Whose entries cannot be read, and should not be."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    async def entries(self, trace: str) -> Any:
        raise self.failure


@pytest.mark.parametrize(
    ("changes", "is_new"),
    [
        ({}, False),
        ({"domain": "customers"}, True),
        ({"domain": "customers", "operation": "change"}, False),
        ({"operation": "cancel", "new_customer_id": "doc_1"}, False),
    ],
)
async def test_nothing_is_read_for_what_has_no_link(changes: dict[str, Any], is_new: bool) -> None:
    reads = _Unread(AssertionError("it was read"))
    assert await new_customer_links.new_customer_links(reads, transaction(1, **changes), is_new=is_new) == {}


async def test_what_was_accepted_does_not_look_refused_when_its_link_cannot_be_read() -> None:
    reads = _Unread(StoreUnavailable("x"))
    assert await new_customer_links.new_customer_links(reads, transaction(1, new_customer_id="doc_1")) == {}
