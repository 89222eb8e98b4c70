"""What a caller says that it sent, beside what was accepted from it: what is missing on either side. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.records import TransactionRecord


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of the caller's list; what is None is not compared. `content_hash`: SHA-256 of the document."""

    external_id: str
    amount: Decimal | None = None
    currency_code: str | None = None
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Both have it, and not the same. `fields`: `amount`, `currencyCode`, `contentHash`."""

    external_id: str
    transaction_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Completeness:
    """`agreed`: in the list and accepted in the period, the same on both sides. `missing_here`: in the list, never
    accepted. `missing_there`: accepted in the period, not in the list. `other_period`: in the list, and accepted before
    or after the period. `repeated`: external ids that the list has more than once. `unnamed`: accepted in the period
    without an external id: no list can name them."""

    agreed: int
    missing_here: Sequence[str]
    missing_there: Sequence[TransactionRecord]
    other_period: Sequence[TransactionRecord]
    differing: Sequence[Difference]
    repeated: Sequence[str]
    unnamed: int


def compare(
    sent: Sequence[Sent], inside: Sequence[TransactionRecord], elsewhere: Sequence[TransactionRecord]
) -> Completeness:
    """`inside`: accepted in the period; `elsewhere`: whatever bears an external id of the list.

    Of several transactions of one external id (a refused one, and its correction) the newest counts.
    """
    ours = _newest(inside)
    known = _newest(elsewhere) | ours
    theirs: dict[str, Sent] = {}
    repeated = []
    for one in sent:
        if one.external_id in theirs:
            repeated.append(one.external_id)
        else:
            theirs[one.external_id] = one
    agreed, differing, other_period, missing_here = 0, [], [], []  # of another period: compared, and never agreed
    for name, line in theirs.items():
        record = known.get(name)
        if record is None:
            missing_here.append(name)
            continue
        if name not in ours:
            other_period.append(record)
        fields = _differing(line, record)
        if fields:
            differing.append(Difference(name, record.transaction_id, fields))
        elif name in ours:
            agreed += 1
    return Completeness(
        agreed=agreed,
        missing_here=missing_here,
        missing_there=[record for name, record in ours.items() if name not in theirs],
        other_period=other_period,
        differing=differing,
        repeated=list(dict.fromkeys(repeated)),
        unnamed=sum(one.external_id is None for one in inside),
    )


def _newest(records: Sequence[TransactionRecord]) -> dict[str, TransactionRecord]:
    found: dict[str, TransactionRecord] = {}
    for one in sorted(records, key=lambda record: record.transaction_id):
        if one.external_id is not None:
            found[one.external_id] = one
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
