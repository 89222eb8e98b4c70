"""The verifiable log of a serving gateway, as an auditor meets it: keys, witness, files, receipts, another key, and a
database that was changed while nobody looked. No ERP answers here; what is recorded is a log all the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gateway.api.customers import EXAMPLE
from gateway.auth import DEFAULT_CLIENTS
from gateway.domain.caller import DataScope
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.receipt import parse_receipt, verify_receipt
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer
from tests.command_line import erp_gateway
from tests.integration.test_wiring import SETTINGS, TABLES
from tests.ports import reserved_port
from tools.go_verifier.program import go_verifier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COMMAND = Path(sys.executable).with_name("erp-gateway")
LIMIT_S = 90.0
CUSTOMERS = 100
EVERYTHING = DataScope(None, None)
WITNESS = "witness.example/w1"


class Site:
    """A data directory, and how commands are given to it."""

    def __init__(self, directory: Path) -> None:
        self.data, self.directory, self.port = directory / "data", directory, reserved_port()
        shutil.copytree(TABLES, self.data / "rulebook")
        (self.data / "secret").write_text("s", encoding="utf-8")
        settings = SETTINGS.format(url="http://127.0.0.1:9").replace("port = 8099", f"port = {self.port}")
        (self.data / "gateway.toml").write_text(settings, encoding="utf-8")
        self.url = f"http://127.0.0.1:{self.port}"

    def add_settings(self, text: str) -> None:
        with (self.data / "gateway.toml").open("a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words: str | Path, code: int = 0) -> str:
        """A command's stdout; with another expected code its stderr."""
        places = {"ERP_GATEWAY_DATA": str(self.data), "XDG_STATE_HOME": str(self.directory / "state")}
        done = erp_gateway(*words, environment=places, limit_s=LIMIT_S)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return str(done.stdout if code == 0 else done.stderr)

    def token(self, *scopes: str, within: DataScope = EVERYTHING) -> str:
        """Of the embedded issuer, as `erp-gateway token` gives them."""
        client = replace(DEFAULT_CLIENTS["salesforce"], scopes=frozenset(scopes), data_scope=within)
        return embedded_issuer(self.data, load_settings(self.data), time.time).mint(client, 3_600)

    @contextmanager
    def serving(self, *words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        log = self.directory / f"{words[0]}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [COMMAND, *words], stdout=out, stderr=out, env=os.environ | {"ERP_GATEWAY_DATA": str(self.data)}
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT_S) == 0, log.read_text(encoding="utf-8")[-3_000:]

    @contextmanager
    def gateway(self) -> Iterator[None]:
        with self.serving("serve") as process:
            until(lambda: process.poll() is not None or self.is_ready())
            assert process.poll() is None, (self.directory / "serve.log").read_text(encoding="utf-8")[-3_000:]
            yield

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def submit(self, count: int, prefix: str) -> str:
        """Customers that get their entries; the id of the last one's transaction."""
        headers = {"Authorization": f"Bearer {self.token('documents:submit')}", "Prefer": "wait=0"}
        with httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30) as http:
            for number in range(count):
                answer = http.post("/v1/customers", json={**EXAMPLE, "externalId": f"{prefix}-{number}"})
                assert answer.status_code in {201, 202}, answer.text
        return str(answer.json()["transactionId"])

    def entries(self) -> int:
        return self._count("ledger_entries")

    def waiting(self) -> int:
        return self._count("log_pending")

    def signed_size(self) -> int:
        path = self.data / "ledger.held.json"
        return int(json.loads(path.read_text(encoding="utf-8"))["size"]) if path.exists() else 0

    def all_signed(self) -> bool:
        return self.waiting() == 0 and self.signed_size() == self._count("log_entries")

    def newest_is_cosigned(self) -> bool:
        with closing(sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True, timeout=10)) as database:
            (note,) = database.execute("SELECT note FROM log_checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        return WITNESS.encode() in note

    def _count(self, table: str) -> int:
        with closing(sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True, timeout=10)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 (ours)


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)


def test_the_ledger_of_a_serving_gateway_from_its_first_entry_to_its_forgery(tmp_path: Path):
    site = Site(tmp_path)
    with site.gateway():
        site.submit(3, "first")
    assert site.all_signed(), "what was accepted last is signed before the process ends"
    key = site.run("ledger", "key").strip()

    # An auditor's witness, with a key and a memory of its own.
    memory, port = tmp_path / "witness", reserved_port()
    witness = site.run("witness", "key", memory, "--name", WITNESS).strip()
    site.add_settings(f'\n[[ledger.witnesses]]\nurl = "http://127.0.0.1:{port}"\nkey = "{witness}"\n')
    serve = ("witness", "serve", memory, "--name", WITNESS, "--log", key, "--port", str(port))
    with site.serving(*serve):
        until(lambda: listens(port))  # a witness that does not answer is left alone for a while
        _with_a_witness(site, key, witness)
    _tamper(site)


