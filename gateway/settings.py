"""Settings: one TOML file, each value open to an environment variable (`ERP_GATEWAY_HTTP__PORT=8080`).

Secrets are never values here: a setting that ends in `_file` names a file that holds one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.settings_ledger import LedgerSettings
from gateway.settings_privacy import PrivacySettings

FILE_NAME: Final = "gateway.toml"
SECRET_BYTES: Final = 65_536
"""Longest secret file that is read; a PEM key has a few thousand bytes."""


class SettingsError(ValueError):
    """The settings are wrong. The process does not start; the message names the setting and the remedy."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Requests = Annotated[int, Field(ge=0, le=1_000_000)]
"""In a window; 0 is no limit."""


class HttpSettings(_Closed):
    """Where the API listens. `body_bytes`: largest request body.

    `rate_limit_requests` of one client in `rate_limit_window_s` seconds, with other numbers for some clients by their
    client id; `rate_limit_refused`: refusals of unknown callers at one address in a window. 0 is no limit.
    `trusted_proxies`: networks whose X-Forwarded-For is believed. `leave_s`: how long a process that is asked to end
    still serves while it says that it is not ready; of a process that is alone with its database it is 0.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    body_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 2_000_000
    rate_limit_requests: Requests = 6_000
    rate_limit_window_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    rate_limit_of_clients: dict[str, Requests] = {}
    rate_limit_refused: Requests = 600
    trusted_proxies: list[IPvAnyNetwork] = []
    leave_s: Annotated[float, Field(ge=0, le=60)] = 5.0


class StoreSettings(_Closed):
    """`url`: `sqlite:///path` or `postgresql://…`; empty is a SQLite file in the data directory.

    `url_file` holds the URL instead where it contains a password.
    """

    url: str = ""
    url_file: Path | None = None


class NatsSettings(_Closed):
    """`url` empty: an embedded nats-server in the data directory.

    `tls_ca_file`: PEM of the authority that signed the servers' certificates, where it is none that the system knows.
    """

    url: str = ""
    credentials_file: Path | None = None
    tls_ca_file: Path | None = None
    port: Annotated[int, Field(ge=0, le=65_535)] = 0

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses in `url`, which are separated by commas."""
        return tuple(one.strip() for one in self.url.split(",") if one.strip())


class AuthSettings(_Closed):
    """The token issuer. `jwks_url` empty: the embedded issuer with a key of its own.

    `person_claim`, `teams_claim`: what a real issuer calls the person behind a client (the same for all machine clients
    of one person) and the teams of that person.
    """

    issuer: str = ""
    audience: str = "erp-gateway"
    jwks_url: str = ""
    person_claim: Annotated[str, Field(min_length=1, max_length=128)] = "person"
    teams_claim: Annotated[str, Field(min_length=1, max_length=128)] = "teams"


class TelemetrySettings(_Closed):
    """`otlp_endpoint` empty: spans are made but sent nowhere. `public_metrics`: /metrics without a token."""

    otlp_endpoint: str = ""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    public_metrics: bool = False


class SystemSettings(_Closed):
    """How one system of the rulebook is reached. `options` are the driver's own; `call_s` the limit of one call.

    `longest_execution_s` and `inquiry_delay_s` override what the rulebook says of the system.
    """

    id: str
    base_url: str
    call_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    longest_execution_s: Annotated[float, Field(ge=0)] | None = None
    inquiry_delay_s: Annotated[float, Field(ge=0)] | None = None
    options: dict[str, Any] = {}


class LaneSettings(_Closed):
    """One lane in one process. `concurrent`: jobs at each system at once; `share` of the system's own room that this
    lane and all less urgent ones may fill."""

    concurrent: Annotated[int, Field(ge=1, le=1_000)]
    share: Annotated[float, Field(gt=0, le=1)]


class LanesSettings(_Closed):
    """The lanes, most urgent first."""

    interactive: LaneSettings = LaneSettings(concurrent=32, share=1.0)
    standard: LaneSettings = LaneSettings(concurrent=16, share=0.75)
    bulk: LaneSettings = LaneSettings(concurrent=8, share=0.5)


class LineSettings(_Closed):
    """How the line treats time: seconds. `bulk_clients`: those whose `Prefer: respond-async` means the lane `bulk`."""

    lease_margin_s: Annotated[float, Field(gt=0)] = 30.0
    waiting_recheck_s: Annotated[float, Field(gt=0)] = 60.0
    first_retry_s: Annotated[float, Field(gt=0)] = 0.5
    longest_retry_s: Annotated[float, Field(gt=0)] = 60.0
    lanes: LanesSettings = LanesSettings()
    bulk_clients: Annotated[list[str], Field(max_length=1_000)] = []
    poll_s: Annotated[float, Field(gt=0)] = 1.0


