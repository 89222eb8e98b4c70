"""What the API description must say of a route beyond what Litestar reads off its handler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from gateway.api.contract.deprecation import Deprecation
from gateway.api.query import Parameter

OPERATION: Final = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`answers`: model by status, None where the body is no JSON. `problems`: slugs beside those that every route
    has. `headers`: request headers with their meaning; `answer_headers`: names by status, beside those that every
    answer of the status has. `example`: of the body, `further_examples` by name;
    `answer_examples`: by status. `deprecation`: None for what may be built on."""

    answers: Mapping[int, type[BaseModel] | None]
    body: type[BaseModel] | None = None
    body_media_types: Sequence[str] = ("application/json",)
    query: Sequence[Parameter] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    answer_headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    problems: Sequence[str] = ()
    example: Mapping[str, Any] | None = None
    further_examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answer_examples: Mapping[int, Any] = field(default_factory=dict)
    answer_media_type: str = "application/json"
    deprecation: Deprecation | None = None


def described(access: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    """The options of a route: who may use it, and what it is."""
    return {**access, OPERATION: operation}
