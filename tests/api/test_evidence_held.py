"""A pack beside what an auditor has seen of the log: its checkpoint continues that, or the pack is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.evidence.verify_pack import verify_pack
from gateway.ledger.frontier import Frontier
from gateway.ledger.held import Held
from gateway.ledger.log_keys import announce_key, sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, pack_of, verified, with_evidence
from tests.ledger.logs import KEY, ORIGIN, OTHER_KEY
from tests.line.rig import order


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    await migrate(url)
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
    pack = await pack_of(audit, {"about": "transaction", "transactionId": await _grown(audit)})
    witness = SigningKey("witness.example/w1", b"w" * 32, SignatureType.COSIGNATURE)
    found = verified(pack, witnesses=WitnessPolicy((witness.key,), 1)).wrong
    assert found is not None
    assert found.reason == "cosignatures"


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
