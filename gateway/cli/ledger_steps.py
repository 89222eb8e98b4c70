"""Steps of a document, as `ledger trace` tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.domain.months import Month

MOST: Final = 100
"""Documents of one name."""

Step = Mapping[str, Any]
"""An entry: `entry`, its JSON; `leafHash`; `logIndex`, None where it has no place yet."""


def archived(trace: str, seq: int, kind: str, at: int) -> dict[str, Any]:
    """In place of an entry that is in the archive of its month: what is known of it without."""
    return {"trace": trace, "seq": seq, "kind": kind, "at": at, "archivedMonth": str(Month.of_trace(trace))}
