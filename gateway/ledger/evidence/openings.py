"""What opens the commitments in entries: payloads with their salts, as far as the asker may see them.

A commitment is SHA-256(salt ‖ bytes). Of a refusal it is SHA-256(bytes): its salt is a member of these
(`gateway.domain.refusals`).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord
from gateway.ledger.state.told_problems import ToldProblem
from gateway.store.log_reads import PlacedEntry

ACCEPTED: Final = "payloadHash"
REFUSAL: Final = "problemHash"
COMMITTED: Final = (ACCEPTED, "reasonHash", "wordsHash", "filterHash", REFUSAL)
"""Members of entries that commit to bytes which lie beside the ledger."""
FOLDER: Final = "payloads"

SHOWN: Final = "shown"
WITHHELD: Final = "withheld"
ERASED: Final = "erased"
UNAVAILABLE: Final = "unavailable"
MISSING: Final = "missing"
STATES: Final = (SHOWN, WITHHELD, ERASED, UNAVAILABLE, MISSING)
"""`withheld`: the asker may not read it. `erased`: an entry `erased` of the same trace says so. `unavailable`: this
gateway does not hold it: what an earlier refusal said is not kept once something followed it. `missing`: it must be
there and is not, or is another one: an alarm."""


@dataclass(slots=True)
class Candidates:
    """Bytes that entries may commit to. `records`: the payloads that were named, emptied ones too."""

    payload_ids: dict[str, None] = field(default_factory=dict)
    records: Sequence[PayloadRecord] = ()
    _said: dict[str, bytes] = field(default_factory=dict)

    def add(self, payload_ids: Iterable[str | None]) -> None:
        """Payloads that may be among them."""
        self.payload_ids.update((one, None) for one in payload_ids if one is not None)

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
    bodies = [json.loads(entry.body or b"{}") for entry in entries]
    known, erased, kept = candidates.by_commitment(), erased_in(bodies), refusals_kept(bodies)
    found = []
    for entry, body in zip(entries, bodies, strict=True):
        for member, commitment in commitments_of(body):
            there = known.get(commitment)
            if commitment in erased.get(entry.trace, ()):
                found.append(Opening(entry, member, commitment, ERASED))
            elif there is None and (member != REFUSAL or commitment == kept.get(entry.trace)):
                found.append(Opening(entry, member, commitment, MISSING))
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


def erased_in(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Collection[str]]:
    """By trace, the commitments of what its entries `erased` name: nothing else says that something was erased."""
    found: dict[str, set[str]] = defaultdict(set)
    for body in bodies:
        hashes = body.get("payloadHashes")
        if body.get("kind") == "erased" and isinstance(hashes, list):
            found[str(body.get("trace"))].update(str(value) for value in hashes)
    return dict(found)


def refusals_kept(bodies: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By trace, the commitment of the refusal whose words stand with the transaction after these entries.

    `bodies`: in the order of the log. After an entry `erased` nothing is asked of them: earlier programs took the words
    of a refusal away and did not name them there.
    """
    told: dict[str, ToldProblem] = defaultdict(ToldProblem)
    for body in bodies:
        if body.get("kind") == "erased":
            told.pop(str(body.get("trace")), None)
        elif "kind" in body:
            told[str(body.get("trace"))].take(body)
    return {trace: one.hashed for trace, one in told.items() if isinstance(one.hashed, str)}
