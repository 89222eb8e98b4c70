"""A sender's own word that its attempt is over, for whoever goes on in its place.

Who lost its lease, or cannot put on record what its call came to, must not append anything: the transaction is
another's. But that other one cannot tell a sender that is done from one that stands still and may yet send, and puts
what it does not find before a person. So the sender says the one thing that it alone knows, on the row of its own
attempt: its connection is closed. The quiet time starts there; nothing else follows from it.

So with what was to be sent when nobody knows whether its `dispatched` was committed: it is not sent, and this is said
in case there is such a row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.domain.records import StepRecord
from gateway.errors import CommitUnknown, StoreUnavailable
from gateway.transactions.parts import Tools
from gateway.transactions.ports import Store, WriteUnit

T = TypeVar("T")
U = TypeVar("U")
U_co = TypeVar("U_co", covariant=True)

TRIES: Final = 5
"""How often the word is said to a store that does not take it. Lost, it is as if the sender had said nothing."""
_FIRST_PAUSE_S: Final = 0.5
"""After the first try; doubled with each further one."""

_log = structlog.get_logger(__name__)


class Writes(Protocol[U_co]):
    """A store of units of some kind, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[U_co], Awaitable[T]]) -> T: ...


async def say_closed(store: Store, tools: Tools, step: StepRecord) -> bool:
    """Say that nothing of this attempt at the step can leave this process any more; whether it was put on record.

    To be called only when that is so: the port's call has returned or raised. Not while it runs, nor when it was
    abandoned or cancelled. It raises nothing but a cancellation: what is lost leaves the doubt that there was.
    """
    pause_s = _FIRST_PAUSE_S
    for left in reversed(range(TRIES)):
        try:
            said = await store.write(partial(_close, tools=tools, step=step))
        except StoreUnavailable as error:
            _log.warning("closing_not_said", transaction=step.transaction_id, error=str(error), tries_left=left)
        except Exception:  # the failure that led here must not be hidden by this one
            _log.exception("closing_not_said", transaction=step.transaction_id)
            return False
        else:
            _log.info("closing_said", transaction=step.transaction_id, attempt=step.attempt, heard=said)
            return said
        if left:
            await tools.clock.sleep(pause_s)
            pause_s *= 2
    return False


async def write_to_send(
    store: Writes[U],
    unit_of_work: Callable[[U], Awaitable[T]],
    sends: Callable[[T], StepRecord | None],
    not_sent: Callable[[StepRecord], Awaitable[Any]],
) -> T:
    """Write a unit whose result may be a step to send, which whoever called this does next.

    `sends`: that step. `not_sent`: told of it where the commit may have been made and this raises CommitUnknown, so
    that nobody sends it.
    """
    step: StepRecord | None = None

    async def noted(unit: U) -> T:
        nonlocal step
        step = None  # the unit may be run again
        result = await unit_of_work(unit)
        step = sends(result)
        return result

    try:
        return await store.write(noted)
    except CommitUnknown:
        if step is not None:
            await not_sent(step)
        raise


async def _close(unit: WriteUnit, *, tools: Tools, step: StepRecord) -> bool:
    """The row of the transaction comes first, as with everybody who writes its steps: so nobody who read the step
    before writes over the word."""
    if await unit.transaction(step.transaction_id) is None:
        return False
    return await unit.close_attempt(step, tools.clock.now())
