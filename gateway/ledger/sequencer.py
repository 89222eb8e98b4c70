"""The sequencer: one leader gives committed entries their places in the tree, and signs what is durable.

A checkpoint is made every second in which entries came, or as soon as 256 wait. The order within a round is that of
`ports`. Whoever begins to lead first checks that the stored tree continues what this process holds outside of the
database, and begins anew whenever the stored tree is not the one that it left. Errors that time mends (the database is
away, a disk is full) are tried again; what shows that rows were changed ends the sequencing of this process for good:
it must not sign what nobody can stand for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import GatewayError, RecordUnsound, StoreUnavailable
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosigning import Cosigners
from gateway.ledger.errors import LedgerError
from gateway.ledger.frontier import Frontier
from gateway.ledger.held import Held, HeldFile
from gateway.ledger.log_keys import LogKeys, sign_checkpoint
from gateway.ledger.note_keys import Signer
from gateway.ledger.notes import parse_note
from gateway.ledger.own_affairs import OWN_AFFAIRS
from gateway.ledger.ports import SequencerStore, SequencerUnit
from gateway.ledger.sequencing import sequence
from gateway.ledger.tile_edge import TileEdge

_log = structlog.get_logger(__name__)


class Deposed(LedgerError):
    """Another process leads, or led since this one looked."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Sizes and times (s).

    Attributes:
        batch: entries that one unit places, so that the writer is not kept from others for long; `batch_beside_callers`
            while somebody waits.
        sign_from, sign_s: a checkpoint is made when so many entries wait, or that long after the one before.
        poll_s: how often the leader looks for entries.
        follow_s: how often others look whether nobody leads.
        renew_s: how often a leader without entries prolongs its lease.
        retry_s: after a failure that time may mend.
        share: of the time, while it catches up and callers wait.
    """

    batch: int = 512
    batch_beside_callers: int = 256
    sign_from: int = 256
    sign_s: float = 1.0
    poll_s: float = 0.25
    follow_s: float = 3.0
    renew_s: float = 5.0
    retry_s: float = 1.0
    share: float = 0.33


RHYTHM: Final = Rhythm()


class Sequencer:
    """Sequences one log. `signers` answers the keys in use now; `held` is outside of the database; `check` answers the
    stored tree, which it has shown to continue what is held (`LogCheck.before_lead`); `grown` is told the size of a
    tree that has grown."""

    def __init__(
        self,
        store: SequencerStore,
        origin: str,
        signers: Callable[[], Sequence[Signer]],
        held: HeldFile,
        cosigners: Cosigners | None = None,
        rhythm: Rhythm = RHYTHM,
        callers: WaitingCallers = NOBODY,
        *,
        grown: Callable[[int], None] = lambda _size: None,
        check: Callable[[], Awaitable[Frontier]],
    ) -> None:
        self._store = store
        self._origin = origin
        self._signers = signers
        self._held = held
        self._cosigners = cosigners
        self._rhythm = rhythm
        self._callers = callers
        self._check = check
        self._grown = grown
        self._epoch: int | None = None
        self._edge = TileEdge()
        self._signed: tuple[int, frozenset[bytes]] = (0, frozenset())
        self._signed_at = float("-inf")
        self._renewed_at = float("-inf")
        self.halted: str | None = None
        self.halts_all = False

    @property
    def leads(self) -> bool:
        """Whether this process is the leader, as far as it knows."""
        return self._epoch is not None

    def halt(self, reason: str, *, everywhere: bool = True) -> None:
        """Place and sign nothing any more; the reason is shown to operations. `everywhere`: it was found in the log, so
        no other process may sign either; what is this process's own affair leaves the log to the others."""
        self.halts_all = self.halts_all or everywhere
        if self.halted is None:
            self.halted = reason
            _log.error("log_halted", reason=reason, everywhere=everywhere)

    async def run(self) -> None:
        """Until cancelled, or halted. Whoever did so before may have lost the lead since: all is looked at anew."""
        self._epoch = None
        while self.halted is None:
            wait = await self._turn()
            await asyncio.sleep(wait)

    async def finish(self) -> None:
        """At the end of the process: place and sign what is left, if this process leads, and let others lead."""
        if self._epoch is None or self.halted is not None:
            return
        try:
            size = -1
            while size != self._edge.size and await self._store.waiting(1):
                size = self._edge.size
                await self._place()
            signers = self._signers()
            if self._is_unsigned(signers):
                await self._sign(signers)
            await self._store.resign(self._epoch)
        except (GatewayError, OSError) as error:  # the next start does all of it
            _log.warning("log_not_finished", error=str(error))
        self._epoch = None

    async def _turn(self) -> float:
        """Do what is due; how long to wait then."""
        try:
            return await self.turn()
        except Deposed as error:
            self._epoch = None
            _log.warning("log_lead_lost", reason=str(error))
        except RecordUnsound as error:
            self.halt(str(error))
        except (StoreUnavailable, OSError) as error:
            # What was committed is not known: the tree is read again.
            self._epoch = None
            _log.warning("log_waits", error=str(error))
        except OWN_AFFAIRS as error:
            self.halt(str(error), everywhere=False)
        except GatewayError as error:
            self.halt(str(error))
        return self._rhythm.retry_s

    async def turn(self) -> float:
        """One look: lead if nobody does, place what waits if it is due, sign what is not signed. Seconds to wait then.

        Raises:
            Deposed: another process leads.
            StoreUnavailable, OSError: try again.
            LedgerError, StoreFailure, RecordUnsound: rows were changed, the log is not the one that is held, or as many
                witnesses contradict as the settings ask for: never sign again.
        """
        if self._epoch is None and not await self._lead():
            return self._rhythm.follow_s
        now = asyncio.get_running_loop().time()
        waiting = await self._store.waiting(self._rhythm.sign_from)
        many = waiting >= self._rhythm.sign_from
        if many or (waiting and now - self._signed_at >= self._rhythm.sign_s):
            await self._place()
        elif now - self._renewed_at >= self._rhythm.renew_s:
            await self._renew()
        signers = self._signers()
        if self._is_unsigned(signers):
            await self._sign(signers)
        if many:
            return self._callers.rest_s(asyncio.get_running_loop().time() - now, self._rhythm.share)
        return self._rhythm.poll_s

    def _is_unsigned(self, signers: Sequence[Signer]) -> bool:
        return self._edge.size > 0 and self._signed != (self._edge.size, _ids(signers))

    async def _lead(self) -> bool:
        epoch = await self._store.lead()
        if epoch is None:
            return False
        self._edge = await self._store.edge()
        if await self._check() != self._edge.frontier():
            raise Deposed("the tree was changed while it was looked at")
        newest = await self._store.newest_checkpoint()
        self._signed = (0, frozenset()) if newest is None else self._opened(newest)
        self._epoch = epoch
        self._renewed_at = asyncio.get_running_loop().time()
        _log.info("log_led", origin=self._origin, epoch=epoch, size=self._edge.size)
        return True

    def _opened(self, note: bytes) -> tuple[int, frozenset[bytes]]:
        """The size and the keys of the newest kept checkpoint; no key where it is not signed by one of ours."""
        keys = LogKeys.pinned(*(signer.key for signer in self._signers()))
        signed = keys.open_checkpoint(note)
        ids = frozenset(one.key_id for one in parse_note(note).signatures if one.name == self._origin)
        return signed.checkpoint.size, ids

    async def _place(self) -> None:
        edge, epoch, rhythm = self._edge, self._epoch, self._rhythm
        left = edge.frontier()
        most = min(rhythm.batch, rhythm.batch_beside_callers) if self._callers.count else rhythm.batch

        async def unit(unit: SequencerUnit) -> TileEdge:
            if epoch is None or not await unit.lock_epoch(epoch):
                raise Deposed(f"epoch {epoch} has ended")
            frontier = await unit.frontier()
            _same(frontier, left)
            batch = await unit.unindexed(most)
            done = sequence(self._origin, frontier, batch.entries, batch.indexed)
            grown = edge.copy()
            await unit.insert_index_rows(done.rows)
            await unit.insert_tiles(grown.extend([entry.leaf_hash for entry in batch.entries]))
            await unit.replace_frontier(done.frontier)
            return grown

        self._edge = await self._store.write(unit)
        self._grown(self._edge.size)
        self._renewed_at = asyncio.get_running_loop().time()

    async def _renew(self) -> None:
        epoch, left = self._epoch, self._edge.frontier()

        async def unit(unit: SequencerUnit) -> None:
            if epoch is None or not await unit.lock_epoch(epoch):
                raise Deposed(f"epoch {epoch} has ended")
            _same(await unit.frontier(), left)

        await self._store.write(unit)
        self._renewed_at = asyncio.get_running_loop().time()

    async def _sign(self, signers: Sequence[Signer]) -> None:
        """Sign the tree that is committed, have it cosigned, hold it outside, and only then show it."""
        frontier = self._edge.frontier()
        checkpoint = Checkpoint.of(self._origin, frontier)
        note = sign_checkpoint(checkpoint, signers)
        if self._cosigners is not None:
            answers = await self._cosigners.cosigned(checkpoint, note)
            if answers.contradictions:
                await self._renew()  # who was overtaken is contradicted by what its successor signed: that is no news
                self._cosigners.tell(answers.contradictions)
            note = answers.note
        if self.halted is not None:
            return  # something was found meanwhile
        if not await asyncio.to_thread(self._held.write, Held(checkpoint, frontier, bytes(note))):
            raise Deposed(f"another tree than this one of {checkpoint.size} entries is held")
        await self._store.insert_checkpoint(checkpoint.size, bytes(note))
        self._signed = (checkpoint.size, _ids(signers))
        self._signed_at = asyncio.get_running_loop().time()


def _same(stored: Frontier, left: Frontier) -> None:
    """Raise `Deposed` unless the tree is still the one that this process left."""
    if stored != left:
        raise Deposed(f"the tree of {stored.size} entries is not the one of {left.size} that was left")


def _ids(signers: Sequence[Signer]) -> frozenset[bytes]:
    return frozenset(signer.key.key_id for signer in signers)
