"""Go's transparency-log library, which we did not write, and we agree on every root, proof, signature and log.

These tests fail, and do not skip, where Go cannot be had: tools/go_verifier/install.sh says what to do.
"""

from __future__ import annotations

import os
import random
import subprocess
from hashlib import sha256

import pytest

from gateway.ledger.errors import LedgerError, ProofInvalid
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.lines import base64_text
from gateway.ledger.log_keys import announce_key
from gateway.ledger.notes import open_note
from gateway.ledger.proofs import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_at
from gateway.ledger.publish import Publisher
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_nodes import TileNodes
from tests.ledger.go_requests import audit_request
from tests.ledger.logs import KEY, LOG, OTHER_KEY, entries, publish_all
from tests.ledger.memory_nodes import MemoryNodes
from tests.ledger.naive import NaiveTree, entry
from tests.ledger.test_cosignature import TIME, W1, cosign
from tests.ledger.test_notes import EXAMPLE, GO_KEY, GO_NOTE, KEY_TEXT
from tools.go_verifier.program import HERE

LIMIT_S = 100
SMALL = NaiveTree(600)
SMALL_NODES = MemoryNodes(SMALL.leaves)


def _inclusion(proof, index, size, leaf, root):
    return {
        "do": "inclusion",
        "proof": list(map(base64_text, proof)),
        "index": index,
        "size": size,
        "leaf": base64_text(leaf),
        "root": base64_text(root),
    }


def _consistency(proof, old, new, old_root, new_root):
    return {
        "do": "consistency",
        "proof": list(map(base64_text, proof)),
        "oldSize": old,
        "size": new,
        "oldRoot": base64_text(old_root),
        "root": base64_text(new_root),
    }


def _digest(nodes, size):
    """As trees.go: the root, then every proof behind its number of hashes."""
    found = sha256(root_at(nodes, size))
    proofs = [inclusion_proof(nodes, index, size) for index in range(size)]
    proofs += [consistency_proof(nodes, old, size) for old in range(1, size + 1)]
    for proof in proofs:
        found.update(bytes([len(proof)]) + b"".join(proof))
    return found.hexdigest()


@pytest.mark.slow
def test_every_root_and_proof_of_every_tree_up_to_1025_is_the_same(go):
    nodes = MemoryNodes(leaf_hash(entry(index)) for index in range(1025))
    sizes = list(range(1026))
    (answer,) = go.ask([{"do": "trees", "sizes": sizes}], LIMIT_S)
    assert answer["ok"], answer
    assert answer["digests"] == [_digest(nodes, size) for size in sizes]


@pytest.mark.slow
def test_roots_and_proofs_of_200_random_trees_up_to_a_million_are_the_same(go):
    chance = random.Random(20)
    sizes = [2**20, 2**20 - 1, *(chance.randrange(1, 2**20) for _ in range(198))]
    pairs = [(at, size) for size in sizes for at in (0, size - 1, *(chance.randrange(size) for _ in range(4)))]
    (answer,) = go.ask([{"do": "proofs", "pairs": pairs}], LIMIT_S)
    assert answer["ok"], answer
    leaves = [leaf_hash(entry(index)) for index in range(2**20)]
    nodes = MemoryNodes(leaves)
    requests = []
    for number, (at, size) in enumerate(pairs):
        root = root_at(nodes, size)
        record, tree = inclusion_proof(nodes, at, size), consistency_proof(nodes, at + 1, size)
        assert answer["roots"][number] == base64_text(root)
        assert answer["proofs"][2 * number] == list(map(base64_text, record)), (at, size)
        assert answer["proofs"][2 * number + 1] == list(map(base64_text, tree)), (at, size)
        old_root = root_at(nodes, at + 1)
        check_inclusion(record, index=at, size=size, leaf=leaves[at], root=root)
        check_consistency(tree, old=at + 1, new=size, old_root=old_root, new_root=root)
        requests += [
            _inclusion(record, at, size, leaves[at], root),
            _consistency(tree, at + 1, size, old_root, root),
        ]
    assert [one for one in go.ask(requests, LIMIT_S) if not one["ok"]] == []


def _holds(check, *arguments, **named):
    try:
        check(*arguments, **named)
    except ProofInvalid:
        return False
    return True


def _somewhat_wrong(chance, proof):
    """Mostly altered, sometimes as it was."""
    proof = list(proof)
    match chance.randrange(6):
        case 0 if proof:
            del proof[chance.randrange(len(proof))]
        case 1:
            proof.insert(chance.randrange(len(proof) + 1), chance.choice([*proof, chance.randbytes(32)]))
        case 2 if len(proof) > 1:
            chance.shuffle(proof)
        case 3 if proof:
            at = chance.randrange(len(proof))
            proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    return proof


def test_go_and_we_refuse_the_same_proofs(go):
    chance, requests, ours = random.Random(21), [], []
    for _ in range(3_000):
        size = chance.randrange(1, 600)
        index = chance.randrange(-1, size + 1)
        proof = _somewhat_wrong(chance, inclusion_proof(SMALL_NODES, min(max(index, 0), size - 1), size))
        told = min(600, max(0, size + chance.choice([0, 0, 0, 1, -1])))
        leaf, root = SMALL.leaves[max(index, 0)], SMALL.root(size)
        requests.append(_inclusion(proof, index, told, leaf, root))
        ours.append(_holds(check_inclusion, proof, index=index, size=told, leaf=leaf, root=root))
    for _ in range(3_000):
        new = chance.randrange(1, 600)
        old = chance.randrange(1, new + 1)
        proof = _somewhat_wrong(chance, consistency_proof(SMALL_NODES, old, new))
        told = max(0, old + chance.choice([0, 0, 0, 1, -1]))
        roots = SMALL.root(chance.choice([old, told])), SMALL.root(new)
        requests.append(_consistency(proof, told, new, *roots))
        ours.append(_holds(check_consistency, proof, old=told, new=new, old_root=roots[0], new_root=roots[1]))
    theirs = [one["ok"] for one in go.ask(requests, LIMIT_S)]
    assert theirs == ours
    assert 1_000 < sum(ours) < 4_000


