"""/v1/ledger/access and /v1/ledger/queries: who used which scope, and who asked the ledger what."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.guard import any_scope_of
from gateway.api.identifiers import ID_PATTERN
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded, refuse_a_part_of_it
from gateway.api.ledger_examples import ACCESS_REVIEW, RECORDED_QUERIES
from gateway.api.ledger_parts import LedgerParts
from gateway.api.ledger_schemas import AccessReviewAnswer, RecordedQueryPage
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import CURSOR, INSTANT, PAGE_SIZE, Parameter, Query, instant, page_size, read_query
from gateway.domain.accesses import AccessRecord, ScopeUseSum
from gateway.domain.wire import instant as shown
from gateway.ledger.scope_uses import HOUR
from gateway.store.accesses import MOST_USES

MOST_SHOWN: Final = 2_000_000
"""Characters of filters after which a page of questions ends: one alone may be a list of thousands of documents."""
_FOR_EVER: Final = 2**60
_MONTH: Final = 31 * 24 * HOUR
_CURSOR: Final = rf"[0-9]{{1,18}}\.{ID_PATTERN}"


def _period(of: str) -> tuple[Parameter, Parameter]:
    return (
        Parameter(f"{of}From", INSTANT, "At or after this instant.", "2026-11-01T00:00:00Z", form="date-time"),
        Parameter(f"{of}Until", INSTANT, "Before this instant.", "2026-12-01T00:00:00Z", form="date-time"),
    )


_REVIEWED: Final = _period("used")
_ASKED: Final = (*_period("asked"), CURSOR, PAGE_SIZE)


def ledger_access_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Review and list; for callers whose data scope is unrestricted."""
    return [_review(parts), _queries(parts)]


def _review(parts: AppParts) -> HTTPRouteHandler:
    path = f"{PATH}/access"

    @get(
        path,
        operation_id="reviewAccess",
        summary="Review who used which scope in a period, by issuer and team; by default the last 31 days",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: AccessReviewAnswer},
                query=_REVIEWED,
                problems=("out-of-scope",),
                answer_examples={200: ACCESS_REVIEW},
            ),
        ),
    )
    async def review(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _REVIEWED, parts.limits)
        refuse_a_part_of_it(request, "A review shows callers")
        ledger = ledger_of(parts)
        until = instant(query, "usedUntil") or parts.clock.now() + 1
        since = instant(query, "usedFrom")
        since = until - _MONTH if since is None else since
        _check_period("used", since, until)
        since -= since % HOUR
        uses = await ledger.reads.scope_use_sums(since, until)
        content = {
            "usedFrom": shown(max(since, 0)),
            "usedUntil": shown(until),
            "items": [_use(one) for one in uses],
            "byIssuer": _totals([(one.scope, one.issuer, one) for one in uses]),
            "byTeam": _totals([(one.scope, team, one) for one in uses for team in json.loads(one.teams)]),
            "isCut": len(uses) >= MOST_USES,
        }
        return await recorded(parts, request, path, query, content, rows=len(uses))

    return review


def _queries(parts: AppParts) -> HTTPRouteHandler:
    path = f"{PATH}/queries"

    @get(
        path,
        operation_id="listLedgerQueries",
        summary="List who asked the ledger what, and what was exported, newest first",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: RecordedQueryPage},
                query=_ASKED,
                problems=("out-of-scope",),
                answer_examples={200: RECORDED_QUERIES},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _ASKED, parts.limits)
        size, after = page_size(query, parts.limits), _behind(read_cursor(path, query, _CURSOR))
        refuse_a_part_of_it(request, "The list shows questions")
        ledger = ledger_of(parts)
        since, until = instant(query, "askedFrom") or 0, instant(query, "askedUntil") or _FOR_EVER
        _check_period("asked", since, until)
        found = list(await ledger.reads.accesses(since, until, size + 1, after))
        items, weight = list[dict[str, Any]](), 0
        for one in found[:size]:
            items.append(await _recorded(parts, ledger, one))
            weight += len(json.dumps(items[-1]["filter"]))
            if weight > MOST_SHOWN:
                break
        following = make_cursor(path, query, _place(found[len(items) - 1])) if len(found) > len(items) else None
        return await recorded(parts, request, path, query, {"items": items, "nextCursor": following}, rows=len(items))

    return listing


def _place(one: AccessRecord) -> str:
    """Where it stands in the list, as a cursor holds it."""
    return f"{one.asked_at}.{one.query_id}"


def _behind(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    asked_at, query_id = cursor.split(".")
    return int(asked_at), query_id


def _check_period(of: str, since: int, until: int) -> None:
    """Raises `invalid-request`: an empty answer would look as if nobody had done anything."""
    if since >= until:
        raise malformed(f"{of}From", f"is not before {of}Until", "Swap them, or leave one out.")


def _use(one: ScopeUseSum) -> dict[str, Any]:
    return {
        "scope": one.scope,
        "client": one.client,
        "person": one.person,
        "personName": one.name,
        "issuer": one.issuer,
        "teams": json.loads(one.teams),
        "uses": one.uses,
        "firstHourAt": shown(one.first_hour_at),
        "lastHourAt": shown(one.last_hour_at),
    }


def _totals(uses: Sequence[tuple[str, str, ScopeUseSum]]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    clients: dict[tuple[str, str], set[str]] = defaultdict(set)
    for scope, name, one in uses:
        counts[scope, name] += one.uses
        clients[scope, name].add(one.client)
    return [
        {"scope": scope, "name": name, "uses": counts[scope, name], "clientCount": len(clients[scope, name])}
        for scope, name in sorted(counts)
    ]


async def _recorded(parts: AppParts, ledger: LedgerParts, one: AccessRecord) -> dict[str, Any]:
    payload = await parts.reads.payload(one.payload_id)
    asked: Query | None = None
    if payload is not None and payload.body is not None:
        asked = json.loads(payload.body)["filter"]
    return {
        "queryId": one.query_id,
        "kind": one.kind,
        "state": one.state,
        "resource": one.resource,
        "filter": asked,
        "askedAt": shown(one.asked_at),
        "endedAt": None if one.ended_at is None else shown(one.ended_at),
        "client": one.client,
        "person": one.person,
        "personName": await ledger.reads.name_of(one.person),
        "issuer": one.issuer,
        "teams": json.loads(one.teams),
        "logSize": one.log_size,
        "rowCount": one.row_count,
        "answerHash": one.answer_hash,
    }
