"""What a pack says, compared with what its entries prove. Pure."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from gateway.domain.canonical_json import canonical_json
from gateway.domain.identity import payload_commitment
from gateway.ledger.evidence.contents import KINDS, PACK, RULES_LEFT_OUT, entry_path, json_file, rows_hash
from gateway.ledger.evidence.openings import (
    ACCEPTED,
    ERASED,
    MISSING,
    REFUSAL,
    SHOWN,
    UNAVAILABLE,
    commitments_of,
    erased_in,
    refusals_kept,
)
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.read_pack import ToldOpening
from gateway.ledger.evidence.wrong import PackWrong

_NAMED_BY: Final = {"transaction": ("trace", "transactionId"), "lineage": ("lineageId", "lineageId")}
"""By what a question is about: the member of an entry, and that of the question, which are the same."""
_ACTIVATES: Final = ("activated", "rolled_back")


@dataclass(frozen=True, slots=True)
class Reproduced:
    """Whether rules decide as an entry says; None where too little was recorded to tell. `detail`: what differs."""

    same: bool | None
    detail: str


Reproduces = Callable[[bytes, bytes, Mapping[str, Any]], Reproduced]
"""Rules, governance, an entry `routed` → whether these rules decide so."""


def check_openings(pack: ProvenPack) -> tuple[int, int]:
    """Every commitment of every entry is opened, or it is said why not; how many of either. Raises PackWrong.

    That something was erased is believed to an entry alone, of the same trace. What was accepted and is neither shown
    nor withheld nor erased is missing.
    """
    wanted = [
        (index, member, commitment)
        for index, entry in pack.entries.items()
        for member, commitment in commitments_of(entry.body)
    ]
    if [(one.log_index, one.member, one.commitment) for one in pack.told.openings] != wanted:
        raise PackWrong("pack", PACK, "it does not open, in this order, what its entries commit to")
    erased = erased_in(entry.body for entry in pack.entries.values())
    kept = refusals_kept(entry.body for entry in pack.entries.values())
    shown = 0
    for one in pack.told.openings:
        if one.state == SHOWN:
            _check_opening(pack, one)
            shown += 1
        elif one.path is not None or one.salt is not None:
            raise PackWrong("pack", PACK, f"what entry {one.log_index} commits to is {one.state}, and yet there")
        else:
            trace = pack.entries[one.log_index].body["trace"]
            _check_absent(one, erased.get(trace, ()), kept.get(trace))
    return shown, len(wanted) - shown


def _check_absent(one: ToldOpening, erased: Collection[str], kept: str | None = None) -> None:
    """`erased`: what entries of the same trace say that it was. `kept`: the refusal whose words must be there."""
    # packs of earlier programs say that a refusal was erased with its trace where a later one had replaced it
    told = one.commitment in erased or (one.member == REFUSAL and bool(erased))
    must_be = one.member == ACCEPTED or (one.member == REFUSAL and one.commitment == kept)
    if (one.state == ERASED and not told) or one.state == MISSING or (one.state == UNAVAILABLE and must_be):
        raise PackWrong(
            "payload",
            PACK,
            f"what entry {one.log_index} commits to as {one.member} is missing: it is not there, and no entry of the "
            "pack tells that it was erased",
        )


def _check_opening(pack: ProvenPack, one: ToldOpening) -> None:
    try:
        salt = b64decode(one.salt or "", validate=True)
    except (Base64Error, ValueError) as error:
        raise PackWrong("pack", PACK, f"the salt of entry {one.log_index} is no base64") from error
    if one.path is None or payload_commitment(salt, pack.file(one.path)) != one.commitment:
        path = one.path or PACK
        raise PackWrong("payload", path, f"it is not what entry {one.log_index} commits to as {one.member}")


def check_rules(pack: ProvenPack, reproduces: Reproduces | None) -> int:
    """The rules are those that entries name, and decide as was decided; how many decisions. Raises PackWrong."""
    versions: dict[int, tuple[set[str], bytes, bytes]] = {}
    for one in pack.told.rules:
        number = one.activation_number
        rules_path, governance_path = (f"rules/{number}.{part}.json" for part in ("rules", "governance"))
        rules, governance = pack.file(rules_path), pack.file(governance_path)
        for path, text, version in (
            (rules_path, rules, one.rules_version),
            (governance_path, governance, one.governance_version),
        ):
            if sha256(text).hexdigest() != version:
                raise PackWrong("rules", path, "its SHA-256 is not the version that the pack says")
        versions[number] = ({one.rules_version, *_table_versions(rules_path, rules)}, rules, governance)
    decisions = 0
    for index, entry in pack.entries.items():
        rule = entry.body.get("rule") or {}
        known = versions.get(rule.get("activationNumber", 0))
        if known is None and entry.body["kind"] == "routed" and "activationNumber" in rule:
            _check_left_out(pack, index, rule["activationNumber"])
        if known is None or "tableVersion" not in rule or entry.body["kind"] not in ("routed", "activated"):
            continue
        if rule["tableVersion"] not in known[0]:
            path = f"rules/{rule['activationNumber']}.rules.json"
            raise PackWrong("rules", path, f"it has not the table version that entry {index} names")
        if entry.body["kind"] != "routed" or entry.body.get("pinned") is True or reproduces is None:
            continue
        again = reproduces(known[1], known[2], entry.body)
        if again.same is False:
            raise PackWrong("decision", entry_path(index), again.detail)
        decisions += again.same is True
    return decisions


def _check_left_out(pack: ProvenPack, index: int, number: Any) -> None:
    if not any(one.startswith(RULES_LEFT_OUT) for one in pack.told.left_out):
        path = f"rules/{number}.rules.json"
        raise PackWrong("rules", path, f"entry {index} was decided by it; it is neither there nor said to be left out")


def _table_versions(path: str, rules: bytes) -> set[str]:
    """The version of a domain's table: SHA-256 over it with trees and systems, in canonical JSON."""
    try:
        read = json.loads(rules)
        ground = {name: value for name, value in read.items() if name != "tables"}
        return {sha256(canonical_json(ground | table)).hexdigest() for table in read["tables"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackWrong("rules", path, "it is no text of rules") from error


def check_repeated(pack: ProvenPack) -> None:
    """The lists of decisions, approvals and answers repeat entries. Raises PackWrong."""
    for path, kinds in KINDS.items():
        repeated = [
            {"logIndex": index, "entry": entry.body}
            for index, entry in pack.entries.items()
            if entry.body["kind"] in kinds
        ]
        if pack.file(path) != json_file(repeated):
            raise PackWrong("list", path, "it does not repeat the entries of the pack")


def check_question(pack: ProvenPack) -> None:
    """Rows, hash and size are as said; the entries are about what was asked. Raises PackWrong."""
    query = pack.told.query
    rows = [one for one in pack.told.entries if one.role == "found"]
    told = (query.get("rowCount"), query.get("rowsHash"), query.get("asOfLogSize"))
    if told != (len(rows), rows_hash(bytes.fromhex(one.leaf_hash) for one in rows), pack.checkpoint.size):
        raise PackWrong("pack", PACK, "count, hash or log size of its question are others than its entries have")
    if query.get("about") == "ruleChange":
        _check_rule_change(pack, query.get("activationNumber"))
    names = _NAMED_BY.get(str(query.get("about")))
    if names is None:
        return
    for index, entry in pack.entries.items():
        if entry.found and entry.body.get(names[0]) != query.get(names[1]):
            raise PackWrong("pack", PACK, f"entry {index} is not about what was asked")


def _check_rule_change(pack: ProvenPack, number: Any) -> None:
    """Its entry and its rules are there."""
    activated = (
        entry.found
        and entry.body["kind"] in _ACTIVATES
        and (entry.body.get("rule") or {}).get("activationNumber") == number
        for entry in pack.entries.values()
    )
    if not any(activated):
        raise PackWrong("pack", PACK, f"the entry of activation {number} is missing, about which it was asked")
    if all(one.activation_number != number for one in pack.told.rules):
        raise PackWrong("rules", f"rules/{number}.rules.json", "it is missing, and the pack is about it")
