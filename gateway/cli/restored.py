"""`erp-gateway restored`."""

from __future__ import annotations

from gateway.cli.console import DataOption, data_directory, print_line
from gateway.cli.record import writing
from gateway.wiring.tools import SystemClock


def restored(data: DataOption = None) -> None:
    """Say that the record was restored from a back-up, before the first start: what it has not finished is asked for in
    the ERPs before it is sent."""
    now = SystemClock().now()
    writing(data_directory(data), lambda store: store.write(lambda unit: unit.note_restore(now)))
    print_line("what was accepted until now is inquired before it is sent")
