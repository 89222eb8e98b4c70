import gc
import json
import random
import tracemalloc
from hashlib import sha256

import pytest

from gateway.ledger.bundles import bundle_of, entries_in
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import WitnessPolicy, cosign
from gateway.ledger.durable_files import held_alone
from gateway.ledger.errors import KeyMisused, Malformed, StateBroken
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import Held
from gateway.ledger.log_keys import LogKeys, announce_key, sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.ledger.publish import Publisher
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verification import Reason
from gateway.ledger.verify import verify_directory, verify_log
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY, entries, publish_all
from tests.ledger.memory_tiles import MemoryTiles
from tests.ledger.test_cosignature import TIME, W1, W2

SIZE = 700


@pytest.fixture
def log():
    """700 entries: two full bundles and one of 188, and a level above."""
    tiles = MemoryTiles()
    publish_all(tiles, [SIZE])
    return tiles


def _wrong(tiles, held=None, log=LOG, **more):
    found = verify_log(tiles, log, held, **more)
    assert not found.ok
    assert found.seen is None
    assert found.wrong is not None
    return found.wrong


def _held(size, of=None):
    tiles = MemoryTiles()
    publish_all(tiles, [size], of=of)
    return verify_log(tiles, LOG, None).seen


def _with_entry(data, number, entry):
    held = entries_in(data)
    held[number] = entry
    return bundle_of(held)


def test_a_sound_log_is_recomputed_to_its_last_entry(log):
    steps = []
    found = verify_log(log, LOG, None, progress=lambda done, total: steps.append((done, total)))
    assert found.ok
    assert (found.checkpoint.size, found.entries, found.held_size) == (SIZE, SIZE, 0)
    assert found.keys == (KEY.key,)
    assert steps == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]
    assert found.seen.frontier == Frontier().appended(map(leaf_hash, entries(0, SIZE)))


def test_an_altered_entry_is_named(log):
    path = "tile/entries/001"
    log.files[path] = _with_entry(log.files[path], 44, b'{"event":"listed","seq":300}')
    wrong = _wrong(log)
    assert (wrong.reason, wrong.entry, wrong.until, wrong.path) == (Reason.ENTRY, 300, 301, path)


def test_the_first_of_several_altered_entries_is_named(log):
    for path, number in (("tile/entries/002.p/188", 3), ("tile/entries/001", 200), ("tile/entries/001", 17)):
        log.files[path] = _with_entry(log.files[path], number, b"x")
    assert _wrong(log).entry == 256 + 17


def test_an_entry_that_was_taken_out_or_put_in_is_named(log):
    path = "tile/entries/001"
    held = entries_in(log.files[path])
    log.files[path] = bundle_of(held[:100] + held[101:])
    assert (_wrong(log).reason, _wrong(log).entry) == (Reason.ENTRY, 356)
    log.files[path] = bundle_of([*held[:100], b"new", *held[100:-1]])
    assert (_wrong(log).reason, _wrong(log).entry) == (Reason.ENTRY, 356)
    log.files[path] = bundle_of(held[:-1])
    wrong = _wrong(log)
    assert (wrong.reason, wrong.entry, wrong.until) == (Reason.ENTRY, 511, 512)
    path = "tile/entries/002.p/188"
    log.files["tile/entries/001"] = bundle_of(held)
    log.files[path] += b"\x00\x01x"
    assert (_wrong(log).reason, _wrong(log).entry, _wrong(log).path) == (Reason.ENTRY, None, path)


def test_a_bundle_that_was_cut_names_the_entry_in_which_it_ends(log):
    path = "tile/entries/001"
    log.files[path] = log.files[path][:1_000]
    wrong = _wrong(log)
    assert (wrong.reason, wrong.path) == (Reason.ENTRY, path)
    assert len(bundle_of(entries(256, wrong.entry))) <= 1_000 < len(bundle_of(entries(256, wrong.entry + 1)))


def test_a_bundle_whose_lengths_are_nonsense_is_wrong_from_its_first_entry(log):
    log.files["tile/entries/001"] = b"\x00\x00" * 300
    wrong = _wrong(log)
    assert (wrong.reason, wrong.entry, wrong.until) == (Reason.ENTRY, 256, 512)


def test_an_altered_hash_is_told_from_an_altered_entry(log):
    tile = bytearray(log.files["tile/0/001"])
    tile[44 * 32] ^= 1
    log.files["tile/0/001"] = bytes(tile)
    wrong = _wrong(log)
    assert (wrong.reason, wrong.path, wrong.entry) == (Reason.TILE, "tile/0/001", None)
    assert "entry 300 is as signed" in wrong.detail


