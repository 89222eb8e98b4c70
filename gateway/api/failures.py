"""Any exception as a problem. What nobody expected is told by its trace id alone."""

from __future__ import annotations

import structlog
from litestar.exceptions import HTTPException

from gateway.api.problems import KINDS
from gateway.auth import KeysUnavailable, TokenRefused
from gateway.errors import CommitUnknown, FieldError, Problem, RecordUnsound, StoreUnavailable
from gateway.ledger.errors import EntryAltered, ProofInvalid, TilesDisagree
from gateway.store.log_reads import EntriesMissing
from routing_rules import DomainNotServed, UnknownNode

_log = structlog.get_logger("gateway.api")
_WIRE_FACTS = {"business_unit": "businessUnit", "geography": "geography", "operation": "operation"}


def problem_of(error: Exception) -> Problem:
    """The problem that this exception is. Logs what is a defect of ours."""
    if isinstance(error, Problem):
        if error.slug in KINDS:
            return error
        _log.error("problem_without_kind", slug=error.slug)
        return _internal()
    if isinstance(error, HTTPException):
        return _of_framework(error)
    return _of_ours(error)


def _of_ours(error: Exception) -> Problem:
    match error:
        case TokenRefused():
            return Problem("unauthenticated", error.detail, extra={"tokenMissing": True} if error.missing else None)
        case CommitUnknown():
            return Problem(
                "not-ready",
                "The database was lost while it stored the request; whether it did is not known yet.",
                remedy="Repeat the request with the same keys: it finds out, and nothing is posted twice.",
                retry_after_s=1,
            )
        case RecordUnsound():
            _log.error("record_unsound", error=str(error))
            return Problem(
                "not-ready",
                "The gateway's database is damaged, or not the one that it has written. Nothing is accepted until "
                "operations have looked.",
                remedy="Repeat the request later with the same keys: what was done is found, nothing is done twice.",
                retry_after_s=60,
            )
        case ProofInvalid() | TilesDisagree() | EntriesMissing():
            return _of_ledger(error)
        case StoreUnavailable():
            _log.warning("store_unavailable")
            # of a request of several commits, some may have been made: the keys find out
            return Problem(
                "not-ready",
                "The database does not answer.",
                remedy="Repeat the request with the same keys: what was done is found, and nothing is done twice.",
                retry_after_s=2,
            )
        case KeysUnavailable():
            return Problem("not-ready", "The token issuer's keys cannot be read.", retry_after_s=30)
        case UnknownNode():
            field = _WIRE_FACTS.get(error.field, error.field)
            message = f"{error.value!r} is not in the rulebook"
            return Problem("unknown-node", f"{field}: {message}", errors=(FieldError(field, message),))
        case DomainNotServed():
            return Problem("domain-not-served", f"The rulebook has no table for {error.domain!r}.")
        case _:
            # With a traceback, yet without the exception's text: see telemetry.logs.
            _log.error("unexpected_error", exc_info=error)
            return _internal()


def _of_ledger(error: ProofInvalid | TilesDisagree | EntriesMissing) -> Problem:
    """What is stored of the ledger is not what was signed: nothing is proven by it, and nothing mends it but people."""
    _log.error("ledger_differs_from_signed", error=str(error))
    which = (
        f"Entry {error.log_index} of the ledger" if isinstance(error, EntryAltered) else "What is stored of the ledger"
    )
    return Problem(
        "not-ready",
        f"{which} does not match its signed tree: it was altered in the database, and nothing is given out as proven.",
        remedy="Tell operations and the auditors: `erp-gateway ledger verify` names the first thing that differs. "
        "Repeating the request does not help until that was put back.",
    )


def _of_framework(error: HTTPException) -> Problem:
    """Litestar's own refusals, in our words: its texts are not for callers."""
    status = error.status_code
    if status == 404:
        return Problem("not-found", "There is no such address.")
    if status == 405:
        allowed = (error.headers or {}).get("allow", "")
        methods = sorted(one.strip() for one in allowed.split(",") if one.strip())
        return Problem("method-not-allowed", "The address has other methods.", extra={"allowedMethods": methods})
    if status == 413:
        return Problem("too-large", "The body is too large.")
    if 400 <= status < 500:
        return Problem("invalid-request", "The request's head cannot be read.")
    _log.error("unexpected_error", exc_info=error)
    return _internal()


def _internal() -> Problem:
    return Problem("internal-error", "Something went wrong that should not have; it was logged under the trace id.")
