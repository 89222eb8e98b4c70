"""Faults planted into orders that bring their customer: each leaves one without the other, or says so wrongly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from unittest.mock import patch

from gateway.transactions import new_customers

Mutation = Callable[[], AbstractContextManager[object]]


async def _left_standing(_held: Any, _customer_id: str) -> None:
    return None


async def _always_unwanted(_unit: Any, document: Any, record: Any) -> bool:
    return document.made_for is not None and document.transaction_id == record.transaction_id


async def _settled_but_for_the_customer_itself(held: Any) -> None:
    if held.record.domain != "customers":
        await _true_settle(held)


_true_settle: Final = new_customers.settle_with_customer


NEWCOMER_MUTATIONS: Final[Mapping[str, Mutation]] = {
    "a customer is left standing when its order is refused": lambda: patch.object(
        new_customers, "_let_go", _left_standing
    ),
    "a customer is taken back although another order has it": lambda: patch.object(
        new_customers, "_is_unwanted", _always_unwanted
    ),
    "a customer that is posted after its order ended is forgotten": lambda: patch(
        "gateway.transactions.finish.settle_with_customer", _settled_but_for_the_customer_itself
    ),
}
"""By what is wrong."""
