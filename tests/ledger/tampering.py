"""What somebody with access to everything, except the signing key or what others hold, can do to a published log."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.ledger.bundles import bundle_of, entries_in
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import Held
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.notes import sign_note
from gateway.ledger.tiles import ENTRIES, Tile, parse_tile_path, tiles_of
from gateway.ledger.verify import verify_log
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY, entries, publish_all
from tests.ledger.memory_tiles import MemoryTiles

Files = dict[str, bytes]


@dataclass
class Log:
    """A published log, the checkpoints that auditors hold, and every older state of its files."""

    sizes: Sequence[int]
    files: Files = field(init=False)
    held: list[Held] = field(init=False)
    past: list[Files] = field(init=False)

    def __post_init__(self) -> None:
        tiles = MemoryTiles()
        self.held, self.past = [], []
        for size in self.sizes:
            self.past.append(dict(tiles.files))
            publish_all(tiles, [size])
            seen = verify_log(tiles, LOG, None).seen
            assert seen is not None
            self.held.append(seen)
        self.files = tiles.files

    @property
    def size(self) -> int:
        return self.sizes[-1]

    @property
    def needed(self) -> list[str]:
        """The files that a reader of the newest checkpoint asks for."""
        return ["checkpoint", *(tile.path for tile in tiles_of(self.size))]


@dataclass
class Tampered:
    """A log that was tampered with. `needed`: a reader of its checkpoint reads what was altered."""

    kind: str
    files: Files
    held: Held | None
    needed: bool = True


def tamper(chance: random.Random, log: Log) -> Tampered:
    """One random act of tampering."""
    act = chance.choice(ACTS)
    return act(chance, log)


def _anyone(chance: random.Random, log: Log) -> Held | None:
    """Whatever the auditor holds, also nothing: without the key no change may pass."""
    return chance.choice([None, *log.held])


def _of_a_file(change: Callable[[random.Random, bytes], bytes]) -> Callable[[random.Random, Log], Tampered]:
    def act(chance: random.Random, log: Log) -> Tampered:
        path = chance.choice(sorted(log.files))
        data = change(chance, log.files[path])
        assert data != log.files[path]
        return Tampered(change.__name__, log.files | {path: data}, _anyone(chance, log), path in log.needed)

    return act


def flip(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def edit(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    end = min(len(data), at + chance.randrange(1, 40))
    fresh = chance.randbytes(end - at)
    return data[:at] + fresh + data[end:] if fresh != data[at:end] else flip(chance, data)


def insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randrange(1, 40)) + data[at:]


def cut_out(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(1, 40) :]


def truncate(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def delete_file(chance: random.Random, log: Log) -> Tampered:
    path = chance.choice(log.needed)
    return Tampered("delete_file", {name: log.files[name] for name in log.files if name != path}, _anyone(chance, log))


def swap_files(chance: random.Random, log: Log) -> Tampered:
    one, other = chance.sample(log.needed, 2)
    swapped = {one: log.files[other], other: log.files[one]}
    return Tampered("swap_files", log.files | swapped, _anyone(chance, log))


def _other_entries(chance: random.Random, held: list[bytes], below: int) -> list[bytes]:
    """Entries with one of them replaced, taken out, put in, doubled, or two swapped; all below an index."""
    changed, at = list(held), chance.randrange(below)
    match chance.choice(["replace", "remove", "add", "double", "swap"]):
        case "replace":
            changed[at] = changed[at].replace(b"posted", b"listed")
        case "remove":
            del changed[at]
        case "add":
            changed.insert(at, b'{"event":"added"}')
        case "double":
            changed.insert(at, held[at - 1])
        case "swap":
            other = chance.randrange(len(held))
            if other == at:
                changed[at] = b"{}"
            changed[at], changed[other] = changed[other], changed[at]
    assert changed[:below] != held[:below]
    return changed


def alter_bundle(chance: random.Random, log: Log) -> Tampered:
    path = chance.choice([path for path in log.needed if path.startswith("tile/entries/")])
    held = entries_in(log.files[path])
    changed = _other_entries(chance, held, len(held))
    return Tampered("alter_bundle", log.files | {path: bundle_of(changed[:256])}, _anyone(chance, log))


def alter_bundle_and_hashes(chance: random.Random, log: Log) -> Tampered:
    path = chance.choice([path for path in log.needed if path.startswith("tile/entries/")])
    bundle = parse_tile_path(path)
    held = entries_in(log.files[path])
    changed = _other_entries(chance, held, len(held))[: bundle.width]
    while len(changed) < bundle.width:
        changed.append(b'{"event":"filled"}')
    tile = Tile(0, bundle.index, bundle.width).path
    files = log.files | {path: bundle_of(changed), tile: b"".join(map(leaf_hash, changed))}
    assert bundle.level == ENTRIES
    return Tampered("alter_bundle_and_hashes", files, _anyone(chance, log))


def _rebuilt(of: list[bytes], size: int, key: SigningKey = KEY) -> Files:
    tiles = MemoryTiles()
    publish_all(tiles, [size], key=key, of=of)
    return tiles.files


def rewrite_without_the_key(chance: random.Random, log: Log) -> Tampered:
    """All entries and tiles agree with each other; only the signature is of the old tree."""
    changed = _other_entries(chance, entries(0, log.size), log.size)
    while len(changed) < log.size:
        changed.append(b'{"event":"filled"}')
    files = _rebuilt(changed, log.size) | {"checkpoint": log.files["checkpoint"]}
    return Tampered("rewrite_without_the_key", files, _anyone(chance, log))


def sign_with_another_key(chance: random.Random, log: Log) -> Tampered:
    """A key of the same name, over the true log or another one."""
    of = entries(0, log.size)
    if chance.random() < 0.5:
        of = _other_entries(chance, of, log.size)
    return Tampered("sign_with_another_key", _rebuilt(of, len(of), OTHER_KEY), _anyone(chance, log))


def fork(chance: random.Random, log: Log) -> Tampered:
    """The keeper of the key rewrites what somebody holds, and signs that too."""
    held = chance.choice(log.held)
    of = _other_entries(chance, entries(0, log.size + chance.randrange(40)), held.checkpoint.size)
    return Tampered("fork", _rebuilt(of, len(of)), held)


def roll_back(chance: random.Random, log: Log) -> Tampered:
    """An older state of the log, or a newly signed smaller one."""
    held = log.held[-1]
    if chance.random() < 0.5 and log.past[-1]:
        return Tampered("roll_back", chance.choice([past for past in log.past if past]), held)
    size = chance.randrange(log.size)
    return Tampered("roll_back", _rebuilt(entries(0, size), size), held)


def old_checkpoint(chance: random.Random, log: Log) -> Tampered:
    """The newest tiles under a smaller checkpoint, old or newly signed."""
    size = chance.randrange(log.size)
    root = Frontier().appended(map(leaf_hash, entries(0, size))).root
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), [KEY])
    return Tampered("old_checkpoint", log.files | {"checkpoint": bytes(note)}, log.held[-1])


def another_root(chance: random.Random, log: Log) -> Tampered:
    """The same or a larger size, another root, signed by the key itself."""
    size = log.size + chance.choice([0, 0, 1, 300])
    note = sign_checkpoint(Checkpoint(ORIGIN, size, chance.randbytes(32)), [KEY])
    return Tampered("another_root", log.files | {"checkpoint": bytes(note)}, chance.choice(log.held))


def another_origin(chance: random.Random, log: Log) -> Tampered:
    """A checkpoint of another log that the same key signed."""
    text = log.held[-1].checkpoint.text.replace(ORIGIN, chance.choice([f"{ORIGIN}/evidence", "ledger.example/two"]))
    return Tampered("another_origin", log.files | {"checkpoint": bytes(sign_note(text, [KEY]))}, _anyone(chance, log))


def reword_checkpoint(chance: random.Random, log: Log) -> Tampered:
    """Another text under the true signature."""
    checkpoint = log.held[-1].checkpoint
    other = chance.choice(
        [
            Checkpoint(ORIGIN, checkpoint.size + chance.choice([-1, 1]) or 2, checkpoint.root).text,
            Checkpoint(ORIGIN, checkpoint.size, chance.randbytes(32)).text,
            checkpoint.text + "extension\n",
        ]
    )
    data = log.files["checkpoint"].replace(checkpoint.text.encode(), other.encode())
    return Tampered("reword_checkpoint", log.files | {"checkpoint": data}, _anyone(chance, log))


ACTS: Sequence[Callable[[random.Random, Log], Tampered]] = (
    *(_of_a_file(change) for change in (flip, edit, insert, cut_out, truncate)),
    delete_file,
    swap_files,
    alter_bundle,
    alter_bundle_and_hashes,
    rewrite_without_the_key,
    sign_with_another_key,
    fork,
    roll_back,
    old_checkpoint,
    another_root,
    another_origin,
    reword_checkpoint,
)
