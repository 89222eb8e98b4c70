"""Verifying a log some of whose entries are said to be archived: what was recomputed, and what only hashed, is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.domain.months import Month
from gateway.ledger.bundles import entries_in
from gateway.ledger.errors import BundleArchived
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.verification import Reason, Verification
from gateway.ledger.verify import verify_log
from tests.ledger.logs import LOG, entries, publish_all
from tests.ledger.memory_tiles import MemoryTiles

MAY, JUNE = Month(2026, 5), Month(2026, 6)
FIRST, SECOND, LAST = "tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"


class Says(MemoryTiles):
    """A log of 700 entries, some of whose bundles are said to be archived."""

    def __init__(self) -> None:
        super().__init__()
        self.archived: dict[str, Sequence[Month]] = {}
        publish_all(self, [700])

    def read(self, path: str) -> bytes | None:
        if path in self.archived:
            raise BundleArchived(path, self.archived[path])
        return super().read(path)


@dataclass
class Archives:
    """The bytes of some entries, by their places."""

    held: dict[int, bytes]

    def leaves(self, first: int, end: int) -> Sequence[bytes | None]:
        return [leaf_hash(self.held[place]) if place in self.held else None for place in range(first, end)]


@pytest.fixture
def log() -> Says:
    return Says()


def _told(found: Verification) -> dict[str, Any]:
    told = found.as_json()
    return {name: told.get(name) for name in ("entriesVerified", "entriesHashedOnly", "hashedOnly", "archivedMonths")}


def test_hashes_of_archived_entries_lead_to_the_root_and_are_counted_apart(log: Says) -> None:
    log.archived = {FIRST: [MAY], SECOND: [MAY, JUNE]}
    found = verify_log(log, LOG, None)
    assert found.ok
    assert found.seen is not None
    assert _told(found) == {
        "entriesVerified": 188,
        "entriesHashedOnly": 512,
        "hashedOnly": [{"firstEntry": 0, "beforeEntry": 512}],
        "archivedMonths": ["2026-05", "2026-06"],
    }


def test_a_log_that_has_everything_says_nothing_of_it(log: Says) -> None:
    assert _told(verify_log(log, LOG, None)) == {
        "entriesVerified": 700, "entriesHashedOnly": None, "hashedOnly": None, "archivedMonths": None,
    }  # fmt: skip


def test_a_bundle_that_is_gone_stays_wrong_beside_archived_ones(log: Says) -> None:
    log.archived = {FIRST: [MAY]}
    del log.files[SECOND]
    wrong = verify_log(log, LOG, None).wrong
    assert wrong is not None
    assert (wrong.reason, wrong.entry, wrong.until) == (Reason.MISSING, 256, 512)


@pytest.mark.parametrize("tile", ["tile/0/000", "tile/1/000.p/2"])
def test_calling_a_bundle_archived_does_not_hide_an_altered_hash(log: Says, tile: str) -> None:
    log.archived = {FIRST: [MAY]}
    data = bytearray(log.files[tile])
    data[5] ^= 1
    log.files[tile] = bytes(data)
    assert not verify_log(log, LOG, None).ok


def test_calling_a_bundle_archived_does_not_hide_that_the_log_was_forked(log: Says) -> None:
    others = MemoryTiles()
    publish_all(others, [300], of=[b'{"other":1}', *entries(1, 300)])
    held = verify_log(others, LOG, None).seen
    log.archived = {FIRST: [MAY]}
    wrong = verify_log(log, LOG, held).wrong
    assert wrong is not None
    assert wrong.reason is Reason.FORKED


def test_what_archives_hold_is_recomputed_and_what_they_do_not_is_said(log: Says) -> None:
    log.archived = {FIRST: [MAY], LAST: [JUNE]}
    known = dict(enumerate(entries_in(log.files[FIRST])))
    found = verify_log(log, LOG, None, archives=Archives(known))
    assert (found.entries, found.hashed, found.archived_months) == (512, ((512, 700),), (JUNE,))
    del known[7], known[8], known[100]  # of no month that was taken out, and in no archive
    found = verify_log(log, LOG, None, archives=Archives(known))
    assert (found.ok, found.entries, found.hashed) == (True, 509, ((7, 9), (100, 101), (512, 700)))


def test_an_archive_that_says_something_else_is_told(log: Says) -> None:
    log.archived = {FIRST: [MAY]}
    found = verify_log(log, LOG, None, archives=Archives({41: b'{"v":1}'}))
    assert found.wrong is not None
    assert (found.wrong.reason, found.wrong.entry) == (Reason.ENTRY, 41)
