"""/v1/ledger/entries: what a filter finds among all entries, page by page or as an export; counts and sums."""

from __future__ import annotations

from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded
from gateway.api.ledger_examples import ENTRIES, SUMMARY
from gateway.api.ledger_filters import FILTER, as_of, asked_of
from gateway.api.ledger_schemas import LedgerEntryPage, LedgerSummaryAnswer
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import CURSOR, PAGE_SIZE, Parameter, page_size, read_query
from gateway.api.visibility import Visibility
from gateway.domain.entry_groups import GROUPS
from gateway.ledger.archived_months import archived_months_of
from gateway.ledger.entry_pages import read_page
from gateway.ledger.entry_sums import sum_up
from gateway.ledger.entry_wire import entries_of

ENTRIES_PATH: Final = f"{PATH}/entries"
PLACE: Final = "(0|[1-9][0-9]{0,17})"
"""A place in the log, as cursors hold it."""

_MOST_GROUPED: Final = 4
_GROUP_BY: Final = Parameter(
    "groupBy",
    rf"[a-zA-Z]{{1,20}}(,[a-zA-Z]{{1,20}}){{0,{_MOST_GROUPED - 1}}}",
    f"What to group by, up to {_MOST_GROUPED} of {', '.join(GROUPS)}; nothing: all in one.",
    "kind,month",
)


def ledger_entry_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Pages and sums. What lies outside the caller's data scope is neither shown nor counted."""
    return [_pages(parts, visibility), _summary(parts, visibility)]


def _pages(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    query_parameters = (*FILTER, CURSOR, PAGE_SIZE)

    @get(
        ENTRIES_PATH,
        operation_id="listLedgerEntries",
        summary="Find entries of the ledger: by kind, rule, person, slice, time; now or as of then",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: LedgerEntryPage},
                query=query_parameters,
                problems=("unknown-node",),
                answer_examples={200: ENTRIES},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], query_parameters, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(ENTRIES_PATH, query, PLACE)
        ledger = ledger_of(parts)
        then = await as_of(ledger, query)
        asked = await asked_of(
            parts.reads, ledger, visibility, visibility.of(caller_of(request.scope)), query, then.log_size
        )
        page = await read_page(ledger.reads, asked, -1 if after is None else int(after), size)
        items = await entries_of(ledger.reads, page.rows)
        following = None if page.next_after is None else make_cursor(ENTRIES_PATH, query, str(page.next_after))
        content = {"items": items, "nextCursor": following, "asOf": then.wire()}
        return await recorded(parts, request, ENTRIES_PATH, query, content, rows=len(items))

    return listing


def _summary(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    path, query_parameters = f"{PATH}/summary", (_GROUP_BY, *FILTER)

    @get(
        path,
        operation_id="summarizeLedger",
        summary="Count entries of the ledger by group, and sum what they bear, exactly",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: LedgerSummaryAnswer},
                query=query_parameters,
                problems=("unknown-node",),
                answer_examples={200: SUMMARY},
            ),
        ),
    )
    async def summary(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], query_parameters, parts.limits)
        names = query["groupBy"].split(",") if "groupBy" in query else []
        for name in names:
            if name not in GROUPS or names.count(name) > 1:
                raise malformed("groupBy", f"{name!r} cannot be grouped by, or twice", f"Use {', '.join(GROUPS)}.")
        ledger = ledger_of(parts)
        then = await as_of(ledger, query)
        asked = await asked_of(
            parts.reads, ledger, visibility, visibility.of(caller_of(request.scope)), query, then.log_size
        )
        groups: list[dict[str, Any]] = [
            {
                "key": dict(zip(names, one.key, strict=True)),
                "entryCount": one.entries,
                "sums": [
                    {
                        "kind": money.kind,
                        "currencyCode": money.currency_code,
                        "amount": format(money.amount, "f"),
                        "entryCount": money.entries,
                    }
                    for money in one.sums
                ],
            }
            for one in await sum_up(ledger.reads, asked, [GROUPS[name] for name in names])
        ]
        archived = [str(one) for one in await archived_months_of(ledger.reads, asked)]
        content = {"groups": groups, "archivedMonths": archived, "asOf": then.wire()}
        return await recorded(parts, request, path, query, content, rows=len(groups))

    return summary
