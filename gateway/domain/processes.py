"""Processes of the gateway: by what it can be proven that one ended, and who sent what has no outcome."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A running gateway process, so that another can prove that it ended.

    `started` is the operating system's start time of the pid, in hundredths of a second, as text. `ended_at`: since
    when it is on record that it ended, and `ended_proof` by what: its lock was free, or its supervisor's words.
    """

    process_id: str
    host: str
    boot_id: str
    pid: int
    started: str
    registered_at: int
    ended_at: int | None = None
    ended_proof: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """A process that is not on record as ended and sent what nobody knows the outcome of, in so many transactions.
    `seen_at`: when it last said that it lives (µs, database); None: it said that it ends, or it is long ago."""

    process_id: str
    host: str
    registered_at: int
    seen_at: int | None
    transactions: int
