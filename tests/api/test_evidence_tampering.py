"""That a pack which was altered anywhere is found out, and that the first wrong file is named."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from gateway.ledger.evidence.archive import ARCHIVE, archive_of, files_of
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.ledger.note_keys import SigningKey
from gateway.store.store import Store, open_store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, NONCE, pack_of, verified, with_evidence
from tests.ledger.logs import ORIGIN
from tests.migrated import migrated_file

FLIPS: Final = 400
SEED: Final = 20_261_127
OTHERS_KEY: Final = SigningKey(f"{ORIGIN}/evidence", b"x" * 32)
WORDS: Final = {"index.html", "pack.json"}
"""What whoever holds the evidence key can word as they like, as far as the entries say nothing about it."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """The pack does not depend on the database."""
    url = migrated_file(tmp_path / "gateway.db")
    found = await open_store(url)
    yield found
    await found.close()


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _packs(audit: Auditing) -> list[bytes]:
    (trace,) = (await audit.get("traces", name="10248"))["items"]
    lineage = {"about": "lineage", "lineageId": trace["document"]["lineageId"]}
    sample = {"about": "sample", "sampleSize": 2, "nonce": NONCE}
    return [await pack_of(audit, lineage), await pack_of(audit, sample)]


def _signed(files: Mapping[str, bytes], key: SigningKey) -> bytes:
    rest = {path: body for path, body in files.items() if path != MANIFEST}
    return archive_of({**rest, MANIFEST: manifest_of(rest, key)})


def _altered(body: bytes, chance: random.Random) -> bytes:
    """A byte more, a byte less, or another byte."""
    place = chance.randrange(len(body))
    return chance.choice(
        [body[:place] + b" " + body[place:], body[:place] + body[place + 1 :], _flipped(body, place, chance)]
    )


def _flipped(body: bytes, place: int, chance: random.Random) -> bytes:
    return body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]


async def test_whatever_is_altered_in_a_pack_is_found(audit: Auditing) -> None:
    for pack in await _packs(audit):
        files = files_of(pack)
        assert verified(pack).ok
        _any_byte(pack)
        _any_file(files)
        _any_file_signed_by_another(files)
        _any_file_signed_again(files)


def _any_byte(pack: bytes) -> None:
    chance = random.Random(SEED)
    for _ in range(FLIPS):
        place = chance.randrange(len(pack))
        assert verified(_flipped(pack, place, chance)).wrong is not None, place
    for beside in (b"\0" + pack, pack + b"\0", pack[:-1], b""):
        assert verified(beside).wrong is not None


def _any_file(files: Mapping[str, bytes]) -> None:
    """The manifest stays: the file itself is named."""
    chance = random.Random(SEED)
    for path, body in files.items():
        found = verified(archive_of({**files, path: _altered(body, chance)})).wrong
        assert found is not None, path
        assert found.path == path
        without = verified(archive_of({name: one for name, one in files.items() if name != path})).wrong
        assert without is not None, path
        assert without.path == path
    more = verified(archive_of({**files, "entries/0.txt": b"more"})).wrong
    assert more is not None
    assert (more.reason, more.path) == ("file", "entries/0.txt")


def _any_file_signed_by_another(files: Mapping[str, bytes]) -> None:
    found = verified(_signed(files, OTHERS_KEY)).wrong
    assert found is not None
    assert (found.reason, found.path) == ("manifest", MANIFEST)


def _any_file_signed_again(files: Mapping[str, bytes]) -> None:
    """By whoever holds the evidence key: what the log proves cannot be altered all the same."""
    chance = random.Random(SEED)
    proven = sorted(set(files) - WORDS - {MANIFEST})
    for path in proven:
        altered = verified(_signed({**files, path: _altered(files[path], chance)}, EVIDENCE_KEY)).wrong
        assert altered is not None, path
        rest = {name: one for name, one in files.items() if name != path}
        assert verified(_signed(rest, EVIDENCE_KEY)).wrong is not None, path
    for path in ("payloads/more.json", "keys/1", "rules/9.rules.json"):
        assert verified(_signed({**files, path: b"more"}, EVIDENCE_KEY)).wrong is not None, path
    for first, second in pairwise(proven):
        if files[first] != files[second]:
            swapped = {**files, first: files[second], second: files[first]}
            assert verified(_signed(swapped, EVIDENCE_KEY)).wrong is not None, (first, second)
    for word in (b'"rowCount"', b'"salt"', b'"seq"', b'"trace"', b'"commitment"', b'"size"', b'"rowsHash"'):
        said = files["pack.json"].replace(word, b'"x' + word[1:], 1)
        assert verified(_signed({**files, "pack.json": said}, EVIDENCE_KEY)).wrong is not None, word
    assert verified(_signed(files, EVIDENCE_KEY)).ok


async def test_what_is_no_zip_file_is_none(audit: Auditing) -> None:
    for data in (b"", b"PK", b"{}" * 100):
        found = verified(data).wrong
        assert found is not None
        assert (found.reason, found.path) == ("archive", ARCHIVE)
