"""The tie-out: what the two ERPs hold, against what was sent. Pure.

It asks nothing of our drivers. From the gateway it takes one thing only, which reference it gave to which document;
that claim is itself put to the test, since the document behind a reference must equal the input to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gateway.demo.expectations import Expected


@dataclass(frozen=True, slots=True)
class Found:
    """One document as it stands in an ERP. `domain` by the ERP's own document type; None in what it does not keep.

    `line_total` is what the items on the other side of `total` come to.
    """

    system_id: str
    domain: str
    number: str
    reference: str
    customer: str
    currency: str
    total: Decimal
    line_total: Decimal
    lines: tuple[Decimal, ...]
    company_code: str | None = None
    posting_date: date | None = None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.system_id} {self.domain} {self.number}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the gateway says of one transaction: which reference it gave to which document, and where that is."""

    domain: str
    source: str
    external_id: str
    status: str
    reference: str
    system_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement. `document` may be "" where it is nobody's."""

    kind: str
    domain: str
    document: str
    detail: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An expected document with where it was found; `system_id` is "" if it is not in exactly one ERP."""

    expected: Expected
    system_id: str
    faults: int


@dataclass(frozen=True, slots=True)
class TieOut:
    """The result. It holds if there is no fault."""

    placed: Sequence[Placed]
    faults: Sequence[Fault]
    others: int = 0
    """Documents that somebody else sent through the gateway, and that stand once; they belong to no sum here."""

    @property
    def holds(self) -> bool:
        """Whether everything that was sent stands where it should, to the cent, and nothing else does."""
        return not self.faults


_MASTERS = frozenset({"customers", "products"})

CustomerNumbers = Mapping[tuple[str, str], str]
"""(system, customer's external id) -> number there, without zeros in front."""


def tie_out(
    expected: Sequence[Expected], found: Sequence[Found], claims: Sequence[Claim], customers: CustomerNumbers
) -> TieOut:
    """Compare input, ERPs and claims; every disagreement is a fault, and none hides another."""
    wanted = {(document.domain, document.source, document.external_id) for document in expected}
    mine = [claim for claim in claims if (claim.domain, claim.source, claim.external_id) in wanted]
    theirs = {
        claim.reference: claim
        for claim in claims
        if claim.reference and (claim.domain, claim.source, claim.external_id) not in wanted
    }
    found, others = _part(found, theirs)
    claimed = _by_document(mine)
    standing: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        standing[one.reference].append(one)
    faults: list[Fault] = []
    placed: list[Placed] = []
    systems_of: dict[str, set[str]] = defaultdict(set)
    for document in expected:
        own = claimed.get((document.domain, document.source, document.external_id), [])
        there = [one for claim in own if claim.reference for one in standing.get(claim.reference, [])]
        complaints = [
            Fault(kind, document.domain, document.external_id, detail)
            for kind, detail in _judge(document, own, there, customers)
        ]
        systems = {one.system_id for one in there}
        systems_of[document.lineage] |= systems
        placed.append(Placed(document, systems.pop() if len(systems) == 1 else "", len(complaints)))
        faults.extend(complaints)
    faults.extend(_split_lineages(systems_of))
    faults.extend(_strangers(found, mine))
    faults.extend(_not_once(others, theirs))
    faults.extend(_sums(expected, found))
    return TieOut(placed, faults, len(others))


def _part(found: Sequence[Found], theirs: Mapping[str, Claim]) -> tuple[list[Found], list[Found]]:
    """What may be the input's, and what stands under a reference that the gateway gave to another document."""
    others = [one for one in found if one.reference in theirs]
    return [one for one in found if one.reference not in theirs], others


def _not_once(others: Sequence[Found], theirs: Mapping[str, Claim]) -> Iterator[Fault]:
    """Other callers' documents are not compared with an input, but each posted one must stand exactly once."""
    count: dict[str, int] = defaultdict(int)
    for one in others:
        count[one.reference] += 1
    for reference, claim in theirs.items():
        if claim.domain in _MASTERS:
            continue
        if claim.status == "posted" and count[reference] != 1:
            yield Fault("not_once", claim.domain, claim.external_id, f"stands {count[reference]} times in the ERPs")


def _judge(
    document: Expected, claims: Sequence[Claim], there: Sequence[Found], customers: CustomerNumbers
) -> Iterator[tuple[str, str]]:
    """What is wrong with one document."""
    if not claims:
        yield "unknown_to_gateway", "the gateway has no transaction for it"
    for claim in claims:
        if claim.status != "posted":
            yield "not_posted", f"the gateway says {claim.status}"
    if not there:
        yield "missing", "it stands in neither ERP"
        return
    if len({one.system_id for one in there}) > 1:
        yield "in_both", "it stands in both: " + ", ".join(one.name for one in there)
    elif len(there) > 1:
        yield "duplicate", "it stands there more than once: " + ", ".join(one.name for one in there)
    known = {(claim.system_id, claim.number) for claim in claims}
    for one in there:
        if (one.system_id, one.number) not in known:
            yield "claim_differs", f"the gateway does not name {one.name}"
        yield from _compare(document, one, customers)


def _compare(document: Expected, one: Found, customers: CustomerNumbers) -> Iterator[tuple[str, str]]:
    """How a document in an ERP differs from the input."""
    if one.domain != document.domain:
        yield "kind_differs", f"{one.name} is no {document.domain}"
    if len(one.lines) != len(document.lines):
        yield "lines_differ", f"{one.name} has {len(one.lines)} lines, not {len(document.lines)}"
    for position, (there, sent) in enumerate(zip(one.lines, document.lines, strict=False), start=1):
        if there != sent:
            yield "line_differs", f"{one.name} line {position} is {there}, not {sent}"
    if one.total != document.total:
        yield "total_differs", f"{one.name} comes to {one.total}, not {document.total}"
    if one.line_total != one.total:
        yield "unbalanced", f"{one.name} comes to {one.total}, its lines to {one.line_total}"
    if one.currency != document.currency:
        yield "currency_differs", f"{one.name} is in {one.currency}, not {document.currency}"
    number = customers.get((one.system_id, document.customer))
    if one.customer.lstrip("0") != number:
        yield "customer_differs", f"{one.name} is customer {one.customer}'s, {document.customer} is {number} there"
    if one.company_code not in {None, document.company_code}:
        yield "company_differs", f"{one.name} is in {one.company_code}, not {document.company_code}"
    if one.posting_date not in {None, document.posting_date}:
        yield "date_differs", f"{one.name} is of {one.posting_date}, not {document.posting_date}"


def _by_document(claims: Iterable[Claim]) -> dict[tuple[str, str, str], list[Claim]]:
    claimed: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        claimed[claim.domain, claim.source, claim.external_id].append(claim)
    return claimed


def _split_lineages(systems_of: Mapping[str, set[str]]) -> Iterator[Fault]:
    for lineage, systems in systems_of.items():
        if len(systems) > 1:
            yield Fault("lineage_split", "orders", lineage, "the lineage stands in " + " and ".join(sorted(systems)))


def _strangers(found: Sequence[Found], claims: Sequence[Claim]) -> Iterator[Fault]:
    """What stands in an ERP although nobody sent it."""
    references = {claim.reference for claim in claims} - {""}
    for one in found:
        if one.reference not in references:
            yield Fault("stranger", one.domain, "", f"{one.name} with reference '{one.reference}' was not sent")


def _sums(expected: Sequence[Expected], found: Sequence[Found]) -> Iterator[Fault]:
    """Count and money of each domain, legacy + cloud against the input: what a person would add up first."""
    for domain in sorted({document.domain for document in expected} | {one.domain for one in found}):
        sent = [document.total for document in expected if document.domain == domain]
        there = [one.total for one in found if one.domain == domain]
        if len(there) != len(sent):
            yield Fault("count_differs", domain, "", f"{len(there)} stand in the ERPs, {len(sent)} were sent")
        if sum(there) != sum(sent):
            yield Fault("sum_differs", domain, "", f"{sum(there)} stands in the ERPs, {sum(sent)} was sent")
