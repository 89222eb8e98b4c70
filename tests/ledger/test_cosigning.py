"""A log and its witnesses: cosignatures, what they already know, forks, and silence."""

import pytest

from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.cosigning import Cosigners
from gateway.ledger.errors import Contradicted
from gateway.ledger.log_files import WaitingTiles
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.ledger.sequencer import Deposed
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.witness import Witness
from gateway.ledger.witness_state import WitnessFiles
from tests.ledger.live import live
from tests.ledger.logs import KEY, LOG, OTHER_KEY
from tests.migrated import migrated_file

W = SigningKey("witness.example/w1", b"w" * 32, SignatureType.COSIGNATURE)
V = SigningKey("witness.example/w2", b"v" * 32, SignatureType.COSIGNATURE)


class Near:
    """Witnesses in this process; what they do is not their matter here."""

    def __init__(self, tmp_path, *signers):
        self.asked = []
        self.silent = set()
        self.lies = {}
        self.found = {
            one.key.name: Witness(
                one, [LOG], WitnessFiles(tmp_path / one.key.name.replace("/", "_")), lambda: 1_700_000_000
            )
            for one in signers
        }

    async def add_checkpoint(self, name, body):
        self.asked.append((name, body.split(b"\n")[0]))
        if name in self.silent:
            raise ConnectionError("no answer")
        if name in self.lies:
            status, said = self.lies[name]
            return status, "text/plain", said
        answer = self.found[name].add_checkpoint(body)
        return answer.status, answer.content_type, answer.body.encode()


def witnessed(
    store,
    tmp_path,
    near,
    cosigned_at=lambda _name, _at: None,
    contradicted=lambda _name: None,
    halt_from=0,
    **changes,
):
    import asyncio  # noqa: PLC0415

    log = live(store, tmp_path, **changes)
    loop = asyncio.get_running_loop()

    def nodes(checkpoint, note):
        return TileNodes(WaitingTiles(log.files, bytes(note), loop), checkpoint.size)

    log.cosigners = Cosigners([W.key, V.key], near, nodes, cosigned_at, contradicted, halt_from)
    log.__post_init__()
    return log


async def cosigned_by(log, quorum):
    signed = LOG.open_checkpoint(await log.files.note("checkpoint"))
    policy = WitnessPolicy((W.key, V.key), quorum)
    return signed.checkpoint.size, {one.key.name for one in policy.check(signed, LOG)}


async def test_every_checkpoint_carries_the_cosignatures_of_those_that_answer(store, tmp_path):
    near = Near(tmp_path, W, V)
    log = witnessed(store, tmp_path, near)
    for size in (1, 5, 300, 700):
        await log.grow(size)
        assert await cosigned_by(log, 2) == (size, {W.key.name, V.key.name})
    assert log.held.read().note == await log.files.note("checkpoint")


async def test_the_log_is_told_when_a_witness_cosigned_by_its_clock(store, tmp_path):
    told = []
    near = Near(tmp_path, W, V)
    near.silent.add(V.key.name)
    await witnessed(store, tmp_path, near, lambda *what: told.append(what)).grow(5)
    assert set(told) == {(W.key.name, 1_700_000_000)}


async def test_a_new_process_learns_how_far_its_witnesses_are(store, tmp_path):
    near = Near(tmp_path, W, V)
    await witnessed(store, tmp_path, near).grow(300)
    near.asked.clear()
    await witnessed(store, tmp_path, near, process_id="prc_2", alone=True).grow(400)
    assert near.asked[:2] == [(W.key.name, b"old 0"), (V.key.name, b"old 0")]
    assert (W.key.name, b"old 300") in near.asked


async def test_nobody_waits_for_a_silent_witness(store, tmp_path):
    near = Near(tmp_path, W, V)
    near.silent = {V.key.name}
    log = witnessed(store, tmp_path, near)
    await log.grow(3)
    await log.grow(5)
    assert await cosigned_by(log, 1) == (5, {W.key.name})
    assert [name for name, _ in near.asked].count(V.key.name) == 1


@pytest.mark.parametrize("other_size", [300, 200, 100])
async def test_witnesses_that_saw_another_log_end_the_signing_where_the_settings_say_so(
    store, store_again, tmp_path, other_size
):
    near = Near(tmp_path, W, V)
    await witnessed(store, tmp_path, near).grow(200)
    forged = witnessed(store_again, tmp_path / "forged", near, halt_from=2)
    with pytest.raises(Contradicted, match=r"witness\.example/w1 .*; witness\.example/w2"):
        await forged.grow(other_size, trace="txn_2")
    assert await forged.files.note("checkpoint") is None
    assert forged.held.read() is None


@pytest.mark.parametrize("other_size", [300, 200, 100])
async def test_what_a_witness_says_without_a_signature_is_told_and_ends_nothing(
    store, store_again, tmp_path, other_size
):
    near, told = Near(tmp_path, W, V), []
    await witnessed(store, tmp_path, near).grow(200)
    forged = witnessed(store_again, tmp_path / "forged", near, contradicted=told.append)
    await forged.grow(other_size, trace="txn_2")
    assert told == [W.key.name, V.key.name]
    assert await cosigned_by(forged, 0) == (other_size, set())


@pytest.mark.parametrize("answer", [(409, b"999999999\n"), (409, b"0\n"), (409, b"1\n"), (422, b"no\n")])
async def test_one_that_lies_does_not_keep_the_others_from_cosigning(store, tmp_path, answer):
    near, told = Near(tmp_path, W, V), []
    near.lies[V.key.name] = answer
    log = witnessed(store, tmp_path, near, contradicted=told.append, halt_from=2)
    await log.grow(3)
    await log.grow(5)
    assert log.sequencer.halted is None
    assert told == [V.key.name], "it is left alone for a while"
    assert await cosigned_by(log, 1) == (5, {W.key.name})


async def test_a_leader_that_was_overtaken_takes_what_its_successor_signed_for_no_contradiction(store, tmp_path):
    near, told = Near(tmp_path, W, V), []
    first = witnessed(store, tmp_path, near, contradicted=told.append, halt_from=1)
    await first.grow(3)
    second = witnessed(store, tmp_path / "b", near, process_id="prc_2", alone=True)
    await second.grow(9)
    with pytest.raises(Deposed, match="has ended"):
        await first.sequencer._sign((KEY, OTHER_KEY))
    assert (first.sequencer.halted, told) == (None, [])
    assert first.held.read().checkpoint.size == 3


@pytest.fixture
async def store_again(tmp_path):
    from gateway.store.store import open_store  # noqa: PLC0415

    url = migrated_file(tmp_path / "again.db")
    opened = await open_store(url)
    yield opened
    await opened.close()