def _opens(data, keys):
    try:
        return open_note(data, keys).text
    except LedgerError:
        return None


def test_go_and_we_open_the_same_notes(go):
    both = bytes(Publisher.open_published(_Nowhere(), LOG).publish([], [KEY, OTHER_KEY]).note)
    known = [KEY.key, OTHER_KEY.key]
    chance, cases = random.Random(22), [both]
    for _ in range(3_000):
        changed = bytearray(both)
        at = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at]
            case 2:
                changed.insert(at, chance.choice(b"\n A=+\xe2\t\r"))
        cases.append(bytes(changed))
    keys = [key.text for key in known]
    answers = go.ask([{"do": "note", "keys": keys, "note": base64_text(case)} for case in cases], LIMIT_S)
    for case, answer in zip(cases, answers, strict=True):
        assert answer.get("text") == _opens(case, known), (case, answer)
    assert answers[0]["ok"]


class _Nowhere:
    """A tile store that keeps nothing."""

    def read(self, path):
        return None

    def partial_widths(self, tile):
        return ()

    def write(self, files):
        assert not files

    def replace(self, path, data):
        assert path == "checkpoint"

    def remove_partials(self, tile):
        raise AssertionError


def test_go_opens_the_examples_with_the_keys_as_we_write_them(go):
    answers = go.ask(
        [
            {"do": "note", "keys": [KEY_TEXT], "note": base64_text(EXAMPLE)},
            {"do": "note", "keys": [GO_KEY], "note": base64_text(GO_NOTE)},
            {"do": "note", "keys": [KEY.key.text], "note": base64_text(bytes(announce_key(KEY, OTHER_KEY, 5)))},
        ],
        LIMIT_S,
    )
    assert [one["ok"] for one in answers] == [True, True, True]


@pytest.mark.parametrize("sizes", [[0], [1], [7], [255, 256, 257], [300, 700], [65_500, 66_000]])
def test_go_audits_what_we_publish(go, tmp_path, sizes):
    tiles, size = DirectoryTiles(tmp_path), sizes[-1]
    publish_all(tiles, sizes)
    nodes = TileNodes(tiles, size)
    requests = [
        audit_request(tmp_path, heldSize=held, heldRoot=base64_text(root_at(nodes, held)))
        for held in {1, size // 2, *sizes}
        if 0 < held <= size
    ]
    answers = go.ask([audit_request(tmp_path), *requests], LIMIT_S)
    assert [one for one in answers if not one["ok"]] == []
    assert answers[0].get("size", 0) == size


def test_go_audits_a_log_that_witnesses_cosigned_and_whose_partial_files_are_gone(go, tmp_path):
    tiles = DirectoryTiles(tmp_path)
    publish_all(tiles, [700])
    signed = LOG.open_checkpoint(tiles.read("checkpoint"))
    cosigned = signed.note.with_signatures([cosign(W1, signed.note.text, TIME)])
    publish_all(tiles, [1_100])
    tiles.replace("checkpoint", bytes(cosigned))
    assert not (tmp_path / "tile/0/002.p").exists()
    (answer,) = go.ask([audit_request(tmp_path)], LIMIT_S)
    assert answer == {"ok": True, "size": 700}


def test_go_names_the_entry_that_we_name(go, tmp_path):
    publish_all(DirectoryTiles(tmp_path), [700])
    path = tmp_path / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(entries(300, 301)[0], b'{"event":"listed","seq":300}'))
    (answer,) = go.ask([audit_request(tmp_path)], LIMIT_S)
    assert answer == {"ok": False, "error": "entry 300 is not the one that was signed"}


def _install(tmp_path, **programs):
    """Run install.sh where only these programs, and those that a shell needs, can be found."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    for name, script in programs.items():
        path = tmp_path / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(HERE / "install.sh")],
        env={"PATH": str(tmp_path)} | {name: value for name, value in os.environ.items() if name == "HOME"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_where_go_cannot_be_installed_it_says_what_to_do(tmp_path):
    (tmp_path / "bare").mkdir()
    without = _install(tmp_path / "bare")
    assert without.returncode == 1
    assert "no apt-get" in without.stderr
    (tmp_path / "user").mkdir()
    as_user = _install(tmp_path / "user", apt_get="exit 0", id="echo 1000")
    assert as_user.returncode == 1
    assert "only root can install" in as_user.stderr
    assert "apt-get install golang-go golang-golang-x-mod-dev" in as_user.stderr


def test_lists_of_packages_that_are_missing_are_fetched_once(tmp_path):
    calls = tmp_path / "calls"
    script = f'echo "$1" >> {calls}; [ "$1" = update ]'
    done = _install(tmp_path, apt_get=script, id="echo 0")
    assert done.returncode != 0
    assert calls.read_text().split() == ["install", "update", "install"]
