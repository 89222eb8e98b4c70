"""The call itself: one port, once, with no database connection held. What came of it is a value, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import (
    Cancellation,
    Change,
    Confirmation,
    ErpPort,
    FoundDocument,
    Permit,
    Posted,
    Posting,
    Reversal,
    Submission,
)
from gateway.transactions.dispatch import Dispatch, LeaseLost
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.tracing import span_of

RESTORED: Final = "record-restored"
"""The code of an `unknown` that was not sent, because it may have been before the record was restored."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WasPosted:
    """It is in the ERP. `found_by_inquiry`: the answer was lost, an inquiry found it."""

    posted: Posted
    found_by_inquiry: bool = False


@dataclass(frozen=True, slots=True)
class WasRejected:
    """The ERP refused it, definitely."""

    error: Rejected


@dataclass(frozen=True, slots=True)
class WasNotSent:
    """Nothing happened; another attempt may be made after `retry_after_s`."""

    error: NotSent | Misconfigured
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class IsUnknown:
    """Nobody knows. `closed_at` (µs): when our own connection was closed."""

    error: ErpError
    closed_at: int


Outcome = WasPosted | WasRejected | WasNotSent | IsUnknown


async def execute(parts: LineParts, dispatch: Dispatch) -> Outcome:
    """Send the dispatched step once. Raises LeaseLost, and then nothing was sent.

    What was accepted before the record was restored is not sent but unknown, until an inquiry proved that it may be.

    Anything that no driver should raise counts as unknown: better a needless inquiry than a second posting.
    """
    step = dispatch.step
    if parts.inquires_first(dispatch.record) and not dispatch.proven:
        return IsUnknown(OutcomeUnknown("the record was restored", code=RESTORED), parts.tools.clock.now())
    system = parts.systems[step.system_id]
    permit = partial(dispatch.permit, parts.tools.clock, system.policy.call_limit_s)
    began = parts.tools.clock.now()
    verb = verb_of(dispatch.posting)
    with span_of(parts.tracer, dispatch.record, f"erp.{verb}") as span:
        span.set_attributes(
            {"erp.system": step.system_id, "erp.domain": dispatch.record.domain, "erp.attempt": step.attempt}
        )
        outcome = await _call(parts, dispatch, permit)
        span.set_attribute("erp.outcome", outcome_name(outcome))
    seconds = (parts.tools.clock.now() - began) / SECOND
    parts.metrics.erp_call(step.system_id, verb, outcome_name(outcome), seconds)
    return outcome


def verb_of(posting: Posting) -> str:
    """The port's method for a posting, as spans and metrics name it."""
    return "submit" if isinstance(posting, Submission) else posting.operation.value


async def _send(port: ErpPort, posting: Posting, permit: Permit) -> Posted:
    match posting:
        case Submission():
            return await port.submit(posting, permit)
        case Change():
            return await port.change(posting, permit)
        case Cancellation():
            return await port.cancel(posting, permit)
        case Reversal():
            return await port.reverse(posting, permit)


async def _call(parts: LineParts, dispatch: Dispatch, permit: partial[None]) -> Outcome:
    port = parts.systems[dispatch.step.system_id].port
    try:
        return WasPosted(await _send(port, dispatch.posting, permit))
    except LeaseLost:
        raise
    except Rejected as error:
        return WasRejected(error)
    except NotSent as error:
        return WasNotSent(error, error.retry_after_s)
    except Misconfigured as error:
        return WasNotSent(error, None)
    except (OutcomeUnknown, Garbled) as error:
        return IsUnknown(error, parts.tools.clock.now())
    except Exception as error:  # a driver's defect must not lose the transaction
        _log.exception("driver_failed", system=dispatch.step.system_id, transaction=dispatch.step.transaction_id)
        return IsUnknown(
            Garbled(f"the driver failed: {type(error).__name__}", code="driver-failed"), parts.tools.clock.now()
        )


def outcome_name(outcome: Outcome) -> str:
    """One word for metrics and spans."""
    match outcome:
        case WasPosted():
            return "posted"
        case WasRejected():
            return "rejected"
        case WasNotSent(error=Misconfigured()):
            return "misconfigured"
        case WasNotSent():
            return "not_sent"
        case IsUnknown(error=Garbled()):
            return "garbled"
        case IsUnknown():
            return "unknown"


def posted_as_found(found: FoundDocument) -> Posted:
    """What an inquiry found, as if the posting had been answered."""
    return Posted(
        found.number,
        Confirmation(
            amount=found.total,
            currency_code=found.currency_code,
            company_code=found.company_code,
            posting_date=found.posting_date,
            fiscal_year=found.fiscal_year,
            fiscal_period=found.fiscal_period,
        ),
    )
