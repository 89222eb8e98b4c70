"""/v1/ledger/views: what operations read off the ledger, by month, slice and side; as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from gateway.api.answer import Answer
from gateway.api.auditing import recorded_itself
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, asker_of, ledger_of, recorded
from gateway.api.ledger_filters import place_of
from gateway.api.ledger_parts import LedgerParts
from gateway.api.ledger_view_examples import CSV, VIEWS
from gateway.api.ledger_view_schemas import (
    ApiUseAnswer,
    CompleteTracesAnswer,
    CycleTimeAnswer,
    InvoiceAccuracyAnswer,
    RecoveryTimeAnswer,
    ViewAnswered,
)
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import INSTANT, NODE, Parameter, Query, instant, read_query
from gateway.api.visibility import Visibility
from gateway.domain.months import Month
from gateway.domain.operational_views import (
    MOST_MONTHS,
    Grouping,
    View,
    ViewFilter,
    ViewRow,
    ViewTooWide,
    month_start,
    months_of,
)
from gateway.domain.queries import Visible
from gateway.domain.wire import instant as shown
from gateway.ledger.access_log import Question
from gateway.ledger.export_ends import csv_end
from gateway.ledger.scope_uses import HOUR
from gateway.ledger.view_wire import requests_wire, row_wire, view_csv

VIEWS_PATH: Final = f"{PATH}/views"
_EVERYTHING: Final = Visible()
_GROUPS: Final = "|".join(Grouping)
ASKED: Final = (
    Parameter(
        "acceptedFrom", INSTANT, "Accepted then or later (RFC 3339); by default since the month of acceptedUntil "
        f"began. At most {MOST_MONTHS} months.", "2026-11-01T00:00:00Z", form="date-time",
    ),
    Parameter(
        "acceptedUntil", INSTANT, "Accepted before (RFC 3339); by default now.", "2026-12-01T00:00:00Z",
        form="date-time",
    ),
    Parameter(
        "slice", r"[a-z_]{1,20}(\.[A-Za-z0-9_-]{1,32}){2}", "domain.businessUnit.geography.", "orders.Western.US"
    ),
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", values=tuple(DOMAINS)),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "Western"),
    Parameter("geography", NODE, "A geography, with all below it.", "US"),
    Parameter(
        "side", "[a-z]{1,10}", "Where it went, also with a part (whose rows have no side).", "cloud",
        values=("legacy", "cloud"),
    ),
    Parameter(
        "groupBy", f"({_GROUPS})(,({_GROUPS})){{0,2}}", "What the rows are apart by; by default month,slice,side.",
        "month,side",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Described:
    """How a view is described."""

    operation: str
    summary: str
    answer: type[ViewAnswered]


_DESCRIBED: Final[Mapping[View, _Described]] = {
    View.CYCLE_TIME: _Described(
        "CycleTime", "how long it takes from an order's acceptance to the posting of its payment", CycleTimeAnswer
    ),
    View.RECOVERY_TIME: _Described(
        "RecoveryTime", "how long it takes from a failure to the posting that makes it good", RecoveryTimeAnswer
    ),
    View.COMPLETE_TRACES: _Described(
        "CompleteTraces", "how many transactions have a complete trace", CompleteTracesAnswer
    ),
    View.INVOICE_ACCURACY: _Described(
        "InvoiceAccuracy", "how many invoices were posted without a correction", InvoiceAccuracyAnswer
    ),
    View.API_USE: _Described("ApiUse", "how many requests of each client were accepted", ApiUseAnswer),
}


def ledger_view_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Two addresses for each view. What lies outside the caller's data scope is not counted."""
    return [make(parts, visibility, view) for view in View for make in (_view, _export)]


async def viewed(
    ledger: LedgerParts, visibility: Visibility, visible: Visible, view: View, query: Query, *, rows_only: bool = False
) -> dict[str, Any]:
    """The view as answers show it; `rows_only`: as a CSV shows it. Raises `invalid-request` and `unknown-node`."""
    where, by = _asked(ledger, visibility, query)
    try:
        rows, archived = await _rows(ledger, view, where, visible, by)
        beside: dict[str, Any] = {}
        if view is View.API_USE and not rows_only:
            beside["requests"] = await _requests(ledger, where, visible, by)
    except ViewTooWide as error:
        raise malformed("acceptedFrom", str(error), "Ask for a shorter period, or for a part of it.") from error
    return {
        "acceptedFrom": shown(where.accepted_from),
        "acceptedUntil": shown(where.accepted_until),
        "groupBy": [one.value for one in by],
        "archivedMonths": [str(one) for one in archived],
        "items": [row_wire(view, one) for one in rows],
        **beside,
    }


