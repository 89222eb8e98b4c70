"""The verifiable log of one process: keys, the check before the start, sequencer, recomputation, published files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from gateway.domain.leaders import Lead
from gateway.domain.waiting_callers import WaitingCallers
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosigning import Cosigners
from gateway.ledger.current_keys import CurrentKeys, make_missing
from gateway.ledger.errors import KeyMisused, LogRefused, Malformed
from gateway.ledger.following import Following
from gateway.ledger.key_files import KeyFiles, KeyPurpose
from gateway.ledger.log_files import WaitingTiles
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.notes import Note
from gateway.ledger.proofs import NodeSource
from gateway.ledger.recheck import Recheck
from gateway.ledger.sequencer import Sequencer
from gateway.ledger.startup import LogCheck
from gateway.ledger.state.checkpoints import AuditedLog
from gateway.ledger.state.recheck import StateRecheck
from gateway.ledger.stored_log import StoredLog
from gateway.ledger.stored_receipts import ProvableLog
from gateway.ledger.tile_nodes import TileNodes
from gateway.settings import Settings, SettingsError
from gateway.store.store import Store
from gateway.telemetry.ledger_numbers import LedgerNumbers
from gateway.transactions.parts import Tools
from gateway.wiring.clocks import ClockOffsets
from gateway.wiring.ledger_files import held_checkpoint, key_files, log_origin
from gateway.wiring.witnesses import HttpWitnesses

AUDITED_AT_START: Final = 20_000
"""Entries of a record whose state is audited before anything is served; two seconds. A larger one is audited in the
background."""
FIRST_RECHECK_S = 5.0
"""After a start that did not recompute everything."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LiveLog:
    """What runs, and what is read. `held_is_missing`: the log was signed, and no checkpoint is held outside."""

    origin: str
    sequencer: Sequencer
    recheck: Recheck
    following: Following
    files: ProvableLog
    state: StateRecheck
    held_is_missing: bool

    async def is_sound(self) -> bool:
        """Whether nothing wrong was found, and nothing is in the way of looking; a readiness check."""
        found = self.sequencer.halted or self.recheck.wrong or self.following.wrong
        unchecked = self.recheck.failure or self.following.failure or self.state.failure
        return found is None and unchecked is None and not self.state.findings


async def open_log(
    data: Path,
    settings: Settings,
    store: Store,
    tools: Tools,
    ends: list[Callable[[], Awaitable[object]]],
    lead: Lead,
    clocks: ClockOffsets,
    callers: WaitingCallers,
    numbers: LedgerNumbers,
) -> LiveLog:
    """Check the log before anything is served, and make its parts. `lead`: this process's lead of the
    sequencer; `clocks` is told when witnesses cosigned; `callers`: to whom the work on the log gives way;
    `numbers` counts what goes wrong.

    Raises:
        LogRefused: the database is not as it was signed; the message is the report.
        StateBroken, SettingsError: the held checkpoint, a key file or a witness's key cannot be used.
    """
    origin, held, files = (
        log_origin(settings),
        held_checkpoint(data, settings),
        ProvableLog(store.log, log_origin(settings)),
    )
    try:
        await _refuse_a_new_key_for_an_old_log(store, origin, key_files(data, settings))
        keys = await asyncio.to_thread(_current_keys, key_files(data, settings))
        evidence = await asyncio.to_thread(_evidence_key, key_files(data, settings))
        witnesses = HttpWitnesses(settings.ledger.witnesses)
    except (KeyMisused, Malformed) as error:
        raise SettingsError(str(error)) from error
    ends.append(witnesses.aclose)
    pinned = LogKeys.pinned(*(one.key for one in keys.signers()))
    # to a database that turns out to be another one no part of this process writes any more
    check = LogCheck(store.log, pinned, held, evidence, seen=store.guard.saw, lost=store.guard.end)
    complete = await check.at_start(settings.ledger.startup_entries)
    held_is_missing = (
        await asyncio.to_thread(held.read) is None and await store.log.newest_checkpoint(origin) is not None
    )
    _log.info("log_checked", origin=origin, complete=complete)
    loop = asyncio.get_running_loop()

    def nodes(checkpoint: Checkpoint, note: Note) -> NodeSource:
        return TileNodes(WaitingTiles(files, bytes(note), loop), checkpoint.size)

    numbers.asks(key.name for key in witnesses.keys)
    cosigners = (
        Cosigners(
            witnesses.keys,
            witnesses,
            nodes,
            clocks.cosigned,
            numbers.contradicted,
            settings.ledger.halt_from_witnesses,
        )
        if witnesses.keys
        else None
    )
    # who may sequence is said by the lease on that task, so that the log's own is not waited for; its epoch still is
    # checked with the frontier, under one lock
    stored = StoredLog(store.led(lead), origin, tools.process_id, tools.clock, alone=True)
    sequencer = Sequencer(
        stored,
        origin,
        keys.signers,
        held,
        cosigners,
        callers=callers,
        grown=store.guard.saw,
        check=check.before_lead,
    )
    every = settings.ledger.recheck_s
    first_after_s = every if complete else min(every, FIRST_RECHECK_S)
    recheck = Recheck(
        check,
        every,
        sequencer.halt,
        first_after_s=first_after_s,
        callers=callers,
        failed=partial(numbers.failed, "log"),
    )
    # who signs holds what it signs; who found something holds nothing newer
    following = Following(
        check,
        lambda: lead.epoch is None and sequencer.halted is None,
        sequencer.halt,
        failed=partial(numbers.failed, "held"),
    )
    failed = partial(numbers.failed, "state")
    state = await _state(store, tools, every, check, callers, AuditedLog(store.log, pinned), failed)
    return LiveLog(origin, sequencer, recheck, following, files, state, held_is_missing)


async def _state(
    store: Store,
    tools: Tools,
    every_s: float,
    check: LogCheck,
    callers: WaitingCallers,
    log: AuditedLog,
    failed: Callable[[], None],
) -> StateRecheck:
    """The audit of the state, made at once where that is quick. Raises LogRefused."""
    small = (await store.log.tally()).entries <= AUDITED_AT_START
    state = StateRecheck(
        store.reads,
        tools.commitment_key,
        every_s,
        first_after_s=every_s if small else min(every_s, FIRST_RECHECK_S),
        gone=check.gone,
        callers=callers,
        log=log,
        failed=failed,
    )
    if small:
        await state.at_start()
    return state


def _current_keys(files: KeyFiles) -> CurrentKeys:
    make_missing(files)
    return CurrentKeys(files)


def _evidence_key(files: KeyFiles) -> VerifierKey:
    return files.signer(KeyPurpose.EVIDENCE).key


async def _refuse_a_new_key_for_an_old_log(store: Store, origin: str, files: KeyFiles) -> None:
    if files.path(KeyPurpose.LOG).exists():
        return
    if await store.log.newest_checkpoint(origin) is not None:
        raise LogRefused(
            f"{files.path(KeyPurpose.LOG)} is missing, and the database has checkpoints of {origin} that it signed. "
            "Restore the key from its back-up. If it is lost for good, begin a new log: set ledger.origin to another "
            "name (docs/ledger.md, 'Keys')."
        )
