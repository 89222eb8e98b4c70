"""What must hold of documents that lie in both ERPs: all of one stands, or none, or a person looks; books balance."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway.domain.identity import external_reference
from tests.line.split import account_balances, company_balances


def check_legs(world: Any) -> list[str]:
    """Every violation in a sentence."""
    books = {name: {one.external_reference: one for one in erp.book} for name, erp in world.erps.items()}
    found: list[str] = []
    half_done = False
    for transaction, operation, status, legs in world.rows(
        "SELECT transaction_id, operation, status, legs FROM transactions WHERE legs IS NOT NULL"
    ):
        half_done = half_done or status == "in_doubt"
        found += _stands_whole(world, books, transaction, operation, status, json.loads(legs))
        found += _undone_newest_first(world, transaction)
        found += _reported_as_refused(world, transaction, status)
    found += _balanced(world, half_done=half_done)
    return found


def leg_references(world: Any) -> set[str]:
    """What legs are called at the ERPs."""
    rows = world.rows(
        "SELECT s.external_reference FROM steps s JOIN transactions t ON t.transaction_id = s.transaction_id"
        " WHERE t.legs IS NOT NULL"
    )
    return {reference for (reference,) in rows}


def _stands_whole(
    world: Any,
    books: dict[str, dict[str, Any]],
    transaction: str,
    operation: str,
    status: str,
    legs: list[dict[str, Any]],
) -> Iterator[str]:
    for leg in legs:
        system = leg["routedTo"]["systemId"]
        by_hand = (transaction, leg["step"]) in world.by_hand
        done = external_reference(transaction, leg["step"], "do") in books[system] or (
            by_hand and operation != "create"
        )
        taken_back = external_reference(transaction, leg["step"], "undo") in books[system]
        taken_back = taken_back or (by_hand and operation == "create")
        elsewhere = [
            name
            for name, book in books.items()
            if name != system and external_reference(transaction, leg["step"], "do") in book
        ]
        if elsewhere:
            yield f"leg {leg['step']} of {transaction} belongs to {system} and stands in {elsewhere}"
        if status == "posted" and (not done or taken_back):
            yield f"{operation} {transaction} is posted, and its leg {leg['step']} does not stand"
        if status in {"rejected", "cancelled"} and done:
            yield f"{transaction} is {status}, and its leg {leg['step']} stands"
        if status == "compensated" and done != taken_back:
            yield f"{transaction} is compensated, and its leg {leg['step']} stands"
        if status == "posted" and leg["erpNumber"] is None:
            yield f"{transaction} is posted, and its leg {leg['step']} has no number"
        if leg["undo"] is not None and leg["undo"]["erpReference"] == leg["erpReference"]:
            yield f"the undo of leg {leg['step']} of {transaction} has the reference of the leg"


def _undone_newest_first(world: Any, transaction: str) -> Iterator[str]:
    """And only when the outcome of every leg is known."""
    begun: list[int] = []
    known: dict[int, bool] = {}
    for (body,) in world.rows(f"SELECT body FROM ledger_entries WHERE trace = '{transaction}' ORDER BY seq"):  # noqa: S608  ids of ours
        entry = json.loads(body)
        kind, step = entry["kind"], entry.get("step")
        if kind == "compensating" and not all(known.values()):
            yield f"{transaction} is compensated while the outcome of a leg is unknown"
        if entry.get("direction") == "undo":
            if kind == "dispatched" and entry["attempt"] == 1:
                begun.append(step)
        elif kind in {"dispatched", "unknown", "posted", "rejected"} and step is not None:
            known[step] = kind in {"posted", "rejected"}
    if begun != sorted(begun, reverse=True) or len(set(begun)) < len(begun):
        yield f"{transaction} is undone in the order {begun}"


def _reported_as_refused(world: Any, transaction: str, status: str) -> Iterator[str]:
    if status != "compensated":
        return
    refused = set().union(*(erp.refused for erp in world.erps.values()))
    rows = world.rows(
        f"SELECT external_reference FROM steps WHERE transaction_id = '{transaction}'"  # noqa: S608
        " AND direction = 'do' AND state = 'rejected'"
    )
    if not any(reference in refused for (reference,) in rows):
        yield f"{transaction} is compensated, and no ERP refused a leg of it"


def _balanced(world: Any, *, half_done: bool) -> Iterator[str]:
    between: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, erp in world.erps.items():
        for company_code, balance in company_balances(erp).items():
            if balance:
                yield f"the books of {company_code} in {name} are {balance} out of balance"
        for (_, account), balance in account_balances(erp).items():
            between[account] += balance
    pairs = between["194001"] + between["194002"], between["194900"]
    if not half_done and any(pairs):
        yield f"clearing accounts do not clear: {dict(between)}"
