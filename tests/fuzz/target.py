"""The gateway that is tried, with the documents in it that examples refer to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.schemas import served_document
from tests.clients.running import Running, running_gateway
from tests.fuzz.campaign import document_of, examples_of, post_examples
from tests.fuzz.known import legacy_numbers

_UNLIMITED = {"ERP_GATEWAY_HTTP__RATE_LIMIT_REQUESTS": "0", "ERP_GATEWAY_HTTP__RATE_LIMIT_REFUSED": "0"}
"""A refusal for haste would hide what is tried."""


@contextmanager
def fuzzed(directory: Path, module: str | None = None) -> Iterator[Running]:
    """A running gateway on two test ERPs that holds every example of its document."""
    rows = legacy_numbers(examples_of(served_document()))
    with running_gateway(directory, rows=rows, module=module, environment=_UNLIMITED) as running:
        post_examples(running, document_of(running.base_url))
        yield running
