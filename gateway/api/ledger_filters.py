"""The filter of questions about entries: query parameters, each a condition, all of which must hold.

Where a parameter takes several values, they are parted by commas and one of them must hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.canonical import DOMAINS
from adapters.port import Operation as Verb
from gateway.api.identifiers import ID_PATTERN
from gateway.api.ledger_parts import LedgerParts
from gateway.api.problems import malformed
from gateway.api.query import INSTANT, NODE, Parameter, Query, instant
from gateway.api.visibility import Visibility
from gateway.domain.entries import EntryKind
from gateway.domain.entry_filter import EntryFilter, Values
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.wire import instant as shown
from gateway.errors import Problem
from gateway.ledger.entry_pages import Asked, all_rows
from gateway.transactions.queries import Reads

MOST_VALUES: Final = 20
"""Values of one parameter."""
MOST_TRACES: Final = 1_000
"""Transactions that a lineage or document may have whose entries are asked for."""

USUAL_LAG: Final = 30_000_000
"""µs. What a checkpoint covered by then must be in the index. It follows within a second or two, so that a question
right after a write is answered out of what is there; an index that is being made again is far behind."""

_COMMITMENT: Final = re.compile(r"[0-9a-f]{64}")


def _several(form: str) -> str:
    return rf"{form}(,{form}){{0,{MOST_VALUES - 1}}}"


CONDITIONS: Final = (
    Parameter("kind", _several("[a-z_]{1,24}"), "What they record; several parted by commas.", "pinned,pin_released"),
    Parameter(
        "trace", _several(r"[A-Za-z0-9_.:-]{1,80}"), "Of these transactions, drafts, overlays; several.", "txn_01"
    ),
    Parameter(
        "lineageId",
        ID_PATTERN,
        "Of a lineage: of all its transactions, and `adopted`.",
        "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ),
    Parameter("documentId", ID_PATTERN, "Of all that was done to a document.", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter(
        "slice", r"[a-z_]{1,20}(\.[A-Za-z0-9_-]{1,32}){2}", "domain.businessUnit.geography.", "orders.Western.US"
    ),
    Parameter("domain", _several("[a-z_]{1,20}"), "The document family; several.", "orders,invoices"),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "Western"),
    Parameter("geography", NODE, "A geography, with all below it.", "US"),
    Parameter("companyCode", _several("[A-Z0-9]{1,10}"), "The company code; several.", "NW01"),
    Parameter("operation", _several("[a-z]{1,10}"), "What was asked for; several.", "cancel,reverse"),
    Parameter("systemId", _several(NODE), "The ERP that the entry names; several.", "legacy-main"),
    Parameter("row", _several(r"[A-Za-z0-9_.-]{1,64}"), "The row of a rule table that decided; several.", "o-base"),
    Parameter("tableVersion", _several("[0-9a-f]{64}"), "The version of the rule tables; several.", "ab" * 32),
    Parameter("activationNumber", _several("[1-9][0-9]{0,8}"), "The activation; several.", "3"),
    Parameter("actor", "[!-~]{1,128}", "The client that acted.", "salesforce"),
    Parameter("person", r"[!-~]([ -~]{0,126}[!-~])?", "Who acted: the name that tokens say, or the commitment.", "ada"),
    Parameter(
        "atFrom", INSTANT, "Bearing this time or a later one (RFC 3339).", "2026-11-01T00:00:00Z", form="date-time"
    ),
    Parameter("atUntil", INSTANT, "Bearing an earlier time (RFC 3339).", "2026-12-01T00:00:00Z", form="date-time"),
)
AS_OF: Final = (
    Parameter(
        "knownAt", INSTANT, "As of then: what a kept checkpoint covered.", "2026-11-30T23:59:59Z", form="date-time"
    ),
    Parameter("logSize", "(0|[1-9][0-9]{0,17})", "As of then: the first so many entries of the log.", "259"),
)
FILTER: Final = (*CONDITIONS, *AS_OF)

_KNOWN: Final[dict[str, Sequence[str]]] = {
    "kind": tuple(one.value for one in EntryKind),
    "domain": tuple(DOMAINS),
    "operation": tuple(one.value for one in Verb),
}
_FIELDS: Final = {
    "kind": "kind",
    "domain": "domain",
    "companyCode": "company_code",
    "operation": "operation",
    "systemId": "system_id",
    "row": "rule_row",
    "tableVersion": "table_version",
}


@dataclass(frozen=True, slots=True)
class AsOf:
    """Until which place of the log the answer looks, and which rules were in force by then (None: none yet).
    `is_past`: that was asked for."""

    log_size: int
    known_at: int | None
    activation_number: int | None = None
    table_version: str | None = None
    is_past: bool = False

    def wire(self) -> dict[str, Any]:
        """As answers show it."""
        return {
            "logSize": self.log_size,
            "knownAt": None if self.known_at is None else shown(self.known_at),
            "activationNumber": self.activation_number,
            "tableVersion": self.table_version,
        }


async def as_of(ledger: LedgerParts, query: Query) -> AsOf:
    """What the answer may know. Raises `invalid-request`, and `not-ready` where the index has not come that far yet: an
    answer that is short, and says nothing of it, would be taken for whole."""
    at = instant(query, "knownAt")
    if at is not None and "logSize" in query:
        raise malformed("knownAt", "is given beside logSize", "Give one of them.")
    if at is not None and at > ledger.accesses.now():  # what will be known by then nobody can say, and it would change
        raise malformed("knownAt", "is later than now", "Use an instant that has passed, or leave it out.")
    indexed = await ledger.reads.indexed_size()
    if at is None and "logSize" not in query:
        _refuse_short(indexed, await _to_be_indexed(ledger, indexed))
        return AsOf(indexed, None)
    if at is not None:
        since = await ledger.reads.kept_since(ledger.origin)
        if since is None or at < since:
            told = "nothing is signed yet" if since is None else f"it is known since {shown(since)} only"
            raise malformed("knownAt", f"what was known then is not recorded: {told}", "Use a later one, or logSize.")
        size = await ledger.reads.known_at(ledger.origin, at)
        _refuse_short(indexed, size)
    elif (size := int(query["logSize"])) <= await ledger.reads.log_size():
        _refuse_short(indexed, size)
    else:  # more than there are: as much as a question without it
        _refuse_short(indexed, await _to_be_indexed(ledger, indexed))
        size = indexed
    number, version = await _rules_known(ledger, size)
    return AsOf(size, at, number, version, is_past=True)


async def _to_be_indexed(ledger: LedgerParts, indexed: int) -> int:
    """The entries that the index must hold by now. Of a gateway that was killed, and of which its data directory is
    asked, it lacks the last moments and will not come further."""
    at = ledger.accesses.now() - USUAL_LAG
    newest = await ledger.reads.last_kept(ledger.origin)
    if indexed and newest is not None and newest < at:
        at = newest - USUAL_LAG
    return await ledger.reads.known_at(ledger.origin, at)


def _refuse_short(indexed: int, wanted: int) -> None:
    if indexed < wanted:
        raise Problem(
            "not-ready",
            f"The index of the ledger has come to {indexed:,} entries, and the question is about {wanted:,}.",
            retry_after_s=2,
        )


async def asked_of(
    reads: Reads, ledger: LedgerParts, visibility: Visibility, visible: Visible, query: Query, end: int
) -> Asked:
    """The question about the first `end` entries. Raises `invalid-request` and `unknown-node`."""
    conditions: dict[str, Any] = {field: _values(query, name) for name, field in _FIELDS.items()}
    numbers = query.get("activationNumber")
    units, places, domain = place_of(query, visibility)
    if domain is not None:
        conditions["domain"] = frozenset({domain})
    traces, beside = await _traces(reads, ledger, query, visible)
    where = EntryFilter(
        **conditions,
        activation_number=None if numbers is None else frozenset(int(one) for one in numbers.split(",")),
        actor=frozenset({query["actor"]}) if "actor" in query else None,
        person=_person(query, ledger),
        business_unit=units,
        geography=places,
        trace=traces,
        places=beside,
        at_from=instant(query, "atFrom"),
        at_until=instant(query, "atUntil"),
    )
    return Asked(where=where, end=end, visible=visible)


def _values(query: Query, name: str) -> Values | None:
    if name not in query:
        return None
    values = query[name].split(",")
    for value in values:
        if name in _KNOWN and value not in _KNOWN[name]:
            raise malformed(name, f"{value!r} is not one that is known here", f"Use {', '.join(_KNOWN[name])}.")
    return frozenset(values)


def place_of(query: Query, visibility: Visibility) -> tuple[frozenset[str] | None, frozenset[str] | None, str | None]:
    """Business units, geographies, and the domain that `slice` names."""
    if "slice" not in query:
        return visibility.filtered("businessUnit", query), visibility.filtered("geography", query), None
    for name in ("domain", "businessUnit", "geography"):
        if name in query:
            raise malformed("slice", f"is given beside {name}", "Give one of them.")
    domain, unit, place = query["slice"].split(".")
    if domain not in DOMAINS:
        raise malformed("slice", f"{domain!r} is no domain", f"Use one of {', '.join(DOMAINS)}.")
    named = {"businessUnit": unit, "geography": place}
    return visibility.filtered("businessUnit", named), visibility.filtered("geography", named), domain


def _person(query: Query, ledger: LedgerParts) -> Values | None:
    name = query.get("person")
    if name is None:
        return None
    return frozenset({name if _COMMITMENT.fullmatch(name) else ledger.accesses.commitment_of(name)})


async def _traces(
    reads: Reads, ledger: LedgerParts, query: Query, visible: Visible
) -> tuple[Values | None, tuple[int, ...]]:
    """The traces that `trace`, `lineageId` and `documentId` mean, of which all must hold, and the places of entries
    that belong to such a lineage or document without being of its transactions. Raises `invalid-request`."""
    found: Values | None = frozenset(query["trace"].split(",")) if "trace" in query else None
    named, lineages = found, set[str]()
    for name, where in (
        ("lineageId", TransactionFilter(lineage_id=query.get("lineageId"))),
        ("documentId", TransactionFilter(document_id=query.get("documentId"))),
    ):
        if name in query:
            records = await reads.transactions(where, visible, MOST_TRACES + 1, None)
            if len(records) > MOST_TRACES:  # what is left out would be missing in counts, sums and exports as well
                raise malformed(
                    name,
                    f"has more than {MOST_TRACES:,} transactions",
                    f"GET /v1/ledger/traces?{name}=… names them: ask with `trace` for up to {MOST_VALUES} at once.",
                )
            ids: Values = frozenset(one.transaction_id for one in records)
            found = ids if found is None else found & ids
            of_these = {query["lineageId"]} if name == "lineageId" else {one.lineage_id for one in records}
            lineages = of_these if not lineages else lineages & of_these
    beside = [one for lineage_id in sorted(lineages) for one in await ledger.reads.entries_beside(lineage_id)]
    return found, tuple(
        one.log_index
        for one in beside
        if one.log_index is not None
        and (named is None or one.trace in named)
        and query.get("documentId") in (None, one.document_id)
    )


async def _rules_known(ledger: LedgerParts, size: int) -> tuple[int | None, str | None]:
    """The activation whose entry was the last among the first `size` of the log."""
    number, version = None, None
    asked = Asked(where=EntryFilter(kind=frozenset({EntryKind.ACTIVATED.value})), end=size)
    async for rows in all_rows(ledger.reads, asked):
        for one in rows:
            if one.activation_number is not None and one.activation_number >= (number or 0):
                number, version = one.activation_number, one.table_version
    return number, version
