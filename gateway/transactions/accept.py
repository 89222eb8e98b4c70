"""Accepting a document: told apart from every earlier one, routed, and on the way in one commit.

What 'accepted' means to the caller is that all of this is on disk. The unit may be run again by the store, so it
draws nothing random and keeps nothing outside: ids and salt are drawn before, in `Draft`.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.domain.records import NaturalKeyRecord
from gateway.transactions.begin import Accepted
from gateway.transactions.commands import Create
from gateway.transactions.draft import Draft
from gateway.transactions.new_customers import CUSTOMERS, keep_customer
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.prepare import prepare, write
from gateway.transactions.repeats import (
    by_idempotency_key,
    by_natural_key,
    natural_key,
    refuse_replacing_nothing,
    remember_key,
    replay,
)
from gateway.transactions.rules import refuse_outdated
from gateway.transactions.scope import refuse_out_of_scope, refuse_unknown_nodes
from gateway.transactions.with_customer import WithCustomer


async def accept(unit: WriteUnit, parts: LineParts, command: Create, draft: Draft) -> Accepted:
    """Accept the document, and the customer that comes with it, or find that it was accepted before.

    Raises RulesOutdated; and Problem: out-of-scope, unknown-node, missing-idempotency-key, idempotency-key-reused,
    natural-key-conflict, document-busy, and whatever routing refuses. Nothing is written then.
    """
    await refuse_outdated(unit, parts.rules)
    refuse_out_of_scope(command.document, command.caller.data_scope, parts.rules.rulebook)
    refuse_unknown_nodes(command.document, parts.rules.rulebook)
    both = await WithCustomer.of(unit, parts, command, draft)
    earlier = await by_idempotency_key(unit, command, draft)
    if earlier is not None:
        return await _again(unit, parts, command, earlier, both)
    key = await natural_key(unit, command)
    refuse_replacing_nothing(command, key)
    earlier = await _accepted_as(unit, command, draft, key)
    if earlier is not None:
        accepted = await _again(unit, parts, command, earlier, both)
        await remember_key(unit, parts, command, draft, earlier)
        return accepted
    if both is not None:
        return await both.accept(key)
    return await write(unit, parts, await prepare(unit, parts, command, draft, key))


async def _accepted_as(unit: WriteUnit, command: Create, draft: Draft, key: NaturalKeyRecord | None) -> str | None:
    """The transaction that was accepted with this content under this natural key; None where it is new."""
    if key is None or key.transaction_id is None:
        return None
    replaced = await by_natural_key(unit, command, draft, key)
    return key.transaction_id if replaced is None else None


async def _again(
    unit: WriteUnit, parts: LineParts, command: Create, transaction_id: str, both: WithCustomer | None
) -> Accepted:
    """It was accepted before. Whoever asks for a customer by itself keeps it."""
    if both is not None:
        await both.refuse_other()
    accepted = await replay(unit, parts, command.caller.client, transaction_id)
    if command.document.domain != CUSTOMERS:
        return accepted
    return replace(accepted, record=await keep_customer(unit, parts, accepted.record, command.caller.client))
