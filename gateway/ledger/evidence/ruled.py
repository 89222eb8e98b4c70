"""That the rules of a pack are those by which its entries were decided, and that they decide so again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.ledger.evidence.contents import PACK, RULES_LEFT_OUT, entry_path
from gateway.ledger.evidence.deciding import RuleNamed, versions_in
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.read_pack import ToldRules
from gateway.ledger.evidence.wrong import PackWrong


@dataclass(frozen=True, slots=True)
class Reproduced:
    """Whether rules decide as an entry says; None where too little was recorded to tell. `detail`: what differs."""

    same: bool | None
    detail: str


Reproduces = Callable[[bytes, bytes, Mapping[str, Any]], Reproduced]
"""Rules, governance, an entry `routed` → whether these rules decide so."""


def check_rules(pack: ProvenPack, reproduces: Reproduces | None) -> int:
    """The rules are those that entries name, and decide as was decided; how many decisions. Raises PackWrong."""
    texts: dict[int, tuple[bytes, bytes]] = {}
    versions: dict[int, set[str]] = {}
    for one in pack.told.rules:
        texts[one.activation_number] = _texts(pack, one)
        versions[one.activation_number] = {one.rules_version, *_table_versions(pack, one)}
    decisions = 0
    for index, entry in pack.entries.items():
        kind, named = entry.body["kind"], RuleNamed.by(entry.body)
        if kind not in ("routed", "activated"):
            continue
        if kind == "routed":
            _check_there(pack, index, named, versions)
        if named.table_version is None:
            continue
        _check_version(pack, index, named, versions)
        known = texts.get(named.in_force or 0)
        if kind != "routed" or named.is_pinned or known is None or reproduces is None:
            continue
        again = reproduces(*known, entry.body)
        if again.same is False:
            raise PackWrong("decision", entry_path(index), again.detail)
        decisions += again.same is True
    return decisions


def _check_there(pack: ProvenPack, index: int, named: RuleNamed, versions: Mapping[int, Collection[str]]) -> None:
    number = named.in_force
    if number is not None and number not in versions and not _left_out(pack):
        path = f"rules/{number}.rules.json"
        raise PackWrong("rules", path, f"entry {index} was decided by it; it is neither there nor said to be left out")


def _check_version(pack: ProvenPack, index: int, named: RuleNamed, versions: Mapping[int, Collection[str]]) -> None:
    """The table that the entry names is in the rules of its decision, or these are not there, and it is said so."""
    is_there = named.decided in versions
    if named.is_in(versions) or (not named.is_pinned and not is_there):
        return
    if named.is_pinned and _left_out(pack, f"the table {named.table_version}" if is_there else ""):
        return
    path = PACK if named.decided is None else f"rules/{named.decided}.rules.json"
    raise PackWrong("rules", path, f"it has not the table version that entry {index} names")


def _left_out(pack: ProvenPack, what: str = "") -> bool:
    return any(one.startswith(RULES_LEFT_OUT + what) for one in pack.told.left_out)


def _texts(pack: ProvenPack, told: ToldRules) -> tuple[bytes, bytes]:
    """Rules and governance, which have the versions that the pack says."""
    found = []
    for part, version in (("rules", told.rules_version), ("governance", told.governance_version)):
        path = f"rules/{told.activation_number}.{part}.json"
        found.append(pack.file(path))
        if sha256(found[-1]).hexdigest() != version:
            raise PackWrong("rules", path, "its SHA-256 is not the version that the pack says")
    return found[0], found[1]


def _table_versions(pack: ProvenPack, told: ToldRules) -> set[str]:
    path = f"rules/{told.activation_number}.rules.json"
    try:
        return versions_in(pack.file(path))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackWrong("rules", path, "it is no text of rules") from error
