"""What every OData dialect of SAP shares: entities on their way out, rows on their way in.

How a decimal, a date, a deep insert, a collection, a batch and an error look is the dialect's (`odata_v2`,
`odata_v4`); which call is made and what its answer means for a posting is the client's. Everything that is outside
the protocol is `Garbled`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Protocol
from urllib.parse import quote

from adapters.cloud_erp.sap_s4.group import Group, GroupAnswer
from adapters.errors import Garbled
from adapters.transport import ErpResponse

Value = str | bool | Decimal | date | None | Sequence[Mapping[str, "Value"]]
"""What an entity's property can be before a dialect writes it: None is a date that there is none of, a sequence is a
deep insert."""
Entity = Mapping[str, Value]

_ETAG: Final = re.compile(r'\A(W/)?"[\x21\x23-\x7e]{0,500}"\Z')
"""RFC 9110 section 8.8.3, in ASCII: it goes back in a header, where a line end would be another header."""


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
        return self._dialect.read_many(self._values, name)

    def etag(self) -> str:
        """The entity's ETag, "" if it has none."""
        value = self._dialect.read_etag(self._values)
        if value is None:
            return ""
        if not isinstance(value, str) or _ETAG.match(value) is None:
            raise Garbled("an ETag is not as RFC 9110 writes it")
        return value

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
    """One version of OData as SAP serves it. What it reads are JSON objects of answers, as `read_json` gives them."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every request."""
        ...

    @property
    def format(self) -> Mapping[str, str]:
        """Query options of every reading request."""
        ...

    def serves(self, address: Address) -> bool:
        """Whether there is such a service in this version."""
        ...

    def path(self, address: Address) -> str:
        """The path of an entity set."""
        ...

    def service_path(self, address: Address) -> str:
        """The path of the service document, which is also where a CSRF token is fetched."""
        ...

    def expand(self, paths: Sequence[str]) -> str:
        """`$expand` for these navigation properties, e.g. `to_Item/to_PricingElement`; each path after its start."""
        ...

    def encode(self, entity: Entity) -> bytes:
        """An entity with its deep inserts as the body of a request."""
        ...

    def encode_group(self, group: Group) -> tuple[str, bytes]:
        """Media type and body of a batch request for steps that happen together or not at all."""
        ...

    def read_group(self, response: ErpResponse, group: Group) -> GroupAnswer:
        """The answer to such a request."""
        ...

    def entity(self, answer: Mapping[str, object], address: Address) -> Row:
        """The one entity of an answer; a collection and an entity of another set are `Garbled`."""
        ...

    def collection(self, answer: Mapping[str, object], address: Address) -> Rows:
        """The collection of an answer."""
        ...

    def problem(self, answer: Mapping[str, object]) -> Problem | None:
        """The error of an answer; None if it is not a well-formed OData error."""
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

    def read_many(self, values: Mapping[str, object], name: str) -> tuple[Row, ...]:
        """An expanded navigation property of an entity."""
        ...

    def read_etag(self, values: Mapping[str, object]) -> object:
        """What an entity says of its ETag; None if it says nothing."""
        ...


def text_literal(value: str) -> str:
    """A string in `$filter` or in a key: a quote is doubled (OData V2 and V4 alike)."""
    return "'" + value.replace("'", "''") + "'"


def key_predicate(key: Mapping[str, str]) -> str:
    """`(SalesOrder='4711',SalesOrderItem='10')`, with its quotes percent-encoded as everything that is not a name."""
    return "(" + quote(",".join(f"{name}={text_literal(value)}" for name, value in key.items()), safe="=,") + ")"
