"""Errors of the gateway itself, and which problem each of them is (RFC 9457; slugs are contracts).

Whether it happened, whether to retry, who looks::

    GatewayError
    ├── Problem           refused before anything was accepted     as its slug says    the caller
    └── StoreUnavailable  nothing was committed                    yes, later          operations
        ├── CommitUnknown the commit may have been made            repeat the request  operations
        └── RecordUnsound nothing is committed by this process     once it is mended   operations, at once
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class GatewayError(Exception):
    """Anything that the gateway raises on purpose."""


class StoreUnavailable(GatewayError):
    """The database did not take the write: nothing of it was committed."""


class CommitUnknown(StoreUnavailable):
    """The connection was lost during COMMIT: repeating the request finds out, by its keys."""


class RecordUnsound(StoreUnavailable):
    """The database is damaged, or not the one that this process has written: nothing was committed, nor will be."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with a request: where (wire path such as `lines[0].netAmount`), what, what to do."""

    field: str
    message: str
    remedy: str = ""


class Problem(GatewayError):
    """A request that was refused; nothing was accepted, nothing was posted.

    `slug` is one of the problem types of the API; `remedy` tells the caller what to do; `extra` are further members
    of the problem document, already in wire words.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        remedy: str = "",
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.remedy = remedy
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})
