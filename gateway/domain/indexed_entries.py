"""What a ledger entry is found by: read off its own bytes and off the place of its transaction. Pure.

The index is made of committed entries only, beside them and after them; it can be thrown away and made again. Blocks of
entries that follow each other in the log share their terms: a rare term leads to few blocks, a frequent one narrows
nothing and costs nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from gateway.domain.entries import EntryKind
from gateway.domain.transaction import ENDS

BLOCK: Final = 1_024
"""Entries of one block."""

TERM_FIELDS: Final = (
    "kind",
    "actor",
    "system_id",
    "rule_row",
    "table_version",
    "activation_number",
    "domain",
    "business_unit",
    "geography",
    "company_code",
    "operation",
)
"""Members that have terms, and that a filter compares for equality; persons have terms too."""

RULE: Final = 2
"""Of how entries are read here. An index that was made by an earlier rule is mended by the filler; 1: legs had the
company code of their document, and any `posted` was an end."""

END_KINDS: Final = frozenset(status.value for status in ENDS)
UNDER_WAY_KINDS: Final = frozenset(
    kind.value for kind in (EntryKind.DISPATCHED, EntryKind.UNKNOWN, EntryKind.IN_DOUBT, EntryKind.COMPENSATING)
)
"""What comes after an end only where it was none: the next leg, or that what was posted is taken back."""

_PERSON: Final = re.compile(r"[0-9a-f]{64}")
_MOST_MILLIONTHS: Final = 10**21
"""15 digits before the point and 6 after it, as all amounts have at most."""


@dataclass(frozen=True, slots=True)
class PlacedBody:
    """An entry with its place in the log and with what its transaction says of where it belongs (None: no
    transaction's entry; then `domain` and nodes are those of its lineage's root, if it has one). `legs`: those of a
    split transaction, as they are kept."""

    log_index: int
    trace: str
    seq: int
    kind: str
    at: int
    body: bytes
    domain: str | None
    business_unit: str | None
    geography: str | None
    company_code: str | None
    operation: str | None
    legs: str | None = None


@dataclass(frozen=True, slots=True)
class IndexedEntry:
    """The row of an entry. `at` (µs): the time that it bears. `persons`: commitments, parted by blanks.
    `amount_units`, `amount_millionths`: what its ERP confirmed, else what decided about it; both of the same sign."""

    log_index: int
    at: int
    kind: str
    actor: str
    system_id: str | None
    rule_row: str | None
    table_version: str | None
    activation_number: int | None
    domain: str | None
    business_unit: str | None
    geography: str | None
    company_code: str | None
    operation: str | None
    persons: str | None
    currency_code: str | None
    amount_units: int | None
    amount_millionths: int | None


def indexed(entry: PlacedBody) -> IndexedEntry:
    """Read off an entry what it is found by. What does not have the form of such a thing is left out.

    An entry of a leg has the company code of that leg. Domain and nodes are those of the transaction all the same: who
    may see it is told by them.
    """
    body: dict[str, Any] = json.loads(entry.body)
    rule, facts = _members(body, "rule"), _members(body, "facts")
    confirmed = _members(body, "confirmed")
    slice_of = _slice(body.get("slice"))
    currency_code, millionths = _amount(confirmed) or _amount(facts) or (None, None)
    units, rest = (None, None) if millionths is None else _parted(millionths)
    return IndexedEntry(
        log_index=entry.log_index,
        at=entry.at,
        kind=entry.kind,
        actor=str(body.get("actor", "")),
        system_id=_text(body.get("systemId")),
        rule_row=_text(rule.get("row")),
        table_version=_text(rule.get("tableVersion")),
        activation_number=_number(rule.get("activationNumber")),
        domain=entry.domain or _text(body.get("domain")) or slice_of[0],
        business_unit=entry.business_unit or _text(body.get("businessUnit")) or slice_of[1],
        geography=entry.geography or _text(body.get("geography")) or slice_of[2],
        company_code=_company_code(entry, body),
        operation=entry.operation,
        persons=" ".join(dict.fromkeys(_persons(body))) or None,
        currency_code=currency_code,
        amount_units=units,
        amount_millionths=rest,
    )


def terms_of(entry: IndexedEntry) -> Iterator[str]:
    """By which its block is found."""
    for name in TERM_FIELDS:
        value = getattr(entry, name)
        if value is not None:
            yield term(name, value)
    for person in (entry.persons or "").split():
        yield term("person", person)


def term(name: str, value: object) -> str:
    """One term."""
    return f"{name}:{value}"


def begins(entry: PlacedBody) -> bool:
    """Whether a transaction begins with it."""
    return entry.operation is not None and entry.seq == 1 and entry.kind == EntryKind.ACCEPTED.value


def ends(entry: PlacedBody) -> bool:
    """Whether a transaction ends with it."""
    return entry.operation is not None and is_end(entry.kind, entry.body, entry.legs)


def goes_on(entry: PlacedBody) -> bool:
    """Whether a transaction that may have ended is under way again."""
    return entry.operation is not None and entry.kind in UNDER_WAY_KINDS


def is_end(kind: str, body: bytes | None, legs: str | None) -> bool:
    """Whether an entry of a transaction ends it: what an ERP says of an undo, or of a leg that others follow, does not.

    Args:
        body: None where it is not stored; then its kind alone tells.
        legs: of a split transaction, as they are kept.
    """
    if kind not in END_KINDS:
        return False
    said: dict[str, Any] = {} if body is None else json.loads(body)
    if said.get("direction") == "undo":
        return False
    step, steps = _number(said.get("step")), _company_codes(legs)
    return not (kind == EntryKind.POSTED.value and step is not None and any(other > step for other in steps))


def decimal_of(units: int, millionths: int) -> Decimal:
    """The amount of both parts, or of sums of them, without needless zeros."""
    exact = Decimal(units) + Decimal(millionths).scaleb(-6)
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()


def _members(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _company_code(entry: PlacedBody, body: dict[str, Any]) -> str | None:
    """What decided about it says it, else the leg of which it speaks, else the transaction or the lineage's root."""
    decided = _text(_members(body, "facts").get("companyCode"))
    of_leg = _company_codes(entry.legs).get(_number(body.get("step")) or 0)
    return decided or of_leg or entry.company_code or _text(body.get("companyCode"))


