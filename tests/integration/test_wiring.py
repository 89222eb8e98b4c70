"""Settings become a gateway, or a message that says what to mend; nothing half-started is left."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from litestar.testing import AsyncTestClient
from structlog.testing import capture_logs

from adapters.guard import GuardedPort
from adapters.guard.budget import BURST_S
from gateway.app import create_app
from gateway.settings import SettingsError, load_settings
from gateway.wiring.nats import remote_nats
from gateway.wiring.refusals import RulebookRefused
from gateway.wiring.runtime import open_runtime
from routing_rules import RulebookInvalid
from tests.command_line import erp_gateway

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"
COMMAND = Path(sys.executable).with_name("erp-gateway")
NOBODY = "http://127.0.0.1:9"

SETTINGS = """
name = "test"
rulebook = "rulebook"

[http]
port = 8099

[[systems]]
id = "legacy-main"
base_url = "{url}"
[systems.options]
user = "u"
password_file = "secret"
sales_area = {{ organisation = "NW01" }}
accounts = {{ revenue = "1", freight = "2", tax = "3", bank = "4" }}

[[systems]]
id = "cloud-main"
base_url = "{url}"
[systems.options]
client_id = "u"
client_secret_file = "secret"
companies = {{ NW01 = {{ code = "NW01", sales_organization = "NW01" }} }}
accounts = {{ receivables = "1", revenue = "2", freight = "3", output_tax = "4", bank = "5" }}
"""

SOURCE = '[[intake.sources]]\nsubject = "erp.intake.>"\nclient = "billing"\nsource = "billing"\n'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.copytree(TABLES, tmp_path / "rulebook")
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    (tmp_path / "gateway.toml").write_text(SETTINGS.format(url=NOBODY), encoding="utf-8")
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@asynccontextmanager
async def running(data: Path):
    runtime = await open_runtime(data, load_settings(data))
    try:
        yield runtime
    finally:
        await runtime.stop()


async def test_a_runtime_opens_and_a_second_one_on_the_same_data_is_refused(data: Path):
    async with running(data) as runtime:
        async with AsyncTestClient(create_app(runtime.app_parts)) as client:
            ready = (await client.get("/health/ready")).json()
        parts = {part["name"]: part for part in ready["parts"]}
        assert ready["ready"]
        assert (parts["record"]["ready"], parts["record"]["needed"]) == (True, True)
        # nobody answers there, and the gateway serves all the same
        assert (parts["legacy-main"]["ready"], parts["legacy-main"]["needed"]) == (False, False)
        with pytest.raises(SettingsError, match="another gateway"):
            await open_runtime(data, load_settings(data))
    async with running(data):
        pass


async def test_the_ledger_is_watched_and_what_ends_is_told(data: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(data) as runtime:
        assert await runtime.log.is_sound()

        async def broken() -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(runtime.clocks, "run", broken)
        with capture_logs() as told:
            runtime.start(worker=False)
            async with asyncio.timeout(60):
                while not (broke := [one["task"] for one in told if one["event"] == "background_task_broken"]):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)  # in which another one could break
        assert all(runtime.runs(name) for name in ("recheck", "state_audit", "following"))
        assert broke == [one["task"] for one in told if one["event"] == "background_task_broken"] == ["clocks"]
        runtime.log.following.wrong = "the log is another one"
        assert not await runtime.log.is_sound()


async def test_every_erp_stands_behind_a_guard_within_its_own_budget(data: Path):
    async with running(data) as runtime:
        book = runtime.rules.current.rulebook
        for name, system in runtime.systems.items():
            assert isinstance(system.port, GuardedPort)
            assert system.port.state.limit == book.systems[name].budget.concurrent
            assert system.port.state.budget_level == book.systems[name].budget.calls_per_minute / 60 * BURST_S


async def test_a_rulebook_that_sends_masters_to_a_driver_without_masters_is_refused(data: Path):
    change(
        data / "rulebook" / "rulebook.yaml",
        "domains: [orders, contracts, invoices",
        "domains: [customers, orders, contracts, invoices",
    )
    change(data / "rulebook" / "customers.csv", "live,,cloud-main,", "legacy,legacy-main,,")
    with pytest.raises(RulebookRefused, match=r"customers\.csv:2: row c-all .* legacy-main") as caught:
        await open_runtime(data, load_settings(data))
    assert len(caught.value.complaints) == 1


def test_a_process_with_a_broken_rulebook_does_not_start_and_lists_every_complaint(data: Path):
    change(data / "rulebook" / "orders.csv", "legacy,legacy-main", "legacyy,legacy-main")
    change(data / "rulebook" / "orders.csv", "Western,LATAM", "Western,MOON")
    change(data / "rulebook" / "payments.csv", "pilot,legacy-main,cloud-main,25", "pilot,legacy-main,cloud-main,125")
    done = subprocess.run([COMMAND, "serve", "--data", data], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    for place in ("orders.csv:2:", "orders.csv:4:", "payments.csv:6:"):
        assert place in done.stderr
    assert "Traceback" not in done.stderr
    assert not (data / "gateway.db").exists()


def test_with_sqlite_the_only_process_carries_jobs_on(data: Path):
    done = subprocess.run(
        [COMMAND, "serve", "--no-worker", "--data", data], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "needs PostgreSQL" in done.stderr) == (2, True)
    assert not (data / "gateway.db").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "cloud-main"', 'id = "cloud-typo"', "cloud-typo"),
        ('client_id = "u"', 'client_idd = "u"', "client_idd"),
        ("password_file", "passwordd_file", "passwordd"),
        ('user = "u"', 'user = "u:v"', "user"),
        ('"secret"', '"missing"', "missing"),
        ("port = 8099", "port = 99999", "port"),
        ("rulebook = ", "rulebok = ", "rulebok"),
        ("[http]", f'{SOURCE}business_units = ["Western", "*"]\n[http]', r"sources\[0\]\.business_units: '\*' is not"),
        ("[http]", f'{SOURCE}geographies = ["MOON"]\n[http]', r"sources\[0\]\.geographies: 'MOON' is not"),
    ],
)
async def test_wrong_settings_are_named(data: Path, old: str, new: str, says: str):
    change(data / "gateway.toml", old, new)
    with pytest.raises(SettingsError, match=says):
        await open_runtime(data, load_settings(data))


async def test_the_relay_counts_in_the_numbers_of_the_process(data: Path):
    change(data / "gateway.toml", "[http]", f'[nats]\nurl = "{NOBODY.replace("http", "nats")}"\n[http]')
    async with running(data) as runtime:
        runtime.start()
        async with asyncio.timeout(60):
            while b'relay_failures_total{reason="NatsUnavailable"}' not in runtime.app_parts.metrics.render(None):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_all_files_that_are_missing_are_named_at_once(data: Path):
    change(data / "gateway.toml", "[http]", '[nats]\ncredentials_file = "c"\ntls_ca_file = "t"\n[http]')
    (data / "secret").unlink()
    with pytest.raises(SettingsError) as caught:
        await open_runtime(data, load_settings(data))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "nats.credentials_file",
        "nats.tls_ca_file",
        "systems.legacy-main.options.password_file",
        "systems.cloud-main.options.client_secret_file",
    ]


def test_an_operators_nats_is_one_or_several_servers_with_a_ca_of_its_own(data: Path):
    url = "tls://one:4222, tls://two:4222 ,"
    change(data / "gateway.toml", "[http]", f'[nats]\nurl = "{url}"\ntls_ca_file = "ca.pem"\n[http]')
    found = remote_nats(data, load_settings(data))
    assert found.servers == ("tls://one:4222", "tls://two:4222")
    assert found.tls_ca_file == str(data / "ca.pem")


async def test_a_real_rulebook_error_is_no_settings_error(data: Path):
    (data / "rulebook" / "rulebook.yaml").unlink()
    with pytest.raises(RulebookInvalid):
        await open_runtime(data, load_settings(data))


def _keys_handler(jwks: dict[str, object]) -> type[BaseHTTPRequestHandler]:
    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(jwks).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Keys


async def test_a_real_issuer_is_a_setting(data: Path):
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) | {"kid": "k1", "alg": "ES256", "use": "sig"}

    issuer = ThreadingHTTPServer(("127.0.0.1", 0), _keys_handler({"keys": [jwk]}))
    Thread(target=issuer.serve_forever, daemon=True).start()
    with (data / "gateway.toml").open("a", encoding="utf-8") as file:
        file.write('\n[auth]\nissuer = "https://id.example"\naudience = "erp"\n')
        file.write(f'jwks_url = "http://127.0.0.1:{issuer.server_port}/jwks"\n')
    now = int(time.time())
    claims = {
        "iss": "https://id.example",
        "aud": "erp",
        "sub": "sf",
        "client_id": "sf",
        "source": "salesforce",
        "iat": now,
        "exp": now + 600,
        "scope": "documents:read",
        "business_units": "*",
        "geographies": "*",
    }
    good = jwt.encode(claims, key, "ES256", {"kid": "k1", "typ": "at+jwt"})
    foreign = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "k1", "typ": "at+jwt"})
    async with running(data) as runtime, AsyncTestClient(create_app(runtime.app_parts)) as client:
        assert (await client.get("/v1/orders", headers={"Authorization": f"Bearer {good}"})).status_code == 200
        assert (await client.get("/v1/orders", headers={"Authorization": f"Bearer {foreign}"})).status_code == 401
    issuer.shutdown()
    issuer.server_close()
    with closing(sqlite3.connect(data / "gateway.db")) as record:  # what a process counted is added at its end
        uses = record.execute("SELECT api_version, operation_id, outcome, uses FROM api_uses").fetchall()
    assert uses == [("v1", "listOrders", "answered", 1)]


def test_the_embedded_issuer_s_key_is_made_once_and_for_its_owner_alone(data: Path):
    tokens = [erp_gateway("token", "--client", "salesforce", "--data", data).stdout.strip() for _ in range(2)]
    kids = {jwt.get_unverified_header(token)["kid"] for token in tokens}
    assert len(kids) == 1
    assert (data / "token-issuer.key").stat().st_mode & 0o077 == 0


def test_the_command_says_what_is_missing(tmp_path: Path):
    for arguments in (["serve"], ["transactions", "list"], ["token", "--client", "salesforce"], ["migrate"]):
        done = erp_gateway(*arguments, "--data", tmp_path)
        assert done.returncode == 2
        assert "gateway.toml is missing" in done.stderr
        assert "Traceback" not in done.stderr
