"""Accepting many documents in one commit, each judged by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar, cast

from gateway.errors import Problem
from gateway.transactions.accept import accept
from gateway.transactions.begin import Accepted
from gateway.transactions.commands import Create
from gateway.transactions.draft import Draft
from gateway.transactions.gathered import Gathered
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit

T = TypeVar("T")

CHUNK: Final = 100
"""Documents of one commit. More would be a little faster, and make whoever else wants to write wait longer: some 15 ms
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
    found: list[Accepted | Problem] = []
    for command, draft in drawn:
        try:
            found.append(await accept(as_unit, parts, command, draft))
        except Problem as problem:
            found.append(problem)
    await gathered.flush()
    return found