def test_an_altered_hash_above_the_leaves_is_told_too(log):
    tile = bytearray(log.files["tile/1/000.p/2"])
    tile[32] ^= 1
    log.files["tile/1/000.p/2"] = bytes(tile)
    wrong = _wrong(log)
    assert (wrong.reason, wrong.path, wrong.entry) == (Reason.TILE, "tile/1/000.p/2", None)


def test_an_entry_altered_together_with_its_hash_is_narrowed_to_its_bundle(log):
    log.files["tile/entries/001"] = _with_entry(log.files["tile/entries/001"], 44, b"x")
    tile = bytearray(log.files["tile/0/001"])
    tile[44 * 32 : 45 * 32] = leaf_hash(b"x")
    log.files["tile/0/001"] = bytes(tile)
    wrong = _wrong(log)
    assert (wrong.reason, wrong.entry, wrong.until) == (Reason.ENTRY, 256, 512)


def test_everything_rewritten_without_the_key_does_not_fit_the_signed_root(log):
    rewritten = MemoryTiles()
    publish_all(rewritten, [SIZE], of=[b"x", *entries(1, SIZE)])
    rewritten.files["checkpoint"] = log.files["checkpoint"]
    assert _wrong(rewritten).reason is Reason.ROOT


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/001", "tile/1/000.p/2", "tile/0/002.p/188"])
def test_a_missing_file_is_named(log, path):
    del log.files[path]
    wrong = _wrong(log)
    assert (wrong.reason, wrong.path) == (Reason.MISSING, path)
    assert (wrong.entry, wrong.until) == ((256, 512) if path == "tile/entries/001" else (None, None))


@pytest.mark.parametrize("path", ["tile/0/001", "tile/1/000.p/2"])
@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-32], lambda data: data + bytes(32)])
def test_a_tile_of_another_length_is_named(log, path, change):
    log.files[path] = change(log.files[path])
    wrong = _wrong(log)
    assert (wrong.reason, wrong.path) == (Reason.TILE, path)


def test_a_full_file_stands_in_for_a_partial_one_that_is_gone():
    """A reader holds the checkpoint of 700 while the log goes on to 1,000: partial files make way for full ones."""
    tiles = MemoryTiles()
    publish_all(tiles, [SIZE])
    old = tiles.files["checkpoint"]
    publish_all(tiles, [1_000])
    assert tiles.read("tile/0/002.p/188") is None
    tiles.files["checkpoint"] = old
    assert verify_log(tiles, LOG, None).ok


def test_partial_files_of_older_checkpoints_are_checked_and_those_of_newer_ones_are_not():
    tiles = MemoryTiles()
    publish_all(tiles, [600, 650, SIZE])
    newer = MemoryTiles(tiles.files)
    publish_all(newer, [720])
    newer.files["checkpoint"] = tiles.files["checkpoint"]
    assert verify_log(newer, LOG, None).ok
    for path in ("tile/0/002.p/88", "tile/entries/002.p/138"):
        changed = MemoryTiles(tiles.files | {path: tiles.files[path][:-1] + b"x"})
        wrong = _wrong(changed)
        assert (wrong.reason, wrong.path) == (Reason.TILE, path)


# --- checkpoints and keys


def test_no_checkpoint_or_a_foreign_one_is_wrong(log):
    log.files["checkpoint"] = bytes(sign_checkpoint(Checkpoint(ORIGIN, SIZE, bytes(32)), [OTHER_KEY]))
    assert _wrong(log).reason is Reason.CHECKPOINT
    log.files["checkpoint"] = b"garbage"
    assert _wrong(log).reason is Reason.CHECKPOINT
    del log.files["checkpoint"]
    assert _wrong(log).reason is Reason.CHECKPOINT


def test_an_auditor_with_the_old_key_follows_the_log_to_its_new_one(log):
    log.files["keys/1"] = bytes(announce_key(KEY, OTHER_KEY, SIZE))
    both = LOG.following([log.files["keys/1"]])
    publisher = Publisher.open_published(log, both)
    publisher.publish(entries(SIZE, 800), [OTHER_KEY])
    found = verify_log(log, LOG, _held(SIZE))
    assert found.ok
    assert found.keys == (OTHER_KEY.key,)
    log.files["keys/1"] = log.files["keys/1"].replace(f"\n{SIZE}\n".encode(), b"\n1\n")
    assert _wrong(log).reason is Reason.KEYS


