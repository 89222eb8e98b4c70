"""The last line of an export, which is no record: what was given out, and months whose entries are in archives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def csv_end(told: Mapping[str, object], archived_months: Sequence[str]) -> bytes:
    """A line that begins with `#`: `name=value` words; `archivedMonths` only where there are such."""
    words = [f"{name}={value}" for name, value in told.items()]
    if archived_months:
        words.append(f"archivedMonths={','.join(archived_months)}")
    return f"# {' '.join(words)}\r\n".encode()


def json_end(told: Mapping[str, object], archived_months: Sequence[str]) -> bytes:
    """An object with the one member `export`."""
    archived = {"archivedMonths": list(archived_months)} if archived_months else {}
    return json.dumps({"export": {**told, **archived}}, separators=(",", ":")).encode() + b"\n"
