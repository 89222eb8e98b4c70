"""The bodies and answers of adopting, with their examples."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from adapters.canonical import CanonicalModel, Money
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.identifiers import ID_PATTERN
from gateway.api.slice_schemas import CurrencyAmount
from gateway.cutover.adoption_batch import MOST_LINES

SystemId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$", examples=["legacy-main"])]


class WantedLineage(CanonicalModel):
    """A lineage, and the number that its one open document has in the new system."""

    lineage_id: Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]
    document_type: Annotated[str, Field(pattern="^[a-z_]{1,40}$", examples=["sales_order"])]
    document_number: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]


class ControlTotal(CanonicalModel):
    """Lineages and their open remainders, as counted in the old system: one amount of each currency."""

    lineage_count: Annotated[int, Field(ge=1, le=MOST_LINES)]
    amounts: Annotated[tuple[Money, ...], Field(min_length=1, max_length=50)]


class AdoptionRequest(CanonicalModel):
    """A batch of lineages that were migrated elsewhere. `effective_on`: the day from which it may be approved."""

    from_system_id: SystemId
    to_system_id: SystemId
    effective_on: Annotated[date, Field(strict=False, examples=["2026-12-01"])]
    control: ControlTotal
    lines: Annotated[tuple[WantedLineage, ...], Field(min_length=1, max_length=MOST_LINES)]


class AdoptionApproval(CanonicalModel):
    """An approval has no content of its own."""


class AdoptionLine(AnswerModel):
    """What became of a lineage. `reason`: why it was refused; approving the batch again tries it again."""

    lineage_id: str
    document_type: str
    document_number: str
    state: Literal["requested", "adopted", "refused"]
    reason: str | None
    settled_at: str | None


class AdoptionControl(AnswerModel):
    """The control total of the batch."""

    lineage_count: int = Field(description="How many lineages.")
    amounts: list[CurrencyAmount] = Field(description="What is open in them, one amount of each currency.")


class AdoptionAnswer(Answered):
    """A batch as it stands. `adopted`, `refused`: how many of its lines."""

    adoption_id: str
    state: Literal["requested", "approved"]
    from_system_id: str
    to_system_id: str
    effective_on: str
    control: AdoptionControl
    requested_at: str
    requested_by: str
    approved_at: str | None
    approved_by: str | None
    adopted: int
    refused: int
    lines: list[AdoptionLine]


_LINEAGE: Final = "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W"
_CONTROL: Final[dict[str, Any]] = {"lineageCount": 1, "amounts": [{"amount": "440.00", "currencyCode": "USD"}]}
_LINE: Final = {"lineageId": _LINEAGE, "documentType": "sales_order", "documentNumber": "5000417"}

REQUEST: Final[dict[str, Any]] = {
    "fromSystemId": "legacy-main",
    "toSystemId": "cloud-main",
    "effectiveOn": "2026-12-01",
    "control": _CONTROL,
    "lines": [_LINE],
}
REQUESTED: Final[dict[str, Any]] = {
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "adoptionId": "adp_01JD9Q5V8W2M4N6P8R0S2T4V6X",
    "state": "requested",
    "fromSystemId": "legacy-main",
    "toSystemId": "cloud-main",
    "effectiveOn": "2026-12-01",
    "control": _CONTROL,
    "requestedAt": "2026-11-23T18:58:00.000001Z",
    "requestedBy": "migration-console",
    "approvedAt": None,
    "approvedBy": None,
    "adopted": 0,
    "refused": 0,
    "lines": [{**_LINE, "state": "requested", "reason": None, "settledAt": None}],
}
APPROVED: Final[dict[str, Any]] = {
    **REQUESTED,
    "state": "approved",
    "approvedAt": "2026-12-01T08:00:00.000001Z",
    "approvedBy": "operations",
    "adopted": 1,
    "lines": [{**_LINE, "state": "adopted", "reason": None, "settledAt": "2026-12-01T08:00:00.200001Z"}],
}
