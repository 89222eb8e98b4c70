"""The drivers. The only file that knows which exist.

A driver is imported when a system uses it: whoever asks for the names, as `rules check` does, needs neither it nor
what it calls ERPs with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from adapters.errors import Misconfigured
from gateway.settings import SettingsError, SystemSettings, read_secret
from routing_rules import System

if TYPE_CHECKING:
    from adapters.port import ErpPort
    from adapters.transport import Transport

S = TypeVar("S")


def _sap_ecc(system: System, settings: SystemSettings, data: Path, transport: Transport) -> ErpPort:
    from adapters.legacy_erp.sap_ecc.driver import SapEccDriver  # noqa: PLC0415 - at first use
    from adapters.legacy_erp.sap_ecc.settings import SapEccSettings  # noqa: PLC0415

    return SapEccDriver(system.id, _options(SapEccSettings, system, settings, data), transport)


def _sap_s4(system: System, settings: SystemSettings, data: Path, transport: Transport) -> ErpPort:
    from adapters.cloud_erp.sap_s4.driver import SapS4Driver  # noqa: PLC0415 - at first use
    from adapters.cloud_erp.sap_s4.settings import S4Settings  # noqa: PLC0415

    return SapS4Driver(system.id, _options(S4Settings, system, settings, data), transport)


DRIVERS: Final[Mapping[str, Callable[[System, SystemSettings, Path, Transport], ErpPort]]] = {
    "sap_ecc": _sap_ecc,
    "sap_s4": _sap_s4,
}
"""By the name that a rulebook gives them. Each raises SettingsError for options that are wrong."""


def _options(kind: type[S], system: System, settings: SystemSettings, data: Path) -> S:
    """The driver's own settings; `<name>_file` gives a secret `<name>` by the file that holds it."""
    options: dict[str, Any] = {}
    for name, value in settings.options.items():
        if name.endswith("_file"):
            options[name.removesuffix("_file")] = read_secret(data / str(value))
        else:
            options[name] = value
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # both settings are dataclasses
    for unknown in options.keys() - known:
        raise SettingsError(f"systems.{system.id}.options: {unknown!r} is none; there are {', '.join(sorted(known))}")
    try:
        return TypeAdapter(kind).validate_python(options)
    except (ValidationError, Misconfigured, ValueError) as error:
        raise SettingsError(f"systems.{system.id}.options: {error}") from error
