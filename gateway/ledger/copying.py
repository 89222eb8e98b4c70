"""Publishing the log of a running gateway as files: what is new is copied, nothing that was published changes."""

from __future__ import annotations

from typing import Final

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.notes import parse_note
from gateway.ledger.proofs import root_at
from gateway.ledger.signed_files import SignedFiles
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.tile_store import CHECKPOINT, TileReader, announcement_path, announcements
from gateway.ledger.tiles import TILE_WIDTH, tiles_of

AT_ONCE: Final = 64
"""Files that are written together: a few megabytes."""


def copy_log(source: TileReader, target: DirectoryTiles, keys: LogKeys) -> SignedCheckpoint:
    """Bring a directory up to the source's checkpoint. The order of writing is that of `publish`; nothing is written
    that is not as it was signed.

    Raises:
        EntryAltered: an entry that is new there is not the one that was signed. What came before it may be written, the
            checkpoint is not.
        TilesDisagree: the directory holds a log that the source does not continue, or the source lacks a file.
        Malformed, NoteUnsigned, SignatureInvalid: the source's checkpoint is not the log's, or one of them is none.
    """
    newest = source.read(CHECKPOINT)
    if newest is None:
        raise TilesDisagree("there is no signed checkpoint yet: nothing can be published")
    known = keys.following(announcements(source))
    signed = known.open_checkpoint(newest)
    size = signed.checkpoint.size
    since = _published_before(source, target, signed.checkpoint)
    files: dict[str, bytes] = {}
    for number, note in enumerate(announcements(source), 1):
        files[announcement_path(number)] = note
    for path, data in SignedFiles(source, signed.checkpoint, since):
        files[path] = data
        if len(files) >= AT_ONCE:
            target.write(files)
            files = {}
    target.write(files)
    target.replace(CHECKPOINT, newest)
    for tile in tiles_of(size, since):
        if tile.width == TILE_WIDTH:
            target.remove_partials(tile)
    return signed


def _published_before(source: TileReader, target: DirectoryTiles, newest: Checkpoint) -> int:
    """The size that is published there, which the newest checkpoint must continue.

    Who signed that is no question here: it may be a key that another has followed, and the root is compared.
    """
    data = target.read(CHECKPOINT)
    if data is None:
        return 0
    before = parse_checkpoint(parse_note(data).text)
    if before.origin != newest.origin:
        raise TilesDisagree(f"{before.origin} is published there, not {newest.origin}")
    if before.size > newest.size:
        raise TilesDisagree(f"{before.size} entries are published there, this log has {newest.size}")
    try:
        root = root_at(TileNodes(source, newest.size), before.size)
    except Malformed as error:
        raise TilesDisagree(f"the log's own tiles are damaged: {error}") from error
    if root != before.root:
        raise TilesDisagree(f"the {before.size} entries that are published there are not how this log begins")
    return before.size
