"""What a creation must not do again: make a document in the system where it is already."""

from __future__ import annotations

from gateway.errors import Problem
from gateway.transactions.ports import WriteUnit
from gateway.transactions.target import Held, Ready, Waits


async def refuse_already_there(
    unit: WriteUnit, document_id: str, outcome: Ready | Waits | Held, *, master: bool
) -> None:
    """Raise Problem `duplicate-master` or `natural-key-conflict` where it has a number in the system to which it would
    go: it was imported, before it was accepted or since.

    Asked whenever it may go: the hold that kept it back may be over, and other rules in force, than at its acceptance.
    """
    if isinstance(outcome, Waits | Held):
        return
    system_id = outcome.target.system_id
    number = (await unit.numbers_in([document_id], system_id)).get(document_id)
    if number is not None:
        raise Problem(
            "duplicate-master" if master else "natural-key-conflict",
            f"it is already in {system_id}, as {number.document_type} {number.document_number}",
            remedy="nothing to do: refer to it by its externalId",
            extra={"documentId": document_id},
        )
