"""What an evidence pack is asked for with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from adapters.canonical import CanonicalModel
from gateway.api.identifiers import ID_PATTERN
from gateway.ledger.evidence.sampling import MOST_DRAWN, NONCE

_NODE: Final = r"^[A-Za-z0-9_-]{1,32}$"
_MOST: Final = 2**53


class EvidenceRequest(CanonicalModel):
    """What a pack shall be about, by `about`: a `transaction` (with `transaction_id`), a `lineage` (with `lineage_id`),
    a `ruleChange` (with `activation_number`), or a `sample` (with `sample_size` and `nonce`).

    Of a sample: `nonce`: what the auditor thought of, 16 to 128 printable characters without blanks. `log_size`: the
    population is closed by the first checkpoint of at least so many entries, by default by the newest. `domain`,
    `operation`, `business_unit`, `geography`, `company_code`, `accepted_from`, `accepted_until` (excluded) narrow the
    population. `held_size`: of the log as the asker has verified it; the pack then shows that it continues that.
    """

    about: Annotated[Literal["transaction", "lineage", "ruleChange", "sample"], Field(examples=["lineage"])]
    transaction_id: Annotated[str, Field(pattern=f"^{ID_PATTERN}$")] | None = None
    lineage_id: Annotated[str, Field(pattern=f"^{ID_PATTERN}$")] | None = None
    activation_number: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    sample_size: Annotated[int, Field(ge=1, le=MOST_DRAWN)] | None = None
    nonce: Annotated[str, Field(pattern=f"^{NONCE}$", examples=["dice-4421-3316-6252"])] | None = None
    log_size: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    domain: Annotated[str, Field(pattern=r"^[a-z_]{1,20}$", examples=["orders"])] | None = None
    operation: Annotated[str, Field(pattern=r"^[a-z]{1,10}$", examples=["create"])] | None = None
    business_unit: Annotated[str, Field(pattern=_NODE, examples=["Western"])] | None = None
    geography: Annotated[str, Field(pattern=_NODE, examples=["US"])] | None = None
    company_code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$", examples=["NW01"])] | None = None
    accepted_from: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-01T00:00:00Z"])] | None = None
    accepted_until: Annotated[AwareDatetime, Field(strict=False, examples=["2026-12-01T00:00:00Z"])] | None = None
    held_size: Annotated[int, Field(ge=1, le=_MOST)] | None = None


def micros(at: datetime | None) -> int | None:
    """µs since 1970 UTC."""
    return None if at is None else round(at.timestamp() * 1_000_000)
