"""What a failure of aiohttp means for a call to an ERP: one of the classes of `adapters.errors`. Pure."""

from __future__ import annotations

import errno
from typing import Final

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, ContentLengthError, TransferEncodingError

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown

_TOO_LITTLE: Final = (ContentLengthError, TransferEncodingError)
"""What aiohttp's parser says of a body that ended before its length or its last chunk: HTTP, but cut."""


def verdict(error: Exception, *, sent: bool, system_id: str, total_s: float) -> ErpError:
    """The error to raise. `sent`: the first byte may be out.

    The class of `error` never decides between `NotSent` and the rest: aiohttp uses the same ones before and after
    the first byte. Its text is left out, because it may quote the request.
    """
    if not sent:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return Misconfigured(f"{system_id}: the peer's certificate is not accepted")
        if isinstance(error, (aiohttp.ClientError, OSError)):
            return NotSent(f"{system_id}: no connection was made ({_kind(error)})")
        return Misconfigured(f"{system_id}: the request cannot be sent ({_kind(error)})")
    if isinstance(error, TimeoutError):
        return OutcomeUnknown(f"{system_id}: no complete answer within {total_s} s")
    if _outside_protocol(error):
        return Garbled(f"{system_id}: the answer is not HTTP ({_kind(error)})")
    return OutcomeUnknown(f"{system_id}: the connection was lost before the answer was complete ({_kind(error)})")


def _outside_protocol(error: BaseException | None) -> bool:
    """True if the peer sent what is not HTTP, as against too little of it."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return _outside_protocol(error.__cause__)
    return isinstance(error, (aiohttp.ClientResponseError, BadHttpMessage)) and not isinstance(error, _TOO_LITTLE)


def _kind(error: BaseException) -> str:
    """Class and system error, without the text."""
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number, "") if isinstance(number, int) else ""
    return f"{type(error).__name__} {name}".strip()
