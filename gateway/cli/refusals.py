"""What a refusal says on a terminal: what is wrong, where, and what to do, each once."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import FieldError, Problem


def refusal(detail: str, remedy: str, errors: Iterable[FieldError]) -> str:
    """A line, and one for each thing that is wrong beside it. A problem about one thing says it in `detail` already."""
    named = tuple(errors)
    if len(named) == 1 and detail in {_where(named[0]), named[0].message}:
        return _line(named[0], remedy)
    return "\n".join([_sentences(detail, remedy), *(f"  {_line(one)}" for one in named)])


def refused_words(refused: Problem) -> str:
    """The same of a problem that no gateway put on the wire."""
    return refusal(refused.detail, refused.remedy, refused.errors)


def _where(error: FieldError) -> str:
    return f"{error.field}: {error.message}" if error.field else error.message


def _line(error: FieldError, otherwise: str = "") -> str:
    return _sentences(_where(error), error.remedy or otherwise)


def _sentences(first: str, then: str) -> str:
    if not then:
        return first
    return f"{first} {then}" if first.endswith((".", "!", "?", ":")) else f"{first}. {then}"
