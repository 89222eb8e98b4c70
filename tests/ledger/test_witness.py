import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import WitnessPolicy, with_cosignatures
from gateway.ledger.errors import KeyMisused, Malformed, StateBroken
from gateway.ledger.frontier import Frontier
from gateway.ledger.log_keys import LogKeys, announce_key, sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey, signed_at
from gateway.ledger.notes import parse_note, parse_signature_lines, sign_note
from gateway.ledger.proofs import consistency_proof
from gateway.ledger.witness import Witness
from gateway.ledger.witness_request import MAX_REQUEST_BYTES, SIZE_TYPE, AddCheckpoint, parse_add_checkpoint
from gateway.ledger.witness_state import WitnessFiles
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.memory_nodes import MemoryNodes
from tests.ledger.naive import NaiveTree

TREE = NaiveTree(600)
NODES = MemoryNodes(TREE.leaves)
COSIGNER = SigningKey("witness.example/w1", b"w" * 32, SignatureType.COSIGNATURE)
NOW = 1_700_000_000


def note_at(size, key=KEY, root=None):
    return sign_checkpoint(Checkpoint(key.key.name, size, root or TREE.root(size)), [key])


def request(old, new, *, proof=None, note=None):
    if proof is None:
        proof = consistency_proof(NODES, old, new) if 0 < old <= new else ()
    return bytes(AddCheckpoint(old, tuple(proof), bytes(note or note_at(new))))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "witness"


@pytest.fixture
def witness(directory):
    return Witness(COSIGNER, [LOG], WitnessFiles(directory), lambda: NOW)


def _latest(directory):
    with WitnessFiles(directory).log(ORIGIN) as memory:
        return memory.latest()


def test_a_log_that_grows_is_cosigned_from_size_to_size(witness, directory):
    old = 0
    for size in (1, 7, 256, 259, 600):
        answer = witness.add_checkpoint(request(old, size))
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        cosigned = with_cosignatures(note_at(size), parse_signature_lines(answer.body), [COSIGNER.key])
        (found,) = WitnessPolicy((COSIGNER.key,), 1).check(LOG.open_checkpoint(bytes(cosigned)), LOG)
        assert found.time == NOW
        assert _latest(directory).size == size
        old = size


def test_the_same_checkpoint_is_cosigned_again_at_a_later_time(directory):
    times = iter([NOW, NOW + 60])
    witness = Witness(COSIGNER, [LOG], WitnessFiles(directory), lambda: next(times))
    assert witness.add_checkpoint(request(0, 5)).status == 200
    (again,) = parse_signature_lines(witness.add_checkpoint(request(5, 5)).body)
    assert signed_at(again.payload) == NOW + 60


def test_an_empty_log_is_cosigned_and_grows(witness, directory):
    assert witness.add_checkpoint(request(0, 0)).status == 200
    assert _latest(directory).size == 0
    assert witness.add_checkpoint(request(0, 3)).status == 200


def test_a_wrong_old_size_gets_the_size_that_the_witness_has(witness, directory):
    witness.add_checkpoint(request(0, 7))
    for old in (0, 6):
        answer = witness.add_checkpoint(request(old, 20))
        assert (answer.status, answer.content_type, answer.body) == (409, SIZE_TYPE, "7\n")
    assert witness.add_checkpoint(request(8, 20)).body == "7\n"
    assert _latest(directory).size == 7


def test_an_old_size_that_was_never_cosigned_is_a_conflict_with_zero(witness):
    answer = witness.add_checkpoint(request(5, 7))
    assert (answer.status, answer.body) == (409, "0\n")


def test_another_root_at_the_same_size_is_a_conflict(witness, directory):
    witness.add_checkpoint(request(0, 7))
    answer = witness.add_checkpoint(request(7, 7, note=note_at(7, root=TREE.root(8))))
    assert (answer.status, answer.body) == (409, "7\n")
    assert _latest(directory).root == TREE.root(7)


