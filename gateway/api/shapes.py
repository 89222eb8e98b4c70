"""The schemas of the API description, from the pydantic models."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from adapters.canonical import DOMAINS, CanonicalDocument, Customer, Order, Reference
from gateway.api.changes import SUFFIX
from gateway.api.etags import TAG_PATTERN
from gateway.api.idempotency import KEY_PATTERN
from gateway.api.identifiers import ID_PATTERN
from gateway.api.operations import Operation
from gateway.api.problem_schemas import ProblemDocument
from gateway.api.schemas import DocumentAnswer
from gateway.api.undoings import Cancellation, Reversal

_REF: Final = "#/components/schemas/"
PROBLEM_REF: Final = {"$ref": f"{_REF}{ProblemDocument.__name__}"}
_CONTENT: Final = "Content"

_Key = Annotated[str, Field(pattern=f"^{KEY_PATTERN}$", description="As the header Idempotency-Key.")]
_IfMatch = Annotated[
    str,
    Field(pattern=f'^("{TAG_PATTERN}"|{TAG_PATTERN})$', description="The document's etag; as the header If-Match."),
]
_Replaces = Annotated[
    str, Field(pattern=f"^{ID_PATTERN}$", description="The rejected or cancelled transaction that this one corrects.")
]

_Known = Annotated[Reference, Field(description="The customer, if it is known: this or `newCustomer`.")]
_New = Annotated[
    Customer,
    Field(
        description="The customer whole, with its own `externalId`, in place of `customer`. It is created first; one "
        "that was submitted with the same content before is used. If it is refused, the order is too; if the order is, "
        "a customer that was created for it alone is taken back."
    ),
]


class Shapes:
    """Every schema by name. A canonical model is `OrderRequest` (closed) in requests, `OrderContent` in answers."""

    def __init__(self, operations: Iterable[tuple[str, Operation]]) -> None:
        listed = list(operations)
        self._requests = {one.body: _request(one.body) for _, one in listed if one.body is not None}
        self._answers: dict[tuple[str, type[BaseModel]], type[BaseModel]] = {
            (operation_id, model): _answer(operation_id, model)
            for operation_id, one in listed
            for model in one.answers.values()
            if model is not None
        }
        requests = _schemas(self._requests.values(), "validation")
        answers = _schemas({*self._answers.values(), ProblemDocument}, "serialization")
        self.schemas: dict[str, Any] = dict(sorted({**requests, **_opened(answers)}.items()))

    def request(self, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to the schema of this body."""
        return {"$ref": f"{_REF}{self._requests[model].__name__}"}

    def answer(self, operation_id: str, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to the schema of this answer."""
        return {"$ref": f"{_REF}{self._answers[operation_id, model].__name__}"}


def _request(model: type[BaseModel]) -> type[BaseModel]:
    """The body with what may lie beside it."""
    if model.__name__.endswith(SUFFIX) or model in {Cancellation, Reversal}:
        return create_model(
            model.__name__ if model.__name__.endswith(SUFFIX) else f"{model.__name__}Request",
            __base__=model,
            __doc__=model.__doc__,
            idempotency_key=(_Key | None, Field(default_factory=NoneType)),
            if_match=(_IfMatch | None, Field(default_factory=NoneType)),
        )
    if not issubclass(model, CanonicalDocument):
        return create_model(
            f"{model.__name__}Request", __base__=model, __doc__=model.__doc__, idempotency_key=(_Key | None, None)
        )
    beside: dict[str, Any] = {"idempotency_key": (_Key | None, None), "replaces": (_Replaces | None, None)}
    if model is Order:
        beside |= {"customer": (_Known | None, None), "new_customer": (_New | None, None)}
    return create_model(f"{model.__name__}Request", __base__=model, __doc__=model.__doc__, **beside)


def _answer(operation_id: str, model: type[BaseModel]) -> type[BaseModel]:
    """Of the documents, one answer per domain, whose content is known."""
    if model is not DocumentAnswer:
        return model
    name = operation_id.removeprefix("get")
    content: Any = next(one for one in DOMAINS.values() if one.__name__ == name)
    return create_model(f"{name}Answer", __base__=model, __doc__=model.__doc__, content=(content | None, ...))


def _schemas(models: Iterable[type[BaseModel]], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    inputs = [(model, mode) for model in sorted(models, key=lambda one: one.__name__)]
    _, definitions = models_json_schema(inputs, by_alias=True, ref_template=_REF + "{model}")
    found: dict[str, Any] = definitions["$defs"]
    return found


def _opened(schemas: dict[str, Any]) -> dict[str, Any]:
    """Closed models renamed and opened: what a request refuses to hold, an answer may come to hold."""
    closed = {name for name, one in schemas.items() if one.get("additionalProperties") is False}
    renamed = {f"{_REF}{name}": f"{_REF}{name}{_CONTENT}" for name in closed}
    return {f"{name}{_CONTENT}" if name in closed else name: _rewritten(one, renamed) for name, one in schemas.items()}


def _rewritten(schema: Any, renamed: dict[str, str]) -> Any:
    if isinstance(schema, list):
        return [_rewritten(one, renamed) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: renamed.get(value, value) if key == "$ref" else _rewritten(value, renamed)
        for key, value in schema.items()
        if not (key == "additionalProperties" and value is False)
    }
