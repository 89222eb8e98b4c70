"""Published logs to test with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.publish import Publisher
from gateway.ledger.tile_store import TileStore
from tests.ledger.naive import entry

ORIGIN = "ledger.example/one"
KEY = SigningKey(ORIGIN, b"k" * 32)
OTHER_KEY = SigningKey(ORIGIN, b"o" * 32)
LOG = LogKeys.pinned(KEY.key)


def entries(start: int, end: int) -> list[bytes]:
    return [entry(index) for index in range(start, end)]


def publish_all(
    tiles: TileStore, sizes: Iterable[int], key: SigningKey = KEY, of: Sequence[bytes] | None = None
) -> None:
    """Let a log grow through these sizes, each with its checkpoint; `of`: other entries than the usual ones."""
    publisher = Publisher.open_published(tiles, LogKeys.pinned(key.key))
    for size in sizes:
        part = entries(publisher.size, size) if of is None else of[publisher.size : size]
        publisher.publish(part, [key])
