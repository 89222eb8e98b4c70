"""The tie-out of masters: each customer and product stands once in the legacy ERP, and once in the cloud's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.demo.masters import search_term
from gateway.demo.tie_out import Claim, Fault
from gateway.intake.cross_references import CrossReferenceRow

Held = Mapping[str, Sequence[str]]
"""Domain -> by what each of its masters is known in one ERP: customers by their search term, products by number."""


@dataclass(frozen=True, slots=True)
class Masters:
    """How many of a domain were sent, and how many of those stand in each ERP."""

    domain: str
    sent: int
    legacy: int
    cloud: int


def tie_out_masters(
    rows: Sequence[CrossReferenceRow], claims: Sequence[Claim], legacy: Held, cloud: Held
) -> tuple[list[Masters], list[Fault]]:
    """Counts and faults. `rows` are the legacy ERP's numbers; in the cloud a master is known by its reference."""
    counts: list[Masters] = []
    faults: list[Fault] = []
    for domain in ("customers", "products"):
        own = [row for row in rows if row.domain == domain]
        there, here = Counter(legacy[domain]), Counter(cloud[domain])
        references = {claim.external_id: claim for claim in claims if claim.domain == domain}
        in_legacy = in_cloud = 0
        for row in own:
            known_by = search_term(row.external_id) if domain == "customers" else row.document_number
            in_legacy += there[known_by] > 0
            claim = references.get(row.external_id)
            in_cloud += claim is not None and claim.reference != "" and here[claim.reference] > 0
            faults.extend(
                Fault(kind, domain, row.external_id, detail) for kind, detail in _judge(there[known_by], claim, here)
            )
        counts.append(Masters(domain, len(own), in_legacy, in_cloud))
    return counts, faults


def _judge(in_legacy: int, claim: Claim | None, cloud: Counter[str]) -> Iterator[tuple[str, str]]:
    if in_legacy != 1:
        yield "master_differs", f"it stands {in_legacy} times in the legacy ERP"
    if claim is None:
        yield "unknown_to_gateway", "the gateway has no transaction for it"
    elif claim.status != "posted":
        yield "not_posted", f"the gateway says {claim.status}"
    elif cloud[claim.reference] != 1:
        yield "master_differs", f"it stands {cloud[claim.reference]} times in the cloud ERP"
