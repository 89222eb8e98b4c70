"""Which statements a question sends, their plans, and what tables take; for `benchmarks.ledger_queries`."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event

from gateway.store.reader import PLANS
from gateway.store.store import Store

Question = Callable[[], Awaitable[int]]


async def plans_of(database: str, url: str, store: Store, ask: Question) -> list[tuple[str, str]]:
    """The statements of one answer, each with its plan."""
    seen: list[tuple[str, Any]] = []
    engine = store._reader.engine.sync_engine  # noqa: SLF001 (what is measured is what the store sends)

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and all(statement != one for one, _ in seen):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        await ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    if database == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        plans = []
        for statement, parameters in seen:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters)).fetchall()
            plans.append((statement, "\n".join(row[3] for row in rows)))
        connection.close()
        return plans
    found = []
    postgres = await asyncpg.connect(url, server_settings=dict(PLANS))
    for statement, parameters in seen:
        rows = await postgres.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) {statement}", *parameters)
        found.append((statement, "\n".join(_executed([row[0] for row in rows]))))
    await postgres.close()
    return found


async def sizes_of(database: str, url: str) -> dict[str, int]:
    """Bytes by table, or of the file."""
    if database == "sqlite":
        return {"the whole file": _bytes_of(Path(url.removeprefix("sqlite:///")))}
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT relname, coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(oid)), "
        "pg_total_relation_size(oid))::bigint AS size FROM pg_class WHERE relkind IN ('r', 'p') AND relname = ANY($1)",
        ["ledger_entries", "log_entries", "indexed_entries", "indexed_terms", "indexed_blocks", "indexed_transactions"],
    )
    await connection.close()
    return {row["relname"]: row["size"] for row in sorted(rows, key=lambda row: -row["size"])}


def _bytes_of(path: Path) -> int:
    return path.stat().st_size


def _executed(lines: list[str]) -> Iterator[str]:
    """A plan without the months into which it did not look: their nodes, and what is said of each."""
    left_out: int | None = None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if left_out is not None and depth > left_out:
            continue
        left_out = depth if "(never executed)" in line else None
        if left_out is None:
            yield line
