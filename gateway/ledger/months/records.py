"""Which months were taken out of the database, as far as their records can be believed.

A row that says so could be written by who deleted the entries. So the row holds the manifest of the archive, signed by
the evidence key, which lies outside of the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.months import Month, NoMonth
from gateway.ledger.errors import LedgerError, LogRefused
from gateway.ledger.evidence.manifest import MANIFEST, opened_manifest
from gateway.ledger.months.lines import TOLD
from gateway.ledger.months.verify import check_hash
from gateway.ledger.note_keys import VerifierKey
from gateway.store.month_reads import ArchivedMonth

REMEDY: Final = "see docs/ledger.md, 'Months'"


@dataclass(frozen=True, slots=True)
class GoneMonth:
    """A month that was taken out: how many entries of how many transactions, and between which places of the log they
    stand."""

    month: Month
    entries: int
    transactions: int
    first: int
    last: int


GoneMonths = Mapping[Month, GoneMonth]


def believed(records: Sequence[ArchivedMonth], evidence_key: VerifierKey | None) -> GoneMonths:
    """The months of these records. Raises LogRefused: one of them is not signed, or altered."""
    found = {}
    for record in records:
        try:
            if evidence_key is None:
                raise LogRefused("there is no evidence key to check it with")
            hashes, _ = opened_manifest({MANIFEST: record.manifest}, evidence_key)
            check_hash(TOLD, record.told, hashes)
            gone = _gone(json.loads(record.told))
            if (str(gone.month), gone.entries) != (record.month, record.entries):
                raise LogRefused("it is the record of another archive")
        except (LedgerError, ValueError, KeyError, TypeError, NoMonth) as error:
            raise LogRefused(
                f"{record.month[:20]} is recorded as taken out of the ledger, and its record cannot be believed: "
                f"{error}; {REMEDY}"
            ) from error
        found[gone.month] = gone
    return found


def _gone(told: dict[str, Any]) -> GoneMonth:
    return GoneMonth(
        Month.parse(str(told["month"])),
        int(told["entries"]),
        int(told["traces"]),
        int(told["firstIndex"]),
        int(told["lastIndex"]),
    )
