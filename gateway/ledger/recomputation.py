"""Recomputing a published tree from its entries, and finding the first thing that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.domain.months import Month
from gateway.ledger.bundles import BundleBroken, bundle_of, entries_in
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import BundleArchived, LedgerError, Malformed, ProofInvalid, TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import Held
from gateway.ledger.proofs import check_inclusion, inclusion_proof
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.tile_store import TileReader, read_published, read_tile
from gateway.ledger.tiles import ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, parse_tile_path, tile_holding
from gateway.ledger.verification import Reason, Wrong, WrongFound

_LEAVES: Final = 0


class Gaps(Protocol):
    """Which entries are in the archives of their months, where a log is read out of a database."""

    def leaves(self, bundle: Tile, told: Sequence[bytes]) -> list[bytes] | None:
        """The leaf hashes of a bundle some of whose entries are archived: of these as `told`, of the others by their
        bytes. None: no entry of it is archived."""
        ...


class Archives(Protocol):
    """Archives of months that whoever verifies has beside the log."""

    def leaves(self, first: int, end: int) -> Sequence[bytes | None]:
        """The leaf hashes of the entries at the places [first, end), by their bytes; None: no archive has the entry."""
        ...


class Recomputation:
    """One walk over a log, from its first entry to its last."""

    def __init__(
        self,
        tiles: TileReader,
        checkpoint: Checkpoint,
        held: Held | None,
        progress: Callable[[int, int], None],
        gaps: Gaps | None = None,
        archives: Archives | None = None,
    ) -> None:
        self._gaps = gaps
        self._archives = archives
        self._hashed: list[tuple[int, int]] = []
        self._months: set[Month] = set()
        self._tiles = tiles
        self._checkpoint = checkpoint
        self._held = held
        self._progress = progress
        self._edge = TileEdge()

    @property
    def entries(self) -> int:
        """Entries that were recomputed from their bytes so far."""
        return self._edge.size - sum(end - first for first, end in self._hashed)

    @property
    def hashed(self) -> tuple[tuple[int, int], ...]:
        """The ranges [first, end) of entries whose hashes alone were recomputed, in order."""
        return tuple(self._hashed)

    @property
    def archived_months(self) -> tuple[Month, ...]:
        """With which months these are said to be archived."""
        return tuple(sorted(self._months))

    def walk(self) -> Frontier:
        """The tree of all entries, which is the signed one and continues the held one. Raises `WrongFound`."""
        size = self._checkpoint.size
        for first in range(0, size, TILE_WIDTH):
            self._append(self._leaves_of(tile_holding(ENTRIES, first, size)))
            self._progress(self._edge.size, size)
        for tile, hashes in self._edge.open_tiles():
            self._compare(tile, hashes)
        frontier = self._edge.frontier()
        if frontier.root != self._checkpoint.root:
            held_now = self._held is not None and self._held.checkpoint.size == size
            raise WrongFound(
                Wrong(Reason.FORKED, "the checkpoint contradicts the one of the same size that is held")
                if held_now
                else Wrong(Reason.ROOT, "the entries and tiles agree with each other, and not with the signed root")
            )
        return frontier

    def _leaves_of(self, bundle: Tile) -> list[bytes]:
        """The leaf hashes of a bundle whose entries all have the hashes that its tile says."""
        tile = Tile(_LEAVES, bundle.index, bundle.width)
        archived = self._gaps.leaves(bundle, self._told_by(tile)) if self._gaps is not None else None
        try:
            entries, broken = self._entries_of(bundle) if archived is None else ([], "")
        except BundleArchived as said:
            return self._leaves_said_archived(bundle, tile, said.months)
        leaves = [leaf_hash(entry) for entry in entries[: bundle.width]] if archived is None else archived
        told = self._told_by(tile)
        start = bundle.index * TILE_WIDTH
        for number, (leaf, hash_told) in enumerate(zip(leaves, told, strict=False)):
            if leaf != hash_told:
                raise WrongFound(self._altered(start + number, leaf, bundle, tile))
        if len(leaves) < bundle.width:
            detail = broken or f"{bundle.path} holds {len(leaves)} entries, {bundle.width} were signed"
            raise WrongFound(Wrong(Reason.ENTRY, detail, bundle.path, start + len(leaves), start + bundle.width))
        if broken:  # all that were signed are there, and something else after them
            raise WrongFound(Wrong(Reason.ENTRY, broken, bundle.path))
        if archived is None:
            self._check_partials(bundle, lambda width: bundle_of(entries[:width]))
        return leaves

    def _leaves_said_archived(self, bundle: Tile, tile: Tile, months: Sequence[Month]) -> list[bytes]:
        """The hashes that the tile says, compared with the entries that archives have; the root over all must be the
        signed one. Those of which no archive has the bytes are remembered: nobody has seen what they say."""
        told = self._told_by(tile)
        first = bundle.index * TILE_WIDTH
        known = [None] * bundle.width if self._archives is None else self._archives.leaves(first, first + bundle.width)
        for place, (leaf, hash_told) in enumerate(zip(known, told, strict=True), first):
            if leaf is None:
                self._months.update(months)
                if self._hashed and self._hashed[-1][1] == place:
                    self._hashed[-1] = (self._hashed[-1][0], place + 1)
                else:
                    self._hashed.append((place, place + 1))
            elif leaf != hash_told:
                raise WrongFound(self._altered(place, leaf, bundle, tile))
        return told

    def _entries_of(self, bundle: Tile) -> tuple[list[bytes], str]:
        """The entries that can be read, and what is wrong with the file besides, if anything."""
        start = bundle.index * TILE_WIDTH
        try:
            path, data = read_published(self._tiles, bundle)
        except TilesDisagree as error:
            raise WrongFound(Wrong(Reason.MISSING, str(error), bundle.path, start, start + bundle.width)) from error
        except Malformed as error:
            raise WrongFound(Wrong(Reason.ENTRY, str(error), bundle.path, start, start + bundle.width)) from error
        try:
            entries = entries_in(data)
        except BundleBroken as error:
            return list(error.whole), f"{path}: {error}"
        except Malformed as error:
            raise WrongFound(Wrong(Reason.ENTRY, f"{path}: {error}", path, start, start + bundle.width)) from error
        wanted = parse_tile_path(path).width
        return entries, "" if len(entries) == wanted else f"{path} holds {len(entries)} entries, not {wanted}"

    def _append(self, leaves: list[bytes]) -> None:
        """Append to the tree; stop where the held tree ends, and compare."""
        before, after = self._edge.size, self._edge.size + len(leaves)
        if self._held is not None and before < self._held.checkpoint.size <= after:
            cut = self._held.checkpoint.size - before
            self._finish(self._edge.extend(leaves[:cut]))
            self._compare_held(self._held.frontier)
            leaves = leaves[cut:]
        self._finish(self._edge.extend(leaves))

    def _finish(self, finished: list[tuple[Tile, list[bytes]]]) -> None:
        for tile, hashes in finished:
            self._compare(tile, hashes)

    def _compare_held(self, held: Frontier) -> None:
        for (start, end, ours), (_, _, theirs) in zip(self._edge.frontier().spans(), held.spans(), strict=True):
            if ours != theirs:
                detail = f"the first {held.size} entries are not those that were seen before"
                raise WrongFound(Wrong(Reason.FORKED, detail, None, start, end))

    def _compare(self, tile: Tile, hashes: list[bytes]) -> None:
        """Compare a tile with what the entries give for it. On level 0 each hash was compared with its entry before."""
        if tile.level != _LEAVES:
            for number, (ours, told) in enumerate(zip(hashes, self._told_by(tile), strict=True)):
                if ours != told:
                    raise WrongFound(self._higher_altered(tile, number))
        self._check_partials(tile, lambda width: b"".join(hashes[:width]))

    def _told_by(self, tile: Tile) -> list[bytes]:
        try:
            return read_tile(self._tiles, tile)
        except TilesDisagree as error:
            raise WrongFound(Wrong(Reason.MISSING, str(error), tile.path)) from error
        except Malformed as error:
            raise WrongFound(Wrong(Reason.TILE, str(error), tile.path)) from error

    def _check_partials(self, tile: Tile, wanted: Callable[[int], bytes]) -> None:
        """Partial files of smaller trees that are still there; those of larger ones no checkpoint covers yet."""
        for width in self._tiles.partial_widths(tile):
            if width > tile.width:
                return
            path = tile.at_width(width).path
            try:
                same = self._tiles.read(path) in (wanted(width), None)  # None: it was removed in this moment
            except Malformed:
                same = False
            if not same:
                raise WrongFound(
                    Wrong(Reason.TILE, f"{path} is not the beginning of {tile.path}, though the entries are", path)
                )

    def _altered(self, index: int, leaf: bytes, bundle: Tile, tile: Tile) -> Wrong:
        """An entry and its hash differ: the signed root says which of the two is not what it was."""
        if self._is_signed(index, leaf):
            return Wrong(Reason.TILE, f"entry {index} is as signed, its hash in {tile.path} is not", tile.path)
        return Wrong(Reason.ENTRY, f"entry {index} is not the one that was signed", bundle.path, index, index + 1)

    def _higher_altered(self, tile: Tile, number: int) -> Wrong:
        """A hash in a tile differs from what the entries below give: is the tile wrong, or are the entries?"""
        reach = 1 << (TILE_HEIGHT * tile.level)
        first = (tile.index * TILE_WIDTH + number) * reach
        try:
            leaf = read_tile(self._tiles, tile_holding(_LEAVES, first, self._checkpoint.size))[first % TILE_WIDTH]
            signed = self._is_signed(first, leaf)
        except LedgerError:
            signed = False
        if signed:
            detail = f"the entries are as signed, hash {number} in {tile.path} is not"
            return Wrong(Reason.TILE, detail, tile.path)
        detail = f"entries between {first} and {first + reach - 1} are not those that were signed"
        return Wrong(Reason.ENTRY, detail, tile.path, first, first + reach)

    def _is_signed(self, index: int, leaf: bytes) -> bool:
        """Whether the tiles prove, up to the signed root, that this leaf stands there."""
        size, root = self._checkpoint.size, self._checkpoint.root
        try:
            proof = inclusion_proof(TileNodes(self._tiles, size), index, size)
            check_inclusion(proof, index=index, size=size, leaf=leaf, root=root)
        except (ProofInvalid, TilesDisagree, Malformed):
            return False
        return True
