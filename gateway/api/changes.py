"""The body of a change: a JSON merge patch (RFC 7396) of a document, and beside it what may travel in headers.

A patch of objects goes into them member by member; a list is replaced as a whole; null takes a member away, so only
members that a document may lack can be null.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model

from adapters.canonical import CanonicalModel
from gateway.api.limits import Limits
from gateway.api.resources import Resource
from gateway.api.strict_json import parse_object
from gateway.domain.complaints import problem_of_validation
from gateway.errors import FieldError, Problem

SUFFIX: Final = "Change"
_MEANING: Final = "A JSON merge patch (RFC 7396): what is left out stays, null takes a member away, a list is replaced."


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """`patch`: in wire words. `idempotency_key`, `if_match`: the members, as they were sent."""

    patch: dict[str, Any]
    idempotency_key: Any
    if_match: Any


def change_model(resource: Resource) -> type[BaseModel]:
    """The closed model of a domain's changes: every member that may be changed, none of them required."""
    return _partial(resource.model, resource.fixed)


def read_change(raw: bytes, resource: Resource, limits: Limits) -> RequestedChange:
    """Raises `invalid-request` for what is no JSON object, `invalid-document` for a patch of nothing, of members that
    are fixed or unknown, or of values out of form."""
    members = parse_object(raw, limits)
    key, if_match = members.pop("idempotencyKey", None), members.pop("ifMatch", None)
    if not members:
        raise Problem(
            "invalid-document",
            "The change names no member.",
            remedy="Send the members that shall change, and no others.",
        )
    _refuse_fixed(members, resource)
    model = change_model(resource)
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    try:
        model.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, model) from error
    return RequestedChange(members, key, if_match)


def _refuse_fixed(members: dict[str, Any], resource: Resource) -> None:
    fields = resource.model.model_fields
    fixed = sorted(fields[name].alias or name for name in resource.fixed if name in fields)
    found = tuple(
        FieldError(name, "cannot be changed", "Leave it out; for another one, undo this document and submit anew.")
        for name in fixed
        if name in members
    )
    if found:
        raise Problem("invalid-document", f"{', '.join(one.field for one in found)} cannot be changed.", errors=found)


@cache
def _partial(model: type[BaseModel], fixed: frozenset[str] = frozenset()) -> type[BaseModel]:
    """The model with all members optional, in the objects inside as well. What holds between members is checked when
    the patched document is whole."""
    members: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in fixed:
            continue
        kind: Any = _inside(field.annotation)
        if field.metadata:
            kind = Annotated[kind, *field.metadata]
        if not field.is_required():
            kind = kind | None
        # Left out is another thing than null: hence no default that a description would show.
        members[name] = (kind, Field(default_factory=NoneType))
    return create_model(f"{model.__name__}{SUFFIX}", __base__=CanonicalModel, __doc__=_MEANING, **members)


def _inside(annotation: Any) -> Any:
    """An object inside is patched too, a list of objects is not."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _partial(annotation)
    if get_origin(annotation) in {Union, UnionType}:
        return Union[tuple(_inside(one) for one in get_args(annotation))]  # noqa: UP007
    return annotation
