"""/problems: what the `type` of a problem means. Public, for who gets a 401 must be able to look it up."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.examples import PROBLEM_KIND
from gateway.api.exchange import exchange_of
from gateway.api.guard import public
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import KINDS
from gateway.api.query import read_query
from gateway.api.schemas import ProblemKindAnswer
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]


def problem_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """One page per slug."""

    @get(
        "/problems/{slug:str}",
        operation_id="getProblemType",
        summary="What a problem type means",
        tags=["problems"],
        opt=described(
            public(),
            Operation(answers={200: ProblemKindAnswer}, problems=("not-found",), answer_examples={200: PROBLEM_KIND}),
        ),
    )
    async def explain(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        kind = KINDS.get(request.scope["path_params"]["slug"])
        if kind is None:
            raise Problem("not-found", "There is no such problem type.", remedy=f"Known: {', '.join(KINDS)}.")
        content = {"code": kind.slug, "title": kind.title, "status": kind.status, "remedy": kind.remedy}
        return json_answer(exchange_of(request.scope), content)

    return [explain]
