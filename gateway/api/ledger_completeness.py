"""/v1/ledger/completeness: a source's own list of what it sent, beside what was accepted from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from litestar import post
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from gateway.api.answer import Answer
from gateway.api.body import read_body
from gateway.api.draft_bodies import ReadBody
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded
from gateway.api.ledger_completeness_schemas import CompletenessAnswer, SentDocument, SentList
from gateway.api.ledger_examples import COMPLETENESS, SENT
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import read_query
from gateway.api.visibility import Visibility
from gateway.domain.caller import DataScope
from gateway.domain.wire import transaction_wire
from gateway.errors import Problem
from gateway.ledger.completeness import Completeness, Sent, compare
from gateway.store.named_documents import MOST_SENT

LONGEST: Final = timedelta(days=366)
MOST_SHOWN: Final = 1_000
"""Of each kind of difference; `acceptedCount` and `agreedCount` are of all."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ledger_completeness_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Compare. A caller without `ledger:read` compares its own source only."""
    path = f"{PATH}/completeness"

    @post(
        path,
        operation_id="checkCompleteness",
        summary="Compare a source's own list of what it sent with what was accepted: what is missing on either side",
        tags=["ledger"],
        status_code=200,
        opt=described(
            any_scope_of("ledger:read", "documents:submit"),
            Operation(
                body=SentList,
                answers={200: CompletenessAnswer},
                problems=("request-timeout", "too-large", "unsupported-media-type", "invalid-document", "out-of-scope"),
                example=SENT,
                answer_examples={200: COMPLETENESS},
            ),
        ),
    )
    async def completeness(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        raw = await read_body(exchange_of(request.scope), request.receive, parts.limits)
        asked = ReadBody(raw, parts.limits).of(SentList)
        caller = caller_of(request.scope)
        source = asked.source or caller.source
        if source != caller.source and "ledger:read" not in caller.scopes:
            raise Problem(
                "out-of-scope",
                f"The list of {source} is compared for {source} itself, or for the scope ledger:read; this token is of "
                f"{caller.source}.",
                remedy=f"Leave `source` out to compare the list of {caller.source}. For another source, use a token of "
                f"that source, or have an auditor compare it: a token with the scope ledger:read compares any.",
            )
        _check(asked)
        ledger, visible = ledger_of(parts), visibility.of(caller)
        since, until = _micros(asked.sent_from), _micros(asked.sent_until)
        inside = await ledger.reads.created_between(source, asked.domain, since, until, visible)
        if len(inside) > MOST_SENT:
            raise malformed(
                "sentUntil",
                f"the period has more than {MOST_SENT:,} documents",
                "Compare shorter periods, or one domain.",
            )
        names = sorted({one.external_id for one in asked.documents})
        elsewhere = await ledger.reads.created_as(source, names, asked.domain, visible)
        sent = [
            Sent(
                one.external_id,
                None if one.amount is None else Decimal(one.amount),
                one.currency_code,
                one.content_hash,
                one.domain or asked.domain,
            )
            for one in asked.documents
        ]
        found = compare(sent, inside, elsewhere)
        content = _wire(found, source, len(sent), len(inside)) | {"dataScope": _scope(caller.data_scope)}
        told = {
            "source": source,
            "domain": asked.domain,
            "sentFrom": asked.sent_from.isoformat(),
            "sentUntil": asked.sent_until.isoformat(),
            "listed": len(sent),
            "documents": [_told(one) for one in asked.documents],  # names and amounts can be tried out: it says which
        }
        return await recorded(parts, request, path, told, content, rows=len(inside))

    return [completeness]


def _told(one: SentDocument) -> dict[str, str]:
    members = {
        "externalId": one.external_id,
        "domain": one.domain,
        "amount": one.amount,
        "currencyCode": one.currency_code,
        "contentHash": one.content_hash,
    }
    return {name: value for name, value in members.items() if value is not None}


def _check(asked: SentList) -> None:
    _check_domain("domain", asked.domain)
    for number, one in enumerate(asked.documents):
        member = f"documents[{number}].domain"
        _check_domain(member, one.domain)
        if None not in (one.domain, asked.domain) and one.domain != asked.domain:
            raise malformed(member, "is not the domain of the list", "Leave the list's domain out.")
    if not asked.sent_from < asked.sent_until <= asked.sent_from + LONGEST:
        raise malformed("sentUntil", "is not after sentFrom, or more than a year after it", "Give a period of days.")


def _check_domain(member: str, domain: str | None) -> None:
    if domain is not None and domain not in DOMAINS:
        raise malformed(member, "is no domain", f"Use one of {', '.join(DOMAINS)}.")


def _scope(scope: DataScope) -> dict[str, Any] | None:
    """What the comparison was within: what lies outside is not there, and must not look as if it were missing."""
    if scope == DataScope():
        return None
    units, places = scope.business_units, scope.geographies
    return {
        "businessUnits": None if units is None else sorted(units),
        "geographies": None if places is None else sorted(places),
    }


def _micros(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _wire(found: Completeness, source: str, listed: int, accepted: int) -> dict[str, Any]:
    return {
        "source": source,
        "listedCount": listed,
        "acceptedCount": accepted,
        "agreedCount": found.agreed,
        "unnamedCount": found.unnamed,
        "missingHereCount": len(found.missing_here),
        "missingThereCount": len(found.missing_there),
        "missingHere": [one.external_id for one in found.missing_here[:MOST_SHOWN]],
        "missingHereDocuments": [
            {"externalId": one.external_id, "domain": one.domain} for one in found.missing_here[:MOST_SHOWN]
        ],
        "missingThere": [transaction_wire(one) for one in found.missing_there[:MOST_SHOWN]],
        "otherPeriod": [transaction_wire(one) for one in found.other_period[:MOST_SHOWN]],
        "differing": [
            {
                "externalId": one.external_id,
                "transactionId": one.transaction_id,
                "members": list(one.fields),
                "domain": one.domain,
            }
            for one in found.differing[:MOST_SHOWN]
        ],
        "repeated": [one.external_id for one in found.repeated[:MOST_SHOWN]],
        "ambiguousCount": len(found.ambiguous),
        "ambiguous": list(found.ambiguous[:MOST_SHOWN]),
        "isComplete": found.is_complete,
    }
