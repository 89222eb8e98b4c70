"""A gateway process as `erp-gateway serve` or `work` runs it, with the driver of `CountingErp`. Nothing else of it is
replaced.

Run as `python -m tests.journeys.restart_gateway DATA [work]`; the port comes from the environment, as any setting.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from pathlib import Path

from adapters.canonical import ErpNumber
from adapters.errors import OutcomeUnknown
from adapters.port import ErpPort, FoundDocument, Posting
from adapters.transport import ErpRequest, Transport
from benchmarks.stub_driver import StubDriver
from gateway.cli.serve import serve, work
from gateway.settings import SystemSettings
from gateway.wiring import systems
from routing_rules import System


class CountedDriver(StubDriver):
    """The stub's, for an ERP that keeps a book: it can be asked what came of a posting."""

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        reference = posting.external_reference
        response = await self._transport.send(ErpRequest("GET", f"/{posting.domain}", query={"reference": reference}))
        if response.status != HTTPStatus.OK:
            raise OutcomeUnknown(f"the ERP answered {response.status}")
        return tuple(
            FoundDocument(
                ErpNumber(system_id=self.system_id, document_type="order", document_number=number),
                reference,
                None,
                None,
                None,
            )
            for number in json.loads(response.body)["documentNumbers"]
        )


def _driver(system: System, _settings: SystemSettings, _data: Path, transport: Transport) -> ErpPort:
    return CountedDriver(system.id, transport)


if __name__ == "__main__":
    systems.DRIVERS = {"stub": _driver}  # type: ignore[misc]  # the drivers are a constant for everybody else
    (work if sys.argv[2:] == ["work"] else serve)(Path(sys.argv[1]))
