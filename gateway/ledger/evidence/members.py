"""The entries of a transaction's or lineage's pack, compared with the published log: none of them was taken out.

The log is read up to the pack's checkpoint and hashed, so that what is compared is what was signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.ledger.evidence.contents import PACK, entry_path
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.published import PublishedLog
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.tile_store import TileReader

MEMBERS: Final = "members"


def check_members(pack: ProvenPack, published: TileReader) -> int | None:
    """How many entries of the log are about what was asked, all of which the pack has; None for a pack that is about
    no transaction and no lineage. Raises PackWrong."""
    about = pack.told.query.get("about")
    if about not in {"transaction", "lineage"}:
        return None
    if about == "lineage" and not pack.told.whole_data_scope:
        raise PackWrong(
            MEMBERS,
            PACK,
            "it was made within a restricted data scope, whose bounds it does not state: nobody else can tell which "
            "transactions of the lineage lie outside. Verify it without the published log, or ask somebody who sees "
            "everything for one",
        )
    members = _Members(pack.told.query.get("transactionId"), pack.told.query.get("lineageId"))
    log = PublishedLog(published, pack.checkpoint.size, MEMBERS)
    for index, body in log.entries():
        members.take(index, body)
    if log.root != pack.checkpoint.root:
        raise PackWrong(MEMBERS, PACK, "the published entries are not those of the pack's checkpoint")
    there = {index for index, entry in pack.entries.items() if entry.found}
    for index in sorted(members.places ^ there):
        if index in there:
            raise PackWrong(MEMBERS, entry_path(index), "the published log does not have it among these")
        raise PackWrong(MEMBERS, entry_path(index), "it is missing: the published log has it among these")
    return len(there)


@dataclass
class _Members:
    """Places of the entries of one transaction, or of all transactions of a lineage with what moved its pin."""

    transaction_id: str | None
    lineage_id: str | None
    places: set[int] = field(default_factory=set)
    _traces: set[str] = field(default_factory=set)

    def take(self, index: int, body: Mapping[str, Any]) -> None:
        """One entry, in the order of the log. A transaction's entries follow its entry `accepted`."""
        trace, kind, lineage_id = str(body.get("trace")), body.get("kind"), body.get("lineageId")
        if self.lineage_id is None:
            is_member = trace == self.transaction_id
        else:
            if kind == "accepted" and body.get("seq") == 1 and lineage_id == self.lineage_id:
                self._traces.add(trace)
            is_member = trace in self._traces or (kind == "adopted" and lineage_id == self.lineage_id)
        if is_member:
            self.places.add(index)
