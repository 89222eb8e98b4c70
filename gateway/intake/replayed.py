"""Which lines repeat what was accepted already.

A document is accepted in one commit and its line written in the next. Cut between the two, the line that is sent again
is told of its own transaction as of an earlier one's. So the line's answer alone does not say it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.batches import BatchRecord
from gateway.errors import Problem
from gateway.intake.ports import BatchReads
from gateway.transactions.commands import Answer


async def replayed_of(reads: BatchReads, batch: BatchRecord, answers: Sequence[Answer | Problem]) -> list[bool]:
    """Of each answer, in the order of their lines: whether another line, batch or client had the document accepted.

    It was this line itself where the transaction is this client's, was accepted since the batch began, and no line on
    record has it as its own. (A client that submits the same document alone while the batch is cut is not told apart.)
    """
    perhaps_own = {
        one.transaction.transaction_id
        for one in answers
        if isinstance(one, Answer)
        and one.replayed
        and one.transaction.client == batch.client
        and one.transaction.accepted_at >= batch.created_at
    }
    own = perhaps_own - await reads.named_in_batches(batch, perhaps_own) if perhaps_own else perhaps_own
    found: list[bool] = []
    named: set[str] = set()
    for one in answers:
        transaction_id = one.transaction.transaction_id if isinstance(one, Answer) else ""
        is_first = transaction_id not in named
        found.append(isinstance(one, Answer) and one.replayed and not (is_first and transaction_id in own))
        named.add(transaction_id)
    return found
