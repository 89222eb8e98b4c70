"""What an inquiry found, as far as it still stands: people cancel and reverse documents in an ERP themselves.

Only of what makes a document of its own, a submission or a reversal. A change or a cancellation is found by the
document that it was done to, and a document that was to be cancelled is cancelled. A block undoes no master.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.canonical import MASTER_DOMAINS
from adapters.port import FoundDocument, Posting, Reversal, Submission
from gateway.transactions.exceptions import ErpWords

_SHOWN: Final = 5
_FIELD: Final = "erpReference"
"""Where a transaction's resource says under which reference was asked."""


def still_standing(posting: Posting, found: Sequence[FoundDocument]) -> tuple[FoundDocument, ...]:
    """Those that nobody has undone. What undid another one of them is none of ours either: some ERPs copy the reference
    of a document to its reversal.

    A new master is there though it is blocked: ERPs may block each until its data are approved. Only beside one that is
    not blocked does a block say which of them people want.
    """
    if not isinstance(posting, Submission | Reversal):
        return tuple(found)
    mirrors = {(one.number.system_id, number) for one in found for number in one.reversals}
    standing = tuple(
        one
        for one in found
        if not one.cancelled and not one.reversals and (one.number.system_id, one.number.document_number) not in mirrors
    )
    return standing or tuple(found) if posting.domain in MASTER_DOMAINS else standing


def words_of_found(cause: str, found: Sequence[FoundDocument]) -> ErpWords:
    """What people need to look it up there: the numbers, and how each of them stands. Names nobody."""
    shown = [_shown(one) for one in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return ErpWords(code=cause, field=_FIELD, message="; ".join(shown + more))


def _shown(one: FoundDocument) -> str:
    number = one.number
    how = ""
    if one.reversals:
        how = f", reversed by {' and '.join(one.reversals[:_SHOWN])}"
    elif one.cancelled:
        how = ", cancelled"
    return f"{number.document_type} {number.document_number} in {number.system_id}{how}"
