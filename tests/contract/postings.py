"""Postings of every kind: made ready against a healthy peer, and done through whichever driver a test has."""

from __future__ import annotations

from adapters.canonical import DOMAINS
from adapters.port import Cancellation, Change, ErpPort, Operation, Posted, Posting, Reversal, Submission
from adapters.port import Permit as PortPermit
from tests.contract.conftest import Permit, allow, new_reference, served
from tests.contract.peer import Peer

LATER_OPERATIONS = (Operation.CHANGE, Operation.CANCEL, Operation.REVERSE)
"""What is done to a document that is there already."""


def promised(port: ErpPort, *operations: Operation) -> list[tuple[str, Operation]]:
    """Every (domain, operation) that the driver's capabilities promise; of `operations` only, if any are given."""
    wanted = operations or tuple(Operation)
    return [(domain, operation) for operation in wanted for domain in DOMAINS if domain in served(port, operation)]


async def prepared(peer: Peer, port: ErpPort, domain: str, operation: Operation) -> Posting:
    """A posting that the peer accepts, ready to be done: its original, if it needs one, is created with `port`."""
    submission = peer.submission(domain, new_reference())
    if operation is Operation.CREATE:
        return submission
    posted = await port.submit(submission, allow)
    return later(peer, submission, posted, operation)


def later(peer: Peer, original: Submission, posted: Posted, operation: Operation) -> Posting:
    """The change, cancellation or reversal of a document that was posted."""
    make = {
        Operation.CHANGE: peer.change,
        Operation.CANCEL: peer.cancellation,
        Operation.REVERSE: peer.reversal,
    }[operation]
    return make(original, posted, new_reference())


async def do(port: ErpPort, posting: Posting, permit: PortPermit | Permit = allow) -> Posted:
    """Do it once."""
    match posting:
        case Submission():
            return await port.submit(posting, permit)
        case Change():
            return await port.change(posting, permit)
        case Cancellation():
            return await port.cancel(posting, permit)
        case Reversal():
            return await port.reverse(posting, permit)


def postings_seen(peer: Peer) -> int:
    """How many posting requests the peer was given since its start."""
    return sum(peer.is_posting(seen) for seen in peer.requests_seen())
