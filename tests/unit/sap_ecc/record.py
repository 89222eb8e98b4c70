"""Records `golden` anew: `python -m tests.unit.sap_ecc.record`, against a new `mock-sap` process.

Whoever changes what is sent runs it, and reads the difference.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from adapters.legacy_erp.sap_ecc.bapi import basic_authorization
from adapters.legacy_erp.sap_ecc.orders05 import order_idoc
from adapters.legacy_erp.sap_ecc.wire import CONTENT_TYPE, envelope
from adapters.transport import ErpRequest, HttpTransport
from tests.contract.mock_sap import MockSap
from tests.unit.sap_ecc.documents import PASSWORD, SETTINGS, SYSTEM
from tests.unit.sap_ecc.recorded import CALLS, ordered
from tests.unit.sap_ecc.scripted import GOLDEN


async def _record(base_url: str) -> None:
    transport = HttpTransport(base_url)
    authorization = {"authorization": basic_authorization(SETTINGS)}
    try:
        for name, call in CALLS.items():
            made = call()
            body = envelope(made.function, made.parameters)
            path = SETTINGS.path.format(function=made.function.name.lower(), client=SETTINGS.client)
            headers = authorization | {"content-type": CONTENT_TYPE, "accept": "text/xml"}
            answer = await transport.send(ErpRequest("POST", path, headers=headers, body=body))
            (GOLDEN / f"{name}.xml").write_bytes(body)
            (GOLDEN / f"{name}.answer.xml").write_bytes(answer.body)
        await _record_idocs(transport, authorization)
    finally:
        await transport.aclose()


async def _record_idocs(transport: HttpTransport, authorization: dict[str, str]) -> None:
    asking = authorization | {"accept": "application/json"}
    body = order_idoc(ordered(), replace(SETTINGS, orders_by="idoc"), SYSTEM)
    (GOLDEN / "idoc.xml").write_bytes(body)
    for name, request in {
        "idoc_receipt": ErpRequest("POST", "/sap/bc/idoc", headers=asking | {"content-type": CONTENT_TYPE}, body=body),
        "idoc_list": ErpRequest("GET", "/sap/bc/idoc", query={"mestyp": "ORDERS", "limit": "10"}, headers=asking),
        "idoc_record": ErpRequest("GET", "/sap/bc/idoc/1000000000000001", headers=asking),
    }.items():
        answer = await transport.send(request)
        (GOLDEN / f"{name}.json").write_bytes(answer.body)


def main() -> None:
    """Start a process, send everything, write what was sent and answered."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--auth", f"{SETTINGS.user}:{PASSWORD}", "--no-csrf", "--clock", "1996-07-01T08:00"]
        sap = MockSap(Path(folder), arguments)
        try:
            asyncio.run(_record(sap.base_url))
        finally:
            sap.stop()


if __name__ == "__main__":
    main()
