"""The record of a SQLite gateway as it lies in a data directory, read beside a running gateway."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """What a record says: status by transaction, transaction by natural key, entries as they are, and the status
    behind every reference that a document carries in an ERP (masters carry none)."""

    transactions: dict[str, str]
    natural_keys: dict[tuple[str, str], str]
    entries: dict[tuple[str, int], bytes]
    references: dict[str, str]

    @classmethod
    def of(cls, directory: Path) -> Record:
        with reading(directory) as connection:
            return cls(
                dict(connection.execute("SELECT transaction_id, status FROM transactions")),
                {
                    (domain, external_id): transaction_id
                    for domain, external_id, transaction_id in connection.execute(
                        "SELECT domain, external_id, transaction_id FROM natural_keys WHERE transaction_id IS NOT NULL"
                    )
                },
                {
                    (trace, seq): bytes(body) + bytes(leaf)
                    for trace, seq, body, leaf in connection.execute(
                        "SELECT trace, seq, body, leaf_hash FROM ledger_entries"
                    )
                },
                dict(
                    connection.execute(
                        "SELECT external_reference, status FROM steps JOIN transactions USING (transaction_id)"
                        " WHERE domain NOT IN ('customers', 'products')"
                    )
                ),
            )

    @property
    def open(self) -> set[str]:
        """Transactions that have not come to an end."""
        return {name for name, status in self.transactions.items() if status not in {"posted", "in_doubt"}}


@contextlib.contextmanager
def reading(directory: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{directory / 'gateway.db'}?mode=ro", uri=True, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def count(directory: Path) -> int:
    with reading(directory) as connection:
        return int(connection.execute("SELECT count(*) FROM transactions").fetchone()[0])


def unpublished(directory: Path) -> int:
    with reading(directory) as connection:
        return int(connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()[0])


def announced(directory: Path) -> dict[str, list[int]]:
    """The numbers of every lineage's events, as the record kept them."""
    with reading(directory) as connection:
        rows = connection.execute("SELECT lineage_id, sequence FROM outbox ORDER BY lineage_id, sequence").fetchall()
    return by_lineage(rows)


def by_lineage(rows: list[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for lineage, number in rows:
        found.setdefault(lineage, []).append(number)
    return found


def move_to_another_machine(directory: Path) -> None:
    """Processes of the record ran elsewhere: from here nobody can see that they have ended."""
    with contextlib.closing(sqlite3.connect(directory / "gateway.db")) as connection, connection:
        connection.execute("UPDATE processes SET host = 'the-lost-machine'")
