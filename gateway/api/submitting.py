"""From a request to the line: a new document."""

from __future__ import annotations

from typing import Any

from litestar.types import Receive

from gateway.api.answer import Answer
from gateway.api.body import read_body
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.new_customer_links import new_customer_links
from gateway.api.outcome import answer_of
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.queueing import queued
from gateway.api.resources import Resource
from gateway.api.submission import read_submission
from gateway.api.versions import version_made
from gateway.api.visibility import Visibility
from gateway.domain.new_customer import about_the_customer
from gateway.transactions.commands import Create


async def submit(parts: AppParts, visibility: Visibility, resource: Resource, scope: Any, receive: Receive) -> Answer:
    """Submit the document in the body, and answer as far as the line came in the caller's time.

    Raises DomainNotServed for a domain that the rulebook in force has no table for.
    """
    exchange = exchange_of(scope)
    caller = caller_of(scope)
    parts.rulebook().table(resource.domain)
    read_query(scope["query_string"], (), parts.limits)
    raw = await read_body(exchange, receive, parts.limits)
    submission = read_submission(raw, exchange.header(b"idempotency-key"), resource.model, parts.limits)
    visibility.check(caller, submission.document)
    if submission.new_customer is not None:
        with about_the_customer():
            visibility.check(caller, submission.new_customer)
    wait_s, queueing = queued(exchange, caller, parts.bulk_clients)
    answer = await parts.submissions.submit(
        Create(
            caller=caller,
            document=submission.document,
            idempotency_key=submission.idempotency_key,
            replaces=submission.replaces,
            wait_s=wait_s,
            traceparent=exchange.trace.traceparent,
            queueing=queueing,
            new_customer=submission.new_customer,
        )
    )
    links = await new_customer_links(parts.reads, answer.transaction, is_new=not answer.replayed)
    return answer_of(exchange, answer, await version_made(parts.reads, answer.transaction), links=links)
