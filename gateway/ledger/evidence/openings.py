"""What opens the commitments in entries: payloads with their salts, as far as the asker may see them.

A commitment is SHA-256(salt ‖ bytes); of an ERP's refusal it is SHA-256(bytes), hence with an empty salt.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord
from gateway.store.log_reads import PlacedEntry

COMMITTED: Final = ("payloadHash", "reasonHash", "wordsHash", "filterHash", "problemHash")
"""Members of entries that commit to bytes which lie beside the ledger."""
FOLDER: Final = "payloads"

SHOWN: Final = "shown"
WITHHELD: Final = "withheld"
ERASED: Final = "erased"
UNAVAILABLE: Final = "unavailable"
STATES: Final = (SHOWN, WITHHELD, ERASED, UNAVAILABLE)
"""`withheld`: the asker may not read it. `erased`: it was, as the law or a rule asked for. `unavailable`: this gateway
does not hold it, such as what an earlier refusal said."""


@dataclass(slots=True)
class Candidates:
    """Bytes that entries may commit to. `records`: the payloads that were named, erased ones too."""

    payload_ids: list[str] = field(default_factory=list)
    records: Sequence[PayloadRecord] = ()
    _traces: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _said: dict[str, bytes] = field(default_factory=dict)

    def add(self, trace: str, payload_ids: Iterable[str | None]) -> None:
        """Payloads of a trace."""
        for one in payload_ids:
            if one is not None:
                if one not in self.payload_ids:
                    self.payload_ids.append(one)
                self._traces[trace].add(one)

    def say(self, name: str, body: bytes) -> None:
        """Bytes that have no salt."""
        self._said[name] = body

    def by_commitment(self) -> dict[str, tuple[str, bytes, bytes]]:
        """Name, salt and bytes of what is there."""
        found = {payload_commitment(b"", body): (name, b"", body) for name, body in self._said.items()}
        for one in self.records:
            if one.body is not None:
                found[payload_commitment(one.salt, one.body)] = (one.payload_id, one.salt, one.body)
        return found

    def has_erased(self, trace: str) -> bool:
        """Whether a payload of that trace is there no more."""
        gone = {one.payload_id for one in self.records if one.body is None}
        return not gone.isdisjoint(self._traces[trace])


@dataclass(frozen=True, slots=True)
class Opening:
    """One commitment of an entry, and what became of what it commits to."""

    entry: PlacedEntry
    member: str
    commitment: str
    state: str
    name: str | None = None
    salt: bytes = b""
    body: bytes | None = None

    @property
    def path(self) -> str | None:
        """Where the pack holds the bytes."""
        return None if self.name is None else f"{FOLDER}/{self.name}.json"

    def words(self) -> dict[str, Any]:
        """As the pack says it."""
        return {
            "logIndex": self.entry.log_index,
            "member": self.member,
            "commitment": self.commitment,
            "state": self.state,
            "path": self.path,
            "salt": b64encode(self.salt).decode("ascii") if self.state == SHOWN else None,
        }


def openings(entries: Iterable[PlacedEntry], candidates: Candidates, *, may_read: bool) -> list[Opening]:
    """One for each commitment, in the order of the log."""
    entries = list(entries)
    known, erased = candidates.by_commitment(), set(_erased(entries))
    found = []
    for entry in entries:
        for member, commitment in commitments_of(json.loads(entry.body or b"{}")):
            there = known.get(commitment)
            if commitment in erased or (there is None and candidates.has_erased(entry.trace)):
                found.append(Opening(entry, member, commitment, ERASED))
            elif not may_read:
                found.append(Opening(entry, member, commitment, WITHHELD))
            elif there is None:
                found.append(Opening(entry, member, commitment, UNAVAILABLE))
            else:
                found.append(Opening(entry, member, commitment, SHOWN, *there))
    return found


def commitments_of(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Member and commitment, of an entry."""
    for member in COMMITTED:
        value = body.get(member)
        if isinstance(value, str):
            yield member, value


def _erased(entries: Iterable[PlacedEntry]) -> Iterator[str]:
    for one in entries:
        body = json.loads(one.body or b"{}")
        hashes = body.get("payloadHashes")
        if body.get("kind") == "erased" and isinstance(hashes, list):
            yield from (str(value) for value in hashes)
