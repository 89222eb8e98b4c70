"""`erp-gateway processes` and `erp-gateway process-ended`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.console import DataOption, Failure, data_directory, print_line, print_table
from gateway.cli.record import reading, writing
from gateway.cutover.heartbeats import EXPIRED_S, oldest_that_counts
from gateway.domain.processes import Sender
from gateway.domain.wire import instant
from gateway.liveness import HostLiveness
from gateway.process_locks import holders
from gateway.store.store import Store
from gateway.wiring.tools import SystemClock

LONGEST_PROOF: Final = 200

ProcessArgument = Annotated[str, typer.Argument(help="Its id, as `processes` and logs name it: prc_….")]
ProofOption = Annotated[
    str,
    typer.Option("--proof", help="What shows it, for the record: 'node 7 was fenced at 12:03', at most 200 letters."),
]


def processes(data: DataOption = None) -> None:
    """List the processes that are not known to have ended and sent what nobody knows the outcome of: their host, when
    they started, when they last said that they live, and in how many transactions. Those that live are among them."""
    senders = reading(data_directory(data), lambda store: store.reads.senders_not_ended())
    rows = [
        (one.process_id, one.host, instant(one.registered_at), _seen(one), str(one.transactions)) for one in senders
    ]
    if rows:
        print_table(("process", "host", "started", "last seen", "transactions"), rows)
    else:
        print_line("nobody sent what has no outcome, but those who have ended")


def _seen(sender: Sender) -> str:
    return "-" if sender.seen_at is None else instant(sender.seen_at)


def process_ended(process_id: ProcessArgument, proof: ProofOption, data: DataOption = None) -> None:
    """Say, as its supervisor, that a process has ended for certain: it runs nowhere, stands still nowhere, and will
    not come back. What it may have sent and no ERP shows is then sent again after its quiet time. Wrong, this posts
    twice."""
    if not 0 < len(proof.strip()) <= LONGEST_PROOF:
        raise Failure(f"--proof: say in 1 to {LONGEST_PROOF} letters what shows that it ended", 2)
    directory = data_directory(data)
    print_line(writing(directory, lambda store: _note(directory, store, process_id, proof.strip())))


async def _note(data: Path, store: Store, process_id: str, proof: str) -> str:
    now = SystemClock().now()
    known = await store.reads.process(process_id)
    if known is None:
        raise Failure(f"there is no process {process_id}: `erp-gateway processes` lists those that matter", 2)
    if known.ended_at is not None:
        return f"{process_id} is on record as ended already: {known.ended_proof}"
    if HostLiveness().is_seen(known) or process_id in holders(data):
        raise Failure(f"{process_id} is there: it runs on this machine, or stands still; end it first (kill -9)", 2)
    since = oldest_that_counts(await store.reads.database_now())
    if process_id in {one.process_id for one in await store.reads.live_heartbeats(since)}:
        raise Failure(f"{process_id} said less than {EXPIRED_S:g} s ago that it lives: look at it again", 2)
    await store.write(lambda unit: unit.note_process_ended(process_id, proof, now))
    return f"{process_id} has ended: what it sent without an outcome is decided by inquiries now"
