"""/v1/drafts: rulebooks that are being written: save, read, list, edit, discard."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post, put
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.draft_bodies import Closing, DraftContent
from gateway.api.draft_examples import DRAFT, DRAFT_CONTENT, DRAFT_PAGE, REVIEW
from gateway.api.draft_requests import BODY, EDIT, NAMED, BodyOf, desk_of, draft_id_of, etags_of, read_request
from gateway.api.draft_schemas import DraftAnswer, DraftPage, DraftReview
from gateway.api.draft_wire import draft_wire, review_wire
from gateway.api.etags import quoted
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.idempotency import idempotency_key
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import CURSOR, PAGE_SIZE, Parameter, page_size, read_query
from gateway.cutover.review import review_draft
from gateway.cutover.save_draft import Saving, discard_draft, edit_draft, save_draft
from gateway.domain.drafts import DraftRecord
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/drafts"
READS: Final = any_scope_of("ledger:read", "rules:edit", "rules:approve", "rules:activate", "rules:waive")
_EDITS: Final = any_scope_of("rules:edit")
_STATES: Final = ("open", "activated", "discarded")
_FILTERS: Final = (Parameter("state", "[a-z]{1,20}", "The state.", "open", values=_STATES), CURSOR, PAGE_SIZE)


def draft_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Save, read, list, edit, discard."""
    return [_save(parts), _listing(parts), _read(parts), _edit(parts), _discard(parts)]


def _save(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="saveDraft",
        summary="Save the files of a rulebook as a draft",
        tags=["rules"],
        opt=described(
            _EDITS,
            Operation(
                body=DraftContent,
                answers={201: DraftAnswer, 200: DraftAnswer},
                headers=NAMED,
                answer_headers={201: ("ETag",), 200: ("ETag", "Location")},
                problems=(*BODY, "in-flight", "stale", "policy-check-failed", "idempotency-key-reused"),
                example=DRAFT_CONTENT,
                answer_examples={201: DRAFT, 200: DRAFT | {"replayed": True}},
            ),
        ),
    )
    async def save(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        body = await read_request(parts, request)
        key = idempotency_key(exchange.header(b"idempotency-key"), body.key)
        desk = desk_of(parts)
        draft, replayed = await save_draft(desk.parts, caller_of(request.scope), _saving(body), key)
        desk.events_left()
        content = {**draft_wire(draft), "replayed": replayed}
        place = (b"location", f"{PATH}/{draft.draft_id}".encode())
        headers = [(b"etag", quoted(draft.etag)), place]
        return json_answer(exchange, content, 200 if replayed else 201, headers)

    return save


def _listing(parts: AppParts) -> HTTPRouteHandler:
    @get(
        PATH,
        operation_id="listDrafts",
        summary="List drafts, newest first",
        tags=["rules"],
        opt=described(READS, Operation(answers={200: DraftPage}, query=_FILTERS, answer_examples={200: DRAFT_PAGE})),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        found = list(await desk_of(parts).parts.reads.drafts(query.get("state"), size + 1, after))
        page = found[:size]
        following = make_cursor(PATH, query, page[-1].draft_id) if len(found) > size else None
        content = {"items": [draft_wire(one) for one in page], "nextCursor": following}
        return json_answer(exchange_of(request.scope), content)

    return listing


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{draftId:str}}",
        operation_id="getDraft",
        summary="Review a draft: what it changes, what stands against it, who did what, what its gates say",
        tags=["rules"],
        opt=described(
            READS,
            Operation(
                answers={200: DraftReview},
                answer_headers={200: ("ETag",)},
                problems=("not-found",),
                answer_examples={200: REVIEW},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = desk_of(parts)
        review = await review_draft(desk.parts, desk.analyses, draft_id_of(request))
        headers = [(b"etag", quoted(review.draft.etag))]
        return json_answer(exchange_of(request.scope), review_wire(review), headers=headers)

    return read


def _edit(parts: AppParts) -> HTTPRouteHandler:
    @put(
        f"{PATH}/{{draftId:str}}",
        operation_id="editDraft",
        summary="Save a draft anew, on what is in force; every approval of it is void then",
        tags=["rules"],
        opt=described(
            _EDITS,
            Operation(
                body=DraftContent,
                answers={200: DraftAnswer},
                headers=EDIT,
                answer_headers={200: ("ETag",)},
                problems=(
                    *BODY,
                    "not-found",
                    "stale",
                    "document-closed",
                    "policy-check-failed",
                    "precondition-required",
                ),
                example=DRAFT_CONTENT | {"ifMatch": "v1"},
                answer_examples={200: DRAFT | {"version": 2, "etag": "v2"}},
            ),
        ),
    )
    async def edit(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        demanded = etags_of(request, body)
        if demanded is None:
            raise Problem("precondition-required", "The edit names no version of the draft.")
        draft = await edit_draft(
            desk_of(parts).parts, caller_of(request.scope), draft_id_of(request), _saving(body), demanded
        )
        return _answer(parts, request, draft)

    return edit


def _discard(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/{{draftId:str}}/discard",
        operation_id="discardDraft",
        summary="Close a draft for good",
        tags=["rules"],
        status_code=200,
        opt=described(
            _EDITS,
            Operation(
                body=Closing,
                answers={200: DraftAnswer},
                headers=EDIT,
                answer_headers={200: ("ETag",)},
                problems=(*BODY, "not-found", "stale", "document-closed", "policy-check-failed"),
                example={"ifMatch": "v1"},
                answer_examples={200: DRAFT | {"state": "discarded"}},
            ),
        ),
    )
    async def discard(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        body.of(Closing)
        demanded = etags_of(request, body)
        draft = await discard_draft(desk_of(parts).parts, caller_of(request.scope), draft_id_of(request), demanded)
        return _answer(parts, request, draft)

    return discard


def _saving(body: BodyOf) -> Saving:
    content = body.of(DraftContent)
    names = [one.file_name for one in content.files]
    if len(set(names)) != len(names):
        raise Problem("invalid-document", "A file stands twice in the draft.")
    return Saving(
        title=content.title,
        files={one.file_name: one.text for one in content.files},
        base_activation_number=content.base_activation_number,
    )


def _answer(parts: AppParts, request: AnyRequest, draft: DraftRecord) -> Answer:
    desk_of(parts).events_left()
    content = {**draft_wire(draft), "replayed": False}
    return json_answer(exchange_of(request.scope), content, headers=[(b"etag", quoted(draft.etag))])
