"""/v1/rulebooks: what came into force, by its number: which versions, when, by whom, with their texts."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.draft_examples import RULEBOOK, RULEBOOK_PAGE
from gateway.api.draft_requests import desk_of
from gateway.api.draft_wire import rule
from gateway.api.drafts import READS
from gateway.api.exchange import exchange_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import CURSOR, PAGE_SIZE, page_size, read_query
from gateway.api.rulebook_schemas import RulebookAnswer, RulebookPage
from gateway.cutover.draft_ports import DraftReads
from gateway.cutover.kept_files import files_of
from gateway.domain.drafts import RollbackRecord
from gateway.domain.records import ActivationRecord
from gateway.domain.wire import instant

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/rulebooks"
_QUERY: Final = (CURSOR, PAGE_SIZE)


def rulebook_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """List, and read one."""

    @get(
        PATH,
        operation_id="listRulebooks",
        summary="List what came into force, newest first",
        tags=["rules"],
        opt=described(
            READS, Operation(answers={200: RulebookPage}, query=_QUERY, answer_examples={200: RULEBOOK_PAGE})
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _QUERY, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        reads = desk_of(parts).parts.reads
        found = list(await reads.activations(size + 1, None if after is None else int(after.removeprefix(_ID))))
        page = found[:size]
        number = await _in_force(reads)
        backs = {one.activation_number: one for one in await reads.rollbacks()}
        items = [await _summary(reads, one, number, backs.get(one.activation_number)) for one in page]
        following = None
        if len(found) > size:
            following = make_cursor(PATH, query, f"{_ID}{page[-1].activation_number:026d}")
        return json_answer(exchange_of(request.scope), {"items": items, "nextCursor": following})

    @get(
        f"{PATH}/{{activationNumber:str}}",
        operation_id="getRulebook",
        summary="Read what came into force with this number, with its texts",
        tags=["rules"],
        opt=described(
            READS,
            Operation(answers={200: RulebookAnswer}, problems=("not-found",), answer_examples={200: RULEBOOK}),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        text = request.scope["path_params"]["activationNumber"]
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise malformed("activationNumber", "is no number", "Use an activationNumber as the list gives it.")
        reads = desk_of(parts).parts.reads
        record = await reads.activation(int(text))
        if record is None:
            raise not_found("rulebook")
        backs = {one.activation_number: one for one in await reads.rollbacks()}
        summary = await _summary(reads, record, await _in_force(reads), backs.get(record.activation_number))
        files = await files_of(reads, record)
        content = {
            **summary,
            "rulesText": record.rules,
            "governanceText": record.governance,
            "files": [{"fileName": name, "text": text} for name, text in sorted(files.items())],
        }
        return json_answer(exchange_of(request.scope), content)

    return [listing, read]


_ID: Final = "act_"
"""The number after it makes an id, which is what cursors hold."""


async def _in_force(reads: DraftReads) -> int:
    return (await reads.rules_state()).activation_number


async def _summary(
    reads: DraftReads, record: ActivationRecord, in_force: int, back: RollbackRecord | None
) -> dict[str, Any]:
    draft = await reads.draft_of_activation(record.activation_number)
    return {
        "activationNumber": record.activation_number,
        "inForce": record.activation_number == in_force,
        "rule": rule(record.table_version, record.governance_version),
        "activatedAt": instant(record.activated_at),
        "activatedBy": record.activated_by,
        "draftId": None if draft is None else draft.draft_id,
        "rolledBackSlice": None if back is None else f"{back.domain}.{back.business_unit}.{back.geography}",
    }
