"""The HTTP application, from the parts that are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler

from gateway.api.adoptions import adoption_routes
from gateway.api.auditing import AuditedReads
from gateway.api.batches import batch_routes
from gateway.api.capabilities import capability_routes
from gateway.api.cutover_overlays import overlay_routes
from gateway.api.cutover_periods import period_routes
from gateway.api.dark import dark_routes
from gateway.api.description import description_routes
from gateway.api.documents import document_routes
from gateway.api.domains import RESOURCES
from gateway.api.door import Door
from gateway.api.draft_steps import draft_step_routes
from gateway.api.drafts import draft_routes
from gateway.api.erasures import erasure_routes
from gateway.api.exception_bulks import bulk_routes
from gateway.api.exception_moves import move_routes
from gateway.api.exceptions import exception_routes
from gateway.api.guard import Guard
from gateway.api.health import health_routes
from gateway.api.ledger_routes import ledger_routes
from gateway.api.legal_holds import hold_routes
from gateway.api.lineages import lineage_routes
from gateway.api.log import log_routes
from gateway.api.measurements import measurement_routes
from gateway.api.methods import EveryMethod
from gateway.api.openapi import describe
from gateway.api.parts import AppParts
from gateway.api.past_decisions import past_decision_routes
from gateway.api.problem_pages import problem_routes
from gateway.api.queues import queue_routes
from gateway.api.rates import Rates
from gateway.api.replays import replay_routes
from gateway.api.routing import routing_routes
from gateway.api.rulebooks import rulebook_routes
from gateway.api.simulations import simulation_routes
from gateway.api.slice_rollback import slice_rollback_routes
from gateway.api.slices import slice_routes
from gateway.api.transactions import transaction_routes
from gateway.api.visibility import Visibility


def create_app(parts: AppParts) -> Litestar:
    """The application. Nothing is started here; the server's lifespan does that."""
    return _app(
        parts, [*routes(parts), *description_routes(lambda: describe(routes(parts), parts.limits), parts.limits)]
    )


def create_watched_app(parts: AppParts) -> Litestar:
    """What a process without an API shows of itself: /health and /metrics."""
    return _app(parts, [*health_routes(parts), *measurement_routes(parts)])


def _app(parts: AppParts, handlers: Sequence[HTTPRouteHandler]) -> Litestar:
    rates = Rates(parts.rates, parts.monotonic_ns)
    audited = None if parts.ledger is None else AuditedReads(parts.ledger)
    app = Litestar(
        route_handlers=handlers,
        guards=[Guard(parts.authenticator, rates, parts.scope_uses, audited)],
        exception_handlers={Exception: _to_the_door},
        on_startup=list(parts.on_startup),
        on_shutdown=list(parts.on_shutdown),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=parts.limits.body_bytes,
        debug=False,
    )
    # Outside of Litestar's routing, so that addresses that do not exist pass the same door.
    app.asgi_handler = Door(
        EveryMethod(app),
        parts.limits,
        parts.authenticator,
        rates,
        parts.proxies,
        parts.metrics,
        parts.tracer,
        parts.leaving,
        parts.api_uses,
    )
    return app


def routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """All that the API description tells of."""
    visibility = Visibility(parts.rulebook)
    return [
        *(handler for resource in RESOURCES for handler in document_routes(resource, parts, visibility)),
        *transaction_routes(parts, visibility),
        *past_decision_routes(parts, visibility),
        *lineage_routes(parts, visibility),
        *log_routes(parts, visibility),
        *ledger_routes(parts, visibility),
        *erasure_routes(parts),
        *hold_routes(parts),
        *routing_routes(parts, visibility),
        *capability_routes(parts, visibility),
        *draft_routes(parts),
        *draft_step_routes(parts),
        *simulation_routes(parts),
        *dark_routes(parts),
        *rulebook_routes(parts),
        *slice_rollback_routes(parts, visibility),
        *overlay_routes(parts),
        *period_routes(parts),
        *slice_routes(parts, visibility),
        *adoption_routes(parts),
        *exception_routes(parts, visibility),
        *move_routes(parts, visibility),
        *bulk_routes(parts, visibility),
        *batch_routes(parts),
        *replay_routes(parts, visibility),
        *queue_routes(parts),
        *health_routes(parts),
        *measurement_routes(parts),
        *problem_routes(parts),
    ]


def _to_the_door(_request: Request[Any, Any, Any], error: Exception) -> NoReturn:
    """Litestar would answer in its own words: let the door answer."""
    raise error
