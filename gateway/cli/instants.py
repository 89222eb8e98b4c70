"""Instants on the command line: a day, or RFC 3339 with an offset."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.cli.console import Failure


def micros(text: str, option: str) -> int:
    """µs since 1970 UTC of `2026-10-01` (its first instant, UTC) or `2026-10-01T12:00:00+02:00`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise Failure(f"{option}: {text!r} is no time: write 2026-10-01 or 2026-10-01T12:00:00Z", 2) from error
    if read.tzinfo is None:
        if len(text) > len("2026-10-01"):
            raise Failure(f"{option}: {text!r} lacks its offset: add Z for UTC", 2)
        read = read.replace(tzinfo=UTC)
    whole = read.astimezone(UTC)
    return int(whole.replace(microsecond=0).timestamp()) * 1_000_000 + whole.microsecond
