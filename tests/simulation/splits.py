"""What callers send that lies in both ERPs: entries between company codes, payments of invoices of both."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from gateway.transactions.commands import Reverse
from tests.line.documents import TO_CLOUD
from tests.line.rig import BILLING, invoice, order, payment
from tests.line.split import charge


async def charged(world: Any, number: int) -> None:
    """An entry between two company codes, in up to four legs; sometimes it is reversed."""
    chance = random.Random(f"{world.seed}/charge/{number}")
    await asyncio.sleep(chance.uniform(0, 20))
    body = charge(f"IC-{number}")
    if chance.random() < 0.5:
        other = [line | {"lineNumber": line["lineNumber"] + 10, "currencyCode": "EUR"} for line in body["lines"]]
        body["lines"] += other
    document = await world._create(chance, "journal_entries", body)
    if document is not None and chance.random() < 0.3:
        await world._act(chance, Reverse(BILLING, "journal_entries", document, idempotency_key=f"rc-{number}"))


async def paid_in_both(world: Any, number: int) -> None:
    """An order and its invoice in each ERP, and one payment of both invoices."""
    chance = random.Random(f"{world.seed}/both/{number}")
    await asyncio.sleep(chance.uniform(0, 20))
    names = [str(30_000 + 10 * number), str(30_001 + 10 * number)]
    for name, where in zip(names, ({}, TO_CLOUD), strict=True):
        if await world._create(chance, "orders", order(name, **where)) is None:
            return
        if await world._create(chance, "invoices", invoice(f"I-{name}", name, **where)) is None:
            return
    await world._create(chance, "payments", payment(f"P-{names[0]}", tuple(f"I-{name}" for name in names)))
