"""`erp-gateway migrate`."""

from __future__ import annotations

from gateway.cli.console import DataOption, data_directory, print_line, settings_of
from gateway.cli.running import run
from gateway.store.migrate import migrate as bring_up
from gateway.wiring.database_url import store_url


def migrate(data: DataOption = None) -> None:
    """Bring the database to the newest schema. Running it again changes nothing."""
    directory = data_directory(data)
    run(bring_up(store_url(directory, settings_of(directory))))
    print_line("the schema is up to date")
