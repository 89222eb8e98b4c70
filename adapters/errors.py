"""What a call to an ERP can come to when it does not succeed.

Each class answers three questions: did it happen, may I retry, who looks.

::

    ErpError
    ├── NotSent         it did not happen     retry with backoff      nobody looks
    ├── Rejected        it did not happen     never                   the caller
    ├── OutcomeUnknown  nobody knows          inquire first           nobody, then operations
    ├── Garbled         nobody knows          inquire first           operations
    └── Misconfigured   it did not happen     no                      operations
"""

from __future__ import annotations


class ErpError(Exception):
    """A call to an ERP did not succeed. `message` is for people; it never holds credentials or whole bodies."""

    happened: bool | None
    """False: certainly nothing was posted. None: nobody knows."""

    def __init__(self, message: str, *, code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field


class NotSent(ErpError):
    """Nothing happened: no connection was made, or the ERP itself said 'busy' or 'locked' before processing.

    `retry_after_s`: how long the ERP asked to wait, in seconds, if it said so. `overloaded`: it has too much to do, so
    others would fare no better; a lock on one document says nothing of that. `turned_away`: by what guards the ERP,
    which was not asked; `retry_after_s` is then when to ask the guard again.
    """

    happened = False

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        field: str = "",
        retry_after_s: float | None = None,
        overloaded: bool = False,
        turned_away: bool = False,
    ) -> None:
        super().__init__(message, code=code, field=field)
        self.retry_after_s = retry_after_s
        self.overloaded = overloaded
        self.turned_away = turned_away


class Rejected(ErpError):
    """The ERP refused, definitely: its own code, field and message."""

    happened = False


class OutcomeUnknown(ErpError):
    """The call was cut, timed out, or answered with a server error: it may have happened."""

    happened = None


class Garbled(ErpError):
    """The answer was outside the protocol: it may have happened."""

    happened = None


class Misconfigured(ErpError):
    """Credentials, address or mapping are wrong: nothing was posted, and nothing will be until a person acts."""

    happened = False