def test_a_log_never_shrinks(witness, directory):
    witness.add_checkpoint(request(0, 20))
    assert witness.add_checkpoint(request(20, 7)).status == 400
    assert witness.add_checkpoint(request(7, 7)).status == 409
    assert _latest(directory).size == 20


@pytest.mark.parametrize(
    "body",
    [
        request(7, 20, proof=()),
        request(7, 20, proof=[bytes(32)] * 5),
        request(7, 20, proof=consistency_proof(NODES, 6, 20)),
        request(7, 20, proof=[*consistency_proof(NODES, 7, 20), bytes(32)]),
        request(7, 20, proof=consistency_proof(NODES, 7, 20)[:-1]),
        request(7, 20, note=note_at(20, root=TREE.root(21))),
        request(7, 7, proof=[bytes(32)]),
    ],
)
def test_a_proof_that_does_not_prove_it_is_422_and_nothing_is_remembered(witness, directory, body):
    witness.add_checkpoint(request(0, 7))
    answer = witness.add_checkpoint(body)
    assert answer.status == 422
    assert _latest(directory).size == 7


def test_from_nothing_the_proof_must_be_empty(witness, directory):
    assert witness.add_checkpoint(request(0, 7, proof=[bytes(32)])).status == 422
    assert _latest(directory) is None


def test_an_unknown_log_is_404(witness):
    stranger = SigningKey("stranger.example", b"s" * 32)
    assert witness.add_checkpoint(request(0, 7, note=note_at(7, key=stranger))).status == 404


def test_a_checkpoint_that_the_log_did_not_sign_is_403(witness, directory):
    assert witness.add_checkpoint(request(0, 7, note=note_at(7, key=OTHER_KEY))).status == 403
    forged = bytes(note_at(7)).replace(b"\n7\n", b"\n6\n")
    assert witness.add_checkpoint(bytes(AddCheckpoint(0, (), forged))).status == 403
    assert _latest(directory) is None


def test_an_old_size_above_the_new_one_is_400_before_anything_is_said_of_the_witness(witness):
    answer = witness.add_checkpoint(request(9, 7))
    assert answer.status == 400
    assert "9 is larger than the checkpoint's 7" in answer.body


GOOD = request(0, 7)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        GOOD.replace(b"old 0", b"old 00"),
        GOOD.replace(b"old 0", b"old -1"),
        GOOD.replace(b"old 0", b"new 0"),
        GOOD.replace(b"old 0", b"old  0"),
        GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"),
        GOOD.replace(b"old 0\n", b"old 0\nnot base64\n"),
        GOOD.replace(b"old 0\n", b"old 0\r\n"),
        GOOD.replace(b"old 0\n", "old 0\n\u00e9\n".encode()),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD.rpartition(b"\n\n")[0],
        b"old 0\n\nthis is no checkpoint\n",
        bytes(AddCheckpoint(0, (bytes(32),) * 64, bytes(note_at(7)))),
        b"old 0\n\n" + bytes(sign_note("ledger.example/one\n7\n", [KEY])),
        b"x" * (MAX_REQUEST_BYTES + 1),
    ],
)
def test_what_is_no_request_is_400(witness, directory, body):
    answer = witness.add_checkpoint(body)
    assert answer.status == 400
    assert answer.body.endswith("\n")
    assert _latest(directory) is None


def test_a_request_comes_back_as_it_was():
    body = request(7, 20)
    assert bytes(parse_add_checkpoint(body)) == body
    with pytest.raises(Malformed):
        parse_add_checkpoint(body[:10])


def test_what_is_cosigned_is_remembered_before_the_answer(directory):
    """The clock is read for the cosignature: by then the newest checkpoint lies in its file."""
    seen = []

    def clock():
        (path,) = directory.glob("*.checkpoint")
        seen.append(parse_note(path.read_bytes()).text.split("\n")[1])
        return NOW

    witness = Witness(COSIGNER, [LOG], WitnessFiles(directory), clock)
    for old, size in ((0, 5), (5, 9)):
        witness.add_checkpoint(request(old, size))
    assert seen == ["5", "9"]


