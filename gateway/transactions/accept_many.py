"""Accepting many documents in one commit, each judged by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar, cast

from adapters.canonical import Invoice
from gateway.errors import Problem
from gateway.transactions.accept import accept
from gateway.transactions.begin import Accepted
from gateway.transactions.commands import Create
from gateway.transactions.draft import OPERATION, Draft
from gateway.transactions.gathered import Gathered
from gateway.transactions.links import name_of
from gateway.transactions.looked_up import NaturalName, RequestName
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.rules import refuse_outdated

T = TypeVar("T")

CHUNK: Final = 100
"""Documents of one commit. More would be a little faster, and make whoever else wants to write wait longer: some 20 ms
as it is."""


def alone(command: Create) -> Create:
    """The command as one of many: nobody waits for its end, a worker sends it."""
    if command.queueing.alone:
        return command
    return replace(command, queueing=replace(command.queueing, alone=True))


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """What goes into one commit, in order."""
    for begin in range(0, len(items), CHUNK):
        yield items[begin : begin + CHUNK]


async def accept_chunk(
    unit: WriteUnit, parts: LineParts, drawn: Sequence[tuple[Create, Draft]]
) -> list[Accepted | Problem]:
    """Accept each of them, or say why not; `accept` refuses before it writes, so what is refused leaves nothing.

    Raises RulesOutdated.
    """
    gathered = Gathered(unit)
    # it answers what it does not define itself from the unit, which no type can tell
    as_unit = cast("WriteUnit", gathered)
    await refuse_outdated(as_unit, parts.rules)
    await gathered.looked_up.look_up_keys(*_keys_of(drawn))
    replaced = [command.replaces for command, _ in drawn if command.replaces is not None]
    await gathered.looked_up.look_up_documents(*_names_of(drawn), replaced, parts.systems)
    found: list[Accepted | Problem] = []
    for command, draft in drawn:
        try:
            found.append(await accept(as_unit, parts, command, draft))
        except Problem as problem:
            found.append(problem)
    await gathered.flush()
    return found


def _keys_of(drawn: Sequence[tuple[Create, Draft]]) -> tuple[list[NaturalName], list[RequestName]]:
    """The natural keys and the idempotency keys by which they may have been accepted before."""
    names: list[NaturalName] = []
    keys: list[RequestName] = []
    for command, _ in drawn:
        caller, document = command.caller, command.document
        if document.external_id is not None:
            names.append((caller.source, document.domain, document.external_id))
        if command.idempotency_key is not None:
            keys.append((caller.client, OPERATION, document.domain, command.idempotency_key))
    return names, keys


def _names_of(drawn: Sequence[tuple[Create, Draft]]) -> tuple[list[DocumentName], set[DocumentName]]:
    """What they refer to; and of that, what a credit note holds alone."""
    names: list[DocumentName] = []
    alone: set[DocumentName] = set()
    for command, _ in drawn:
        document, source = command.document, command.caller.source
        here = [name_of(link, source) for link in document.links()]
        names += here
        if isinstance(document, Invoice) and document.document_type == "credit_note":
            alone.update(here)
    return names, alone
