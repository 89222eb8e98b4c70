"""An `ErpPort` for the stub, on the transport that the real drivers use: one POST per document, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.canonical import DOMAINS, ErpNumber
from adapters.errors import Misconfigured, OutcomeUnknown
from adapters.port import (
    Cancellation,
    Capability,
    Change,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
    Operation,
    Page,
    Permit,
    Posted,
    Posting,
    Reversal,
    Search,
    Submission,
    ValidationReport,
)
from adapters.transport import ErpRequest, Transport

_CREATED = 201


class StubDriver:
    """Posts the canonical document as it is. Only `submit` is ever called by the benchmark."""

    def __init__(self, system_id: str, transport: Transport) -> None:
        self._system_id = system_id
        self._transport = transport

    @property
    def system_id(self) -> str:
        return self._system_id

    def capabilities(self) -> Mapping[tuple[str, Operation], Capability]:
        return {(domain, Operation.CREATE): Capability(True) for domain in DOMAINS}

    def expectation(self, posting: Posting) -> Expectation:
        return Expectation(None, None, None)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        request = ErpRequest(
            "POST",
            f"/{submission.domain}",
            headers={"Content-Type": "application/json", "X-Reference": submission.external_reference},
            body=submission.document.model_dump_json(by_alias=True, exclude_none=True).encode(),
        )
        response = await self._transport.send(request, permit)
        if response.status != _CREATED:
            raise OutcomeUnknown(f"the stub answered {response.status}")
        number = json.loads(response.body)["documentNumber"]
        return Posted(ErpNumber(system_id=self._system_id, document_type="order", document_number=number))

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        raise OutcomeUnknown("the stub keeps no book")

    async def validate(self, submission: Submission) -> ValidationReport:
        raise Misconfigured("the stub cannot validate")

    async def change(self, change: Change, permit: Permit) -> Posted:
        raise Misconfigured("the stub cannot change")

    async def cancel(self, cancellation: Cancellation, permit: Permit) -> Posted:
        raise Misconfigured("the stub cannot cancel")

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        raise Misconfigured("the stub cannot reverse")

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        return None

    async def search(self, search: Search) -> Page:
        return Page(())

    async def control_totals(self, search: Search) -> ControlTotals:
        return ControlTotals(0, {})

    async def health(self) -> Health:
        return Health(ready=True)

    async def aclose(self) -> None:
        await self._transport.aclose()
