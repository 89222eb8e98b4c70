"""JSON of an answer, read with limits. Everything that is outside the protocol is `Garbled`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final, NoReturn

from adapters.errors import Garbled
from adapters.transport import ErpResponse

MAX_BODY_BYTES: Final = 8_000_000
MAX_DEPTH: Final = 32
"""Levels of nesting; an order with items, prices and deferred links needs eight, a batch of them two more."""
MAX_NUMBER_DIGITS: Final = 40
MAX_TEXT: Final = 500
"""Characters of an ERP's message that are kept."""


def read_json(response: ErpResponse) -> dict[str, object]:
    """The body as a JSON object, its numbers as exact decimals; or `Garbled`.

    Refused: another media type or character set than JSON in UTF-8, a byte order mark, more than `MAX_BODY_BYTES`,
    more than `MAX_DEPTH` levels, numbers of more than `MAX_NUMBER_DIGITS` digits as written or as meant (1e999), NaN
    and Infinity, and an object that has a key twice (which of the two is meant would be our guess).
    """
    media_type, *parameters = (part.strip().lower() for part in response.headers.get("content-type", "").split(";"))
    if media_type != "application/json":
        raise Garbled("the answer is not application/json")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8"}:
            raise Garbled("the answer is not in UTF-8")
    if len(response.body) > MAX_BODY_BYTES:
        raise Garbled(f"the answer is larger than {MAX_BODY_BYTES} bytes")
    try:
        text = response.body.decode("utf-8")
        answer = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise Garbled("the answer is not valid UTF-8") from None
    except RecursionError:
        raise Garbled(f"the answer is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise Garbled("the answer is not valid JSON") from None
    _check_depth(answer)
    if not isinstance(answer, dict):
        raise Garbled("the answer is not a JSON object")
    return answer


def clipped(text: str) -> str:
    """An ERP's text for people: without control characters, at most `MAX_TEXT` characters."""
    return "".join(char if char.isprintable() else " " for char in text[:MAX_TEXT])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Garbled("the answer has a key twice")
    return result


def _number(text: str) -> Decimal:
    too_long = Garbled(f"the answer has a number of more than {MAX_NUMBER_DIGITS} digits")
    if len(text) > MAX_NUMBER_DIGITS:
        raise too_long
    try:
        number = Decimal(text)
    except ArithmeticError:
        # An exponent beyond what a decimal can hold.
        raise too_long from None
    if number and abs(number.adjusted()) > MAX_NUMBER_DIGITS:
        raise too_long
    return number


def _constant(text: str) -> NoReturn:
    raise Garbled(f"the answer has {text} where JSON knows no such number")


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    raise Garbled(f"the answer is nested deeper than {MAX_DEPTH} levels")
