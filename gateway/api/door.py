"""The outermost layer: every request passes here once, and every answer leaves here once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from litestar.types import ASGIApp, Receive, Send
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer, TraceState

from gateway.api.addresses import Network
from gateway.api.answer import Answer, problem_answer
from gateway.api.counterparts import headers_of
from gateway.api.exchange import Exchange, enter
from gateway.api.failures import problem_of
from gateway.api.leaving import Leaving
from gateway.api.limits import Limits
from gateway.api.problems import KINDS
from gateway.api.rates import Quota, Rates
from gateway.auth import Authenticator, KeysUnavailable, TokenRefused
from gateway.errors import Problem
from gateway.ledger.api_uses import ApiUses
from gateway.telemetry import Metrics, TraceContext, parse_traceparent, trace_of_log_lines

_UNMATCHED: Final = "unmatched"
_BEFORE_THE_GUARD: Final = frozenset({"not-found", "method-not-allowed"})
"""What the router refuses before the guard has looked at the token."""
_log = structlog.get_logger("gateway.api")


class Door:
    """An ASGI layer: trace context in and out, refused heads, numbers, spans, and no exception beyond it.

    `authenticator`: tells who asks for an address that is none. `proxies`: networks whose word on a caller's address is
    taken. `leaving`: whether the process is about to end. `uses`: counts requests of callers whose token is good.
    """

    def __init__(
        self,
        inner: ASGIApp,
        limits: Limits,
        authenticator: Authenticator,
        rates: Rates,
        proxies: Sequence[Network],
        metrics: Metrics,
        tracer: Tracer | None,
        leaving: Leaving,
        uses: ApiUses | None = None,
    ) -> None:
        self._inner = inner
        self._leaving = leaving
        self._uses = uses
        self._limits = limits
        self._authenticator = authenticator
        self._rates = rates
        self._proxies = proxies
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = enter(scope)
        status = 0  # where an answer is broken off
        try:
            if self._tracer is None:
                status = await self._pass(exchange, scope, receive, send)
            else:
                status = await self._pass_in_span(self._tracer, exchange, scope, receive, send)
        finally:
            if self._uses is not None and exchange.use is not None:
                self._uses.note(exchange.use, status)
        route = _route(scope)
        self._metrics.request(route, str(scope["method"]), status, time.perf_counter() - started)

    async def _pass_in_span(self, tracer: Tracer, exchange: Exchange, scope: Any, receive: Receive, send: Send) -> int:
        parent = exchange.header(b"traceparent")
        caller = parse_traceparent(parent) if parent is not None else None
        method = str(scope["method"])
        with tracer.start_as_current_span(
            method,
            context=None if caller is None else _parent(caller, exchange.trace_state),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method},
        ) as span:
            context = span.get_span_context()
            exchange.trace = TraceContext(
                f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags & 1
            )
            status = await self._pass(exchange, scope, receive, send)
            route = _route(scope)
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(StatusCode.ERROR)
            return status

    async def _pass(self, exchange: Exchange, scope: Any, receive: Receive, send: Send) -> int:
        """The status that was answered; 499 if the caller left before."""
        status = 0

        async def answer(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers_of(exchange)]
                if self._leaving.begun:
                    # RFC 9112 section 9.6: whoever keeps connections opens the next one elsewhere
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        remembered = trace_of_log_lines.set(exchange.trace_id)
        try:
            refusal = exchange.refusal(self._limits.header_bytes)
            if refusal is None and not is_address(scope["path"]):
                refusal = Problem("not-found", "There is no such address.")
            if refusal is not None:
                await (await self._refuse(exchange, refusal))(scope, receive, answer)
            else:
                await self._inner(scope, receive, answer)
        except Exception as error:
            if status:
                # The head is out: all that is left is to cut the connection and to say so here.
                _log.error("answer_broken_off", exc_info=error)
                raise
            try:
                await (await self._refuse(exchange, problem_of(error)))(scope, receive, answer)
            except Exception as unrecorded:  # that an auditor asked for what is not there
                if status:
                    raise
                await (await self._refuse(exchange, problem_of(unrecorded)))(scope, receive, answer)
        finally:
            trace_of_log_lines.reset(remembered)
        if status >= 500:
            _log.warning("failed", status=status, route=_route(scope))
        elif status in {401, 403}:
            _log.info("refused", status=status, route=_route(scope))
        return status or 499

    async def _refuse(self, exchange: Exchange, problem: Problem) -> Answer:
        """The answer to a refused request. A refusal of somebody unknown counts against the address: a caller with a
        good token is never refused for what others do at its address."""
        if exchange.identity is None and KINDS[problem.slug].status < 500:
            exchange.quota = await self._quota_of_somebody(exchange, problem)
            try:
                if exchange.quota is not None:
                    exchange.quota.check()
            except Problem as limited:
                problem = limited
        return problem_answer(exchange, problem)

    async def _quota_of_somebody(self, exchange: Exchange, problem: Problem) -> Quota | None:
        """Of the client, if the router refused before anybody looked at its good token; else of the address."""
        if problem.slug in _BEFORE_THE_GUARD:
            try:
                exchange.identity = await self._authenticator.authenticate(exchange.header(b"authorization"))
                return self._rates.of_client(exchange.identity.caller.client)
            except (TokenRefused, KeysUnavailable):
                pass  # nobody whom we know; the answer is the refusal that it was
        return self._rates.of_address(exchange.address(self._proxies))


def _parent(caller: TraceContext, state: bytes | None) -> Context:
    """The caller's place and what its tracing systems want to get back, for spans and calls below."""
    place = SpanContext(
        int(caller.trace_id, 16),
        int(caller.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(caller.flags),
        trace_state=None if state is None else TraceState.from_header([state.decode("ascii")]),
    )
    return trace.set_span_in_context(NonRecordingSpan(place))


def is_address(path: str) -> bool:
    """Whether the path can be one of ours: no segment is empty, at its end neither. The framework would read it as if
    they were not there, and every resource had many addresses."""
    return "//" not in path and (path == "/" or not path.endswith("/"))


def _route(scope: Any) -> str:
    """The route's template: a path may hold what its caller should not have put there."""
    return str(scope.get("path_template") or _UNMATCHED)
