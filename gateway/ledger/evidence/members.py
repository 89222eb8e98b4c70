"""The entries of the transactions that a pack is about, compared with the published log: none was taken out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.ledger.evidence.contents import entry_path
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.question import LINEAGE, TRANSACTION
from gateway.ledger.evidence.wrong import PackWrong

MEMBERS: Final = "members"


@dataclass
class Members:
    """Places of the entries of some transactions, or of all transactions of a lineage with what moved its pin."""

    traces: set[str]
    lineage_id: str | None = None
    places: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, pack: ProvenPack) -> Members:
        """Of what a pack is about: a transaction, a lineage, or those that were drawn for its sample."""
        query, sample = pack.told.query, pack.told.sample
        if query["about"] == LINEAGE:
            return cls(set(), query["lineageId"])
        if query["about"] == TRANSACTION:
            return cls({query["transactionId"]})
        return cls(set() if sample is None else {one.trace for one in sample.drawn})

    def take(self, index: int, body: Mapping[str, Any]) -> None:
        """One entry, in the order of the log. A transaction's entries follow its entry `accepted`."""
        trace, kind = str(body.get("trace")), body.get("kind")
        if self.lineage_id is not None and body.get("lineageId") == self.lineage_id:
            if kind == "accepted" and body.get("seq") == 1:
                self.traces.add(trace)
            if kind == "adopted":
                self.places.add(index)
        if trace in self.traces:
            self.places.add(index)

    def check(self, pack: ProvenPack) -> int:
        """How many they are, all of which the pack has as found by its question. Raises PackWrong."""
        there = {index for index, entry in pack.entries.items() if entry.found}
        for index in sorted(self.places ^ there):
            if index in there:
                raise PackWrong(MEMBERS, entry_path(index), "the published log does not have it among these")
            raise PackWrong(MEMBERS, entry_path(index), "it is missing: the published log has it among these")
        return len(there)
