"""Whether a planted fault is the fault that its name says, or only a program that does not fit together any more.

A fault whose signature has become another one fails wherever it is called, and a world in which nothing goes on is
noticed at once: it would count as caught, and prove nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog


@contextmanager
def misfits() -> Iterator[set[str]]:
    """Collects what was raised, and logged as unexpected, because calls and functions did not fit. All other words of
    the worlds are dropped."""
    found: set[str] = set()

    def collect(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        told = event.get("exc_info")
        error = told if isinstance(told, BaseException) else sys.exc_info()[1] if told else None
        if isinstance(error, TypeError | NameError):
            found.add(str(error))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[collect], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield found
    finally:
        structlog.configure(**before)
