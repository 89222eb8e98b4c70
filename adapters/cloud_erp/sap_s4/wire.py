"""What every OData dialect of SAP shares: entities on their way out, rows on their way in, and JSON read with limits.

How a decimal, a date, a deep insert, a collection and an error look is the dialect's (`odata_v2`); which call is made
and what its answer means for a posting is the client's. Everything that is outside the protocol is `Garbled`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NoReturn, Protocol

from adapters.errors import Garbled
from adapters.transport import ErpResponse

MAX_BODY_BYTES: Final = 8_000_000
MAX_DEPTH: Final = 32
"""Levels of nesting; an order with items, prices and deferred links needs eight."""
MAX_NUMBER_DIGITS: Final = 40
MAX_TEXT: Final = 500
"""Characters of an ERP's message that are kept."""

Value = str | bool | Decimal | date | Sequence[Mapping[str, "Value"]]
"""What an entity's property can be before a dialect writes it; a sequence is a deep insert."""
Entity = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an entity set is: SAP's service and the set in it, in the words of OData V2."""

    service: str
    entity_set: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An OData error as the ERP states it; `field` is the property that it complains of, "" if it names none."""

    code: str
    message: str
    field: str = ""


class Row:
    """One entity as it was read. Asking for a property that is missing or of another type is `Garbled`."""

    __slots__ = ("_dialect", "_values")

    def __init__(self, values: Mapping[str, object], dialect: Dialect) -> None:
        self._values = values
        self._dialect = dialect

    def text(self, name: str) -> str:
        """A character property; SAP's initial value and null are ""."""
        value = self._get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Garbled(f"{name} is not a string")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Garbled(f"{name} holds half a character") from None
        return value

    def number(self, name: str) -> str:
        """A character property that must not be empty: a key."""
        value = self.text(name)
        if not value:
            raise Garbled(f"{name} is empty")
        return value

    def amount(self, name: str) -> Decimal:
        """A decimal property, exactly."""
        return self._dialect.read_decimal(name, self._get(name))

    def day(self, name: str) -> date | None:
        """A date property; None if it is initial."""
        value = self._get(name)
        return None if value is None else self._dialect.read_date(name, value)

    def flag(self, name: str) -> bool:
        """A boolean property."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise Garbled(f"{name} is not a boolean")
        return value

    def many(self, name: str) -> tuple[Row, ...]:
        """The expanded rows of a navigation property."""
        return self._dialect.read_many(name, self._get(name))

    def _get(self, name: str) -> object:
        if name not in self._values:
            raise Garbled(f"{name} is missing in the answer")
        return self._values[name]


@dataclass(frozen=True, slots=True)
class Rows:
    """A collection as far as the server gave it; `more` if it says that it cut the collection itself."""

    rows: tuple[Row, ...]
    more: bool = False


class Dialect(Protocol):
    """One version of OData as SAP serves it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every request."""
        ...

    def path(self, address: Address) -> str:
        """The path of an entity set."""
        ...

    def service_path(self, address: Address) -> str:
        """The path of the service document, which is also where a CSRF token is fetched."""
        ...

    def encode(self, entity: Entity) -> bytes:
        """An entity with its deep inserts as the body of a request."""
        ...

    def entity(self, response: ErpResponse) -> Row:
        """The one entity of an answer; a collection is `Garbled`."""
        ...

    def collection(self, response: ErpResponse) -> Rows:
        """The collection of an answer."""
        ...

    def problem(self, response: ErpResponse) -> Problem | None:
        """The error of an answer; None if the answer is not a well-formed OData error."""
        ...

    def day_literal(self, day: date) -> str:
        """A date in `$filter`."""
        ...

    def read_decimal(self, name: str, value: object) -> Decimal:
        """A decimal property."""
        ...

    def read_date(self, name: str, value: object) -> date:
        """A date property that is not null."""
        ...

    def read_many(self, name: str, value: object) -> tuple[Row, ...]:
        """An expanded navigation property."""
        ...


def text_literal(value: str) -> str:
    """A string in `$filter` or in a key: a quote is doubled (OData V2 and V4 alike)."""
    return "'" + value.replace("'", "''") + "'"


def read_json(response: ErpResponse) -> dict[str, object]:
    """The body as a JSON object, or `Garbled`.

    Refused: another media type or character set than JSON in UTF-8, more than `MAX_BODY_BYTES`, more than `MAX_DEPTH`
    levels, numbers of more than `MAX_NUMBER_DIGITS` digits, NaN and Infinity, and an object that has a key twice
    (which of the two is meant would be our guess).
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
    if len(text) > MAX_NUMBER_DIGITS:
        raise Garbled(f"the answer has a number of more than {MAX_NUMBER_DIGITS} digits")
    return Decimal(text)


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
