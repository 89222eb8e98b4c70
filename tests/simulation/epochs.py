"""Whether anything was appended to a trace under an old epoch, as far as a ledger can tell.

Of all entries only `dispatched` names its epoch. What came of an attempt names the attempt, and each attempt stands
under the epoch of its `dispatched`. So what an overtaken sender wrote shows where it speaks of an attempt after another
one was dispatched, or tells an outcome of an attempt that was given up as unknown. What does not show is an entry that
says of the newest attempt what its new owner would have said too; an inquiry is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

OUTCOMES: Final = frozenset({"unknown", "posted", "rejected"})
TOLD: Final = ("dispatched", "inquired", *sorted(OUTCOMES))
"""Kinds of entries to be looked at."""


def under_old_epochs(trace: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every violation in a sentence. `entries`: the trace's, of the kinds `TOLD`, in their order."""
    newest_epoch = 0
    newest: dict[tuple[int, str], int] = {}
    given_up: set[tuple[int, str, int]] = set()
    for entry in entries:
        if "attempt" not in entry:
            continue  # a refusal before anything was sent, or what people did
        kind, attempt = entry["kind"], int(entry["attempt"])
        step = int(entry["step"]), str(entry.get("direction", "do"))
        if kind == "dispatched":
            if int(entry["epoch"]) < newest_epoch or attempt != newest.get(step, 0) + 1:
                yield (
                    f"{trace}: attempt {attempt} under epoch {entry['epoch']}"
                    f" after {newest.get(step, 0)} under {newest_epoch}"
                )
            newest_epoch, newest[step] = int(entry["epoch"]), attempt
            continue
        if attempt != newest.get(step):
            yield f"{trace}: {kind} of attempt {attempt} after {newest.get(step)} was dispatched"
        # an outcome after an unknown comes of inquiries: it was found, or is a refusal that was kept; or of people
        answered = kind == "posted" and not entry.get("foundByInquiry")
        late = entry["actor"] == "gateway" and (kind == "unknown" or answered)
        if late and (*step, attempt) in given_up:
            yield f"{trace}: {kind} of attempt {attempt}, which was unknown already, and nobody inquired it"
        if kind == "unknown":
            given_up.add((*step, attempt))
