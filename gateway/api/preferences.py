"""The Prefer header (RFC 7240): how long the caller waits for its transaction's end, and what holds anyway."""

from __future__ import annotations

import re
from typing import Final

from gateway.transactions.commands import MAX_WAIT_S

_WAIT: Final = re.compile(rb"(?:\A|,)\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:;|,|\Z)", re.IGNORECASE)
_ASYNC: Final = re.compile(rb"(?:\A|,)\s*respond-async\s*(?:;|,|\Z)", re.IGNORECASE)
_HANDLING: Final = re.compile(rb"(?:\A|,)\s*handling\s*=\s*\"?(strict|lenient)\"?\s*(?:;|,|\Z)", re.IGNORECASE)
_RETURN: Final = re.compile(rb"(?:\A|,)\s*return\s*=\s*\"?(representation|minimal)\"?\s*(?:;|,|\Z)", re.IGNORECASE)


def preferred(prefer: bytes | None) -> tuple[float, str | None]:
    """Seconds to wait, and the value of Preference-Applied.

    `wait=n` is capped; with `respond-async` as well it is how long to try first (section 4.3). `handling=strict` and
    `return=representation` are what is done anyway; their opposites are not done. What cannot be read is ignored, and
    of two equal names the first counts (section 2).
    """
    if prefer is None or len(prefer) > 256:
        return MAX_WAIT_S, None
    wait_s, applied = MAX_WAIT_S, []
    wait = _WAIT.search(prefer)
    if wait is not None:
        wait_s = float(min(int(wait[1]), int(MAX_WAIT_S)))
        applied.append(f"wait={wait_s:.0f}")
    elif _ASYNC.search(prefer) is not None:
        wait_s = 0.0
        applied.append("respond-async")
    applied += [
        f"{name}={value.decode()}"
        for name, pattern, value in (("handling", _HANDLING, b"strict"), ("return", _RETURN, b"representation"))
        if (found := pattern.search(prefer)) is not None and found[1].lower() == value
    ]
    return wait_s, ", ".join(applied) or None