def _with_a_witness(site: Site, key: str, witness: str) -> None:
    with site.gateway():
        transaction = site.submit(CUSTOMERS, "second")
        until(site.all_signed)
        until(site.newest_is_cosigned)
        _verify_while_it_runs(site, key)
        published = _verify_files(site, key, witness)
        _prove_offline(site, key, witness, transaction)
        _change_the_key(site, key)
        assert site.run("ledger", "publish", published)
        # who knows the first key only follows its announcement
        assert "continues the" in site.run("ledger", "verify", "--directory", published, "--key", key)


def _verify_while_it_runs(site: Site, key: str) -> None:
    file = site.directory / "token"
    file.write_text(site.token("ledger:read"), encoding="utf-8")
    ask = ("ledger", "verify", "--gateway", site.url, "--token-file", file, "--key", key, "--json")
    told = json.loads(site.run(*ask))
    assert told["ok"]
    assert told["entriesVerified"] == told["size"] > CUSTOMERS
    file.write_text(site.token("ledger:read", within=DataScope(frozenset({"Western"}), None)), encoding="utf-8")
    assert "out-of-scope" in site.run(*ask, code=1)


def _verify_files(site: Site, key: str, witness: str) -> Path:
    published = site.directory / "published"
    site.run("ledger", "publish", published)
    ask = ("ledger", "verify", "--directory", published, "--key", key, "--witness", witness, "--quorum", "1")
    told = json.loads(site.run(*ask, "--json"))
    size = told["size"]
    assert [one["key"] for one in told["cosignedBy"]] == [witness]
    asked = {"do": "audit", "directory": str(published), "origin": "test/ledger", "keys": [key]}
    assert go_verifier().ask([asked], LIMIT_S) == [{"ok": True, "size": size}]
    bundle = published / "tile" / "entries" / "000"
    sound = bundle.read_bytes()
    bundle.write_bytes(sound.replace(b'"kind":"accepted"', b'"kind":"accepteD"', 1))
    assert "is not the one that was signed" in site.run(*ask, code=1)
    bundle.write_bytes(sound)
    return published


def _prove_offline(site: Site, key: str, witness: str, transaction: str) -> None:
    out = site.directory / "receipts"
    site.run("ledger", "receipt", transaction, "--out", out)
    keys, policy = LogKeys.pinned(VerifierKey.parse(key)), WitnessPolicy((VerifierKey.parse(witness),), 1)
    receipts = sorted(out.glob("*.tlog-proof"))
    assert len(receipts) >= 3
    for path in receipts:
        entry = path.with_suffix(".entry").read_bytes()
        proven = verify_receipt(parse_receipt(path.read_bytes()), entry, keys, policy)
        assert [one.key.name for one in proven.cosignatures] == [WITNESS]
        assert json.loads(entry)["trace"] == transaction
    headers = {"Authorization": f"Bearer {site.token('ledger:read')}"}
    address = f"{site.url}/v1/transactions/{transaction}/receipts"
    told = httpx.get(address, headers=headers, trust_env=False, timeout=30).json()
    assert len(told["receipts"]) >= len(receipts)


def _change_the_key(site: Site, key: str) -> None:
    both = site.run("ledger", "rotate", "begin").splitlines()
    assert both[0] == key

    def signed_by_both() -> bool:
        note = json.loads((site.data / "ledger.held.json").read_text(encoding="utf-8"))["note"]
        return bool(note.count("\u2014 test/ledger ") == 2)

    until(signed_by_both)
    until(site.all_signed)
    assert "only " in site.run("ledger", "rotate", "finish")
    assert site.run("ledger", "key").strip() == both[1]


def _tamper(site: Site) -> None:
    """Somebody with the file in hands changes one amount of long ago."""
    with closing(sqlite3.connect(site.data / "gateway.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        changed = database.execute(
            "UPDATE ledger_entries SET body = CAST(replace(CAST(body AS TEXT), '\"v\":1', '\"v\":2') AS BLOB)"
            " WHERE (trace, seq) IN (SELECT trace, seq FROM log_entries WHERE log_index = 40)"
        )
        assert changed.rowcount == 1
    report = site.run("serve", code=1)
    assert "NOT as it was signed" in report
    assert "entry 40 is not the one that was signed" in report
    assert "held outside: " in report
