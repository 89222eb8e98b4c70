"""What a simulation reads: the documents of a window of recorded traffic, in the order in which they were routed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from routing_rules.facts import Facts, FactsInvalid
from routing_rules.recorded_facts import RecordInvalid, facts_in, read_objects
from routing_rules.share import bucket_of

MAX_CALLS: Final = 1_000
"""Calls of one plan: more are a mistake of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDocument:
    """One transaction that was routed.

    * ``lineage_id`` is shared by a root and all that follows it; ``is_root``: the tables decided it, not a pin.
    * ``facts`` as they were recorded. ``undetermined`` names those that an older schema did not record: they are
      unknown, which is not the same as absent, so the document cannot be decided again.
    * ``pinned_system``: where its lineage was pinned; asked for where the root lies before the window.
    * ``minute``: when it was dispatched, in minutes since 1970 (UTC). ``calls``: calls to the ERP that its plan makes.
    * ``period``: the fiscal period; without one the month of the posting date stands for it.
    * ``customer``: any name that tells customers apart; it is counted and never shown.
    * ``open_amount``: what of its lineage is open at the end of the window, in the currency of the facts. One document
      of a lineage says it.
    """

    transaction_id: str
    lineage_id: str
    is_root: bool
    facts: Facts
    minute: int
    calls: int = 1
    undetermined: tuple[str, ...] = ()
    pinned_system: str | None = None
    period: str | None = None
    customer: str | None = field(default=None, repr=False)
    open_amount: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        """The form that ``read_documents`` reads: the facts without share key and external id, their effects instead.

        What is not there is left out. Whether an allow-list named the root is known to the version that decided it,
        so it is taken from the facts.
        """
        facts = self.facts.as_json() | {"bucket": bucket_of(self.facts), "allow_hit": self.facts.recorded_allow_hit}
        found = {
            "transaction_id": self.transaction_id,
            "lineage_id": self.lineage_id,
            "is_root": self.is_root,
            "facts": {name: value for name, value in facts.items() if value is not None},
            "minute": self.minute,
            "calls": self.calls,
            "undetermined": list(self.undetermined) or None,
            "pinned_system": self.pinned_system,
            "period": self.period,
            "customer": self.customer,
            "open_amount": None if self.open_amount is None else format(self.open_amount, "f"),
        }
        return {name: value for name, value in found.items() if value is not None}


def read_documents(lines: Iterable[str]) -> Iterator[RecordedDocument]:
    """The documents of JSON lines in turn, empty lines left out. Raises RecordInvalid."""
    for number, record in read_objects(lines):
        try:
            yield _document(record)
        except (FactsInvalid, KeyError, TypeError, InvalidOperation) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else str(error) or "a number is no number"
            raise RecordInvalid(number, what) from error


def _document(record: Mapping[str, Any]) -> RecordedDocument:
    open_amount = record.get("open_amount")
    return RecordedDocument(
        transaction_id=_text(record["transaction_id"], "transaction_id"),
        lineage_id=_text(record["lineage_id"], "lineage_id"),
        is_root=_truth(record["is_root"], "is_root"),
        facts=facts_in(record["facts"]),
        minute=_number(record["minute"], "minute", 2**31),
        calls=_number(record.get("calls", 1), "calls", MAX_CALLS),
        undetermined=tuple(_text(name, "undetermined") for name in record.get("undetermined") or ()),
        pinned_system=_text_or_none(record.get("pinned_system"), "pinned_system"),
        period=_text_or_none(record.get("period"), "period"),
        customer=_text_or_none(record.get("customer"), "customer"),
        open_amount=None if open_amount is None else _amount(open_amount),
    )


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{name} must be text")


def _text_or_none(value: object, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _truth(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{name} must be true or false")


def _number(value: object, name: str, below: int) -> int:
    if type(value) is int and 0 <= value < below:
        return value
    raise TypeError(f"{name} must be a whole number from 0 to {below - 1}")


def _amount(value: object) -> Decimal:
    amount = Decimal(_text(value, "open_amount"))
    if not amount.is_finite():
        raise TypeError("open_amount must be a finite decimal")
    return amount
