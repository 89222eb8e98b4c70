"""What callers send for customers that no ERP knows: an order that brings its customer, often two at once."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from gateway.domain.transaction import FAILED_ENDS
from gateway.transactions.commands import Cancel
from tests.line.documents import TO_CLOUD, customer
from tests.line.newcomers import order_of_new
from tests.line.rig import SALESFORCE, order


async def brought(world: Any, number: int) -> None:
    """One customer and up to three orders for it; some are called off, and what was refused is corrected."""
    chance = random.Random(f"{world.seed}/newcomer/{number}")
    await asyncio.sleep(chance.uniform(0, 20))
    orders = [_deal(world, number, place) for place in range(chance.choice([1, 1, 2]))]
    if chance.random() < 0.3:
        orders.append(_by_name(world, number))
    await asyncio.gather(*orders)


async def _deal(world: Any, number: int, place: int) -> None:
    """An order with its customer; what was refused is corrected every other time."""
    chance = random.Random(f"{world.seed}/newcomer/{number}/{place}")
    name, replaces = f"{40_000 + 10 * number + place}", None
    for attempt in range(3):
        body = order_of_new(name, of=customer(f"C-{number}"), quoteReference=f"Q-{attempt}")
        document = await world._create(chance, "orders", body, replaces=replaces)
        if document is None:
            return
        if chance.random() < 0.15:
            await world._act(chance, Cancel(SALESFORCE, "orders", document, idempotency_key=f"c-{name}-{attempt}"))
        await asyncio.sleep(chance.choice([20.0, 200.0, 400.0]))
        [(replaces, status)] = world.rows(
            "SELECT t.transaction_id, t.status FROM documents d JOIN transactions t"  # noqa: S608  ids of ours
            f" ON t.transaction_id = d.transaction_id WHERE d.document_id = '{document}'"
        )
        if status not in FAILED_ENDS or chance.random() < 0.5:
            return


async def _by_name(world: Any, number: int) -> None:
    """Somebody else orders for the same customer, by its name alone."""
    chance = random.Random(f"{world.seed}/newcomer/{number}/by-name")
    await asyncio.sleep(chance.uniform(0, 60))
    body = order(f"{40_009 + 10 * number}", **TO_CLOUD) | {"customer": {"externalId": f"C-{number}"}}
    await world._create(chance, "orders", body)