class IntakeSourceSettings(_Closed):
    """Who publishes documents to these subjects; the NATS server lets nobody else.

    `subject`: `erp.intake.<domain>` or `erp.intake.<domain>.<sender>`, with NATS's wildcards. `client`, `source`: as a
    token would say. `business_units`, `geographies`: the data scope, each node with all below it; left out, all.
    """

    subject: Annotated[str, Field(pattern=r"^erp\.intake\.([a-z_]+|\*)(\.([A-Za-z0-9_-]{1,32}|\*))?$|^erp\.intake\.>$")]
    client: Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
    source: Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
    business_units: Annotated[list[str], Field(max_length=1_000)] | None = None
    geographies: Annotated[list[str], Field(max_length=1_000)] | None = None


class IntakeSettings(_Closed):
    """Documents from NATS; without `sources` none are taken. Of several sources that match, the first counts.

    `again_s`: seconds until what cannot be accepted yet is tried again; `deadline_s`: after which it is refused.
    """

    sources: Annotated[list[IntakeSourceSettings], Field(max_length=1_000)] = []
    again_s: Annotated[float, Field(ge=0.1, le=600)] = 5.0
    deadline_s: Annotated[float, Field(ge=1, le=604_800)] = 3_600.0


class WorkSettings(_Closed):
    """`erp-gateway work`: `port` on `http.host` for /health and /metrics; 0: none."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 0


class SweepSettings(_Closed):
    """What counts as standing still for too long; seconds. `every_s`: how often is looked."""

    every_s: Annotated[float, Field(ge=1)] = 60.0
    job_missing_s: Annotated[float, Field(ge=1)] = 60.0
    job_overdue_s: Annotated[float, Field(ge=1)] = 300.0
    event_unpublished_s: Annotated[float, Field(ge=1)] = 300.0
    accepted_s: Annotated[float, Field(ge=1)] = 900.0
    routed_s: Annotated[float, Field(ge=1)] = 900.0
    dispatched_s: Annotated[float, Field(ge=1)] = 900.0
    unknown_s: Annotated[float, Field(ge=1)] = 3_600.0
    waiting_s: Annotated[float, Field(ge=1)] = 86_400.0
    compensating_s: Annotated[float, Field(ge=1)] = 3_600.0
    held_s: Annotated[float, Field(ge=1)] = 900.0
    batch_s: Annotated[float, Field(ge=60)] = 86_400.0


class Settings(BaseSettings):
    """All of it. Relative paths are relative to the file's directory."""

    model_config = SettingsConfigDict(env_prefix="ERP_GATEWAY_", env_nested_delimiter="__", extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")] = "erp-gateway"
    demo: bool = False
    rulebook: Path
    cross_references: Path | None = None
    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    nats: NatsSettings = NatsSettings()
    auth: AuthSettings = AuthSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    line: LineSettings = LineSettings()
    sweep: SweepSettings = SweepSettings()
    work: WorkSettings = WorkSettings()
    intake: IntakeSettings = IntakeSettings()
    privacy: PrivacySettings = PrivacySettings()
    ledger: LedgerSettings = LedgerSettings()
    systems: list[SystemSettings] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file.get()))


class _File:
    """Which file is being read; pydantic-settings asks its sources without arguments."""

    def __init__(self) -> None:
        self._path: Path | None = None

    def set(self, path: Path) -> None:
        self._path = path

    def get(self) -> Path | None:
        return self._path


_file = _File()


def load_settings(data: Path) -> Settings:
    """Read `gateway.toml` of a data directory. Raises SettingsError naming each wrong setting."""
    path = data / FILE_NAME
    if not path.is_file():
        raise SettingsError(
            f"{path} is missing. Write it (docs/operations.md lists the settings), or run `erp-gateway demo` to get a "
            "data directory with everything in it."
        )
    _file.set(path)
    try:
        return Settings()  # the values come from file and environment
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def default_data() -> Path:
    """The data directory of `make demo`: under the user's state directory (XDG Base Directory specification)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "erp-gateway" / "demo"


def check_secrets(data: Path, settings: Settings) -> None:
    """Raise SettingsError naming every file of the settings that cannot be read, and not only the first."""
    named: dict[str, Path | None] = {
        "store.url_file": settings.store.url_file,
        "nats.credentials_file": settings.nats.credentials_file,
        "nats.tls_ca_file": settings.nats.tls_ca_file,
    }
    for system in settings.systems:
        files = {name: Path(str(value)) for name, value in system.options.items() if name.endswith("_file")}
        named |= {f"systems.{system.id}.options.{name}": file for name, file in files.items()}
    complaints = []
    for name, file in named.items():
        try:
            if file is not None:
                read_secret(data / file)
        except SettingsError as error:
            complaints.append(f"{name}: {error}")
    if complaints:
        raise SettingsError("\n".join(complaints))


def read_secret(path: Path) -> str:
    """The text of a secret file without its last newline. Raises SettingsError if it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"the secret file {path} cannot be read: {error.strerror}") from error
    if len(text) > SECRET_BYTES:
        raise SettingsError(f"the secret file {path} is longer than {SECRET_BYTES} bytes")
    return text.decode("utf-8").rstrip("\r\n")
