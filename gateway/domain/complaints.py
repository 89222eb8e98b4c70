"""What pydantic found wrong, in our words and by wire paths: its own texts are not for callers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from adapters.canonical import TotalsDisagree
from gateway.errors import FieldError, Problem

MAX_COMPLAINTS: Final = 20
"""Complaints that one answer lists; the rest will show when these are mended."""

_LEADING_PATH: Final = re.compile(
    r"\A([a-z][A-Za-z]*(?:\[[0-9]+\])?(?:\.[a-z][A-Za-z]*(?:\[[0-9]+\])?)*) (.+)\Z", re.DOTALL
)
_Words = Callable[[Mapping[str, Any]], tuple[str, str]]

_MESSAGES: Final[Mapping[str, _Words]] = {
    "missing": lambda _: ("is missing", "Add the member."),
    "extra_forbidden": lambda _: ("is not a member that is known here", "Leave it out, or correct its name."),
    "string_type": lambda _: ("is not a text", "Send a JSON string."),
    "int_type": lambda _: ("is not an integer", "Send a JSON number without fraction."),
    "int_from_float": lambda _: ("is not an integer", "Send a JSON number without fraction."),
    "bool_type": lambda _: ("is neither true nor false", "Send true or false."),
    "model_type": lambda _: ("is not an object", "Send a JSON object."),
    "model_attributes_type": lambda _: ("is not an object", "Send a JSON object."),
    "tuple_type": lambda _: ("is not a list", "Send a JSON array."),
    "string_too_short": lambda ctx: (f"is shorter than {ctx['min_length']} characters", "Send a longer text."),
    "string_too_long": lambda ctx: (f"is longer than {ctx['max_length']} characters", "Shorten the text."),
    "too_short": lambda ctx: (f"has fewer than {ctx['min_length']} elements", "Add what is missing."),
    "too_long": lambda ctx: (f"has more than {ctx['max_length']} elements", "Split the document."),
    "string_pattern_mismatch": lambda ctx: (
        "is not of the form that is asked for",
        f"Match the regular expression {ctx['pattern']}",
    ),
    "literal_error": lambda ctx: ("is not one of the values that are known here", f"Use {ctx['expected']}."),
    "greater_than": lambda ctx: (f"is not greater than {ctx['gt']}", "Correct the value."),
    "greater_than_equal": lambda ctx: (f"is less than {ctx['ge']}", "Correct the value."),
    "less_than": lambda ctx: (f"is not less than {ctx['lt']}", "Correct the value."),
    "less_than_equal": lambda ctx: (f"is greater than {ctx['le']}", "Correct the value."),
    "date_type": lambda _: ("is not a date", 'Send an ISO 8601 date such as "2026-11-30".'),
    "date_parsing": lambda _: ("is not a date", 'Send an ISO 8601 date such as "2026-11-30".'),
    "date_from_datetime_parsing": lambda _: ("is not a date", 'Send an ISO 8601 date such as "2026-11-30".'),
    "date_from_datetime_inexact": lambda _: ("is a date with a time", 'Send an ISO 8601 date such as "2026-11-30".'),
    "string_unicode": lambda _: ("is not Unicode text", "Send no unpaired surrogates."),
}
_OTHERWISE: Final = ("is not valid", "See the API description for what is asked for here.")


def problem_of_validation(error: ValidationError, model: type[BaseModel]) -> Problem:
    """`totals-disagree` if amounts contradict each other, else `invalid-document`, with all that was found."""
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        cause = one.get("ctx", {}).get("error")
        if isinstance(cause, TotalsDisagree):
            where = _join(_path(one["loc"]), cause.field)
            complaint = FieldError(where, str(cause), "Make the amounts agree to the smallest unit of the currency.")
            return Problem("totals-disagree", f"{where} {cause}.", errors=(complaint,))
    if found[0]["type"] == "json_invalid":
        # Our own parser took it, so the difference is an unpaired surrogate or the like.
        return Problem("invalid-request", "The body holds text that is not Unicode.")
    found = [one for one in found if not _only_follows(one, found)]
    complaints = tuple(_complaint(one, model) for one in found[:MAX_COMPLAINTS])
    first, more = complaints[0], len(found) - 1
    detail = f"{first.field or 'The document'} {first.message}" + (f", and {more} more." if more else ".")
    return Problem("invalid-document", detail, errors=complaints)


@contextmanager
def told_under(member: str, remedy: str = "") -> Iterator[None]:
    """Whatever is refused inside is told of what lies in this member; `remedy`: what to do, in place of its own."""
    try:
        yield
    except Problem as problem:
        raise Problem(
            problem.slug,
            f"{member}: {problem.detail}",
            remedy=remedy or problem.remedy,
            errors=tuple(FieldError(_join(member, one.field), one.message, one.remedy) for one in problem.errors),
            retry_after_s=problem.retry_after_s,
            extra=problem.extra,
        ) from problem


def _only_follows(one: Any, found: Sequence[Any]) -> bool:
    """A list whose elements are wrong is counted without them, and then called too short: no complaint of its own."""
    location = one["loc"]
    return one["type"] == "too_short" and any(
        other["loc"][: len(location)] == location and len(other["loc"]) > len(location) for other in found
    )


def _complaint(one: Any, model: type[BaseModel]) -> FieldError:
    where = _path(one["loc"])
    context: Mapping[str, Any] = one.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, ValueError):
        # Raised by the canonical model itself: its words are ours, and some begin with a path.
        found = _LEADING_PATH.match(str(cause))
        if found is not None and _names_a_member(found[1], one["loc"], model):
            return FieldError(_join(where, found[1]), found[2], "Correct the value.")
        return FieldError(where, str(cause), "Correct the value.")
    try:
        message, remedy = _MESSAGES[one["type"]](context)
    except KeyError:
        message, remedy = _OTHERWISE
    return FieldError(where, message, remedy)


def _path(location: tuple[str | int, ...]) -> str:
    """`lines[0].netAmount`; a name that the caller invented is shortened."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path = _join(path, step[:64])
    return path


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path and step else path or step


def _names_a_member(path: str, location: tuple[str | int, ...], model: type[BaseModel]) -> bool:
    """Whether a message that begins like a path begins with one: `amount 1.234 has ...`, not `give exactly ...`."""
    first = re.split(r"[.\[]", path, maxsplit=1)[0]
    if location and location[-1] == first:
        return False
    return any(
        first == field.alias for field in _models_below(model).get(_shape(location), model).model_fields.values()
    )


def _shape(location: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(step for step in location if isinstance(step, str))


_SHAPES: Final[dict[type[BaseModel], dict[tuple[str, ...], type[BaseModel]]]] = {}


def _models_below(model: type[BaseModel]) -> dict[tuple[str, ...], type[BaseModel]]:
    """The models inside a model by their path without indexes, made once per model."""
    known = _SHAPES.get(model)
    if known is None:
        known = _SHAPES[model] = {}
        pending: list[tuple[tuple[str, ...], type[BaseModel]]] = [((), model)]
        while pending:
            shape, one = pending.pop()
            known[shape] = one
            for field in one.model_fields.values():
                pending.extend(((*shape, field.alias or ""), inner) for inner in _models_in(field.annotation))
    return known


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]
