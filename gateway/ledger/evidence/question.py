"""The question of a pack: it is one that can be asked, and the entries are about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.ledger.evidence.contents import PACK, rows_hash
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.wrong import PackWrong

TRANSACTION: Final = "transaction"
LINEAGE: Final = "lineage"
RULE_CHANGE: Final = "ruleChange"
SAMPLE: Final = "sample"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


_NEEDED: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    TRANSACTION: {"transactionId": _is_text},
    LINEAGE: {"lineageId": _is_text},
    RULE_CHANGE: {"activationNumber": _is_number},
    SAMPLE: {"sampleSize": _is_number, "nonce": _is_text},
}
"""By what it is about, what it asks."""
_NARROWS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "logSize": _is_number,
    "domain": _is_text,
    "operation": _is_text,
    "companyCode": _is_text,
    "businessUnit": _is_text,
    "geography": _is_text,
    "acceptedFrom": _is_text,
    "acceptedUntil": _is_text,
}
"""What a sample may say beside."""
_ANSWERS: Final = {"about", "rowCount", "rowsHash", "asOfLogSize"}
_NAMED_BY: Final = {TRANSACTION: ("trace", "transactionId"), LINEAGE: ("lineageId", "lineageId")}
"""By what a question is about: the member of an entry, and that of the question, which are the same."""
_ACTIVATES: Final = ("activated", "rolled_back")


def check_question(pack: ProvenPack) -> None:
    """Rows, hash and size are as said; the entries are about what was asked. Raises PackWrong."""
    query = pack.told.query
    about = _about(query)
    rows = [one for one in pack.told.entries if one.role == "found"]
    told = (query.get("rowCount"), query.get("rowsHash"), query.get("asOfLogSize"))
    if told != (len(rows), rows_hash(bytes.fromhex(one.leaf_hash) for one in rows), pack.checkpoint.size):
        raise PackWrong("pack", PACK, "count, hash or log size of its question are others than its entries have")
    if about == RULE_CHANGE:
        _check_rule_change(pack, query["activationNumber"])
    if about not in _NAMED_BY:
        return
    of_entry, of_query = _NAMED_BY[about]
    if not rows:
        raise PackWrong("pack", PACK, f"it has no entry of the {about} about which it was asked")
    for index, entry in pack.entries.items():
        if entry.found and entry.body.get(of_entry) != query[of_query]:
            raise PackWrong("pack", PACK, f"entry {index} is not about what was asked")


def _about(query: Mapping[str, Any]) -> str:
    """What it is about. Raises PackWrong where its members are not those of such a question."""
    about = query.get("about")
    if not isinstance(about, str) or about not in _NEEDED:
        raise PackWrong("pack", PACK, f"its question is about {str(about)[:100]!r}, about which nobody can ask")
    needed = _NEEDED[about]
    known = {**needed, **(_NARROWS if about == SAMPLE else {})}
    for name in sorted({*needed, *query} - _ANSWERS):
        if name not in known:
            raise PackWrong("pack", PACK, f"{name[:100]!r} is no member of a question about a {about}")
        if not known[name](query.get(name)):
            raise PackWrong("pack", PACK, f"{name} of its question is missing, or is none")
    return about


def _check_rule_change(pack: ProvenPack, number: int) -> None:
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
