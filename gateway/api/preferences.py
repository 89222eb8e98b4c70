"""The Prefer header (RFC 7240): how long the caller waits for its transaction's end."""

from __future__ import annotations

import re
from typing import Final

from gateway.transactions.commands import MAX_WAIT_S

_WAIT: Final = re.compile(rb"(?:\A|,)\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:;|,|\Z)", re.IGNORECASE)
_ASYNC: Final = re.compile(rb"(?:\A|,)\s*respond-async\s*(?:;|,|\Z)", re.IGNORECASE)


def wait_seconds(prefer: bytes | None) -> tuple[float, bytes | None]:
    """Seconds to wait, and the Preference-Applied header's value.

    `wait=n` is capped; with `respond-async` as well it is how long to try first (section 4.3). What cannot be read is
    ignored (section 2).
    """
    if prefer is None or len(prefer) > 256:
        return MAX_WAIT_S, None
    wait = _WAIT.search(prefer)
    if wait is not None:
        seconds = min(int(wait[1]), int(MAX_WAIT_S))
        return float(seconds), b"wait=%d" % seconds
    if _ASYNC.search(prefer) is not None:
        return 0.0, b"respond-async"
    return MAX_WAIT_S, None