def test_a_write_that_fails_gives_no_cosignature(directory):
    class Full:
        def latest(self):
            return None

        def remember(self, note):
            raise OSError("no space left")

    class FullState(WitnessFiles):
        def log(self, origin):
            return contextlib.nullcontext(Full())

    def clock():
        pytest.fail("it signed what it could not remember")

    with pytest.raises(OSError, match="no space"):
        Witness(COSIGNER, [LOG], FullState(directory), clock).add_checkpoint(request(0, 5))


def test_a_witness_that_is_started_again_remembers(directory):
    Witness(COSIGNER, [LOG], WitnessFiles(directory), lambda: NOW).add_checkpoint(request(0, 7))
    again = Witness(COSIGNER, [LOG], WitnessFiles(directory), lambda: NOW)
    assert again.add_checkpoint(request(0, 20)).body == "7\n"
    assert again.add_checkpoint(request(7, 20)).status == 200


def test_checking_and_remembering_are_one_step_however_many_ask(directory):
    """Every size that was cosigned is larger than all before: the race of the specification cannot happen."""
    order, lock, start = [], threading.Lock(), threading.Barrier(8)

    class Recording(WitnessFiles):
        def log(self, origin):
            @contextlib.contextmanager
            def held():
                with super(Recording, self).log(origin) as memory:
                    yield memory
                    with lock:
                        order.append(memory.latest().size if memory.latest() else 0)

            return held()

    def ask(number):
        witness = Witness(COSIGNER, [LOG], Recording(directory), lambda: NOW)
        start.wait(10)
        granted, had = [], 0
        for size in range(number + 1, 600, 37):
            if size <= had:
                continue
            answer = witness.add_checkpoint(request(had, size))
            if answer.status == 200:
                granted.append((had, size))
                had = size
            elif answer.status == 409:
                had = int(answer.body)
        return granted

    with ThreadPoolExecutor(8) as threads:
        granted = [one for part in threads.map(ask, range(8)) for one in part]
    assert order == sorted(order)
    # the granted steps are one chain: each begins where another one ended
    steps = sorted(granted)
    assert steps[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(steps))
    assert len(steps) > 5


@pytest.mark.parametrize("data", [b"", b"garbage", bytes(note_at(5, key=SigningKey("other.example", b"z" * 32)))])
def test_a_damaged_memory_is_no_fresh_start(witness, directory, data):
    witness.add_checkpoint(request(0, 7))
    (path,) = directory.glob("*.checkpoint")
    path.write_bytes(data)
    with pytest.raises(StateBroken):
        witness.add_checkpoint(request(0, 7))
    assert path.read_bytes() == data


def test_a_witness_takes_over_an_announced_key(directory):
    both = LOG.following([bytes(announce_key(KEY, OTHER_KEY, 7))])
    witness = Witness(COSIGNER, [both], WitnessFiles(directory), lambda: NOW)
    assert witness.add_checkpoint(request(0, 7)).status == 200
    assert witness.add_checkpoint(request(7, 20, note=note_at(20, key=OTHER_KEY))).status == 200


def test_the_key_of_a_witness_is_a_cosigners_and_never_the_logs(directory):
    state = WitnessFiles(directory)
    with pytest.raises(KeyMisused, match="type 04"):
        Witness(SigningKey("w.example", b"w" * 32), [LOG], state, lambda: NOW)
    same = SigningKey("w.example", b"k" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(KeyMisused, match="does not witness itself"):
        Witness(same, [LOG], state, lambda: NOW)


def test_logs_are_remembered_apart(directory):
    other = SigningKey("ledger.example/two", b"2" * 32)
    witness = Witness(COSIGNER, [LOG, LogKeys.pinned(other.key)], WitnessFiles(directory), lambda: NOW)
    assert witness.add_checkpoint(request(0, 20)).status == 200
    assert witness.add_checkpoint(request(0, 7, note=note_at(7, key=other))).status == 200
    assert _latest(directory) == Checkpoint.of(ORIGIN, Frontier().appended(TREE.leaves[:20]))
