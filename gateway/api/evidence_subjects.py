"""What a pack is asked to be about, made of the request's members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Final

from adapters.canonical import DOMAINS
from adapters.port import Operation as Verb
from gateway.api.evidence_schemas import EvidenceRequest, micros
from gateway.api.problems import malformed
from gateway.ledger.evidence.subjects import (
    OfLineage,
    OfRuleChange,
    OfSample,
    OfTransaction,
    Population,
    Subject,
)

Nodes = Callable[[str, Mapping[str, str]], frozenset[str] | None]
"""Field and named nodes → the node with all below it. Raises Problem `unknown-node`."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "transaction": ("transaction_id",),
    "lineage": ("lineage_id",),
    "ruleChange": ("activation_number",),
    "sample": ("sample_size", "nonce"),
}
_NARROWS: Final = {
    "domain": "domain",
    "operation": "operation",
    "company_code": "companyCode",
    "business_unit": "businessUnit",
    "geography": "geography",
}
_OF_SAMPLES: Final = ("log_size", "accepted_from", "accepted_until", *_NARROWS)
_VERBS: Final = tuple(one.value for one in Verb)


def subject_of(asked: EvidenceRequest, nodes: Nodes) -> Subject:
    """Raises Problem `invalid-request` and `unknown-node`."""
    _check_members(asked)
    if asked.transaction_id is not None:
        return OfTransaction(asked.transaction_id)
    if asked.lineage_id is not None:
        return OfLineage(asked.lineage_id)
    if asked.activation_number is not None:
        return OfRuleChange(asked.activation_number)
    named = {wire: str(value) for name, wire in _NARROWS.items() if (value := getattr(asked, name)) is not None}
    for name, known in (("domain", tuple(DOMAINS)), ("operation", _VERBS)):
        if name in named and named[name] not in known:
            raise malformed(name, f"{named[name]!r} is not known", f"Use one of {', '.join(known)}.")
    population = Population(
        domain=asked.domain,
        operation=asked.operation,
        company_code=asked.company_code,
        business_units=nodes("businessUnit", named),
        geographies=nodes("geography", named),
        accepted_from=micros(asked.accepted_from),
        accepted_until=micros(asked.accepted_until),
    )
    for wire, at in (("acceptedFrom", asked.accepted_from), ("acceptedUntil", asked.accepted_until)):
        if at is not None:
            named[wire] = at.astimezone(UTC).isoformat()
    return OfSample(
        population=population,
        size=asked.sample_size or 0,
        nonce=asked.nonce or "",
        log_size=asked.log_size,
        named=named,
    )


def _check_members(asked: EvidenceRequest) -> None:
    """What `about` needs is there, and nothing of another."""
    needed = _NEEDED[asked.about]
    for name in needed:
        if getattr(asked, name) is None:
            raise malformed(_wire(name), f"is missing for about={asked.about}", "Name it.")
    others = {name for names in _NEEDED.values() for name in names} - set(needed)
    if asked.about != "sample":
        others |= set(_OF_SAMPLES)
    for name in sorted(others):
        if getattr(asked, name) is not None:
            raise malformed(_wire(name), f"is given for about={asked.about}", "Leave it out.")


def _wire(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(one.capitalize() for one in others)
