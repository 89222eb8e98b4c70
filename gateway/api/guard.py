"""The one guard of all routes: a token, its scopes, and no route without a decision about both."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from gateway.api.auditing import AuditedReads
from gateway.api.exchange import exchange_of
from gateway.api.operations import OPERATION
from gateway.api.rates import Rates
from gateway.auth import Authenticator
from gateway.domain.caller import SCOPES, Caller
from gateway.errors import Problem
from gateway.ledger.api_uses import ApiUse
from gateway.ledger.scope_uses import ScopeUses, User

PUBLIC: Final = "public"
ANY_SCOPE_OF: Final = "any_scope_of"
_VERSIONED: Final = re.compile(r"/(?P<version>v[0-9]+)/")


def public() -> dict[str, Any]:
    """The options of a route that asks for no token."""
    return {PUBLIC: True}


def any_scope_of(*scopes: str) -> dict[str, Any]:
    """The options of a route that asks for one of these scopes."""
    unknown = set(scopes) - SCOPES
    if unknown or not scopes:
        raise ValueError(f"a route asks for known scopes, not {sorted(unknown)}")
    return {ANY_SCOPE_OF: frozenset(scopes)}


class Guard:
    """A Litestar guard for the whole application. Async, for a synchronous one would run in a thread pool.

    A route that says nothing (Litestar makes OPTIONS handlers by itself) demands a token all the same. `uses`: counts
    whom which scopes let pass. `audited`: records what auditors read.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        rates: Rates,
        uses: ScopeUses | None = None,
        audited: AuditedReads | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._uses = uses
        self._audited = audited

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises TokenRefused, KeysUnavailable, or the problems `rate-limited` and `forbidden`."""
        options = handler.opt
        exchange = exchange_of(connection.scope)
        operation = options.get(OPERATION)
        if operation is not None:
            exchange.deprecation = operation.deprecation
        if options.get(PUBLIC) is True:
            return
        exchange.identity = await self._authenticator.authenticate(exchange.header(b"authorization"))
        exchange.use = _use_of(exchange.identity.caller, handler, str(connection.scope["path_template"]))
        exchange.quota = self._rates.of_client(exchange.identity.caller.client)
        if exchange.quota is not None:
            exchange.quota.check()
        wanted: frozenset[str] | None = options.get(ANY_SCOPE_OF)
        if wanted is not None and exchange.identity.caller.scopes.isdisjoint(wanted):
            listed = sorted(wanted)
            raise Problem(
                "forbidden",
                f"The token carries none of the scopes {', '.join(listed)}.",
                extra={"requiredScopes": listed},
            )
        if wanted is not None and self._uses is not None:
            caller = exchange.identity.caller
            user = User(caller.client, caller.person_or_client, exchange.identity.issuer, caller.teams)
            self._uses.note(user, caller.scopes.intersection(wanted))
        if wanted is not None and self._audited is not None:
            self._audited.watch(connection.scope, exchange.identity, options, wanted)


def _use_of(caller: Caller, handler: BaseRouteHandler, path: str) -> ApiUse | None:
    """What is counted, by the words of the route; None for what the API description does not tell of, or has no
    version."""
    versioned, operation_id = _VERSIONED.match(path), getattr(handler, "operation_id", None)
    if versioned is None or not isinstance(operation_id, str):
        return None
    return ApiUse(caller.client, caller.source, versioned["version"], operation_id)


def caller_of(scope: Any) -> Caller:
    """Who calls; only behind the guard of a route that is not public."""
    identity = exchange_of(scope).identity
    if identity is None:
        raise RuntimeError("a public route has no caller")
    return identity.caller
