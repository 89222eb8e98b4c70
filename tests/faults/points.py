"""The named points at which a gateway is killed or frozen: between which two of its acts that is.

The gateway itself knows nothing of them. They are laid around its functions from outside, in the process that the tests
start (`tests.faults.gateway_under_fault`).
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters import transport_once
from gateway.ledger.held import HeldFile
from gateway.ledger.sequencer import Sequencer
from gateway.messaging.jetstream import NatsStream
from gateway.store import postgres_writer, sqlite_writer
from gateway.store.outbox import StoreOutbox
from gateway.transactions import line, process
from gateway.transactions.dispatch import Dispatch
from gateway.wiring import runtime

POINTS: Final[Mapping[str, str]] = {
    "registered": "at the start, the process is on record, and leases of ended ones are free",
    "unit-ran": "in the middle of a batch: a unit ran, the commit is not begun",
    "commit-begins": "right before a commit",
    "committed": "right after a commit, nobody is told",
    "accept-ran": "a document's acceptance ran, it is not committed",
    "accepted": "accepted and dispatched are committed, nothing is sent, nobody is told",
    "before-permit": "a connection is had, the lease is not looked at",
    "permitted": "the lease was looked at, the first byte is not out",
    "sent": "the request is out, the answer is not there",
    "answered": "the answer is there, its outcome is not written",
    "settle-ran": "the outcome's unit ran, it is not committed",
    "settled": "the outcome is committed, nobody is told",
    "claimed": "a job is claimed, nothing of it is done",
    "inquiry-begins": "right before an inquiry",
    "inquired": "the inquiry is answered, its conclusion is not written",
    "resolve-ran": "the conclusion's unit ran, it is not committed",
    "event-goes": "right before an event is published",
    "event-gone": "an event is published, it is not marked",
    "event-marked": "published events are marked",
    "placed": "entries have their places in the tree, the checkpoint is not signed",
    "checkpoint-held": "the checkpoint is signed and held outside, the database does not have it",
    "checkpoint-kept": "the checkpoint is in the database",
}
"""By name: what is done and what is not."""
ONLY_SQLITE: Final = frozenset({"unit-ran"})


@dataclass
class Trap:
    """What is to happen: at hit number `hit` of `point`, counted from now. `act`: the signal that the process sends
    itself. `told`: a file that learns of it before."""

    point: str
    hit: int
    act: signal.Signals
    told: Path

    def __post_init__(self) -> None:
        self._hits: Counter[str] = Counter()

    def at(self, name: str) -> None:
        """The process comes by."""
        self._hits[name] += 1
        if name == self.point and self._hits[name] == self.hit:
            self.told.write_text(f"{name} {self.hit}", encoding="ascii")
            os.kill(os.getpid(), self.act)


def lay(trap: Trap) -> None:
    """From here on this process runs into the trap."""
    _around(runtime, "register", trap, after="registered")
    _around_plain(sqlite_writer, "_run_unit", trap, after="unit-ran")
    _around_plain(sqlite_writer, "_commit", trap, before="commit-begins", after="committed")
    _around(postgres_writer, "_commit", trap, before="commit-begins", after="committed")
    _around(line, "accept", trap, after="accept-ran")
    _around(line.Line, "_answered", trap, before="accepted")
    _around(line.Line, "_carry_on", trap, before="claimed")
    _around(line, "run_dispatch", trap, after="settled")
    _around_plain(Dispatch, "permit", trap, before="before-permit", after="permitted")
    _around(transport_once.OnceRequest, "write_bytes", trap, after="sent", only=_is_a_posting)
    _around(process, "execute", trap, after="answered")
    _around(process, "_settle", trap, after="settle-ran")
    _around(process, "inquire", trap, before="inquiry-begins", after="inquired")
    _around(process, "_resolve", trap, after="resolve-ran")
    _around(NatsStream, "publish", trap, before="event-goes", after="event-gone")
    _around(NatsStream, "publish_batch", trap, before="event-goes", after="event-gone")
    _around(StoreOutbox, "mark_published", trap, after="event-marked")
    _around(Sequencer, "_place", trap, after="placed")
    _around_plain(HeldFile, "write", trap, after="checkpoint-held")
    _around(Sequencer, "_sign", trap, after="checkpoint-kept")


def _is_a_posting(arguments: tuple[Any, ...]) -> bool:
    return str(arguments[0].url.path).rpartition("/")[2].startswith("A_")


def _around(
    owner: Any,
    name: str,
    trap: Trap,
    *,
    before: str = "",
    after: str = "",
    only: Callable[[tuple[Any, ...]], bool] = lambda _arguments: True,
) -> None:
    true: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def around(*arguments: Any, **named: Any) -> Any:
        counts = only(arguments)
        if before and counts:
            trap.at(before)
        result = await true(*arguments, **named)
        if after and counts:
            trap.at(after)
        return result

    setattr(owner, name, around)


def _around_plain(owner: Any, name: str, trap: Trap, *, before: str = "", after: str = "") -> None:
    true: Callable[..., Any] = getattr(owner, name)

    def around(*arguments: Any, **named: Any) -> Any:
        if before:
            trap.at(before)
        result = true(*arguments, **named)
        if after:
            trap.at(after)
        return result

    setattr(owner, name, around)