def test_cosignatures_are_asked_for(log):
    policy = WitnessPolicy((W1.key, W2.key), 2)
    assert _wrong(log, witnesses=policy).reason is Reason.COSIGNATURES
    signed = LOG.open_checkpoint(log.files["checkpoint"])
    note = signed.note.with_signatures([cosign(one, signed.note.text, TIME) for one in (W1, W2)])
    log.files["checkpoint"] = bytes(note)
    found = verify_log(log, LOG, None, witnesses=policy)
    assert [(one.key, one.time) for one in found.cosignatures] == [(W1.key, TIME), (W2.key, TIME)]
    assert found.ok
    own = SigningKey("w.example", b"k" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(KeyMisused, match="itself"):
        verify_log(log, LOG, None, witnesses=WitnessPolicy((own.key,), 0))


# --- what was seen before


def test_a_log_that_grew_continues_what_was_seen(log):
    for size in (1, 255, 256, 300, 512, 699, SIZE):
        found = verify_log(log, LOG, _held(size))
        assert found.ok, size
        assert found.held_size == size


def test_a_smaller_log_is_refused_though_the_key_signed_it(log):
    """CVE-2022-39199: a client that accepted a reset from its server."""
    wrong = _wrong(log, _held(SIZE + 1))
    assert wrong.reason is Reason.SMALLER
    empty = MemoryTiles()
    publish_all(empty, [0])
    assert _wrong(empty, _held(1)).reason is Reason.SMALLER


@pytest.mark.parametrize(("altered", "start", "end"), [(0, 0, 512), (511, 0, 512), (600, 512, 640), (698, 696, 700)])
def test_a_fork_is_refused_and_narrowed_to_a_part_of_the_tree(altered, start, end):
    others = entries(0, 900)
    others[altered] = b'{"event":"forked"}'
    forked = MemoryTiles()
    publish_all(forked, [900], of=others)
    assert verify_log(forked, LOG, None).ok
    wrong = _wrong(forked, _held(SIZE))
    assert (wrong.reason, wrong.entry, wrong.until) == (Reason.FORKED, start, end)


def test_another_tree_of_the_same_size_is_a_fork(log):
    forked = MemoryTiles()
    publish_all(forked, [SIZE], of=[*entries(0, SIZE - 1), b"x"])
    assert _wrong(forked, _held(SIZE)).reason is Reason.FORKED
    # only the checkpoint was signed anew: the entries are as seen, the signature is the contradiction
    log.files["checkpoint"] = bytes(sign_checkpoint(Checkpoint(ORIGIN, SIZE, bytes(32)), [KEY]))
    assert _wrong(log, _held(SIZE)).reason is Reason.FORKED


def test_what_lies_above_the_seen_tree_may_still_be_anything_that_the_key_signs():
    grown = MemoryTiles()
    publish_all(grown, [900], of=[*entries(0, SIZE), *[b"x"] * 200])
    assert verify_log(grown, LOG, _held(SIZE)).ok


# --- the state file


def test_the_first_sight_is_remembered_and_held_against_the_log_for_ever(tmp_path):
    published, state = tmp_path / "log", tmp_path / "auditor" / "state.json"
    tiles = DirectoryTiles(published)
    publish_all(tiles, [300])
    assert verify_directory(published, [KEY.key], state).held_size == 0
    publish_all(tiles, [SIZE])
    assert verify_directory(published, [KEY.key], state).held_size == 300
    again = verify_directory(published, [KEY.key], state)
    assert (again.ok, again.held_size) == (True, SIZE)
    before = state.read_bytes()
    older = tmp_path / "older"
    publish_all(DirectoryTiles(older), [300])
    found = verify_directory(older, [KEY.key], state)
    assert found.wrong.reason is Reason.SMALLER
    assert state.read_bytes() == before


def test_what_is_wrong_is_not_remembered(tmp_path):
    published, state = tmp_path / "log", tmp_path / "state.json"
    publish_all(DirectoryTiles(published), [300])
    (published / "tile/0/000").write_bytes(bytes(8_192))
    assert not verify_directory(published, [KEY.key], state).ok
    assert not state.exists()


def test_an_empty_log_is_nothing_to_hold_against_it(tmp_path):
    published, state = tmp_path / "log", tmp_path / "state.json"
    publish_all(DirectoryTiles(published), [0])
    assert verify_directory(published, [KEY.key], state).ok
    assert not state.exists()


def test_a_state_of_size_0_is_refused():
    with pytest.raises(Malformed, match="size 0"):
        Held(Checkpoint.of(ORIGIN, Frontier()), Frontier(), b"")


def _state(tmp_path):
    published, state = tmp_path / "log", tmp_path / "state.json"
    publish_all(DirectoryTiles(published), [300])
    verify_directory(published, [KEY.key], state)
    return published, state


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told | {"size": 299},
        lambda told: told | {"size": "300"},
        lambda told: told | {"size": True},
        lambda told: told | {"size": 0, "peaks": []},
        lambda told: told | {"format": "held-checkpoint/v2"},
        lambda told: told | {"origin": "other.example"},
        lambda told: told | {"peaks": told["peaks"][:-1]},
        lambda told: told | {"peaks": [told["peaks"][0]] * len(told["peaks"])},
        lambda told: told | {"rootHash": told["peaks"][0]},
        lambda told: told | {"note": "x"},
        lambda told: {},
        lambda told: [],
    ],
)
def test_a_damaged_state_judges_nothing_and_stays_as_it_is(tmp_path, change):
    published, state = _state(tmp_path)
    state.write_text(json.dumps(change(json.loads(state.read_bytes()))))
    before = state.read_bytes()
    with pytest.raises(StateBroken):
        verify_directory(published, [KEY.key], state)
    assert state.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 200_000])
