"""What a caller says that it sent, beside what was accepted from it: what is missing on either side. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.records import TransactionRecord

_Key = tuple[str, str]
"""Domain and external id."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of the caller's list; what is None is not compared. `content_hash`: SHA-256 of the document.

    `domain`: the document family; None where the list does not say it, which then may mean a document of any.
    """

    external_id: str
    amount: Decimal | None = None
    currency_code: str | None = None
    content_hash: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Both have it, and not the same. `fields`: `amount`, `currencyCode`, `contentHash`."""

    external_id: str
    transaction_id: str
    fields: tuple[str, ...]
    domain: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """`agreed`: in the list and accepted in the period, the same on both sides. `missing_here`: in the list, and not
    accepted. `missing_there`: accepted in the period, not in the list. `other_period`: in the list, and accepted before
    or after the period. `repeated`: what the list has more than once. `ambiguous`: external ids that the list gives
    without a domain, and that documents of several domains bear: of these nothing is judged. `unnamed`: accepted in
    the period without an external id: no list can name them."""

    agreed: int
    missing_here: Sequence[Sent]
    missing_there: Sequence[TransactionRecord]
    other_period: Sequence[TransactionRecord]
    differing: Sequence[Difference]
    repeated: Sequence[Sent]
    ambiguous: Sequence[str]
    unnamed: int

    @property
    def is_complete(self) -> bool:
        """Whether each side has all that the other has, and the same. A line that comes again without a domain may
        mean another document, so a list with such lines cannot be said to be complete; with a domain it means the same
        one, and is compared with it as well."""
        return not (
            self.missing_here
            or self.missing_there
            or self.differing
            or self.ambiguous
            or self.unnamed
            or any(one.domain is None for one in self.repeated)
        )


def compare(
    sent: Sequence[Sent], inside: Sequence[TransactionRecord], elsewhere: Sequence[TransactionRecord]
) -> Completeness:
    """`inside`: accepted in the period; `elsewhere`: whatever bears an external id of the list.

    One document is (domain, external id), as in the natural key: an order and its invoice may bear the same id. Of
    several transactions of one document (a refused one, and its correction) the newest counts.
    """
    ours = _newest(inside)
    known = _newest(elsewhere) | ours
    domains: dict[str, list[str]] = {}
    for bearing, name in known:
        domains.setdefault(name, []).append(bearing)
    listed: dict[tuple[str | None, str], Sent] = {}
    agreed: dict[_Key, bool] = {}
    differing: dict[_Key, Difference] = {}
    other_period, missing_here, repeated, ambiguous = [], [], [], []  # of another period: compared, and never agreed
    for line in sent:
        meant = domains.get(line.external_id, []) if line.domain is None else [line.domain]
        if len(meant) > 1:
            ambiguous.append(line.external_id)
            continue
        domain = meant[0] if meant else None
        is_again = (domain, line.external_id) in listed
        earlier = listed.setdefault((domain, line.external_id), line)
        record = None if domain is None else known.get((domain, line.external_id))
        if is_again:
            repeated.append(line if line.domain is None else earlier)  # whichever says less
        if record is None:
            if not is_again:
                missing_here.append(line)
            continue
        named = (record.domain, line.external_id)
        if named not in ours and not is_again:
            other_period.append(record)
        fields = _differing(line, record)
        if fields:
            before = differing.get(named)
            fields = tuple(dict.fromkeys((*(before.fields if before else ()), *fields)))
            differing[named] = Difference(line.external_id, record.transaction_id, fields, record.domain)
        agreed[named] = named in ours and named not in differing
    unsure = set(ambiguous)
    return Completeness(
        agreed=sum(agreed.values()),
        missing_here=missing_here,
        missing_there=[one for key, one in ours.items() if key not in listed and key[1] not in unsure],
        other_period=other_period,
        differing=list(differing.values()),
        repeated=list({(one.domain, one.external_id): one for one in repeated}.values()),
        ambiguous=list(dict.fromkeys(ambiguous)),
        unnamed=sum(one.external_id is None for one in inside),
    )


def _newest(records: Sequence[TransactionRecord]) -> dict[_Key, TransactionRecord]:
    found: dict[_Key, TransactionRecord] = {}
    for one in sorted(records, key=lambda record: record.transaction_id):
        if one.external_id is not None:
            found[one.domain, one.external_id] = one
    return found


def _differing(line: Sent, record: TransactionRecord) -> tuple[str, ...]:
    fields = []
    if line.amount is not None and (record.amount is None or Decimal(record.amount) != line.amount):
        fields.append("amount")
    if line.currency_code is not None and line.currency_code != record.currency_code:
        fields.append("currencyCode")
    if line.content_hash is not None and line.content_hash != record.content_hash:
        fields.append("contentHash")
    return tuple(fields)
