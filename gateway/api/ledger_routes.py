"""All addresses of auditors' questions."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.api.ledger_accesses import ledger_access_routes
from gateway.api.ledger_completeness import ledger_completeness_routes
from gateway.api.ledger_entries import ledger_entry_routes
from gateway.api.ledger_evidence import ledger_evidence_routes
from gateway.api.ledger_exports import ledger_export_routes
from gateway.api.ledger_named import ledger_named_routes
from gateway.api.ledger_traces import ledger_trace_routes
from gateway.api.ledger_unended import ledger_unended_routes
from gateway.api.ledger_views import ledger_view_routes
from gateway.api.parts import AppParts
from gateway.api.visibility import Visibility


def ledger_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """In the order in which they are documented."""
    return [
        *ledger_trace_routes(parts, visibility),
        *ledger_entry_routes(parts, visibility),
        *ledger_export_routes(parts, visibility),
        *ledger_unended_routes(parts, visibility),
        *ledger_named_routes(parts, visibility),
        *ledger_view_routes(parts, visibility),
        *ledger_access_routes(parts),
        *ledger_completeness_routes(parts, visibility),
        *ledger_evidence_routes(parts, visibility),
    ]
