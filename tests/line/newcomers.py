"""Orders that bring their customer, and what the cloud ERP holds of them."""

from __future__ import annotations

import json
from typing import Any

from adapters.canonical import DOMAINS, Order
from gateway.domain.new_customer import take_new_customer
from gateway.domain.transaction import Status
from gateway.transactions.commands import Answer, Create
from tests.line.documents import TO_CLOUD, customer
from tests.line.rig import SALESFORCE, Rig, order


def order_of_new(external_id: str = "20001", of: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An order of 168.00 USD that goes to the cloud, where customers are kept, with its customer."""
    body = order(external_id, **TO_CLOUD) | {"newCustomer": of or customer()} | changes
    del body["customer"]
    return body


def command(body: dict[str, Any], **how: Any) -> Create:
    """As the ways in read it."""
    members = dict(body)
    new = take_new_customer(Order, members)
    return Create(SALESFORCE, DOMAINS["orders"].model_validate_json(json.dumps(members)), new_customer=new, **how)


async def bring(rig: Rig, body: dict[str, Any] | None = None, **how: Any) -> Answer:
    """Submit and do all that is due now; the order as it stands then."""
    answer = await rig.line.submit(command(body or order_of_new(), **({"wait_s": 0.0} | how)))
    await rig.settle()
    return Answer(await rig.record(answer.transaction.transaction_id), None, answer.replayed)


async def customer_record(rig: Rig, external_id: str = "NEW") -> Any:
    """The transaction that made the customer last."""
    key = await rig.store.write(lambda unit: unit.natural_key("salesforce", "customers", external_id))
    return await rig.record(key.transaction_id)


def held_by(rig: Rig, domain: str) -> list[bool]:
    """The documents of the domain in the cloud ERP's book: whether each still stands."""
    return [
        not one.cancelled for one in rig.cloud.book if rig.cloud.contents[one.number.document_number].domain == domain
    ]


async def statuses(rig: Rig, order_id: str) -> tuple[Status, Status]:
    """Of the customer and of the order."""
    return (await customer_record(rig)).status, (await rig.record(order_id)).status
