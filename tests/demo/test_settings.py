"""The settings file that the demo writes is one that the gateway takes, with the drivers' own options."""

from pathlib import Path
from types import SimpleNamespace

import mocksap.server
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.demo.erps import CLOUD, LEGACY, Erp
from gateway.demo.gateway_process import tokens, write_settings
from gateway.demo.places import Memory, Places
from gateway.settings import load_settings
from gateway.wiring.systems import check_targets, connect_systems
from routing_rules import load_rulebook

MEMORY = Memory(
    gateway_port=4711,
    legacy_port=4712,
    cloud_port=4713,
    legacy_user="GATEWAY",
    legacy_password='a "quoted" \\ password',
    cloud_client="gateway",
    cloud_secret="another secret",
)


def _written(tmp_path: Path) -> Places:
    places = Places(tmp_path / "data")
    places.prepare(fresh=False)
    legacy = Erp(LEGACY, "http://127.0.0.1:4712", (MEMORY.legacy_user, MEMORY.legacy_password))
    cloud = Erp(CLOUD, "http://127.0.0.1:4713", (MEMORY.cloud_client, MEMORY.cloud_secret))
    write_settings(places, MEMORY, legacy, cloud)
    return places


async def test_the_gateway_takes_it(tmp_path: Path) -> None:
    places = _written(tmp_path)
    settings = load_settings(places.directory)
    assert settings.demo
    assert settings.http.port == 4711
    rulebook = load_rulebook(places.directory / settings.rulebook)
    systems = connect_systems(rulebook, settings.systems, places.directory)
    try:
        check_targets(rulebook, systems)
    finally:
        for system in systems.values():
            await system.port.aclose()


def test_its_erps_execute_nothing_later_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(mocksap.server.time, "sleep", slept.append)
    config = SimpleNamespace(slow_ms=3_000, client="100")
    faults = SimpleNamespace(match=lambda method, path: None)
    handler = SimpleNamespace(mock=SimpleNamespace(faults=faults, config=config))
    for scenario in mocksap.server.SCENARIOS:
        headers = {"sap-mock-scenario": scenario}
        mocksap.server.Handler._inject_faults(handler, "POST", "/A_SalesOrder", headers, {})
    assert slept, "the simulator's faults are asked for in another way now"
    said = [one.longest_execution_s or 0 for one in load_settings(_written(tmp_path).directory).systems]
    assert len(said) == 2
    assert min(said) >= max(slept) + 10


def test_its_rulebook_is_proven_with_what_its_systems_can_do(tmp_path: Path) -> None:
    places = _written(tmp_path)
    report = CliRunner().invoke(app, ["capabilities", "--data", str(places.directory), "--json"])
    assert report.exit_code == 0, report.output
    file = tmp_path / "capabilities.json"
    file.write_text(report.stdout, encoding="utf-8")
    checked = CliRunner().invoke(
        app, ["rules", "check", str(places.directory / "rulebook"), "--capabilities", str(file)]
    )
    assert checked.exit_code == 0, checked.output


def test_secrets_stay_in_files_of_their_owner(tmp_path: Path) -> None:
    places = _written(tmp_path)
    text = places.settings.read_text()
    assert MEMORY.legacy_password not in text
    assert MEMORY.cloud_secret not in text
    for system_id in (LEGACY, CLOUD):
        assert places.secret(system_id).stat().st_mode & 0o077 == 0


def test_an_edited_rulebook_is_kept(tmp_path: Path) -> None:
    places = _written(tmp_path)
    edited = places.directory / "rulebook" / "orders.csv"
    edited.write_text("mine")
    legacy = Erp(LEGACY, "http://127.0.0.1:4712", ("u", "p"))
    write_settings(places, MEMORY, legacy, legacy)
    assert edited.read_text() == "mine"


def test_tokens_are_minted_for_each_client(tmp_path: Path) -> None:
    minted = tokens(_written(tmp_path), "salesforce", "billing")
    assert set(minted) == {"salesforce", "billing"}
    assert minted["salesforce"] != minted["billing"]
