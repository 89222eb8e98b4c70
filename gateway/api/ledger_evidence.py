"""/v1/ledger/evidence: a signed pack about a transaction, a lineage, a change of the rules or a sample."""

from __future__ import annotations

from typing import Any, Final

from litestar import post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.auditing import recorded_itself
from gateway.api.body import read_body
from gateway.api.draft_bodies import ReadBody
from gateway.api.evidence_schemas import EvidenceRequest
from gateway.api.evidence_subjects import subject_of
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, asker_of, ledger_of, record_if_nothing
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.visibility import Visibility
from gateway.domain.caller import DataScope
from gateway.errors import Problem
from gateway.ledger.evidence.subjects import For

ZIP: Final = "application/zip"
_EXAMPLE: Final[dict[str, Any]] = {"about": "lineage", "lineageId": "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
_EVERYTHING: Final = DataScope()


def ledger_evidence_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Make one. What documents say is in it for the scope documents:read, as far as the data scope goes."""
    path = f"{PATH}/evidence"

    @post(
        path,
        operation_id="makeEvidencePack",
        summary="Make a signed evidence pack (zip) about a transaction, a lineage, a change of the rules or a sample",
        tags=["ledger"],
        status_code=200,
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                body=EvidenceRequest,
                answers={200: None},
                answer_media_type=ZIP,
                answer_examples={200: "PK…"},
                problems=(
                    "request-timeout",
                    "too-large",
                    "unsupported-media-type",
                    "invalid-document",
                    "out-of-scope",
                    "not-found",
                    "unknown-node",
                    "not-ready",
                ),
                example=_EXAMPLE,
            ),
        ),
    )
    async def evidence(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        raw = await read_body(exchange_of(request.scope), request.receive, parts.limits)
        asked = ReadBody(raw, parts.limits).of(EvidenceRequest)
        desk = ledger_of(parts).evidence
        if desk is None:
            raise Problem("not-ready", "This process makes no evidence packs.", retry_after_s=30)
        caller = caller_of(request.scope)
        whose = For(
            visible=visibility.of(caller),
            sees_all=caller.data_scope == _EVERYTHING,
            reads_payloads="documents:read" in caller.scopes,
            held_size=asked.held_size,
        )
        record_if_nothing(parts, request, path, asked.model_dump(mode="json", by_alias=True, exclude_none=True))
        pack = await desk.make(subject_of(asked, visibility.filtered), whose, asker_of(request))
        recorded_itself(exchange_of(request.scope))
        return Answer(200, pack.archive, ZIP.encode("ascii"))

    return [evidence]
