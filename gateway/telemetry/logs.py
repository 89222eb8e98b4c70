"""JSON log lines with the trace they belong to."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from gateway.telemetry.redaction import redact

MAX_FRAMES: Final = 30

trace_of_log_lines: ContextVar[str | None] = ContextVar("trace_of_log_lines", default=None)
"""The trace id of the request or job that is being worked on."""


def configure_logs(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Everything that is logged, by us or by a library, becomes one JSON object a line on `stream` (stderr)."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _add_trace,
        _add_exception,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its request lines quote whole addresses, query included.
    logging.getLogger("httpx").setLevel(max(level, logging.WARNING))


def _add_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace_id = trace_of_log_lines.get()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def _add_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its kinds and frames, without its text: a validation error quotes its input, a database error
    its parameters."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, tuple):
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if error is not None:
        event["exception"] = [_kind(one) for one in _chain(error)]
        event["frames"] = _frames(error.__traceback__)
    return event


def _chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while len(found) < 5:
        following = found[-1].__cause__ or found[-1].__context__
        if following is None or following in found:
            break
        found.append(following)
    return found


def _kind(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{name} errno={error.errno}" if isinstance(error, OSError) and error.errno else name


def _frames(traceback: TracebackType | None) -> list[str]:
    found: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return found[-MAX_FRAMES:]
