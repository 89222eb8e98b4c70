"""How long recorded traffic takes through two versions: a million documents, from memory, JSON lines and a ledger.

Two in three documents are roots, the rest follow one. Run: `python -m benchmarks.rules_simulate [--documents 1000000]`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from benchmarks.recorded_traffic import measured
from benchmarks.rules_tables import facts, moved, table
from routing_rules import parse_rulebook
from routing_rules.simulation import simulate
from routing_rules.simulation_records import RecordedDocument, read_documents
from routing_rules.simulation_result import Simulation

ROWS = 10_000
BAR_S = 20.0
"""Seconds for 1,000,000 documents."""


@dataclass
class Measured:
    """Seconds, and the result that all ways agree on."""

    documents: int
    compile_s: float
    memory_s: float
    memory_cpu_s: float
    lines_s: float
    lines_cpu_s: float
    ledger_s: float
    ledger_cpu_s: float
    loads: tuple[float, float, float]
    """Processes that wanted a core (the last minute's average) before memory, ledger and lines were measured."""
    bytes_a_line: float
    resident_mb: float
    result: Simulation


def documents(number: int, seed: int = 4) -> Iterator[RecordedDocument]:
    """Roots of the whole table, and follow-ups of one of the last thousand roots; one in fifty of an older one."""
    random = Random(seed)
    given = facts(table(ROWS), min(number, 200_000))
    start = 29_000_000
    for at in range(number):
        one = given[at % len(given)]
        is_root = at % 3 != 2
        root = at if is_root else max(at - 2 - 3 * random.randrange(333), 0)
        pinned = not is_root and random.random() < 0.02
        yield RecordedDocument(
            transaction_id=f"txn_{at:09d}",
            lineage_id=f"old_{at}" if pinned else f"lin_{root:09d}",
            is_root=is_root,
            facts=one,
            minute=start + at // 40,
            calls=2 if is_root else 1,
            pinned_system="old" if pinned else None,
            customer=one.share_key,
            open_amount=Decimal("10.00") if is_root and at % 7 == 0 else None,
        )


def measure(number: int) -> Measured:
    before = table(ROWS)
    in_force, candidate = parse_rulebook(before.files), parse_rulebook(moved(before, 0.1).files)
    started = time.perf_counter()
    for book in (in_force, candidate):
        book.index("orders")
    compile_s = time.perf_counter() - started
    given = list(documents(number))
    gc.freeze()
    loads = [os.getloadavg()[0]]
    started, used = time.perf_counter(), time.process_time()
    result = simulate(in_force, candidate, given)
    memory_s, memory_cpu_s = time.perf_counter() - started, time.process_time() - used
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        file = Path(directory) / "documents.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(one.as_json()) + "\n" for one in given)
        size = file.stat().st_size
        loads.append(os.getloadavg()[0])
        ledger_s, ledger_cpu_s, run = measured(Path(directory), given, in_force, candidate)
        del given
        loads.append(os.getloadavg()[0])
        started, used = time.perf_counter(), time.process_time()
        with file.open(encoding="utf-8") as read:
            again = simulate(in_force, candidate, read_documents(read))
        lines_s, lines_cpu_s = time.perf_counter() - started, time.process_time() - used
    assert again.digest == result.digest, "the same documents gave another result"
    assert run.simulation.moved_documents == result.moved_documents, "the ledger gave another result"
    assert run.simulation.moved_totals == result.moved_totals, "the ledger gave other money"
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(
        documents=number,
        compile_s=compile_s,
        memory_s=memory_s,
        memory_cpu_s=memory_cpu_s,
        lines_s=lines_s,
        lines_cpu_s=lines_cpu_s,
        ledger_s=ledger_s,
        ledger_cpu_s=ledger_cpu_s,
        loads=(loads[0], loads[1], loads[2]),
        bytes_a_line=size / number,
        resident_mb=resident,
        result=result,
    )


def report(found: Measured) -> str:
    result = found.result
    scale = 1_000_000 / found.documents
    simulated, read = found.memory_s * scale, found.lines_s * scale
    verdict = (
        f"1,000,000 documents: bar of {BAR_S:g} s {_met(simulated)} by the simulation itself, {_met(read)} with "
        f"reading and checking their JSON, and {_met(found.ledger_s * scale)} with reading them from the ledger."
    )
    how = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}, {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}. {found.documents:,} documents, one in three a "
        f"follow-up, through two versions of a table of {ROWS:,} rows of which one in ten stands a stage further. One "
        f"process, one core. The largest the process grew, documents in memory included: {found.resident_mb:,.0f} MB. "
        f"Load average before memory, ledger and lines: {', '.join(f'{load:.1f}' for load in found.loads)} (1.0 is one "
        f"core in use)."
    )
    told = (
        f"Decided {result.decided:,}, followed their root {result.followed:,}, pinned before {result.pinned:,}; moved "
        f"{result.moved_documents:,} in {len(result.moved):,} groups of slice, company code, period, currency and "
        f"direction. Digest `{result.digest[:16]}…`, the same from memory and lines."
    )
    rows = {
        "compile both versions (table versions, indexes)": (found.compile_s, None),
        "**simulate**, documents in memory": (found.memory_s, found.memory_cpu_s),
        f"the same, documents read from JSON lines of {found.bytes_a_line:.0f} bytes": (
            found.lines_s,
            found.lines_cpu_s,
        ),
        "the same, read from the ledger in SQLite": (found.ledger_s, found.ledger_cpu_s),
    }
    lines = ["# Rules: simulation", "", how, "", "| seconds | wall | CPU, all threads |", "|---|---|---|"]
    lines += [f"| {name} | {wall:.1f} | {'' if cpu is None else f'{cpu:.1f}'} |" for name, (wall, cpu) in rows.items()]
    lines += ["", told, "", verdict, ""]
    lines += ["Command: `python -m benchmarks.rules_simulate`", ""]
    return "\n".join(lines)


def _met(seconds: float) -> str:
    return f"met ({seconds:.1f} s)" if seconds <= BAR_S else f"MISSED ({seconds:.1f} s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "rules_simulate.md")
    arguments = parser.parse_args()
    text = report(measure(arguments.documents))
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
