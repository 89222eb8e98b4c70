"""What the documents that are referred to are called where a document goes."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.canonical import ErpNumber
from gateway.errors import FieldError, Problem
from gateway.transactions.links import LinkedDocument
from gateway.transactions.ports import WriteUnit
from gateway.transactions.target import Ready, Target, Waits


async def numbers_at(unit: WriteUnit, linked: Sequence[LinkedDocument], target: Target) -> Ready | Waits:
    """What everything that is referred to is called at the target; waits for a master that is on its way there.

    What is only related needs no number, and the gateway itself knows all documents by their ids.
    """
    needed = [one for one in linked if one.link.kind != "relates"]
    ids = list(dict.fromkeys(one.document.document_id for one in needed))
    known = await unit.numbers_in(ids, target.system_id) if ids and not target.is_home else {}
    numbers: dict[str, ErpNumber] = {}
    for one in needed:
        number = known.get(one.document.document_id)
        making = one.transaction
        if number is not None and making is not None and one.is_going:
            return Waits(making.transaction_id, one.link.field)
        if number is not None:
            numbers[one.link.field] = number
            continue
        if target.is_home and not one.failed:
            continue
        if making is not None and not one.is_there and not one.failed:
            return Waits(making.transaction_id, one.link.field)
        raise Problem(
            "unknown-reference",
            f"{one.link.field} has no number in {target.system_id}, where this document belongs",
            remedy=f"create it in {target.system_id} first, or import its cross-reference",
            errors=(FieldError(one.link.field, f"has no number in {target.system_id}", "create or import it there"),),
        )
    return Ready(target, numbers)
