"""The grammar of a cell: text to set, or all that is wrong with the text.

Empty or ``*`` matches all. Trees: ``DE``, ``DE|AT|CH``, ``EMEA except FR|ES``. Names: ``ZOR|TA``. Amounts:
``>=1000 EUR``, ``<500 USD``, ``1000..5000 EUR`` (upper end excluded). Dates: ``2026-01-31``. Source: docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from rapidfuzz import fuzz, process

from routing_rules.currencies import MINOR_UNITS
from routing_rules.dimensions import ALL, AmountRange, Choice, NodeSet, Tree, plain

NODE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
ROW_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_EXTERNAL_ID: Final = 128
RESERVED_NODE_IDS: Final = frozenset({"_", "except"})
"""``_`` is the token of an absent fact in event subjects; ``except`` is a word of the cell grammar."""

_EXCEPT: Final = re.compile(r"\s+except\s+")
_NUMBER: Final = r"(-?[0-9]{1,15}(?:\.[0-9]{1,4})?)"
_CURRENCY: Final = r"([A-Z]{3})"
_FROM: Final = re.compile(rf">=\s*{_NUMBER}\s+{_CURRENCY}")
_BELOW: Final = re.compile(rf"<\s*{_NUMBER}\s+{_CURRENCY}")
_BETWEEN: Final = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}\s+{_CURRENCY}")
_THOUSAND: Final = 3
"""Digits behind a point that parts thousands, as German does."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHARE: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,2})?")
_NEAR_ENOUGH: Final = 60.0  # per cent of the letters; below it a suggestion misleads

Fault = tuple[str, str]
Named = TypeVar("Named", bound=StrEnum)


