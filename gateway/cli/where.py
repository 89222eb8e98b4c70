"""`erp-gateway where`: the gateway's address."""

from __future__ import annotations

from gateway.cli.console import DataOption, JsonOption, data_directory, print_json, print_line, settings_of
from gateway.wiring.runtime import shown_url


def where(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the address at which the gateway of a data directory serves."""
    directory = data_directory(data)
    settings = settings_of(directory)
    address = f"http://{settings.http.host}:{settings.http.port}"
    if json:
        print_json({"url": address, "data": str(directory), "database": shown_url(directory, settings)})
    else:
        print_line(address)
