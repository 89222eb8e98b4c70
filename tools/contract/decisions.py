"""Breaks that a person has accepted: `decisions.toml` beside this file.

Raises `DecisionsInvalid` for a file that cannot be read, or says something else than its head asks for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from tools.contract.reading import Finding

COMMITTED: Final = Path(__file__).with_name("decisions.toml")
_VERSION: Final = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_MOST: Final = 200


class DecisionsInvalid(ValueError):
    """The file of decisions is not what it must be; the message says where."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`released`: the file's name; `finding`: the line that the check prints; `until`: the last version of the API."""

    released: str
    finding: str
    decided_by: str
    reason: str
    until: str


def read_decisions(path: Path) -> list[Decision]:
    """In the order of the file."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DecisionsInvalid(f"{path.name}: {error}") from error
    listed = found.get("decision")
    if set(found) != {"decision"} or not isinstance(listed, list) or len(listed) > _MOST:
        raise DecisionsInvalid(f"{path.name}: holds a list `decision` of at most {_MOST}, and nothing else")
    decisions = [_read(one, f"{path.name}: decision {number}") for number, one in enumerate(listed, 1)]
    for one in decisions:
        if sum((other.released, other.finding) == (one.released, one.finding) for other in decisions) > 1:
            raise DecisionsInvalid(f"{path.name}: decided twice: {one.finding}")
    return decisions


def _read(given: Any, where: str) -> Decision:
    names = [one.name for one in fields(Decision)]
    if not isinstance(given, dict) or sorted(given) != sorted(names):
        raise DecisionsInvalid(f"{where}: has the members {', '.join(names)}, all of them and no others")
    for name, value in given.items():
        if not isinstance(value, str) or not value.strip():
            raise DecisionsInvalid(f"{where}: {name} is a text that is not empty")
    _version(given["until"], where)
    return Decision(**given)


def undecided(found: Iterable[Finding], decisions: Sequence[Decision], released: str, present: str) -> list[str]:
    """The breaks of this released document that nobody has accepted, and the decisions about it that hold no more.

    `present`: the version of the API that is compared with it.
    """
    lines = [str(one) for one in found]
    ours = [one for one in decisions if one.released == released]
    accepted, complaints = set(), []
    for one in ours:
        if one.finding not in lines:
            complaints.append(f"decision-without-finding: {released}: nothing is found any more of: {one.finding}")
        elif _version(present, "the present document") > _version(one.until, one.finding):
            complaints.append(f"decision-expired: {released}: held until {one.until}: {one.finding}")
        else:
            accepted.add(one.finding)
    return [line for line in lines if line not in accepted] + complaints


def _version(text: str, where: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise DecisionsInvalid(f"{where}: {text!r} is no version such as 1.2.0")
    return tuple(int(one) for one in found.groups())
