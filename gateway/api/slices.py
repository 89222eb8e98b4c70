"""/v1/cutover/slices: the board, one slice with its drain, its open lineages, its gates."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import CURSOR, PAGE_SIZE, Parameter, page_size, read_query
from gateway.api.slice_examples import GATES, OPEN_LINEAGES, SLICE, SLICES
from gateway.api.slice_parts import SliceParts
from gateway.api.slice_schemas import OpenLineagePage, SliceAnswer, SliceGatesAnswer, SlicePage
from gateway.api.slice_wire import detail_wire, gates_wire, open_lineages_wire, slice_wire
from gateway.api.visibility import Visibility
from gateway.cutover.slices import SLICE_PATTERN, SliceName
from gateway.errors import Problem
from routing_rules import Stage

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/cutover/slices"
_FILTERS: Final = (
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", values=tuple(DOMAINS)),
    Parameter(
        "stage",
        "[a-z_]{1,20}",
        "Slices of which a part is at this stage.",
        "drain",
        values=tuple(one.value for one in Stage),
    ),
    CURSOR,
    PAGE_SIZE,
)
_OF_LINEAGES: Final = (
    Parameter("side", "[a-z]{1,10}", "The side that they are pinned to.", "legacy", values=("legacy", "cloud")),
    CURSOR,
    PAGE_SIZE,
)


def slice_parts(parts: AppParts) -> SliceParts:
    """Raises Problem `not-ready` in a process that was given none."""
    if parts.slices is None:
        raise Problem("not-ready", "This process answers no questions about slices.")
    return parts.slices


def slice_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Read the board. What lies outside the caller's data scope is neither listed nor counted."""

    def named(request: AnyRequest) -> SliceName:
        text = request.scope["path_params"]["slice"]
        name = slice_parts(parts).board.slice(_checked(text))
        visibility.check_nodes(caller_of(request.scope), name.business_unit, name.geography)
        return name

    @get(
        PATH,
        operation_id="listSlices",
        summary="Read the board: where each slice stands and what is open in it",
        tags=["cutover"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(answers={200: SlicePage}, query=_FILTERS, answer_examples={200: SLICES}),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(PATH, query, SLICE_PATTERN)
        desk = slice_parts(parts)
        visible = visibility.of(caller_of(request.scope))
        found = list(
            await desk.board.page(
                visible, domain=query.get("domain"), stage=query.get("stage"), limit=size + 1, after=after
            )
        )
        page = found[:size]
        content = {
            "items": [slice_wire(one, desk.gates.latest(one.name)) for one in page],
            "nextCursor": make_cursor(PATH, query, page[-1].name.id) if len(found) > size else None,
        }
        return json_answer(exchange_of(request.scope), content)

    @get(
        f"{PATH}/{{slice:str}}",
        operation_id="getSlice",
        summary="Read a slice with its drain and with what going back would meet",
        tags=["cutover"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: SliceAnswer},
                problems=("not-found", "unknown-node", "domain-not-served", "out-of-scope"),
                answer_examples={200: SLICE},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        name, desk = named(request), slice_parts(parts)
        detail = await desk.board.detail(name, visibility.of(caller_of(request.scope)))
        return json_answer(exchange_of(request.scope), detail_wire(detail, desk.gates.latest(name)))

    @get(
        f"{PATH}/{{slice:str}}/lineages",
        operation_id="listOpenLineages",
        summary="List the open lineages of a slice, oldest first",
        tags=["cutover"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: OpenLineagePage},
                query=_OF_LINEAGES,
                problems=("not-found", "unknown-node", "domain-not-served", "out-of-scope"),
                answer_examples={200: OPEN_LINEAGES},
            ),
        ),
    )
    async def lineages(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _OF_LINEAGES, parts.limits)
        name, desk = named(request), slice_parts(parts)
        path = f"{PATH}/{name.id}/lineages"
        size, after = page_size(query, parts.limits), read_cursor(path, query)
        visible = visibility.of(caller_of(request.scope))
        rows = await desk.board.open_lineages(name, visible, side=query.get("side"), limit=size + 1, after=after)
        found = open_lineages_wire(rows)
        page = found[:size]
        content = {
            "items": page,
            "nextCursor": make_cursor(path, query, page[-1]["lineageId"]) if len(found) > size else None,
        }
        return json_answer(exchange_of(request.scope), content)

    @get(
        f"{PATH}/{{slice:str}}/gates",
        operation_id="getSliceGates",
        summary="Evaluate the gates of a slice as if it went to its next stage now",
        tags=["cutover"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: SliceGatesAnswer},
                problems=("not-found", "unknown-node", "domain-not-served", "out-of-scope"),
                answer_examples={200: GATES},
            ),
        ),
    )
    async def gates(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        name, desk = named(request), slice_parts(parts)
        found = await desk.gates.evaluate(name, desk.board.states(name))
        return json_answer(exchange_of(request.scope), gates_wire(name, found))

    return [listing, read, lineages, gates]


def _checked(text: str) -> str:
    checked = Parameter("slice", SLICE_PATTERN, "A slice.", "orders.Eastern.DE")
    checked.check(text)
    if text.split(".", 1)[0] not in DOMAINS:
        raise malformed("slice", "begins with no document family", f"Known are {', '.join(DOMAINS)}.")
    return text
