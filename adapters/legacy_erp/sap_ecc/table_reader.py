"""Rows of tables over RFC_READ_TABLE. Posts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from adapters.errors import Garbled, Misconfigured
from adapters.legacy_erp.sap_ecc import tables, translate
from adapters.legacy_erp.sap_ecc.tables import Row
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import Answer, Unreadable

MOST_ROWS = 1_000
"""Documents of one page."""
ITEMS_OF = 50
"""Documents whose items are asked for in one call: 50 conditions of 37 characters are below 2 kB of OPTIONS."""


class Ask(Protocol):
    """Calls a reading function and gives its answer; raises the classes of `adapters.errors`."""

    async def __call__(self, call: Call) -> Answer:
        """Call it once."""
        ...


class TableReader:
    """Reads rows of one installation."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def rows(self, table: str, columns: Sequence[str], conditions: Sequence[str], most: int = 0) -> list[Row]:
        """The rows that meet all `conditions`, in the order of their keys; at most `most` of them, 0 is all."""
        answer = await self._ask(tables.read_table(table, columns, conditions, most))
        with readable():
            return tables.rows_of(answer, columns)


def checked_company(code: str) -> str:
    """A company code to search for. Raises `Misconfigured` for what is none here."""
    if translate.COMPANY.match(code) is None:
        raise Misconfigured("a company code of this ERP has exactly 4 characters")
    return code


@contextmanager
def readable() -> Iterator[None]:
    """What cannot be read in an answer is `Garbled`."""
    try:
        yield
    except Unreadable as error:
        raise Garbled(str(error)) from error
