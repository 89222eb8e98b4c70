"""Calling functions over SOAP: asking, and posting with the commit that makes it last.

A posting is two calls there: the BAPI does the work, BAPI_TRANSACTION_COMMIT makes it last (BAPI Programming Guide,
"Transaction Model"), in the session that the first one's cookies name. The permit stands before the first, since a
simulator and some installations keep its work without the second.
"""

from __future__ import annotations

import base64

from adapters.errors import ErpError, OutcomeUnknown
from adapters.legacy_erp.sap_ecc import answers
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import COMMIT, CONTENT_TYPE, Answer, Unreadable, envelope
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse, Transport


def basic_authorization(settings: SapEccSettings) -> str:
    """The Authorization header (RFC 7617)."""
    credentials = f"{settings.user}:{settings.password.get_secret_value()}".encode()
    return "Basic " + base64.b64encode(credentials).decode("ascii")


class Bapi:
    """The functions of one installation. Holds nothing between calls."""

    def __init__(self, settings: SapEccSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._authorization = basic_authorization(settings)

    async def ask(self, call: Call) -> Answer:
        """A call that posts nothing."""
        return answers.read_answer(call.function, await self._transport.send(self._request(call)), posts=False)

    async def post(self, call: Call, permit: Permit) -> tuple[Answer, ErpResponse]:
        """A call that does its work, once; and the response, whose session `commit` needs."""
        response = await self._transport.send(self._request(call), permit)
        return answers.read_answer(call.function, response, posts=True), response

    async def commit(self, what: str, response: ErpResponse) -> None:
        """Make last what a posting did, unless the endpoint does so itself.

        Whatever goes wrong here is `OutcomeUnknown`: the work is done, and whether it stays cannot be told.
        """
        if self._settings.commits_itself:
            return
        session = "; ".join(cookie.partition(";")[0] for cookie in response.cookies)
        request = self._request(Call(COMMIT, {"WAIT": "X", "RETURN": ""}), session)
        try:
            answer = answers.read_answer(COMMIT, await self._transport.send(request), posts=True)
            refused = answers.refusal(answers.messages(answer), frozenset())
        except (ErpError, Unreadable) as error:
            raise OutcomeUnknown(f"{what}, its commit is not confirmed: {error}") from error
        if refused is not None:
            raise OutcomeUnknown(f"{what}, its commit was refused: {refused.message}", code=refused.code)

    def _request(self, call: Call, session: str = "") -> ErpRequest:
        headers = {
            "authorization": self._authorization,
            "content-type": CONTENT_TYPE,
            "accept": "text/xml",
            "soapaction": '""',
            "sap-client": self._settings.client,
        }
        if session:
            headers["cookie"] = session
        path = self._settings.path.format(function=call.function.name.lower(), client=self._settings.client)
        return ErpRequest("POST", path, headers=headers, body=envelope(call.function, call.parameters), template=path)
