"""A pack compared with the published log, which is read once, up to the pack's checkpoint.

What is read is hashed, so that what is compared is what was signed: the entries of a transaction, of a lineage, or of
the transactions of a sample are all that the log has of it, and the sample is the one that the log gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.ledger.errors import LedgerError
from gateway.ledger.evidence.contents import CHECKPOINT, PACK
from gateway.ledger.evidence.members import MEMBERS, Members
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.published import Progress, PublishedLog
from gateway.ledger.evidence.question import LINEAGE, RULE_CHANGE, SAMPLE
from gateway.ledger.evidence.redrawing import Redrawing
from gateway.ledger.evidence.wrong import NotCompared, PackWrong
from gateway.ledger.log_keys import SignedCheckpoint
from gateway.ledger.tile_store import CHECKPOINT as PUBLISHED
from gateway.ledger.tile_store import TileReader, announcements


@dataclass(frozen=True, slots=True)
class Compared:
    """`entries`: how many the log has of what the pack is about, all of which are there. `redrawn`: of how many
    transactions the sample was drawn again; None for a pack that has none."""

    entries: int
    redrawn: int | None


def compare(pack: ProvenPack, published: TileReader, progress: Progress | None = None) -> Compared:
    """Compare a pack that is sound in itself. Raises PackWrong; NotCompared where that cannot be done."""
    _refuse(pack)
    _check_covers(pack, published)
    members = Members.of(pack)
    redrawing = None if pack.told.sample is None else Redrawing.of(pack.told.sample)
    log = PublishedLog(published, pack.checkpoint.size, MEMBERS if redrawing is None else SAMPLE, progress)
    for index, body in log.entries():
        _take(log, index, body, members, redrawing)
    if log.root != pack.checkpoint.root:
        raise PackWrong(log.reason, PACK, "the published entries are not those of the pack's checkpoint")
    # the checkpoint that closes a sample's population is shown to be continued by the pack's, so these are its entries
    redrawn = None if redrawing is None else redrawing.check()
    return Compared(members.check(pack), redrawn)


def _take(
    log: PublishedLog, index: int, body: Mapping[str, Any], members: Members, redrawing: Redrawing | None
) -> None:
    try:
        members.take(index, body)
        if redrawing is not None:
            redrawing.take(index, body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # nobody has looked at its members so far
        raise PackWrong(log.reason, PACK, f"entry {index} of the published log is not what a gateway writes") from error


def _refuse(pack: ProvenPack) -> None:
    """Raise NotCompared for a pack of which nobody can tell from the log what it must have."""
    about = pack.told.query["about"]
    if about == RULE_CHANGE:
        raise NotCompared("it is about a change of the rules, of which nothing is compared with the published log")
    if about in {LINEAGE, SAMPLE} and not pack.told.whole_data_scope:
        raise NotCompared(
            "it was made within a restricted data scope, whose bounds it does not state: nobody else can tell which "
            "transactions lie outside. Ask somebody who sees everything for one"
        )


def _check_covers(pack: ProvenPack, published: TileReader) -> None:
    """The published checkpoint is one of this log, and as large as the pack's."""
    try:
        data = published.read(PUBLISHED)
        signed = None if data is None else _opened(pack, published, data)
    except LedgerError as error:
        raise NotCompared(f"the published checkpoint is none of {pack.checkpoint.origin}: {error}") from error
    if signed is None:
        raise NotCompared("no checkpoint is published there")
    size, covered = signed.checkpoint.size, pack.checkpoint.size
    if size < covered:
        raise NotCompared(
            f"the published log has {size} entries, the pack's checkpoint {covered}: bring the mirror up to date"
        )
    if size == covered and signed.checkpoint.root != pack.checkpoint.root:
        raise PackWrong(
            "forked", CHECKPOINT, "of the same size as the published one, with another root: both are signed"
        )


def _opened(pack: ProvenPack, published: TileReader, data: bytes) -> SignedCheckpoint:
    """By the log's keys, with those that were announced since. Raises LedgerError."""
    return pack.log.following(announcements(published)).open_checkpoint(data)
