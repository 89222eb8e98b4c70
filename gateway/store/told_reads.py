"""Rows of the state that belong to no lineage, beside the entries that tell of them: activations, and who asked what.

Parts are small, because whoever audits may hold only so much; each part is one moment of the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Integer, bindparam, func, literal_column, select

from gateway.domain.accesses import AccessRecord
from gateway.domain.records import ActivationRecord, EntryRecord, PayloadRecord
from gateway.store import schema
from gateway.store.accesses import ACCESSES
from gateway.store.entries import ENTRIES
from gateway.store.keys import PAYLOADS
from gateway.store.processes import ACTIVATIONS
from gateway.store.reader import Reader
from gateway.store.schema_accesses import ledger_accesses
from gateway.store.schema_activations import activations, rules_state
from gateway.store.state_reads import among
from gateway.store.statement import Named, Query

_entry: Final = schema.ledger_entries.c
_activation: Final = activations.c
_access: Final = ledger_accesses.c


@dataclass(frozen=True, slots=True)
class InForce:
    """`state_number`: which activation the state says is in force. `newest_number`: of the newest row. 0: none."""

    state_number: int
    newest_number: int


@dataclass(frozen=True, slots=True)
class AccessPart:
    """Some questions and exports with their rows, their entries in the order of `seq`, and what was asked."""

    query_ids: Sequence[str]
    accesses: Sequence[AccessRecord]
    entries: Sequence[EntryRecord]
    payloads: Sequence[PayloadRecord]


def _id(column: str) -> str:
    return column


# A trace is one request, which comes into force once at most: the next trace is the next entry.
_ACTIVATIONS: Final = "act_"
_ACTIVATED: Final = ENTRIES.query(
    ENTRIES.selecting()
    .where(
        _entry.trace > bindparam("after"),
        _entry.trace < "act`",
        _entry.kind == literal_column("'activated'"),
    )
    .order_by(_entry.trace, _entry.seq)
    .limit(bindparam("most"))
)
_NEXT_ACTIVATION: Final = ACTIVATIONS.query(
    ACTIVATIONS.selecting()
    .where(_activation.activation_number > bindparam("after"))
    .order_by(_activation.activation_number)
    .limit(literal_column("1", Integer))
)
_IN_FORCE: Final = Query(
    select(
        func.coalesce(select(func.max(rules_state.c.activation_number)).scalar_subquery(), literal_column("0")).label(
            "state_number"
        ),
        func.coalesce(select(func.max(_activation.activation_number)).scalar_subquery(), literal_column("0")).label(
            "newest_number"
        ),
    ),
    InForce,
)
_ACCESS_IDS: Final = Query(
    select(_access.query_id)
    .where(_access.query_id > bindparam("after"))
    .order_by(_access.query_id)
    .limit(bindparam("most")),
    _id,
)
# From the first id of an evidence pack to the last of a question (qry_): of what lies between there is little, and one
# range is read in the order of the key, two are not.
_PACKS: Final = "evd_"
_ASKED_TRACES: Final = Query(
    select(_entry.trace)
    .where(
        _entry.trace > bindparam("after"),
        _entry.trace < "qry`",
        _entry.seq == literal_column("1"),
        _entry.kind.in_([literal_column("'queried'"), literal_column("'exported'")]),
    )
    .order_by(_entry.trace)
    .limit(bindparam("most")),
    _id,
)


class ToldReads:
    """More questions of the audit of the state."""

    _reader: Reader

    async def activated_entries(self, after: str, most: int) -> Sequence[EntryRecord]:
        """The next `most` entries `activated` after that trace, in the order of their traces."""
        return await self._reader.all(_ACTIVATED, {"after": max(after, _ACTIVATIONS), "most": most})

    async def next_activation(self, after: int) -> ActivationRecord | None:
        """The activation with the next number after that one. One, because its texts may be large."""
        return await self._reader.one(_NEXT_ACTIVATION, {"after": after})

    async def in_force(self) -> InForce:
        """Both numbers as they were at one moment."""
        return await self._reader.one(_IN_FORCE) or InForce(0, 0)

    async def access_part(self, after: str, most: int) -> AccessPart:
        """The next `most` ids after that one which have a row or an entry, in their order."""
        async with self._reader.moment() as moment:
            page: Named = {"after": after, "most": most}
            stored = await moment.all(_ACCESS_IDS, page)
            told = await moment.all(_ASKED_TRACES, {"after": max(after, _PACKS), "most": most})
            ids = sorted({*stored, *told})[:most]
            accesses = await among(moment, ACCESSES, _access.query_id, ids)
            entries = await among(moment, ENTRIES, _entry.trace, ids)
            entries.sort(key=lambda one: (one.trace, one.seq))
            asked = sorted({one.payload_id for one in accesses})
            payloads = await among(moment, PAYLOADS, schema.payloads.c.payload_id, asked)
            return AccessPart(ids, accesses, entries, payloads)