class CellInvalid(ValueError):
    """The cell's text has no meaning; ``faults`` are (message, remedy), every one that was found."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(message for message, _ in faults))
        self.faults = faults


def suggestion(word: str, known: Collection[str]) -> str:
    """The remedy for an unknown word: the nearest known one, or some that there are."""
    # In the order of the file where there is one: of equally near words always the same is named.
    ordered = list(known) if isinstance(known, Mapping | Sequence) else sorted(known)
    near = process.extractOne(word, ordered, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=_NEAR_ENOUGH)
    if near is not None:
        return f"Did you mean '{near[0]}'?"
    some = sorted(known)[:8]
    more = ", ..." if len(known) > len(some) else ""
    return f"Known are: {', '.join(some)}{more}" if some else "None is declared in rulebook.yaml"


def parse_nodes(text: str, tree: Tree) -> NodeSet:
    """A tree cell. Raises CellInvalid."""
    if text in ("", ALL):
        return NodeSet.of(tree, [tree.root])
    parts = _EXCEPT.split(text)
    if len(parts) > 2:
        raise CellInvalid(("'except' stands twice", "Write one exclusion, such as EMEA except FR|ES"))
    faults: list[Fault] = []
    included = _nodes(parts[0], tree, faults)
    excluded = _nodes(parts[1], tree, faults) if len(parts) == 2 else []
    if not faults:
        _redundant(included, tree, faults)
        _redundant(excluded, tree, faults)
        faults += [
            (f"'{node}' is excluded but not included", "Exclude only what lies below")
            for node in excluded
            if not any(node in tree.below(one) for one in included)
        ]
    if faults:
        raise CellInvalid(*faults)
    found = NodeSet.of(tree, included, excluded)
    if not found.nodes:
        raise CellInvalid(("the exclusion leaves nothing", "Remove the row or exclude less"))
    return found


def _nodes(text: str, tree: Tree, faults: list[Fault]) -> list[str]:
    found: list[str] = []
    for word in _listed(text, faults):
        if word == ALL:
            found.append(tree.root)
        elif word not in tree:
            faults.append((f"unknown {tree.name} node '{word}'", suggestion(word, tree.parents)))
        else:
            found.append(word)
    return found


def _redundant(nodes: list[str], tree: Tree, faults: list[Fault]) -> None:
    """A list names each node once and none that another covers: else the reader believes in a difference."""
    for node in nodes:
        faults += [
            (f"'{node}' lies below '{other}' in the same list", f"Leave '{node}' out")
            for other in tree.path(node)[:-1]
            if other in nodes
        ]


def _listed(text: str, faults: list[Fault]) -> list[str]:
    words = [word.strip() for word in text.split("|")]
    seen: set[str] = set()
    for word in words:
        if not word:
            faults.append(("the list has an empty entry", "Write the entries with one | between them"))
        elif word in seen:
            faults.append((f"'{word}' stands twice in the list", "Write it once"))
        seen.add(word)
    return sorted(seen - {""})


def parse_choice(text: str, check: Callable[[str], Fault | None], everything: Collection[str] = ()) -> Choice:
    """A cell of names. ``everything``: the list that is the same as ``*``. Raises CellInvalid."""
    if text in ("", ALL):
        return Choice()
    faults: list[Fault] = []
    names = _listed(text, faults)
    faults += [fault for fault in map(check, names) if fault is not None]
    if faults:
        raise CellInvalid(*faults)
    return Choice() if everything and set(names) == set(everything) else Choice(frozenset(names))


def known_name(what: str, known: Collection[str]) -> Callable[[str], Fault | None]:
    """A check that the name is one of these."""
    return lambda name: None if name in known else (f"unknown {what} '{name}'", suggestion(name, known))


def well_formed_name(what: str) -> Callable[[str], Fault | None]:
    """A check of the shape only, for names that are declared nowhere."""
    remedy = "Use letters, digits, - and _, at most 32"
    return lambda name: None if NODE_ID.fullmatch(name) else (f"'{name}' is no {what}", remedy)


def parse_amount(text: str) -> AmountRange:
    """Raises CellInvalid."""
    if text in ("", ALL):
        return AmountRange()
    if match := _FROM.fullmatch(text):
        _check_amounts(match[2], match[1])
        return AmountRange(match[2], lower=Decimal(match[1]))
    if match := _BELOW.fullmatch(text):
        _check_amounts(match[2], match[1])
        return AmountRange(match[2], upper=Decimal(match[1]))
    if match := _BETWEEN.fullmatch(text):
        _check_amounts(match[3], match[1], match[2])
        lower, upper = Decimal(match[1]), Decimal(match[2])
        if lower >= upper:
            raise CellInvalid((f"no amount lies from {plain(lower)} up to {plain(upper)}", "Write the lower end first"))
        return AmountRange(match[3], lower, upper)
    raise CellInvalid(
        (f"'{text}' is no amount range", "Write >=1000 EUR, <500 USD or 1000..5000 EUR (upper end excluded)")
    )


def _check_amounts(currency: str, *numbers: str) -> None:
    """What is written is an amount in that currency. Raises CellInvalid."""
    faults: list[Fault] = []
    digits = MINOR_UNITS.get(currency)
    if digits is None:
        faults.append((f"'{currency}' is no currency of ISO 4217", suggestion(currency, MINOR_UNITS)))
    for number in numbers:
        decimals = number.partition(".")[2]
        if number.startswith("-"):
            faults.append((f"the amount {number} is negative", "Write 0 or more"))
        if digits is not None and len(decimals) > digits:
            faults.append((
                f"the amount {number} has {len(decimals)} decimals, and {currency} has {digits}",
                f"Did you mean {number.replace('.', '')}? Write no thousands separator"
                if len(decimals) == _THOUSAND
                else f"Write at most {digits} decimals",
            ))  # fmt: skip
    if faults:
        raise CellInvalid(*faults)


def parse_date(text: str) -> date | None:
    """Raises CellInvalid."""
    if text in ("", ALL):
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise CellInvalid((f"'{text}' is no date", "Write it as 2026-01-31"))


def parse_share(text: str) -> Decimal | None:
    """Raises CellInvalid."""
    if not text:
        return None
    if _SHARE.fullmatch(text) and (share := Decimal(text)) <= 100:
        return share
    raise CellInvalid(
        (f"'{text}' is no share", "Write a percentage from 0 to 100 with at most two decimals, such as 12.5")
    )


def parse_allow(text: str) -> frozenset[str]:
    """Raises CellInvalid."""
    if not text:
        return frozenset()
    faults: list[Fault] = []
    found = _listed(text, faults)
    faults += [
        (f"'{one[:20]}...' is longer than {MAX_EXTERNAL_ID} characters", "Write the root's external id")
        for one in found
        if len(one) > MAX_EXTERNAL_ID
    ]
    if faults:
        raise CellInvalid(*faults)
    return frozenset(found)


def parse_word(text: str, kind: type[Named], what: str) -> Named:
    """A word of an enumeration. Raises CellInvalid."""
    known = [one.value for one in kind]
    if not text:
        raise CellInvalid((f"the {what} is missing", f"Write one of: {', '.join(known)}"))
    if text not in known:
        raise CellInvalid((f"unknown {what} '{text}'", suggestion(text, known)))
    return kind(text)
