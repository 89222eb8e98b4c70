"""What the contract suite needs of a driver and of the ERP that it is tested against.

Every driver has one module `tests/contract/peer_<driver>.py` with a function

    def start(folder: Path) -> Peer

that starts the real peer (for SAP: `mock_sap.MockSap`) with its files in `folder`, waits until it answers, and
returns a `Peer`. The suite (`test_*.py` beside this file) calls nothing but the members below.

A peer is shared by all tests of one driver and is never reset, so a test compares counts before and after. All
members are synchronous and answer within a second or two; none of them goes through the driver under test, except
`driver` itself.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from adapters.port import Cancellation, Change, ErpPort, Operation, Posted, Reversal, Submission
from adapters.transport import TransportLimits
from tests.wire.messages import SeenRequest as SeenRequest


class Fault(StrEnum):
    """How the peer itself misbehaves on the next posting calls.

    `LATE`: it executes the call, but `late_s` seconds after it arrived; the document is there from then on.
    `BUSY`: it answers with its own documented busy error, and does nothing.
    `LOCKED`: it answers that the document (or its number range) is locked by another user, and does nothing.
    `SERVER_ERROR`: it answers with its technical error (5xx, or a SOAP fault), and does nothing; callers cannot know.
    """

    LATE = "late"
    BUSY = "busy"
    LOCKED = "locked"
    SERVER_ERROR = "server_error"


@dataclass(frozen=True, slots=True)
class Words:
    """What a business error of the ERP says: `code` equals `Rejected.code`, `message` occurs in `Rejected.message`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A submission that the ERP refuses while the context is open, and what `Rejected` must then say.

    `code` must equal `Rejected.code`; `message` must occur in `Rejected.message`.
    """

    submission: Submission
    code: str
    message: str


class Peer(Protocol):
    """A running ERP and the way to drivers for it."""

    @property
    def name(self) -> str:
        """The driver's name, for the ids of the tests, e.g. "sap_ecc"."""
        ...

    @property
    def base_url(self) -> str:
        """Where the ERP listens, e.g. "http://127.0.0.1:40123"."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that no error, span or log may contain: passwords, client secrets, base64 of them."""
        ...

    @property
    def late_s(self) -> float:
        """How long `Fault.LATE` holds a posting call before it is executed, in seconds; at most 3."""
        ...

    def driver(
        self,
        *,
        base_url: str | None = None,
        limits: TransportLimits | None = None,
        wrong_credentials: bool = False,
    ) -> ErpPort:
        """A new driver with its own transport and no session yet. The caller closes it.

        `base_url`: talk to this address in place of the peer (a proxy that misbehaves, or nobody).
        `limits`: the transport's limits, `TransportLimits()` if not given.
        `wrong_credentials`: well-formed credentials that the peer refuses.
        Called within a running event loop.
        """
        ...

    def submission(self, domain: str, reference: str) -> Submission:
        """A document of `domain` to create that the peer accepts, carrying `reference`; a new one on each call.

        Everything that the peer keeps unique beside the reference differs between calls; masters that it names
        exist; its posting date lies in an open period and is the same for all submissions of a domain.
        """
        ...

    def reversal(self, original: Submission, posted: Posted, reference: str) -> Reversal:
        """The reversal of what `submission` gave and the driver posted."""
        ...

    def change(self, original: Submission, posted: Posted, reference: str) -> Change:
        """A change of every member that the capability calls changeable, which the peer accepts; its total differs."""
        ...

    def cancellation(self, original: Submission, posted: Posted, reference: str) -> Cancellation:
        """The cancellation of what `submission` gave and the driver posted."""
        ...

    def change_elsewhere(self, original: Submission, posted: Posted) -> bool:
        """Somebody else changes the document over the peer's own interface, so that it stands neither as `original`
        nor as `change` would have it. False where the peer's interface cannot do that."""
        ...

    def refused(self, domain: str, reference: str) -> AbstractContextManager[Refusal | None]:
        """While open, the peer refuses the given submission as a business error; None where it cannot be made to."""
        ...

    def refused_act(self, domain: str, operation: Operation) -> AbstractContextManager[Words | None]:
        """While open, the peer refuses changes, cancellations or reversals of `domain` as a business error; None where
        it cannot be made to. (A creation is refused by `refused`.)"""
        ...

    def fault(self, fault: Fault, domain: str, operation: Operation = Operation.CREATE) -> AbstractContextManager[bool]:
        """While open, posting calls of `operation` on `domain` meet `fault`; yields False where the peer cannot do it.

        Only posting calls: set-up calls (token, CSRF), inquiries and the reading before a change are served as ever.
        """
        ...

    def is_posting(self, request: SeenRequest) -> bool:
        """True for the request by which a document comes to be, is changed, cancelled or mirrored (not for set-up,
        commit, inquiry, or the reading before a change).

        Where a posting takes two calls (a BAPI and its commit; a draft and its release), this is the one that carries
        the document.
        """
        ...

    def count_documents(self, domain: str) -> int:
        """How many documents of `domain` the peer holds now, from its own interface or database."""
        ...

    def requests_seen(self) -> list[SeenRequest]:
        """All requests since the start, oldest first, control plane of the tests left out."""
        ...

    def stop(self) -> None:
        """End the process that `start` began, by its id; returns when it is gone."""
        ...