def _company_codes(legs: str | None) -> Mapping[int, str]:
    """Those of the legs, by step."""
    return {} if legs is None else _read_company_codes(legs)


@lru_cache(maxsize=256)
def _read_company_codes(legs: str) -> Mapping[int, str]:
    try:
        return {one["step"]: one["companyCode"] for one in json.loads(legs)}
    except (ValueError, KeyError, TypeError):  # not ours: the audit of the transactions names it
        return {}


def _slice(value: object) -> tuple[str | None, str | None, str | None]:
    """domain.business unit.geography; no node's id has a point."""
    parts = value.split(".") if isinstance(value, str) else []
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (None, None, None)


def _persons(body: dict[str, Any]) -> Iterator[str]:
    """Whoever is named by a member `person` or `…Person`."""
    for name, value in body.items():
        if (name == "person" or name.endswith("Person")) and isinstance(value, str) and _PERSON.fullmatch(value):
            yield value


def _amount(members: dict[str, Any]) -> tuple[str, int] | None:
    amount, currency_code = members.get("amount"), members.get("currencyCode")
    if not isinstance(amount, str) or not isinstance(currency_code, str):
        return None
    try:
        millionths = Decimal(amount).scaleb(6)
    except InvalidOperation:
        return None
    if (
        not millionths.is_finite()
        or abs(millionths) >= _MOST_MILLIONTHS
        or millionths != millionths.to_integral_value()
    ):
        return None
    return currency_code, int(millionths)


def _parted(millionths: int) -> tuple[int, int]:
    """Towards zero, so that both parts have the sign of the whole."""
    units, rest = divmod(abs(millionths), 1_000_000)
    return (units, rest) if millionths >= 0 else (-units, -rest)