async def _rows(
    ledger: LedgerParts, view: View, where: ViewFilter, visible: Visible, by: Sequence[Grouping]
) -> tuple[Sequence[ViewRow], Sequence[Month]]:
    """With the months of the period whose entries are in archives; one may be taken out while this is read."""
    gone = await ledger.reads.months_taken_out()
    while True:
        rows = await ledger.reads.view(view, where, visible, by, gone)
        archived = await ledger.reads.months_viewed(where, gone)
        before, gone = gone, await ledger.reads.months_taken_out()
        if gone == before:
            return rows, archived


async def _requests(
    ledger: LedgerParts, where: ViewFilter, visible: Visible, by: Sequence[Grouping]
) -> list[dict[str, Any]] | None:
    """Of the hours that the period touches; None where a part is asked for, or may be seen: a request has no slice."""
    if visible != _EVERYTHING or where != ViewFilter(
        accepted_from=where.accepted_from, accepted_until=where.accepted_until
    ):
        return None
    since = where.accepted_from - where.accepted_from % HOUR
    sums = await ledger.reads.api_use_sums(since, where.accepted_until, by_month=Grouping.MONTH in by)
    return [requests_wire(one) for one in sums]


def _view(parts: AppParts, visibility: Visibility, view: View) -> HTTPRouteHandler:
    path, about = f"{VIEWS_PATH}/{view}", _DESCRIBED[view]

    @get(
        path,
        operation_id=f"view{about.operation}",
        summary=f"Tell {about.summary}",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: about.answer}, query=ASKED, problems=("unknown-node",), answer_examples={200: VIEWS[view]}
            ),
        ),
    )
    async def answer(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], ASKED, parts.limits)
        visible = visibility.of(caller_of(request.scope))
        content = await viewed(ledger_of(parts), visibility, visible, view, query)
        rows = len(content["items"]) + len(content.get("requests") or ())
        return await recorded(parts, request, path, query, content, rows=rows)

    return answer


def _export(parts: AppParts, visibility: Visibility, view: View) -> HTTPRouteHandler:
    path, about = f"{VIEWS_PATH}/{view}.csv", _DESCRIBED[view]

    @get(
        path,
        operation_id=f"export{about.operation}",
        summary=f"Tell as CSV {about.summary}",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: None},
                answer_media_type="text/csv",
                query=ASKED,
                problems=("unknown-node",),
                answer_examples={200: CSV[view]},
            ),
        ),
    )
    async def export(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], ASKED, parts.limits)
        ledger = ledger_of(parts)
        visible = visibility.of(caller_of(request.scope))
        content = await viewed(ledger, visibility, visible, view, query, rows_only=True)
        body, rows = view_csv(view, content["items"]), len(content["items"])
        query_id, answer_hash = ledger.accesses.new_id(), sha256(body).hexdigest()
        question = Question(resource=path, filter=query, log_size=await ledger.reads.log_size())
        record = await ledger.accesses.export_begins(query_id, asker_of(request), question)
        await ledger.accesses.export_ends(record, rows, answer_hash, broken=False)
        recorded_itself(exchange_of(request.scope))
        last = csv_end({"queryId": query_id, "rows": rows, "sha256": answer_hash}, content["archivedMonths"])
        return Answer(200, body + last, b"text/csv; charset=utf-8")

    return export


def _asked(ledger: LedgerParts, visibility: Visibility, query: Query) -> tuple[ViewFilter, Sequence[Grouping]]:
    until = instant(query, "acceptedUntil")
    until = ledger.accesses.now() if until is None else until
    since = instant(query, "acceptedFrom")
    since = month_start(until - 1) if since is None else since
    if not 0 <= since < until:
        raise malformed("acceptedFrom", "is not before acceptedUntil", "Swap them, or leave one out.")
    if until - since > MOST_MONTHS * 31 * 86_400_000_000 or len(months_of(since, until)) > MOST_MONTHS:
        raise malformed(
            "acceptedFrom", f"is more than {MOST_MONTHS} months before acceptedUntil", "Ask for a shorter period."
        )
    units, places, domain = place_of(query, visibility)
    names = query["groupBy"].split(",") if "groupBy" in query else [one.value for one in Grouping]
    if len(set(names)) < len(names):
        raise malformed("groupBy", "names something twice", "Name each once.")
    where = ViewFilter(
        accepted_from=since,
        accepted_until=until,
        domain=domain or query.get("domain"),
        business_units=units,
        geographies=places,
        side=query.get("side"),
    )
    return where, [Grouping(one) for one in names]
