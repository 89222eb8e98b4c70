"""A pack beside what an auditor has seen of the log: its checkpoint continues that, or the pack is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import WitnessPolicy, cosign
from gateway.ledger.cosigning import Cosigners
from gateway.ledger.evidence.archive import archive_of, files_of
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.ledger.evidence.verify_pack import verify_pack
from gateway.ledger.frontier import Frontier
from gateway.ledger.held import Held
from gateway.ledger.log_files import WaitingTiles
from gateway.ledger.log_keys import announce_key, sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.ledger.notes import Note, parse_note
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.witness_request import TEXT_TYPE
from gateway.store.store import Store, open_store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, pack_of, verified, with_evidence
from tests.ledger.logs import KEY, ORIGIN, OTHER_KEY
from tests.line.rig import order
from tests.migrated import migrated_file

SEEN_AT = 1_700_000_123
"""When the witness says that it saw the checkpoint, in s since 1970."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = migrated_file(tmp_path / "gateway.db")
    found = await open_store(url)
    yield found
    await found.close()


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _seen(audit: Auditing) -> Held:
    found = (await audit.log.verified()).seen
    assert found is not None
    return found


async def _grown(audit: Auditing) -> str:
    """The log with a transaction more; its id."""
    made = await audit.rig.send(order("LATER"))
    await audit.rig.settle()
    await audit.catch_up()
    return made.transaction.transaction_id


async def _witnessed(audit: Auditing, witness: SigningKey) -> None:
    """A checkpoint that the witness cosigned, of a log with a transaction more."""
    near, log, loop = _Near(witness), audit.log, asyncio.get_running_loop()

    def nodes(checkpoint: Checkpoint, note: Note) -> TileNodes:
        return TileNodes(WaitingTiles(log.files, bytes(note), loop), checkpoint.size)

    log.cosigners = Cosigners([witness.key], near, nodes)
    log.__post_init__()
    await _grown(audit)


class _Near:
    """A witness in this process, which cosigns whatever it is shown."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    async def add_checkpoint(self, _name: str, body: bytes) -> tuple[int, str, bytes]:
        note = parse_note(body.partition(b"\n\n")[2])
        return 200, TEXT_TYPE, cosign(self._key, note.text, SEEN_AT).line.encode()


async def test_a_pack_shows_that_it_continues_what_was_seen(audit: Auditing) -> None:
    held = await _seen(audit)
    about = {"about": "transaction", "transactionId": await _grown(audit)}
    silent = verified(await pack_of(audit, about), held=held).wrong
    assert silent is not None
    assert silent.reason == "unproven"
    found = verified(await pack_of(audit, {**about, "heldSize": held.checkpoint.size}), held=held)
    assert (found.wrong, found.continues) == (None, held.checkpoint.size)


async def test_a_pack_of_the_size_that_was_seen_needs_no_proof(audit: Auditing) -> None:
    about = {"about": "transaction", "transactionId": await _grown(audit)}
    held = await _seen(audit)
    assert verified(await pack_of(audit, about), held=held).continues == held.checkpoint.size


async def test_a_pack_of_another_history_is_refused(audit: Auditing) -> None:
    held = await _seen(audit)
    size = held.checkpoint.size
    other = Frontier().appended(number.to_bytes(32, "big") for number in range(size))
    checkpoint = Checkpoint(ORIGIN, size, other.root)
    forked = Held(checkpoint, other, bytes(sign_checkpoint(checkpoint, [KEY])))
    about = {"about": "transaction", "transactionId": await _grown(audit), "heldSize": size}
    found = verified(await pack_of(audit, about), held=forked).wrong
    assert found is not None
    assert found.reason == "forked"


async def test_a_pack_that_is_older_than_what_was_seen_shows_nothing(audit: Auditing) -> None:
    about = {"about": "transaction", "transactionId": await _grown(audit)}
    pack = await pack_of(audit, about)
    await audit.rig.send(order("LATER-STILL"))
    await audit.rig.settle()
    await audit.catch_up()
    found = verified(pack, held=await _seen(audit)).wrong
    assert found is not None
    assert found.reason == "older"


async def test_the_checkpoint_is_cosigned_as_it_is_wanted(audit: Auditing) -> None:
    about = {"about": "transaction", "transactionId": await _grown(audit)}
    witness = SigningKey("witness.example/w1", b"w" * 32, SignatureType.COSIGNATURE)
    wanted = WitnessPolicy((witness.key,), 1)
    found = verified(await pack_of(audit, about), witnesses=wanted).wrong
    assert found is not None
    assert found.reason == "cosignatures"
    await _witnessed(audit, witness)
    pack = await pack_of(audit, about)
    cosigned = verified(pack, witnesses=wanted)
    assert cosigned.wrong is None
    assert [(one.key.name, one.time) for one in cosigned.cosignatures] == [(witness.key.name, SEEN_AT)]
    files = files_of(pack)
    note = parse_note(files["checkpoint"])
    lines = [one for one in note.signatures if one.is_by(witness.key)]
    later = replace(lines[0], payload=(SEEN_AT + 1).to_bytes(8, "big") + lines[0].payload[8:])
    forged = replace(note, signatures=tuple(later if one in lines else one for one in note.signatures))
    rest = {path: body for path, body in files.items() if path != MANIFEST} | {"checkpoint": bytes(forged)}
    # The true evidence key signs it all the same: that does not help without the witness's.
    told = verified(archive_of({**rest, MANIFEST: manifest_of(rest, EVIDENCE_KEY)}), witnesses=wanted).wrong
    assert told is not None
    assert told.reason == "cosignatures"


async def test_whoever_holds_the_former_key_follows_the_announcement(audit: Auditing) -> None:
    size = (await _seen(audit)).checkpoint.size
    note = bytes(announce_key(KEY, OTHER_KEY, size))
    await audit.rig.store.write(lambda unit: unit.insert_announcement(ORIGIN, 1, note))
    audit.log.keys = (OTHER_KEY,)
    transaction = await _grown(audit)
    pack = await pack_of(audit, {"about": "transaction", "transactionId": transaction})
    for key in (KEY, OTHER_KEY):
        assert verify_pack(pack, [key.key], evidence_key=EVIDENCE_KEY.key).wrong is None
    stranger = SigningKey(ORIGIN, b"s" * 32)
    found = verify_pack(pack, [stranger.key], evidence_key=EVIDENCE_KEY.key).wrong
    assert found is not None
    assert found.path in {"checkpoint", "keys/1"}
