"""The record as the rest of the gateway holds it: writes, reads, outbox, and its opening and closing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.domain.leaders import Lead
from gateway.store.accesses import AccessWrites
from gateway.store.activations import ActivationWrites
from gateway.store.acts import ActWrites
from gateway.store.adoptions import AdoptionWrites
from gateway.store.api_uses import ApiUseWrites
from gateway.store.batches import BatchWrites
from gateway.store.budget_shares import BudgetWrites
from gateway.store.documents import DocumentWrites
from gateway.store.drafts import DraftWrites
from gateway.store.entries import EntryWrites
from gateway.store.entry_index import EntryIndexWrites
from gateway.store.erasing import PrivacyWrites
from gateway.store.errors import SchemaOutdated
from gateway.store.exceptions import ExceptionWrites
from gateway.store.guarded_writer import GuardedWriter
from gateway.store.jobs import JobWrites
from gateway.store.keys import KeyWrites
from gateway.store.leaders import LeaderWrites
from gateway.store.led import LedWriter, Writer
from gateway.store.ledger_reads import LedgerReads
from gateway.store.lineages import LineageWrites
from gateway.store.log import LogWrites
from gateway.store.log_reads import LogReads
from gateway.store.many import ManyWrites
from gateway.store.migrate import check_schema
from gateway.store.outbox import OutboxWrites, StoreOutbox
from gateway.store.patient import PatientWriter
from gateway.store.postgres_writer import DEFAULT_LIMITS as POOL_LIMITS
from gateway.store.postgres_writer import PoolLimits, open_writer
from gateway.store.processes import ProcessWrites
from gateway.store.reader import Reader, open_reader
from gateway.store.reads import StoreReads
from gateway.store.record_guard import RecordGuard
from gateway.store.relations import RelationWrites
from gateway.store.restores import RestoreWrites
from gateway.store.simulations import SimulationWrites
from gateway.store.sqlite_writer import DEFAULT_LIMITS as BATCH_LIMITS
from gateway.store.sqlite_writer import BatchLimits, SqliteWriter
from gateway.store.sweeps import SweepWrites
from gateway.store.transactions import TransactionWrites
from gateway.store.unit import Unit
from gateway.store.url import SqliteDatabase, parse_url

T = TypeVar("T")


class StoreUnit(
    KeyWrites,
    DocumentWrites,
    RelationWrites,
    LineageWrites,
    TransactionWrites,
    JobWrites,
    ManyWrites,
    EntryWrites,
    OutboxWrites,
    ProcessWrites,
    AdoptionWrites,
    SimulationWrites,
    LogWrites,
    ActivationWrites,
    ActWrites,
    DraftWrites,
    EntryIndexWrites,
    AccessWrites,
    ApiUseWrites,
    ExceptionWrites,
    BatchWrites,
    LeaderWrites,
    BudgetWrites,
    SweepWrites,
    PrivacyWrites,
    RestoreWrites,
):
    """One write transaction in the words of the domain. Implements `gateway.transactions.ports.WriteUnit`."""

    __slots__ = ("_unit",)

    def __init__(self, unit: Unit) -> None:
        self._unit = unit


class Store:
    """The open record.

    Attributes:
        reads: questions, on read-only connections.
        outbox: events that wait for the stream.
        log: the verifiable log's rows.
        ledger: what auditors ask.
        guard: says whether the database is still the one that was written; nothing is written where it is not.
    """

    def __init__(self, writer: Writer, reader: Reader, guard: RecordGuard | None = None) -> None:
        self.guard = guard or RecordGuard()
        self._writer = GuardedWriter(writer, self.guard)
        self._unguarded = writer
        self._reader = reader
        self.reads = StoreReads(reader)
        self.log = LogReads(reader)
        self.ledger = LedgerReads(reader)
        self.outbox = StoreOutbox(self._writer, reader)

    async def write(self, fn: Callable[[StoreUnit], Awaitable[T]]) -> T:
        """Run `fn` in one write transaction; its value, once that is synced to disk.

        `fn` MUST await nothing but its unit, and MUST be repeatable (see `gateway.store.unit.Unit`). On SQLite it
        runs in the writer's thread, in a copy of the caller's context variables.

        Raises:
            StoreUnavailable: nothing was committed, and the database does not take writes now.
            RecordUnsound: nothing was committed, and this process writes nothing any more.
            CommitUnknown: it may have been committed.
            StoreFailure: the unit broke a rule of the schema or of units; it was undone.
            Exception: whatever `fn` raised; it was undone.
        """

        async def run(unit: Unit) -> T:
            return await fn(StoreUnit(unit))

        return await self._writer.write(run)

    def led(self, lead: Lead) -> Store:
        """The record as the leader of a task writes it: its writes raise LeadLost once the lead is another's. What it
        reads is the same; closing it closes the record's reads."""
        return Store(LedWriter(self._unguarded, lead), self._reader, self.guard)

    def patient(self, what: str) -> Store:
        """The record as a process that starts writes it: it waits for locks of others, and its log says so. `what`: the
        purpose of its writes. What it reads is the same; closing it closes the record's reads."""
        return Store(PatientWriter(self._unguarded, what), self._reader, self.guard)

    def leases(self) -> Store:
        """The record as leases are written: also where nothing else is written any more, for who found something wrong
        may have to keep a task from others. What it reads is the same."""
        return Store(self._unguarded, self._reader)

    async def is_usable(self) -> bool:
        """Whether the database answers, and may be written to."""
        return self.guard.reason is None and await self.reads.is_alive()

    async def close(self) -> None:
        """Finish the units that wait, then close every connection. Calling it again does nothing."""
        await self._writer.close()
        await self._reader.close()


async def open_store(
    url: str, *, batch_limits: BatchLimits = BATCH_LIMITS, pool_limits: PoolLimits = POOL_LIMITS
) -> Store:
    """Open the database that the URL names, at the newest schema (see `gateway.store.migrate.migrate`).

    Raises:
        BadUrl: it names none.
        StoreUnavailable: it does not answer.
        SchemaOutdated: it has another schema.
    """
    database = parse_url(url)
    if isinstance(database, SqliteDatabase) and not database.path.exists():
        raise SchemaOutdated(f"{database.path} is not there: run migrate")
    guard = RecordGuard()
    reader = open_reader(database, guard=guard)
    try:
        await check_schema(reader.engine)
        if isinstance(database, SqliteDatabase):
            return Store(SqliteWriter(database.path, batch_limits, guard), reader, guard)
        return Store(await open_writer(database.dsn, pool_limits, guard), reader, guard)
    except BaseException:
        await reader.close()
        raise
