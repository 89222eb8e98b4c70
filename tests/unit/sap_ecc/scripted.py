"""A `Transport` that answers from a list, for what a real ERP cannot be made to answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse

GOLDEN: Final = Path(__file__).with_name("golden")
"""Envelopes as they went to a real `mock-sap` 0.22 process, and its answers to them."""

Step = ErpResponse | Exception


def golden(name: str) -> bytes:
    """A recorded envelope."""
    return (GOLDEN / f"{name}.xml").read_bytes()


def without_rows(name: str) -> ErpResponse:
    """A recorded answer of RFC_READ_TABLE, emptied of its rows."""
    return xml(re.sub(rb"<DATA>.*</DATA>", b"<DATA/>", golden(name), flags=re.DOTALL))


def xml(body: bytes | str, status: int = 200, cookies: tuple[str, ...] = ()) -> ErpResponse:
    """An XML answer."""
    content = body.encode() if isinstance(body, str) else body
    return ErpResponse(status, {"content-type": "text/xml; charset=utf-8"}, content, cookies)


def odata_error(status: int, code: str, message: str, **headers: str) -> ErpResponse:
    """The error envelope of the HTTP layer."""
    body = f'{{"error": {{"code": "{code}", "message": {{"lang": "en", "value": "{message}"}}}}}}'
    named = {"content-type": "application/json;charset=utf-8"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    return ErpResponse(status, named, body.encode())


def answer(element: str, inner: str, namespace: str = "urn:sap-com:document:sap:soap:functions:mc-style") -> str:
    """An envelope with one answer in it."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{element} xmlns:n="{namespace}">{inner}</n:{element}></e:Body></e:Envelope>'
    )


def table_answer(columns: Sequence[str], *rows: Sequence[str]) -> str:
    """An answer of RFC_READ_TABLE with these cells, each column 60 characters wide."""
    width = 60
    fields = "".join(
        f"<item><FIELDNAME>{name}</FIELDNAME><OFFSET>{index * width:06d}</OFFSET><LENGTH>{width:06d}</LENGTH></item>"
        for index, name in enumerate(columns)
    )
    areas = "".join(f"<item><WA>{escape(''.join(cell.ljust(width) for cell in row))}</WA></item>" for row in rows)
    return answer("RfcReadTableResponse", f"<DATA>{areas}</DATA><FIELDS>{fields}</FIELDS>")


def row(kind: str, message_class: str = "V1", message_number: str = "311", text: str = "text") -> str:
    """A row of RETURN."""
    return (
        f"<item><TYPE>{kind}</TYPE><ID>{message_class}</ID><NUMBER>{message_number}</NUMBER>"
        f"<MESSAGE>{text}</MESSAGE></item>"
    )


class ScriptedTransport:
    """Gives the steps in turn; one that is an exception is raised. Keeps what was sent and whether under a permit."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent: list[ErpRequest] = []
        self.permitted: list[bool] = []
        self.closed = False

    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        """The next step."""
        if permit is not None:
            permit()
        self.sent.append(request)
        self.permitted.append(permit is not None)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def aclose(self) -> None:
        """Remember it."""
        self.closed = True