def test_a_state_that_is_no_json_judges_nothing(tmp_path, data):
    published, state = _state(tmp_path)
    state.write_bytes(data)
    with pytest.raises(StateBroken, match="restore it"):
        verify_directory(published, [KEY.key], state)


def test_a_state_of_another_log_judges_nothing(tmp_path):
    published, state = _state(tmp_path)
    other = SigningKey("ledger.example/two", b"2" * 32)
    with pytest.raises(StateBroken, match="is of the log"):
        verify_directory(published, [other.key], state)


def test_two_verifications_do_not_use_one_state_at_once(tmp_path):
    published, state = _state(tmp_path)
    with held_alone(tmp_path / "state.json.lock", wait=False), pytest.raises(StateBroken, match="another run"):
        verify_directory(published, [KEY.key], state)
    assert verify_directory(published, [KEY.key], state).ok


def test_a_verifier_needs_a_key(tmp_path):
    with pytest.raises(KeyMisused, match="no key"):
        verify_directory(tmp_path, [], tmp_path / "state")


def test_a_directory_that_is_not_there_has_no_checkpoint(tmp_path):
    found = verify_directory(tmp_path / "nothing", [KEY.key], tmp_path / "state")
    assert found.wrong.reason is Reason.CHECKPOINT


def test_the_result_as_json_names_what_is_wrong(log):
    del log.files["tile/entries/001"]
    told = verify_log(log, LOG, None).as_json()
    assert json.loads(json.dumps(told)) == told
    assert told["wrong"] == {
        "reason": "missing",
        "detail": "tile/entries/001 is missing",
        "path": "tile/entries/001",
        "firstEntry": 256,
        "beforeEntry": 512,
    }
    assert (told["ok"], told["size"], told["entriesVerified"]) == (False, SIZE, 256)


# --- memory


class OnTheFly:
    """A sound log of any size, made while it is read: a bundle is 256 times the same entry."""

    def __init__(self, bundles):
        entry = b"e" * 2_000
        self.bundle = bundle_of([entry] * 256)
        self.levels = [leaf_hash(entry)]
        for _ in range(16):
            node = self.levels[-1]
            for _ in range(8):
                node = sha256(b"\x01" + node + node).digest()
            self.levels.append(node)
        count, peaks = bundles * 256, []
        for bit in reversed(range(count.bit_length())):
            if count >> bit & 1:
                level = self.levels[bit // 8]
                for _ in range(bit % 8):
                    level = sha256(b"\x01" + level + level).digest()
                peaks.append(level)
        frontier = Frontier(count, tuple(peaks))
        self.checkpoint = bytes(sign_checkpoint(Checkpoint.of(ORIGIN, frontier), [KEY]))

    def read(self, path):
        if path == "checkpoint":
            return self.checkpoint
        if path.startswith("keys/"):
            return None
        if path.startswith("tile/entries/"):
            return self.bundle
        width = int(path.rpartition(".p/")[2]) if ".p/" in path else 256
        return self.levels[int(path.split("/")[1])] * width

    def partial_widths(self, tile):
        return ()


def _peak(bundles):
    tiles = OnTheFly(bundles)
    gc.collect()
    tracemalloc.start()
    try:
        assert verify_log(tiles, LOG, None).ok
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log():
    small, large = _peak(20), _peak(400)
    assert large < small + 200_000, (small, large)
    assert small < 10_000_000


def test_a_random_walk_of_growth_and_verification_never_alarms():
    chance = random.Random(5)
    tiles, held, size = MemoryTiles(), None, 0
    for _ in range(60):
        size += chance.choice([0, 1, 2, 17, 255, 256, 257, 400])
        publish_all(tiles, [size])
        found = verify_log(tiles, LogKeys.pinned(KEY.key), held)
        assert found.ok, found.wrong
        held = found.seen or held
