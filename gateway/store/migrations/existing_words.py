"""What revision v0026 writes down of exceptions that were there before: the payloads to which no row led any more.

Frozen with the revision, as `existing_documents` is with v0002. An exception's row named the newest words alone; its
entries commit to words that it was given, so that their payloads can be told. Not found are those of entries that lie
in an archive, and words that came with a return that changed nothing: they were stored, but no entry tells of them
(docs/privacy.md, 'What stays, and why').
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, text

from gateway.domain.identity import crockford

_CHUNK: Final = 1_000
"""Rows read at once."""
_MARGINS_MS: Final = (10_000, 3_600_000)
"""How far from an entry its payload is looked for, and how far what was not found so near. The payload's id tells when
it was drawn: in the unit that wrote the entry, so that only clocks that disagree bring them apart."""

# Who returned was changed, so that its version is not the first.
_RETURNED: Final = text(
    """
    SELECT exception_id, transaction_id, payload_id, version FROM exceptions
     WHERE exception_id > :after AND version > 1 AND payload_id IS NOT NULL
     ORDER BY exception_id LIMIT :most
    """
)
_TOLD: Final = text(
    """
    SELECT at, body FROM ledger_entries
     WHERE trace = :trace AND kind IN ('exception_opened', 'exception_moved')
    """
)
_PAYLOADS: Final = text(
    """
    SELECT payload_id, salt, body FROM payloads
     WHERE payload_id > :after AND payload_id < :until AND body IS NOT NULL
     ORDER BY payload_id LIMIT :most
    """
)
_KEEP: Final = text("INSERT INTO earlier_words (exception_id, payload_id) VALUES (:exception, :payload)")


class Finds:
    """Earlier words as they are found, in looks one after the other.

    A look at everything may take long and holds nobody up; one more, after all other writers were locked out, reads
    again only what they changed meanwhile.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._earlier: dict[str, list[str]] = {}

    def look(self, connection: Connection) -> None:
        """Find the earlier words of exceptions that are new or another version since the last look."""
        # of each commitment: time (µs) of its entry, the exception, and the payload that the exception's row names
        wanted: dict[str, tuple[int, str, str]] = {}
        for exception_id, transaction_id, newest in self._changed(connection):
            told = list(_told(connection, exception_id, transaction_id))
            self._earlier[exception_id] = []
            if len(told) > 1:
                wanted |= {hashed: (at, exception_id, newest) for at, hashed in told}
        for margin in _MARGINS_MS:
            times = sorted(at // 1_000 for at, _, _ in wanted.values())
            for payload_id, hashed in _payloads_around(connection, times, margin):
                _, exception_id, newest = wanted.pop(hashed, (0, "", payload_id))
                if payload_id != newest:
                    self._earlier[exception_id].append(payload_id)

    def write_down(self, connection: Connection) -> None:
        """Write the rows of what was found."""
        for exception_id, payload_ids in self._earlier.items():
            for payload_id in payload_ids:
                connection.execute(_KEEP, {"exception": exception_id, "payload": payload_id})

    def _changed(self, connection: Connection) -> Iterator[tuple[str, str, str]]:
        """Exception, transaction, and the payload that the exception's row names."""
        after = ""
        while rows := connection.execute(_RETURNED, {"after": after, "most": _CHUNK}).all():
            for exception_id, transaction_id, newest, version in rows:
                if self._versions.get(exception_id) != version:
                    self._versions[exception_id] = version
                    yield exception_id, transaction_id, newest
            after = rows[-1][0]


def _told(connection: Connection, exception_id: str, transaction_id: str) -> Iterator[tuple[int, str]]:
    """Time (µs) and commitment of each entry that gave the exception words."""
    for at, body in connection.execute(_TOLD, {"trace": transaction_id}):
        members = json.loads(body)
        if members.get("exceptionId") == exception_id and "wordsHash" in members:
            yield at, members["wordsHash"]


def _payloads_around(connection: Connection, times: list[int], margin: int) -> Iterator[tuple[str, str]]:
    """Id and commitment of each payload, not erased, that was drawn within `margin` of one of `times` (ms, sorted)."""
    after = ""
    for at in times:
        after = max(after, _drawn(at - margin))
        until = _drawn(at + margin)
        while rows := connection.execute(_PAYLOADS, {"after": after, "until": until, "most": _CHUNK}).all():
            for payload_id, salt, body in rows:
                yield payload_id, sha256(salt + body).hexdigest()
            after = rows[-1][0]


def _drawn(at_ms: int) -> str:
    """The first payload's id of that time."""
    return f"pay_{crockford(max(at_ms, 0) << 80, 26)}"
